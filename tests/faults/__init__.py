"""Backends that are wrong on purpose: the model with one defect each.

A fault names the requirements it breaks. The check that verifies them must fail on it; a check that no fault can
fail proves nothing.
"""

from __future__ import annotations

import importlib
import itertools
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from trackspec.memory_store import MemoryStore
from trackspec_conformance.checks import tracking_checks
from trackspec_conformance.fresh import Workspace
from trackspec_conformance.outcomes import Outcome
from trackspec_conformance.trial import run_check


@dataclass(frozen=True)
class Fault:
    """One faulty backend.

    :ivar breaks: the ids of the requirements that it does not keep.
    :ivar summary: what is wrong with it, in one sentence.
    """

    name: str
    breaks: tuple[str, ...]
    summary: str
    store_class: type[MemoryStore]

    @staticmethod
    def checks_of(requirement: str) -> list[str]:
        """The names of the checks that verify a requirement."""
        return [name for name, check in tracking_checks().items() if requirement in check.verifies]

    def outcome_of(self, check_name: str) -> Outcome:
        """What a check says of this backend."""
        uri = f"memory:{self.name}-{next(_NUMBERS)}"
        store = self.store_class(uri)
        result = run_check(
            tracking_checks()[check_name],
            store,
            Workspace(),
            subject=f"faults:{self.name}",
            reopen=lambda: self.store_class(uri),
        )
        return result.outcome


_NUMBERS = itertools.count()

_GALLERY: dict[str, Fault] = {}


def fault(*breaks: str) -> Callable[[type[MemoryStore]], type[MemoryStore]]:
    """Register a subclass of the model as a faulty backend; its docstring says the defect in one sentence.

    Its name is ``module.Class``, as a check's is ``module.function``.
    """

    def register(store_class: type[MemoryStore]) -> type[MemoryStore]:
        name = f"{store_class.__module__.rpartition('.')[2]}.{store_class.__name__}"
        assert name not in _GALLERY, f"two faults are called {name}"
        assert store_class.__doc__, f"{name} has no docstring"
        summary = " ".join(store_class.__doc__.split())
        _GALLERY[name] = Fault(name, breaks, summary, store_class)
        return store_class

    return register


@cache
def gallery() -> dict[str, Fault]:
    """Every fault by name."""
    for module in sorted(info.name for info in pkgutil.iter_modules(__path__)):
        importlib.import_module(f"{__name__}.{module}")
    return dict(_GALLERY)
