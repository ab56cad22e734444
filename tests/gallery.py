"""Backends that are wrong on purpose: an interface's model with one defect each.

A fault names the requirements it breaks. The check that verifies them must fail on it; a check that no fault can
fail proves nothing. Each interface has a package of faults, and a gallery that collects them.
"""

from __future__ import annotations

import importlib
import itertools
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from trackspec.memory_repository import MemoryArtifactRepository
from trackspec.memory_store import MemoryStore
from trackspec.protocol.artifact_endpoints import ARTIFACTS
from trackspec.protocol.model_proxy import ModelProxy
from trackspec.protocol.model_server import ModelServer, serving
from trackspec_conformance.arrangement import Openings, Workspace
from trackspec_conformance.checks import Check, checks_of
from trackspec_conformance.outcomes import CheckResult
from trackspec_conformance.trial import run_check
from trackspec_conformance.wire import Wire
from trackspec_conformance.wire.store import WireStore

_NUMBERS = itertools.count()
TOKEN = "the-token-of-the-tests"
"""What faulty servers ask for."""


@dataclass(frozen=True)
class Fault:
    """One faulty backend.

    :ivar interface: the name of the interface that it does not keep.
    :ivar breaks: the ids of the requirements that it does not keep.
    :ivar summary: what is wrong with it, in one sentence.
    :ivar subject_class: is constructed from a URI of the model's, or, a server, from a model that it serves. One
        that several processes can open has its locator in ``LOCATOR``; one that is kept in a directory has the
        function that puts it there in ``PLACED``. A server that is right, and has a faulty client, has that in
        ``CLIENT``.
    """

    name: str
    interface: str
    breaks: tuple[str, ...]
    summary: str
    subject_class: type[Any]

    def checks_of(self, requirement: str) -> list[str]:
        """The names of the checks that verify a requirement."""
        return [name for name, check in checks_of(self.interface).items() if requirement in check.verifies]

    def result_of(self, check_name: str) -> CheckResult:
        """What a check says of this backend."""
        return judged(self.subject_class, self.interface, check_name)


def judged(subject_class: type[Any], interface: str, check_name: str) -> CheckResult:
    """What a check says of a subject that nothing else uses: one in memory, unless its class has other URIs."""
    uri = getattr(subject_class, "URI", "memory:{}").format(f"{subject_class.__name__}-{next(_NUMBERS)}")
    check = checks_of(interface)[check_name]
    if issubclass(subject_class, ModelProxy):
        return _judged_proxy(subject_class(MemoryArtifactRepository(uri), token=TOKEN), check)
    if issubclass(subject_class, ModelServer):
        return _judged_server(subject_class(MemoryStore(uri), TOKEN), check)
    if prepare := getattr(subject_class, "prepare", None):
        prepare()
    openings = Openings[Any](
        again=lambda: subject_class(uri),
        locator=getattr(subject_class, "LOCATOR", None),
        placed=getattr(subject_class, "PLACED", None),
    )
    try:
        return run_check(
            check,
            subject_class(uri),
            Workspace(),
            subject="memory:",
            openings=openings,
        )
    finally:
        if interface == "artifacts" and uri.startswith("memory:"):
            MemoryArtifactRepository(uri).delete_artifacts()  # some of them are large


def _wire(url: str) -> Wire:
    return Wire(url, f"Bearer {TOKEN}", '-H "Authorization: Bearer $MLFLOW_TRACKING_TOKEN"', patience=3)


def _judged_server(server: ModelServer, check: Check) -> CheckResult:
    """What a check says of a server, while the store behind it is in plain sight."""
    client = getattr(server, "CLIENT", WireStore)
    with serving(server) as url:
        openings = Openings[Any](url=url, through=lambda other: client(_wire(other)))
        return run_check(
            check, server.store, Workspace(), subject=f"wire+{url}", openings=openings, wire=_wire(url)
        )


def _judged_proxy(server: ModelProxy, check: Check) -> CheckResult:
    """What a check says of a server that proxies artifacts, while the repository behind it is in plain sight."""
    client = getattr(server, "CLIENT", None)
    with serving(server) as url:
        openings = Openings[Any](url=url, through=client and (lambda other: client(f"{other}{ARTIFACTS}")))
        subject = f"{url}{ARTIFACTS}"
        try:
            return run_check(
                check, server.repository, Workspace(), subject=subject, openings=openings, wire=_wire(url)
            )
        finally:
            server.repository.delete_artifacts()


class Gallery:
    """The faults of one interface.

    :ivar interface: its name.
    """

    def __init__(self, interface: str, package: str, path: list[str]) -> None:
        self.interface = interface
        self._package = package
        self._path = path
        self._faults: dict[str, Fault] = {}

    def fault(self, *breaks: str) -> Callable[[type[Any]], type[Any]]:
        """Register a subclass of the model as a faulty backend; its docstring says the defect in one sentence.

        Its name is ``module.Class``, as a check's is ``module.function``.
        """

        def register(subject_class: type[Any]) -> type[Any]:
            name = f"{subject_class.__module__.rpartition('.')[2]}.{subject_class.__name__}"
            assert name not in self._faults, f"two faults are called {name}"
            assert subject_class.__doc__, f"{name} has no docstring"
            summary = " ".join(subject_class.__doc__.split())
            self._faults[name] = Fault(name, self.interface, breaks, summary, subject_class)
            return subject_class

        return register

    def faults(self) -> dict[str, Fault]:
        """Every fault by name."""
        for module in sorted(info.name for info in pkgutil.iter_modules(self._path)):
            importlib.import_module(f"{self._package}.{module}")
        return dict(self._faults)
