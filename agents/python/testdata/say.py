"""Says as JSON what an application can see of its interpreter, after it imported what is named."""

import importlib
import json
import os
import sys
import warnings

warnings.simplefilter("ignore")
report = {"state": "", "path": sys.path, "versions": {}, "user": os.environ.get("USERS_OWN_RAN", "")}
for name in sys.argv[1:]:
    module = importlib.import_module(name)
    report["versions"][name] = "%s %s" % (getattr(module, "__version__", ""), getattr(module, "__file__", ""))
if sys.version_info >= (3, 10):
    from importlib.metadata import distributions

    report["distributions"] = sorted("%s %s" % (d.metadata["Name"], d.version) for d in distributions())
    report["missing"] = []
    for name in ("packaging", "wrapt", "asgiref", "typing_extensions", "google.protobuf"):
        try:
            importlib.import_module(name)
        except ImportError:
            report["missing"].append(name)
with open("/proc/self/maps") as maps:
    for line in maps:
        if "/state/" in line:
            report["state"] += line.rsplit("/", 1)[1].strip()
print(json.dumps(report))
