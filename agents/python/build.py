"""Makes the agent's folder: boot, lib and state. build.sh calls it; the standard library and pip are all it needs."""

import configparser
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
# What OpenTelemetry needs beside itself goes below odi_agent, so that no application finds it.
VENDORED = ("wrapt", "packaging", "typing_extensions", "asgiref")
STATES = ("alive", "failed", "unsupported", "own-sdk")
# Commands and exporters that an agent in a process has no use for.
LEFT_OUT = (
    "opentelemetry/instrumentation/auto_instrumentation/",
    "opentelemetry/instrumentation/bootstrap",
    "opentelemetry/sdk/_configuration/",
)


def main(target):
    target = pathlib.Path(target)
    with tempfile.TemporaryDirectory() as temporary:
        wheels = download(pathlib.Path(temporary))
        licenses, entry_points = {}, []
        for wheel in wheels:
            unpack(wheel, target / "lib", licenses, entry_points)
    shutil.copytree(HERE / "odi_agent", target / "lib" / "odi_agent", dirs_exist_ok=True, ignore=no_caches)
    shutil.copytree(HERE / "overlay", target / "lib", dirs_exist_ok=True, ignore=no_caches)
    shutil.copytree(HERE / "boot", target / "boot", ignore=no_caches)
    write_entry_points(target / "lib" / "odi_agent" / "entry_points.py", entry_points)
    (target / "LICENSES").write_text("\n\n".join(licenses[text] + "\n\n" + text for text in licenses), "utf-8")
    (target / "state").mkdir()
    for state in STATES:
        (target / "state" / state).write_text(state + "\n")
    check(target)


def download(folder):
    command = [sys.executable, "-m", "pip", "--isolated", "--disable-pip-version-check", "download", "--quiet"]
    command += ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--platform", "any", "--implementation", "py"]
    command += ["--python-version", "3.10", "--dest", str(folder), "--requirement", str(HERE / "requirements.txt")]
    subprocess.run(with_registry(command), check=True)
    return sorted(folder.glob("*.whl"))


def with_registry(command):
    """--isolated drops the user's settings with the index that a company may have; that one is kept."""
    index = os.environ.get("PIP_INDEX_URL")
    return command + ["--index-url", index] if index else command


def no_caches(_folder, names):
    return [name for name in names if name == "__pycache__"]


def unpack(wheel, lib, licenses, entry_points):
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if ".dist-info/" in name:
                read_metadata(archive, name, wheel, licenses, entry_points)
            elif name.endswith(".py") and not name.startswith(LEFT_OUT):
                place(lib, name, archive.read(name).decode("utf-8"))


def read_metadata(archive, name, wheel, licenses, entry_points):
    base = os.path.basename(name)
    if base.startswith(("LICENSE", "NOTICE")):
        text = archive.read(name).decode("utf-8")
        licenses[text] = "\n".join(filter(None, [licenses.get(text), wheel.name]))
    if base != "entry_points.txt":
        return
    parser = configparser.ConfigParser(delimiters=("=",))
    parser.optionxform = str
    parser.read_string(archive.read(name).decode("utf-8"))
    for group in parser.sections():
        if group.startswith("opentelemetry_") and "instrumentor" not in group:
            entry_points += [(group, key, value) for key, value in parser.items(group)]


def place(lib, name, text):
    top = name.split("/")[0].removesuffix(".py")
    if top in VENDORED:
        name = "odi_agent/vendor/" + name
    elif top != "opentelemetry":
        raise SystemExit(f"{name}: want opentelemetry or one of {VENDORED}")
    target = lib / name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(privatise(text), "utf-8")


IMPORT = re.compile(r"^(\s*)(from|import) (%s)\b(?! *=)" % "|".join(VENDORED), re.MULTILINE)


def privatise(text):
    """Lets imports of vendored packages find them below odi_agent."""

    def private(match):
        indent, verb, name = match.groups()
        if verb == "from":
            return f"{indent}from odi_agent.vendor.{name}"
        return f"{indent}from odi_agent.vendor import {name}"

    return IMPORT.sub(private, text)


def write_entry_points(path, entry_points):
    rows = "".join(f"    {row!r},\n" for row in sorted(set(entry_points)))
    path.write_text(f'"""Made by build.py from the wheels."""\n\nENTRY_POINTS = (\n{rows})\n')


def check(target):
    (target / "lib" / "odi_agent" / "vendor" / "__init__.py").write_text('"""Packages of others."""\n')
    for path in (p for p in target.rglob("*") if p.is_file()):
        if path.suffix not in (".py", "") or path.suffix == "" and path.parent.name != "state" and path.name != "LICENSES":
            raise SystemExit(f"{path}: an agent has Python sources only")
        if path.suffix == ".py":
            text = path.read_text("utf-8")
            if re.search(r"^\s*import (%s)[.,]" % "|".join(VENDORED), text, re.MULTILINE):
                raise SystemExit(f"{path}: an import of a vendored package that is not rewritten")


if __name__ == "__main__":
    main(sys.argv[1])
