"""Recording the calls of a check, so that a failure can be told as a script that runs as it stands."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from trackspec_conformance.answers import Shape, require_shape
from trackspec_conformance.calls import Call, Made
from trackspec_conformance.expectations import Unexpected, shown_error
from trackspec_conformance.field_types import require_field_types
from trackspec_conformance.source import source_of
from trackspec_conformance.wire.client import Answer

S = TypeVar("S")


@dataclass
class Transcript:
    """The calls of one check in the order in which they began.

    :ivar preamble: earlier calls whose answers the check uses.
    :ivar on_call: is told of each call and its number, from 1, before it is made, so that one that never returns
        has a name; the preamble's number is 0.
    """

    namespace: str = ""
    on_call: Callable[[int, Call], None] | None = None
    preamble: list[Call] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    last_error: BaseException | None = None
    _expressions: dict[str, str] = field(default_factory=dict)
    _variables: int = 1
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, receiver: str, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
        """Note a call that is about to be made."""
        shown = [self.source_of(value) for value in args]
        shown += [f"{key}={self.source_of(value)}" for key, value in kwargs.items()]
        with self._lock:
            number = len(self.calls) + 1
            made = Made(receiver, method, args, kwargs)
            call = Call(f"{receiver}.{method}({', '.join(shown)})", f"answer_{number}", made=made)
            self.calls.append(call)
        if self.on_call:
            self.on_call(number, call)
        return call

    def returned(self, call: Call, answer: Any) -> None:
        """Note what a call answered, and how a later call can refer to the ids and tokens in it."""
        call.outcome = "returned"
        call.references = _references(answer)
        for value, path in call.references:
            self._expressions.setdefault(value, call.name + path)

    def raised(self, call: Call, error: BaseException) -> None:
        """Note that a call raised."""
        call.outcome = shown_error(error)
        self.last_error = error

    def opened(self, parameter: str, source: str) -> str:
        """The variable of a subject that is opened now by this expression."""
        return self._noted(source, parameter)

    def made(self, function: str, arguments: Sequence[Any], kind: str, value: str) -> None:
        """Note a value that was made on this machine, and the function that makes it in a script."""
        source = f"{function}({', '.join(map(self.source_of, arguments))})"
        self._expressions[value] = self._noted(source, kind)

    def did(self, function: str, *arguments: Any) -> None:
        """Note what was done on this machine, and returned nothing."""
        self._noted(f"{function}({', '.join(map(self.source_of, arguments))})", "done")

    def _noted(self, source: str, kind: str) -> str:
        with self._lock:
            self._variables += 1
            number = len(self.calls) + 1
            call = Call(source, f"{kind}_{self._variables}", "returned")
            self.calls.append(call)
        if self.on_call:
            self.on_call(number, call)
        return call.name

    def recall(self, call: Call, answer: str) -> None:
        """Note a call that was made before the check, and whose answer the check uses: it comes first."""
        if self._expressions.get(answer) != call.name:
            self.preamble.append(call)
            self._expressions[answer] = call.name
            if self.on_call:
                self.on_call(0, call)

    def mark(self) -> int:
        """A point to rewind to."""
        return len(self.calls)

    def rewind(self, mark: int) -> None:
        """Forget the calls since ``mark``."""
        del self.calls[mark:]

    def source_of(self, value: Any) -> str:
        """A value as an expression of a script."""
        return source_of(value, self._expressions, self.namespace)


def recorded(subject: S, transcript: Transcript, name: str, shapes: Mapping[str, Shape]) -> S:
    """A stand-in for the subject that records every call made on it under this variable name.

    An answer of another shape than its method's is a failure.
    """
    return cast(S, _Recording(subject, transcript, name, shapes))


def beneath(subject: Any) -> Any:
    """What such a stand-in stands for; anything else is itself."""
    return subject._subject if isinstance(subject, _Recording) else subject


class _Recording:
    def __init__(self, subject: Any, transcript: Transcript, name: str, shapes: Mapping[str, Shape]) -> None:
        self._subject = subject
        self._transcript = transcript
        self._name = name
        self._shapes = shapes

    def __getattr__(self, method: str) -> Any:
        target = getattr(self._subject, method)
        if method.startswith("_") or not callable(target):
            return target

        def call(*args: Any, **kwargs: Any) -> Any:
            entry = self._transcript.begin(self._name, method, args, kwargs)
            try:
                answer = target(*args, **kwargs)
            except Exception as error:
                self._transcript.raised(entry, error)
                raise
            self._transcript.returned(entry, answer)
            require_shape(self._shapes, method, answer)
            require_field_types(method, answer)
            return answer

        return call


def _references(answer: Any) -> list[tuple[str, str]]:
    """The ids and tokens in an answer, each with the path that leads to it."""
    found: list[tuple[str, str]] = []
    if isinstance(answer, str) and answer:
        found.append((answer, ""))
    token = getattr(answer, "token", None)
    if isinstance(token, str) and token:
        found.append((token, ".token"))
    run_id = getattr(getattr(answer, "info", None), "run_id", None)
    if isinstance(run_id, str):
        found.append((run_id, ".info.run_id"))
    if isinstance(answer, Answer):
        found += _named(answer)
    return found


_IDS = ("experiment_id", "run_id", "next_page_token")


def _named(answer: Answer) -> list[tuple[str, str]]:
    """The ids and tokens in a server's answer to a create or a search."""
    try:
        told = answer.json
    except Unexpected:
        return []
    info = ("run", "info", "run_id")
    paths = [(name,) for name in _IDS] + [info]
    found = []
    for path in paths:
        value = told
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        if isinstance(value, str) and value:
            found.append((value, ".json" + "".join(f"[{name!r}]" for name in path)))
    return found
