"""Recording the calls of a check, so that a failure can be told as a script that runs as it stands."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from trackspec import TrackingStore
from trackspec_conformance.answers import require_shape
from trackspec_conformance.expectations import shown_error
from trackspec_conformance.field_types import require_field_types
from trackspec_conformance.scripts import Call
from trackspec_conformance.source import source_of


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
    _stores: int = 1
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, receiver: str, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
        """Note a call that is about to be made."""
        shown = [self._source_of(value) for value in args]
        shown += [f"{key}={self._source_of(value)}" for key, value in kwargs.items()]
        with self._lock:
            number = len(self.calls) + 1
            call = Call(f"{receiver}.{method}({', '.join(shown)})", f"answer_{number}")
            self.calls.append(call)
        if self.on_call:
            self.on_call(number, call)
        return call

    def returned(self, call: Call, answer: Any) -> None:
        """Note what a call answered, and how a later call can refer to the ids and tokens in it."""
        call.outcome = "returned"
        for value, path in _references(answer):
            self._expressions.setdefault(value, call.name + path)

    def raised(self, call: Call, error: BaseException) -> None:
        """Note that a call raised."""
        call.outcome = shown_error(error)
        self.last_error = error

    def opened(self) -> str:
        """The variable of a store that is opened now."""
        with self._lock:
            self._stores += 1
            name = f"store_{self._stores}"
            self.calls.append(Call("open_subject(SUBJECT).open()", name, "returned"))
        return name

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

    def _source_of(self, value: Any) -> str:
        return source_of(value, self._expressions, self.namespace)


def recorded_store(store: TrackingStore, transcript: Transcript, name: str = "store") -> TrackingStore:
    """A stand-in for the store that records every call made on it under this variable name."""
    return cast(TrackingStore, _RecordingStore(store, transcript, name))


class _RecordingStore:
    def __init__(self, store: TrackingStore, transcript: Transcript, name: str) -> None:
        self._store = store
        self._transcript = transcript
        self._name = name

    def __getattr__(self, method: str) -> Any:
        target = getattr(self._store, method)
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
            require_shape(method, answer)
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
    return found
