"""Serves the agent's packages to imports, and tells when a library that it understands was imported.

sys.path stays as the application knows it: nothing of the agent but opentelemetry can be found by its name,
and no library of the application is imported because of the agent.
"""

import importlib.machinery
import os
import sys
import threading

OPENTELEMETRY = "opentelemetry"
PRIVATE = "odi_agent"


class Finder:
    """Finder is first in sys.meta_path. Within opentelemetry the agent's modules win, so that they are all of one
    version; modules that only the application has come from the application."""

    def __init__(self, lib):
        self._lib = lib
        self._hooks = {}
        self._looking = threading.local()

    def after(self, name, hook):
        """Calls hook with a module when it was imported, at once if it is there already."""
        module = sys.modules.get(name)
        if module is not None:
            hook(module)
            return
        self._hooks.setdefault(name, []).append(hook)

    def forget(self):
        self._hooks = {}

    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top == OPENTELEMETRY or top == PRIVATE:
            return self._own(name, path)
        if name in self._hooks:
            return self._hooked(name, path, target)
        return None

    def _own(self, name, path):
        folder = os.path.join(self._lib, *name.split(".")[:-1])
        own = importlib.machinery.PathFinder.find_spec(name, [folder])
        if own is None or own.has_location:
            return own
        # A namespace: the application's part of it counts too.
        theirs = importlib.machinery.PathFinder.find_spec(name, path)
        if theirs is not None:
            return theirs
        spec = importlib.machinery.ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = [os.path.join(folder, name.rpartition(".")[2])]
        return spec

    def _hooked(self, name, path, target):
        looking = self._looking.__dict__.setdefault("names", set())
        if name in looking:
            return None  # Another finder of this kind asks all finders, as this one does.
        looking.add(name)
        try:
            spec = self._ask_others(name, path, target)
        finally:
            looking.discard(name)
        if spec is not None:
            self._wrap(name, spec.loader)
        return spec

    def _ask_others(self, name, path, target):
        for finder in list(sys.meta_path):
            find = getattr(finder, "find_spec", None)
            if finder is self or find is None:
                continue
            spec = find(name, path, target)
            if spec is not None:
                return spec
        return None

    def _wrap(self, name, loader):
        """Replaces exec_module of the loader itself, once: its type stays what the application may look at."""
        execute = getattr(loader, "exec_module", None)
        if execute is None or isinstance(loader, type) or "exec_module" in getattr(loader, "__dict__", {}):
            return

        def exec_module(module):
            if module.__name__ != name:
                return execute(module)  # The loader of an archive is shared.
            loader.__dict__.pop("exec_module", None)
            execute(module)
            self._imported(name, sys.modules.get(name, module))

        try:
            loader.exec_module = exec_module
        except AttributeError:
            pass  # An unusual loader: its module stays as it is.

    def _imported(self, name, module):
        parent, _, child = name.rpartition(".")
        if parent in sys.modules and not hasattr(sys.modules[parent], child):
            setattr(sys.modules[parent], child, module)  # As importlib does next; hooks look for it.
        for hook in self._hooks.pop(name, ()):
            hook(module)


def application_has_sdk():
    """Says whether the application ships an SDK of its own, without importing anything."""
    found = importlib.machinery.PathFinder.find_spec(OPENTELEMETRY)
    if found is None or not found.submodule_search_locations:
        return False
    for folder in found.submodule_search_locations:
        if os.path.isfile(os.path.join(folder, "sdk", "trace", "__init__.py")):
            return True
    return False
