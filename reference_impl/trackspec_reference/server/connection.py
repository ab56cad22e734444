"""A connection: what of it reaches the application, and what is turned away before."""

from __future__ import annotations

import asyncio
from asyncio import TimerHandle
from functools import partial
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from trackspec.errors import ErrorCode
from trackspec_reference.server import answers
from trackspec_reference.server.answers import Answer, Headers, Refusal
from trackspec_reference.server.application import Application
from trackspec_reference.server.calls import Call
from trackspec_reference.server.limits import Limits

_FRAMING = 2
"""By which factor chunks may enlarge a body. Those of a few bytes each are no honest client's."""

_CLOSE = (b"connection", b"close")

_PARTING_TIME = 1.0
"""Seconds between the last answer of a connection and its end."""


class Connection(HttpToolsProtocol):
    """A client's connection, with bounds on what it sends and on how long it takes.

    What is no HTTP, has too large a head, or does not arrive in time is answered in the one shape of errors, and
    the connection is closed. So is one whose client does not read what it is answered.
    """

    application: Application
    limits: Limits

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._in_head = True
        self._in_request = False
        self._is_turned_away = False
        self._arriving = self._received = 0
        self._began = 0.0
        self._late: TimerHandle | None = None
        self._stalled: TimerHandle | None = None
        self._arrived: RequestResponseCycle | None = None
        self._call: Call | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._late = self.loop.call_later(self.limits.request_time, self._is_late)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        for timer in (self._late, self._stalled):
            if timer is not None:
                timer.cancel()

    # -- reading --------------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        if self._is_turned_away:
            return
        self._arriving = len(data)
        self._received += self._arriving
        super().data_received(data)
        if self._arrived is not None:
            self._begin(self._arrived)
        if self._is_turned_away or self.transport.is_closing():
            return
        if not self._in_request:
            self._stop_waiting()
            return
        if self._late is None:
            self._late = self.loop.call_later(self.limits.request_time, self._is_late)
        limit = self.limits.head
        if self._in_head and self._received > limit:
            self._turn_away(f"The head of the request is larger than {limit} bytes.", 431)
        elif self._received > limit + _FRAMING * self._largest_body():
            self._turn_away("The request is too large.", 413)

    def _largest_body(self) -> int:
        """The bytes that a body may have; of one that is answered already, not much is read any more."""
        is_read = self.cycle is not None and not self.cycle.response_complete
        is_artifact = not self._in_head and self.scope["method"] == "PUT" and is_read
        return max(self.limits.body, self.limits.artifact) if is_artifact else self.limits.body

    def eof_received(self) -> bool:  # type: ignore[override]
        """Keep the connection open for answers to what came before the end."""
        if self._in_request and not self._is_turned_away:
            self._turn_away("The request is not whole.", 400)
        cycle = self.cycle
        if cycle is None or cycle.response_complete:
            return False
        cycle.keep_alive = False
        return True

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = self._in_request = True
        self._received = self._arriving
        self._began = self.loop.time()

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:  # fields behind the body are of no use here
            super().on_header(name, value)

    def on_message_complete(self) -> None:
        self._in_request = False
        super().on_message_complete()

    def _is_late(self) -> None:
        self._late = None
        if self._in_request and (left := self._time_left()) > 0:
            self._late = self.loop.call_later(left, self._is_late)
        elif self._in_request:
            self._turn_away(f"The request did not arrive within {self.limits.request_time} s.", 408)
        else:
            self.transport.close()

    def _time_left(self) -> float:
        """The seconds that an artifact has to arrive; it has more of them, the more of it is there."""
        if self._largest_body() == self.limits.body:
            return 0
        due = self.limits.request_time + self._received / self.limits.artifact_rate
        return due - (self.loop.time() - self._began)

    def _stop_waiting(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    # -- beginning ------------------------------------------------------------------------------------------

    def on_response_complete(self) -> None:
        """Go on with the next request, whose head may have arrived before."""
        super().on_response_complete()
        if self._arrived is not None:
            self._begin_task(self._arrived)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:  # noqa: ARG002 - always the same
        """Wait for what has arrived with the head of a request: often it is whole, and needs no task."""
        self._arrived = cycle

    def _begin(self, cycle: RequestResponseCycle) -> None:
        scope: Any = cycle.scope
        if cycle.more_body or not self.application.takes_whole(scope):
            self._begin_task(cycle)
            return
        self._arrived = None
        self._call = self.application.begin(scope, bytes(cycle.body), partial(self._answer, cycle))
        if self._call is not None:
            self.tasks.add(self._call)  # type: ignore[arg-type]  # what is done with a task can be done with it

    def _begin_task(self, cycle: RequestResponseCycle) -> None:
        self._arrived = None
        super()._start_asgi_task(cycle, self.app)

    def _answer(self, cycle: RequestResponseCycle, answer: Answer) -> None:
        """Send an answer, head and body at once."""
        if self._call is not None:
            self.tasks.discard(self._call)
            self._call = None
        if cycle.disconnected or self.transport.is_closing():
            return
        if self.flow.write_paused:
            task = self.loop.create_task(self._answer_when_read(cycle, answer))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
            return
        cycle.response_started = cycle.response_complete = True
        scope: Any = cycle.scope
        fields = self.application.headers(answer, scope)
        if cycle.keep_alive:
            self._write(answer, fields)
        else:
            self._write(answer, [*fields, _CLOSE])
            self.transport.close()
        self.on_response_complete()

    async def _answer_when_read(self, cycle: RequestResponseCycle, answer: Answer) -> None:
        await self.flow.drain()
        self._answer(cycle, answer)

    def _write(self, answer: Answer, fields: Headers) -> None:
        assert isinstance(answer.body, bytes)
        parts = [STATUS_LINE[answer.status]]
        for name, value in (*self.server_state.default_headers, *fields):
            parts += (name, b": ", value, b"\r\n")
        self.transport.write(b"".join([*parts, b"\r\n", answer.body]))

    # -- turning away ---------------------------------------------------------------------------------------

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's words for it
        self._turn_away("This is no HTTP request.", 400)

    def _turn_away(self, message: str, status: int) -> None:
        """Answer a request that the application does not answer, and close the connection."""
        self._is_turned_away = True
        self._stop_waiting()
        cycle = self.cycle
        if self._in_head or cycle is None:
            if cycle is not None and not cycle.response_complete:
                cycle.keep_alive = False  # the request before this one gets its answer, and then it is over
                return
        elif cycle.response_started:
            self.transport.close()
            return
        else:
            cycle.disconnected = True  # the application stops waiting for the rest
            cycle.message_event.set()
        answer = answers.error(Refusal(message, ErrorCode.INVALID_PARAMETER_VALUE, status))
        self._write(answer, [*answer.headers, _CLOSE])
        self._close_when_read()

    def _close_when_read(self) -> None:
        """Close, but not before a client that is still sending had the time to see its answer."""
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(_PARTING_TIME, self.transport.close)

    # -- writing --------------------------------------------------------------------------------------------

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_writing(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()

    def _watch_writing(self, waiting: int) -> None:
        self._stalled = self.loop.call_later(self.limits.stalled_time, self._is_stalled, waiting)

    def _is_stalled(self, waiting: int) -> None:
        """Close the connection if nothing was read of it since so many bytes were waiting."""
        still_waiting = self.transport.get_write_buffer_size()
        if still_waiting >= waiting:
            self.transport.abort()
        else:
            self._watch_writing(still_waiting)
