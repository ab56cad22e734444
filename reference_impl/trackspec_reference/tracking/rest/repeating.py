"""Requests that are made again: which, when, and how often."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from time import monotonic, sleep
from typing import BinaryIO, NamedTuple

from urllib3.exceptions import InvalidHeader, MaxRetryError
from urllib3.util import Retry

from trackspec.errors import ErrorCode, TrackspecError, invalid
from trackspec.protocol.endpoint import KEY_HEADER, KEYS_SUPPORTED_HEADER
from trackspec_reference.credentials.host_creds import HostCreds
from trackspec_reference.tracking.rest.patience import Patience
from trackspec_reference.tracking.rest.request import Request
from trackspec_reference.tracking.rest.transport import LEAST_RATE, PIECE, Answer, NoAnswer, Transport

LOG = logging.getLogger("trackspec.rest")

NOT_SERVED = 429
"""The status that refuses a request for coming too soon, before anything is done about it."""
BUSY = frozenset({NOT_SERVED, 502, 503, 504})
"""The statuses with which a server, or what stands before it, says that it may go well later."""

_PAUSE, _LONGEST_PAUSE = 0.2, 20.0
"""Seconds. A request is first repeated at once, then after twice the pause, and so on, doubling."""


class Reply(NamedTuple):
    """What came of a request.

    :ivar credentials: the header fields that said who asks.
    :ivar again: whether the request may have been served before, and that answer was lost.
    """

    answer: Answer
    credentials: Mapping[str, str]
    again: bool


class Client:
    """Talks to one server.

    :ivar keys_known: whether the server has said that it knows idempotency keys; None as long as it said nothing.
    """

    def __init__(self, creds: HostCreds, patience: Patience, user_agent: str) -> None:
        self.creds = creds
        self._patience = patience
        self._transport = Transport(creds, patience.connect_timeout)
        self._headers = {"User-Agent": user_agent, "Accept": "application/json", "Accept-Encoding": "identity"}
        self.keys_known: bool | None = None

    def ask(self, request: Request) -> Reply:
        """Send a request until it is answered, as often and as long as it may be.

        The answer may still be that the server is too busy.

        :raises TrackspecError: TEMPORARILY_UNAVAILABLE if no answer comes; INTERNAL_ERROR if what answers is no
            server to talk to; what getting the credentials raises.
        """
        tries = _Tries(self._patience)
        again = False
        while True:
            credentials = self.creds.headers()
            reply: Reply | None = None
            try:
                answer = self._sent(request, credentials, tries.end_of_this())
            except NoAnswer as failure:
                reason, served, retry_after = failure.reason, failure.sent, None
            else:
                reply = Reply(answer, credentials, again)
                if answer.status not in BUSY:
                    return reply
                reason, served = f"it answers {answer.status}", answer.status != NOT_SERVED
                retry_after = answer.headers.get("Retry-After")
            pause = None if served and not self._repeats(request) else tries.pause(retry_after)
            if pause is None:
                if reply:
                    return reply
                raise self._given_up(request, reason, again or served)
            LOG.info("Repeating %s in %.1f s, since of %s: %s.", request.name, pause, self.creds.host, reason)
            sleep(pause)
            again = again or served

    def _sent(self, request: Request, credentials: Mapping[str, str], deadline: float) -> Answer:
        headers = {**self._headers, **credentials}
        if request.body is not None:
            headers |= {"Content-Type": "application/json", "Content-Length": str(len(request.body))}
        if request.key:
            headers[KEY_HEADER] = request.key
        if request.upload:
            return self._uploaded(request, request.upload, headers, deadline)
        if request.download:
            headers |= request.download.headers()
        answer = self._transport.send(
            request.method, request.target, headers, request.body, deadline, request.download
        )
        if answer.headers.get(KEYS_SUPPORTED_HEADER, "").lower() == "true":
            self.keys_known = True
        elif answer.status not in BUSY:  # which a server says, and not what stands before it
            self.keys_known = False
        return answer

    def _uploaded(self, request: Request, file: Path, headers: dict[str, str], deadline: float) -> Answer:
        """Send a file; it has more time, the larger it is."""
        try:
            with file.open("rb") as read:
                size = os.fstat(read.fileno()).st_size
                headers |= {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
                pieces = _pieces(read, size)
                body = b"".join(pieces) if size < PIECE else pieces
                deadline += size / LEAST_RATE
                return self._transport.send(request.method, request.target, headers, body, deadline)
        except OSError:
            raise invalid(f"The local file {file.name!r} cannot be read.") from None

    def _repeats(self, request: Request) -> bool:
        return request.repeatable or (request.key is not None and self.keys_known is True)

    def _given_up(self, request: Request, reason: str, served: bool) -> TrackspecError:
        doubt = "" if request.repeatable or not served else f" Whether {request.name} was served is not known."
        return TrackspecError(
            f"The server at {self.creds.host} does not answer: {reason}.{doubt}", ErrorCode.TEMPORARILY_UNAVAILABLE
        )

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()


def _pieces(read: BinaryIO, size: int) -> Iterator[bytes]:
    """As many bytes of a file as it had at first; what it has become meanwhile is not sent.

    :raises TrackspecError: INVALID_PARAMETER_VALUE if it has become shorter, or cannot be read.
    """
    while size:
        try:
            piece = read.read(min(PIECE, size))
        except OSError:
            raise invalid("The local file cannot be read.") from None
        if not piece:
            raise invalid("The local file has become shorter while it was sent.")
        size -= len(piece)
        yield piece


class _Tries:
    """The tries of one call, and the pauses between them."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._deadline = monotonic() + patience.total_timeout
        self._retry: Retry | None = None

    def end_of_this(self) -> float:
        """When the try that begins now is given up."""
        return min(monotonic() + self._patience.timeout, self._deadline)

    def pause(self, retry_after: str | None) -> float | None:
        """The seconds to wait before the next try, None if there is none.

        :param retry_after: what the server asks for: seconds, or a date.
        """
        retry = self._retry or Retry(
            self._patience.retries, backoff_factor=_PAUSE, backoff_jitter=_PAUSE, backoff_max=_LONGEST_PAUSE
        )
        try:
            self._retry = retry.increment(error=NoAnswer("", sent=False))
        except MaxRetryError:
            return None
        pause = self._retry.get_backoff_time()
        if retry_after:
            try:
                pause = max(pause, self._retry.parse_retry_after(retry_after))
            except InvalidHeader:
                LOG.debug("A Retry-After that says nothing is passed over.")
        return pause if monotonic() + pause < self._deadline else None
