"""What a check is, and the list of all of them.

A check is a function that makes the calls of one small story and compares the answers. It asks for what it needs
by parameter name: the opened subject by what its interface calls it, such as ``store``; ``fresh``, which arranges
(:mod:`trackspec_conformance.arrangement`); ``wire``, which sends requests to a subject that is a server
(:class:`trackspec_conformance.wire.Wire`).
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

from trackspec import catalogue

DEFAULT_TIMEOUT = 30.0
"""Seconds that a check may take before its subject is said to hang."""


@dataclass(frozen=True)
class Check:
    """One check.

    :ivar interface: the name of the interface whose subjects it judges.
    :ivar verifies: the ids of the requirements that fail when this check fails.
    :ivar rests_on: requirements without which the check cannot be judged; if one failed, it is blocked.
    :ivar timeout: seconds.
    :ivar uses: what it changes or relies on of the store as a whole; no two checks that use the same run at once.
    :ivar needs: the id of a requirement of another profile, whose calls it makes; a subject that does not claim
        that profile, or declines the call, is not judged by it.
    """

    name: str
    interface: str
    summary: str
    verifies: tuple[str, ...]
    rests_on: tuple[str, ...]
    timeout: float
    function: Callable[..., None] = field(compare=False, repr=False)
    uses: str | None = None
    needs: str | None = None

    @property
    def parameters(self) -> tuple[str, ...]:
        """What the function asks for."""
        return tuple(inspect.signature(self.function).parameters)


_REGISTERED: dict[str, dict[str, Check]] = {}
"""The checks of each interface by name."""


def check(
    *verifies: str,
    rests_on: tuple[str, ...] = (),
    timeout: float = DEFAULT_TIMEOUT,
    uses: str | None = None,
    needs: str | None = None,
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a function as the check of one requirement or several.

    Its name is ``module.function``, and its interface that of the package which the module is in; its docstring is
    one sentence in the present tense that says what holds.
    """

    def register(function: Callable[..., None]) -> Callable[..., None]:
        interface, module = function.__module__.split(".")[-2:]
        registered = _REGISTERED.setdefault(interface, {})
        name = f"{module}.{function.__name__}"
        assert name not in registered, f"two checks are called {name}"
        assert function.__doc__, f"{name} has no docstring"
        summary = " ".join(function.__doc__.split())
        registered[name] = Check(name, interface, summary, verifies, rests_on, timeout, function, uses, needs)
        return function

    return register


@cache
def checks_of(interface: str) -> dict[str, Check]:
    """Every check of an interface's subjects by name, those first that others rest on."""
    suite = importlib.import_module(f"trackspec_conformance.suites.{interface}")
    for module in sorted(info.name for info in pkgutil.iter_modules(suite.__path__)):
        importlib.import_module(f"{suite.__name__}.{module}")
    return _prerequisites_first(_REGISTERED[interface])


def _prerequisites_first(registered: dict[str, Check]) -> dict[str, Check]:
    chapter_order = {id_: position for position, id_ in enumerate(catalogue.requirements())}
    waiting = sorted(registered.values(), key=lambda item: (chapter_order.get(item.verifies[0], -1), item.name))
    ordered: dict[str, Check] = {}
    while waiting:
        unverified = {id_ for item in waiting for id_ in item.verifies}
        ready = [item for item in waiting if not unverified.intersection(set(item.rests_on) - set(item.verifies))]
        assert ready, f"checks rest on each other in a circle: {[item.name for item in waiting]}"
        ordered |= {item.name: item for item in ready}
        waiting = [item for item in waiting if item.name not in ordered]
    return ordered
