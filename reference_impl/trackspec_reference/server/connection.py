"""A connection: what of it reaches the application, and what is turned away before."""

from __future__ import annotations

import asyncio
from asyncio import TimerHandle
from collections.abc import Callable
from functools import partial
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from trackspec.errors import ErrorCode, TrackspecError
from trackspec_reference.server import answers
from trackspec_reference.server.answers import Answer, Headers, Refusal
from trackspec_reference.server.application import Application, told
from trackspec_reference.server.calls import Call
from trackspec_reference.server.lanes import Lane, Left, lane
from trackspec_reference.server.limits import Limits
from trackspec_reference.server.requests import Scope
from trackspec_reference.server.whole_requests import WholeRequest, whole_request

_FRAMING = 2
"""By which factor chunks may enlarge a body. Those of a few bytes each are no honest client's."""

_CLOSE = (b"connection", b"close")

_PARTING_TIME = 1.0
"""Seconds between the last answer of a connection and its end."""

Cycle = RequestResponseCycle | WholeRequest
"""A request and what becomes of it."""


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
        self._started: Cycle | None = None
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
        if self._is_between_requests() and (whole := self._whole_request(data)):
            self._take_whole(whole)
        else:
            self._take(data)

    def _is_between_requests(self) -> bool:
        return not self._in_request and (self.cycle is None or self.cycle.response_complete)

    def _whole_request(self, data: bytes) -> WholeRequest | None:
        """The request that these bytes are, if it is one that needs no task."""
        whole = whole_request(data, self.server, self.limits.head)
        return whole if whole is not None and self.application.takes_whole(whole.scope) else None

    def _take_whole(self, whole: WholeRequest) -> None:
        self._unset_keepalive_if_required()
        self._stop_waiting()
        self.cycle = self._started = whole  # type: ignore[assignment]
        self._begin_call(whole)

    def _take(self, data: bytes) -> None:
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
        self._arrived = self._started = cycle

    def _begin(self, cycle: RequestResponseCycle) -> None:
        scope: Any = cycle.scope
        if cycle.more_body or not self.application.takes_whole(scope):
            self._begin_task(cycle)
            return
        self._arrived = None
        self._begin_call(cycle)

    def _begin_call(self, cycle: Cycle) -> None:
        scope: Any = cycle.scope
        make = self.application.prepared(scope, bytes(cycle.body))
        if isinstance(make, Answer):
            self._answer(cycle, make)
            return
        try:
            self._call = self._in_a_lane(cycle, make) or self.application.begin(make, partial(self._ended, cycle))
        except TrackspecError as error:
            self._answer(cycle, answers.error(error))
            return
        self.tasks.add(self._call)  # type: ignore[arg-type]  # what is done with a task can be done with it

    def _ended(self, cycle: Cycle, answer: Any, error: BaseException | None) -> None:
        scope: Any = cycle.scope
        self._end_call()
        self._answer(cycle, answer if error is None else told(error, scope))

    def _end_call(self) -> None:
        assert self._call is not None
        self.tasks.discard(self._call)
        self._call = None

    def _begin_task(self, cycle: RequestResponseCycle) -> None:
        self._arrived = None
        super()._start_asgi_task(cycle, self.app)

    # -- in the hands of a thread ---------------------------------------------------------------------------

    def _in_a_lane(self, first: Cycle, make: Callable[[], Answer]) -> Call | None:
        """Let the thread that makes a call send the answer, and answer what follows; None if that cannot be.

        Where all threads are busy that would save nothing.
        """
        if not isinstance(first, WholeRequest) or not self.application.has_idle_thread():
            return None
        own = lane(self.transport)
        return self._hand_over(own, first, make) if own else None

    def _hand_over(self, own: Lane, first: WholeRequest, make: Callable[[], Answer]) -> Call:
        def run() -> Left:
            return own.run(
                self._written(first.scope, make(), first.keep_alive),
                partial(self._following, first),
                lambda: first.keep_alive and not self.application.wants_thread_back(),
            )

        call = self.application.begin(run, partial(self._take_back, own, first))
        self.flow.pause_reading()
        return call

    def _following(self, first: WholeRequest, received: bytes) -> Callable[[], bytes] | None:
        whole = self._whole_request(received)
        return None if whole is None else partial(self._content, first, whole)

    def _content(self, first: WholeRequest, whole: WholeRequest) -> bytes:
        make = self.application.prepared(whole.scope, whole.body)
        return self._written(whole.scope, make if isinstance(make, Answer) else make(), first.keep_alive)

    def _take_back(self, own: Lane, first: WholeRequest, left: Any, error: BaseException | None) -> None:
        """Go on where a thread has left off."""
        if error is not None and own.give_up():
            self._ended(first, None, error)
            return
        self._end_call()
        if error is not None:
            self.transport.close()
        if not self.transport.is_closing():
            self._write_last(first, left.unsent)
        if not self.transport.is_closing() and left.unanswered:
            self.data_received(left.unanswered)

    # -- answering ------------------------------------------------------------------------------------------

    def _answer(self, cycle: Cycle, answer: Answer) -> None:
        """Send an answer, head and body at once."""
        if cycle.disconnected or self.transport.is_closing():
            return
        if self.flow.write_paused:
            task = self.loop.create_task(self._answer_when_read(cycle, answer))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
            return
        scope: Any = cycle.scope
        self._write_last(cycle, self._written(scope, answer, cycle.keep_alive))

    def _write_last(self, cycle: Cycle, content: bytes) -> None:
        cycle.response_started = cycle.response_complete = True
        if content:
            self.transport.write(content)
        if not cycle.keep_alive:
            self.transport.close()
        self.on_response_complete()

    async def _answer_when_read(self, cycle: Cycle, answer: Answer) -> None:
        await self.flow.drain()
        self._answer(cycle, answer)

    def _written(self, scope: Scope, answer: Answer, keep_alive: bool) -> bytes:
        fields = self.application.headers(answer, scope)
        return self._message(answer, fields if keep_alive else [*fields, _CLOSE])

    def _message(self, answer: Answer, fields: Headers) -> bytes:
        assert isinstance(answer.body, bytes)
        parts = [STATUS_LINE[answer.status]]
        for name, value in (*self.server_state.default_headers, *fields):
            parts += (name, b": ", value, b"\r\n")
        return b"".join([*parts, b"\r\n", answer.body])

    # -- turning away ---------------------------------------------------------------------------------------

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's words for it
        self._turn_away("This is no HTTP request.", 400)

    def _turn_away(self, message: str, status: int) -> None:
        """Answer a request that the application does not answer, and close the connection."""
        self._is_turned_away = True
        self._stop_waiting()
        cycle, answered = self.cycle, self._started
        if answered is not None and not answered.response_complete and (self._in_head or answered is not cycle):
            self.pipeline.clear()
            answered.keep_alive = False  # a request before this one gets its answer, and then it is over
            return
        if not self._in_head and cycle is not None:
            if cycle.response_started:
                self.transport.close()
                return
            cycle.disconnected = True  # the application stops waiting for the rest
            cycle.message_event.set()
        answer = answers.error(Refusal(message, ErrorCode.INVALID_PARAMETER_VALUE, status))
        self.transport.write(self._message(answer, [*answer.headers, _CLOSE]))
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
