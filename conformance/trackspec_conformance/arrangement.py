"""What a check arranges, whatever the interface: names that nobody else has, and other openings of the subject.

Arranging is not judging. Where an arrangement itself fails, the check is *blocked* by the requirement that says
it must work, which a check of its own judges: one root cause, not forty.
"""

from __future__ import annotations

import contextlib
import os
import random
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar, cast

from trackspec_conformance.expectations import NotApplicable, shown_error
from trackspec_conformance.histories.performing import Order
from trackspec_conformance.losing_proxy import LosingProxy
from trackspec_conformance.recording import Transcript
from trackspec_conformance.started_server import KillableServer
from trackspec_conformance.subjects.subject import Subject
from trackspec_conformance.wire.client import tls_context

TIME_BUDGET = float(os.environ.get("TRACKSPEC_TIME_BUDGET", "3"))
"""Seconds that a property or a state machine may explore for.

The environment variable of that name sets it: with more, what is found depends less on how fast the subject is."""

T = TypeVar("T")
R = TypeVar("R", bound="contextlib.AbstractContextManager[Any]")
S = TypeVar("S")
"""What a subject opens: a tracking store, an artifact repository."""


class Blocked(Exception):
    """An arrangement failed.

    :ivar requirement: the id of what must work and did not.
    """

    def __init__(self, requirement: str, error: BaseException) -> None:
        super().__init__(f"{requirement} does not hold: {shown_error(error)}")
        self.requirement = requirement


@dataclass
class Workspace:
    """What the checks of one process share.

    :ivar namespace: text that is part of every name the suite makes, unique to this process.
    :ivar shared: things that no check counts, searches for or deletes, by what they are.
    :ivar kept: what several checks use, by what it is.
    :ivar resources: what of it has to be given back.
    """

    namespace: str = field(default_factory=lambda: f"ts{uuid.uuid4().hex[:10]}")
    shared: dict[str, str] = field(default_factory=dict)
    kept: dict[str, object] = field(default_factory=dict)
    resources: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)


@dataclass(frozen=True)
class Openings(Generic[S]):
    """The ways to open a subject again, each None where there is none.

    :ivar again: opens what it keeps anew.
    :ivar below: opens a place within it.
    :ivar at: opens another place by its URI.
    :ivar locator: what another process opens it by.
    :ivar placed: the locator of a new one of the same kind, kept in a given directory.
    :ivar other: opens what a locator names.
    :ivar url: where the subject is reached, if it is a server, or kept by a service.
    :ivar through: opens it at another URL, that of a proxy.
    :ivar started: the server, where the suite has started it.
    """

    again: Callable[[], S] | None = None
    below: Callable[[str], S] | None = None
    at: Callable[[str], S] | None = None
    locator: str | None = None
    placed: Callable[[str], str] | None = None
    other: Callable[[str], S] | None = None
    url: str | None = None
    through: Callable[[str], S] | None = None
    started: KillableServer | None = None

    @classmethod
    def of(cls, subject: Subject, locator: str, started: KillableServer | None = None) -> Openings[Any]:
        """The ways to open what a locator has named."""
        return Openings(
            again=subject.open if subject.reopenable else None,
            locator=locator if subject.reopenable else None,
            placed=subject.placed,
            url=subject.url or subject.service,
            through=subject.through,
            started=started,
        )


class Arrangement(ABC, Generic[S]):
    """Makes things for one check; each interface has a subclass that knows which.

    :ivar interface: the name of the interface.
    :ivar random: seeded by the run's seed and the check's name.
    :ivar transcript: the calls so far.
    :ivar time_budget: seconds that the check's property or state machine may explore for.
    """

    interface: ClassVar[str]

    def __init__(
        self,
        subject: S,
        workspace: Workspace,
        *,
        seed: int = 0,
        check_name: str = "",
        time_budget: float = TIME_BUDGET,
        openings: Openings[S] | None = None,
        transcript: Transcript | None = None,
    ) -> None:
        self._subject = subject
        self._workspace = workspace
        self._openings = openings or Openings()
        self._names = 0
        self.transcript = transcript or Transcript()
        self.seed = seed
        self.random = random.Random(f"{seed}/{check_name}")
        self.check_name = check_name
        self.time_budget = time_budget

    def name(self, hint: str = "x") -> str:
        """A name that nobody has."""
        self._names += 1
        return f"{self._workspace.namespace}-{hint}-{uuid.uuid4().hex[:8]}-{self._names}"

    def reopened(self) -> S:
        """The same subject, opened anew.

        :raises NotApplicable: if it lives and dies with one object.
        """
        if self._openings.again is None:
            raise NotApplicable("the subject lives in one object and cannot be opened again")
        return self._openings.again()

    def own(self) -> S:
        """One that no other check uses, for calls that may break it; where it lives in one object, that one."""
        return self._subject if self._openings.again is None else self._openings.again()

    def give_back(self, own: S) -> None:
        """Close one of those, before the check is over: a server may bear only so many connections."""
        if self._openings.again is not None:
            with contextlib.suppress(Exception):  # what a cut has broken may not close either
                cast(Any, own).close()

    def locator(self) -> str:
        """What another process opens the subject by.

        :raises NotApplicable: if none can.
        """
        if self._openings.locator is None:
            raise NotApplicable("the subject lives in one process and cannot be opened by another")
        return self._openings.locator

    def placing(self) -> Callable[[Path], str]:
        """What gives the locator of a new subject of the same kind that keeps all it has in a directory.

        :raises NotApplicable: if that is not known.
        """
        placed = self._openings.placed
        if placed is None:
            raise NotApplicable("where the subject keeps what it has is not the suite's to choose")
        return lambda directory: placed(str(directory))

    def opened_in(self, directory: Path) -> S:
        """The subject of the same kind that keeps all it has in a directory.

        :raises NotApplicable: if that is not known.
        """
        assert self._openings.other is not None
        return self._openings.other(self.placing()(directory))

    @contextlib.contextmanager
    def losing(self) -> Iterator[tuple[LosingProxy, S]]:
        """A proxy before the subject, and the subject as a client has it that reaches it through the proxy.

        :raises NotApplicable: if it is no server.
        """
        url, open_at = self.reached()
        with LosingProxy(url, tls_context()) as proxy:
            yield proxy, open_at(proxy.url)

    def reached(self) -> tuple[str, Callable[[str], S]]:
        """Where the subject is reached, and what opens it at another URL.

        :raises NotApplicable: if it is no server.
        """
        if self._openings.url is None or self._openings.through is None:
            raise NotApplicable("the subject is reached by no network: no answer to a client of it can be lost")
        return self._openings.url, self._openings.through

    @abstractmethod
    def left_for_others(self) -> tuple[Order, object]:
        """Leave something, and give the call that reads it and its answer."""

    @property
    def started_server(self) -> KillableServer | None:
        """The subject, where it is a server that the suite has started; it may be killed, and is started again."""
        return self._openings.started

    def kept(self, what: str, make: Callable[[], T]) -> T:
        """What checks of one process share, made when it is first asked for."""
        if what not in self._workspace.kept:
            self._workspace.kept[what] = make()
        return cast(T, self._workspace.kept[what])

    def keep(self, resource: R) -> R:
        """Have a resource given back when this process has judged its last check."""
        self._workspace.resources.enter_context(resource)
        return resource

    def deadline(self) -> float:
        """When, on the monotonic clock, exploring ends."""
        return time.monotonic() + self.time_budget

    def close(self) -> None:
        """Remove what lies on this machine; what the subject keeps stays."""
        return
