"""What is under test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from typing import Any

from trackspec import catalogue
from trackspec_conformance.wire.client import Wire


@dataclass(frozen=True)
class Identity:
    """Which code a subject is: what a report says was judged.

    :ivar distribution: name and version of the installed package that the class comes from, if any.
    """

    class_name: str
    module: str
    distribution: str | None = None

    @classmethod
    def of(cls, instance: object) -> Identity:
        """The identity of an object's class; of an adapter, that of what it adapts."""
        kind = type(getattr(instance, "adapted", instance))
        return cls(kind.__qualname__, kind.__module__, _distribution_of(kind.__module__))

    def __str__(self) -> str:
        return f"{self.module}.{self.class_name}" + (f" ({self.distribution})" if self.distribution else "")


def default_profiles(interface: str) -> frozenset[str]:
    """The profiles that a subject of an interface claims unless it says otherwise."""
    return frozenset(name for name, profile in catalogue.profiles_of(interface).items() if profile.default)


@dataclass(frozen=True)
class Subject:
    """A backend and what it says of itself. A factory may return one in place of a store or repository.

    :ivar open: opens it; called again, opens what it keeps anew.
    :ivar profiles: the profiles that it claims; None for all that its interface has by default.
    :ivar declines: optional operations that it lacks, by method name; each must answer NOT_IMPLEMENTED.
    :ivar reopenable: whether a second one, opened while the first one is in use, sees the same data.
    :ivar placed: the locator of a new, empty subject of the same kind that keeps all it has in a given directory;
        None where it cannot be chosen where it is kept.
    :ivar identity: which code it is; found out from what was opened where it is not given.
    :ivar url: where it is reached, if it is a server.
    :ivar service: the endpoint of the service that keeps it, such as S3's, if it is a client of one.
    :ivar through: opens it at another URL of its server, or of that service: that of a proxy. None if there is
        neither.
    """

    open: Callable[[], Any]
    profiles: frozenset[str] | None = None
    declines: frozenset[str] = frozenset()
    reopenable: bool = True
    placed: Callable[[str], str] | None = None
    identity: Identity | None = None
    url: str | None = None
    service: str | None = None
    through: Callable[[str], Any] | None = None

    def wire(self) -> Wire | None:
        """What sends requests to it, with credentials from the environment; None if it is no server."""
        return None if self.url is None else Wire.from_environment(self.url)


def _distribution_of(module: str) -> str | None:
    top_level = module.partition(".")[0]
    names = metadata.packages_distributions().get(top_level, [])
    return ", ".join(f"{name} {metadata.version(name)}" for name in sorted(set(names))) or None
