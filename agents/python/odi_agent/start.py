"""Starts the agent in a process, or decides not to."""

import atexit
import logging
import os
import sys

from odi_agent import imports

_OTHER_AGENTS = ("ddtrace" + os.sep + "bootstrap", "newrelic" + os.sep + "bootstrap", "opentelemetry" + os.sep + "instrumentation")


def start(lib, tell):
    """Returns the state that the process is in. Raises when it could not start, after having undone what it did."""
    objection = _objection()
    if objection is not None:
        return objection
    finder = imports.Finder(lib)
    sys.meta_path.insert(0, finder)
    try:
        _start(finder, tell)
    except BaseException:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if _is_ours(name, lib)]:
            del sys.modules[name]
        raise
    return "alive"


def _objection():
    from odi_agent import sender

    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return "unsupported"  # The user said no; who has eyes for it outside may go on.
    for signal in ("traces", "metrics"):
        if sender.protocol(signal) == "grpc":
            return "unsupported"  # The user's endpoint speaks what this agent does not.
    if imports.application_has_sdk():
        return "own-sdk"
    if any(other in entry for entry in sys.path for other in _OTHER_AGENTS):
        return "own-sdk"
    return None


def _is_ours(name, lib):
    module = sys.modules.get(name)
    return name.startswith("opentelemetry") and str(getattr(module, "__file__", "") or lib).startswith(lib)


def _start(finder, tell):
    from odi_agent import libraries, providers, worker

    _keep_quiet()
    running = providers.Running()
    known = libraries.Libraries(worker.report)

    def step_aside():
        finder.forget()
        known.undo()
        running.end()
        tell("own-sdk")

    running.install(step_aside)
    known.watch(finder)
    for util in ("multiprocessing.util", "billiard.util"):
        finder.after(util, running.worker.end_in_child_of)
    finder.after("uvicorn.server", running.flush_when_uvicorn_ends)
    atexit.register(running.end)


def _keep_quiet():
    """An application's log shows nothing of the agent, unless it asks for it."""
    if not os.environ.get("OTEL_LOG_LEVEL"):
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL + 1)
