# Python imports this module before the application, since its folder is in PYTHONPATH.
# It starts odi's agent, and runs the sitecustomize that the application would have had.
#
# This file must stay readable for every Python since 2.7: it decides whether the agent
# fits, and nothing that goes wrong here may reach the application.
import os
import sys

_FROM, _BELOW = (3, 10), (3, 16)

# What installs or inspects packages is no service: it starts as if there were no agent.
_TOOLS = (
    "build compileall easy_install ensurepip idlelib pip pipenv pipx poetry py_compile pydoc "
    "site sysconfig twine uv venv virtualenv wheel"
).split()
_ODI_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_told = []  # The mapping of the state's file; it lives as long as this module.


def _tell(state):
    """Maps the file of a state, which is how odi sees from outside how the agent started."""
    import mmap

    keywords = {"flags": mmap.MAP_PRIVATE, "prot": mmap.PROT_READ}
    if sys.version_info >= (3, 13):
        keywords["trackfd"] = False  # Else a descriptor stays open in the application.
    try:
        fd = os.open(os.path.join(_ODI_ROOT, "state", state), os.O_RDONLY)
        try:
            told = mmap.mmap(fd, 0, **keywords)
        finally:
            os.close(fd)
    except (OSError, ValueError):
        return
    for earlier in _told:
        earlier.close()
    _told[:] = [told]


def _debug():
    return os.environ.get("OTEL_LOG_LEVEL", "").lower() == "debug"


def _is_supported():
    if not _FROM <= sys.version_info[:2] < _BELOW or sys.implementation.name != "cpython":
        return False
    has_gil = getattr(sys, "_is_gil_enabled", None)
    return has_gil is None or has_gil()


def _program(arguments):
    """Finds what Python was told to run: the name of a script or module, or code."""
    arguments = list(arguments)
    while arguments:
        argument = arguments.pop(0)
        if argument in ("-W", "-X", "--check-hash-based-pycs"):
            arguments = arguments[1:]
        elif argument.startswith("--"):
            continue
        elif argument.startswith("-") and argument != "-":
            flags = argument[1:]
            for at, flag in enumerate(flags):
                if flag in "WX":
                    break  # The rest is its value.
                if flag in "mc":
                    return flag, flags[at + 1 :] or (arguments or [""])[0]
        else:
            return "", os.path.basename(argument)
    return "", None


def _is_tool():
    kind, name = _program(sys.orig_argv[1:])
    if name is None:
        return os.isatty(0)  # Somebody types.
    if kind == "c":
        return name.startswith("from multiprocessing.resource_tracker ")
    name = name.split(".")[0].rstrip("0123456789")
    return name in _TOOLS


def _start():
    if not _is_supported():
        _tell("unsupported")
        return
    if _is_tool():
        return
    lib = os.path.join(_ODI_ROOT, "lib")
    try:
        # For this one import: the application's sys.path stays as it was.
        sys.path.append(lib)
        try:
            from odi_agent import start
        finally:
            sys.path.remove(lib)
        state = start.start(lib, _tell)
    except Exception:
        state = "failed"
        if _debug():
            import traceback

            traceback.print_exc()
    _tell(state)


def _run_users_own():
    """Imports the sitecustomize that comes next in sys.path, in the place of this one."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != here]
    sys.modules["_odi_boot"] = this = sys.modules.pop("sitecustomize")
    try:
        import sitecustomize  # noqa: F401
    except ImportError as error:
        if getattr(error, "name", "sitecustomize") != "sitecustomize" or "sitecustomize" not in str(error):
            raise
        sys.modules["sitecustomize"] = this


if __name__ == "sitecustomize":
    try:
        _run_users_own()  # What it raises goes where it would have gone.
    finally:
        try:
            _start()
        except Exception:
            pass
