"""What the suite knows of an interface that the specification is about."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from trackspec_conformance.answers import Shape
from trackspec_conformance.arrangement import Arrangement
from trackspec_conformance.calls import Call


@dataclass(frozen=True)
class Refusal:
    """The refusal of an optional operation, which takes the place of the checks on it where a subject lacks it.

    :ivar operation: the method that a subject may decline.
    :ivar prefixes: how the ids of the requirements that need it begin.
    :ivar function: the check that it is refused as specified, and changes nothing.
    """

    operation: str
    prefixes: tuple[str, ...]
    function: Callable[..., None]


@dataclass(frozen=True)
class Interface:
    """An interface, and how subjects of it are judged. How they are opened is :mod:`.subjects`' affair.

    :ivar name: as in ``trackspec check NAME``, the table of profiles, and the package in ``suites``.
    :ivar noun: what a subject is, such as ``a tracking store``.
    :ivar parameter: what checks and scripts call the opened subject.
    :ivar arrangement: makes what a check calls ``fresh``.
    :ivar shapes: what each method may return.
    :ivar refusals: the optional operations.
    :ivar probe: makes the plainest read, given the subject and a name that nobody has.
    :ivar open_below: opens a subject of the same kind at a place within an open one, where an interface has that.
    :ivar open_at: opens a subject of the same kind at another place, given its URI, where an interface has that.
    :ivar served: the locator of a server that a command has started, where none is given; ``{port}`` in it is its
        port.
    :ivar told: the expression by which a script tells what came of its last call, such as the answer's variable.
    :ivar temporary: the URI that is judged where none is given; ``DIRECTORY`` in it is one of its own.
    :ivar subjects: for each form of locator what it opens, for the command's help.
    """

    name: str
    noun: str
    parameter: str
    arrangement: type[Arrangement[Any]]
    shapes: Mapping[str, Shape]
    refusals: tuple[Refusal, ...]
    probe: Callable[[Any, str], object]
    served: str
    temporary: str
    subjects: Mapping[str, str]
    open_below: Callable[[Any, str], Any] | None = None
    open_at: Callable[[Any, str], Any] | None = None
    told: Callable[[Call], str] = operator.attrgetter("name")
