"""An application that finds an SDK only when it runs, and sets it up."""

import sys
import urllib.request

sys.path.insert(0, sys.argv[2])
from opentelemetry import trace  # noqa: E402


class Provider(trace.TracerProvider):
    def get_tracer(self, *args, **kwargs):
        return trace.NoOpTracer()


own = Provider()
urllib.request.urlopen(sys.argv[1]).read()
trace.set_tracer_provider(own)
urllib.request.urlopen(sys.argv[1]).read()
with open("/proc/self/maps") as maps:
    states = [line.rsplit("/", 1)[1].strip() for line in maps if "/state/" in line]
print(trace.get_tracer_provider() is own, *states)
