"""Stands in the agent for OpenTelemetry's module of this name.

The agent's packages are no distributions that importlib.metadata could find, so that the application's list of
distributions is the same with the agent and without. What they declare as entry points is a table, made when the
agent was built; the application's own entry points are asked for what is not in it.
"""

from importlib.metadata import Distribution, EntryPoint, EntryPoints, PackageNotFoundError, distributions, requires, version
from importlib.metadata import entry_points as _of_application

from odi_agent.entry_points import ENTRY_POINTS


def entry_points(**params):
    group, name = params.get("group"), params.get("name")
    own = [
        EntryPoint(own_name, value, own_group)
        for own_group, own_name, value in ENTRY_POINTS
        if group in (None, own_group) and name in (None, own_name)
    ]
    if own and name is not None:
        return EntryPoints(own)
    return EntryPoints(own + list(_of_application(**params)))


__all__ = [
    "Distribution",
    "EntryPoint",
    "EntryPoints",
    "PackageNotFoundError",
    "distributions",
    "entry_points",
    "requires",
    "version",
]
