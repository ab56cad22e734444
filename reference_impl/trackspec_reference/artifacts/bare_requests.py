"""Requests to a storage service without what its SDK does around each of them.

They take a fraction of the time of its calls, and the endpoint and the credentials that it has found. One is sent
once: what is no plain success is left to the SDK, which knows every error, redirect and repetition.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

from trackspec import __version__
from trackspec.errors import TrackspecError
from trackspec_reference.credentials.host_creds import HostCreds
from trackspec_reference.tracking.rest.transport import GOOD, LEAST_RATE, Answer, Download, NoAnswer, Transport

_TIME, _CONNECT_TIME = 60.0, 10.0
"""Seconds for a request, of which a long body has more; and for making a connection."""
_HEADERS = {"User-Agent": f"trackspec/{__version__}", "Accept-Encoding": "identity"}


class BareRequests:
    """Sends requests to one host, over connections that threads share.

    :param url: of the host; what comes after that in it is of no account.
    :param verify: the file of the authorities whose certificates count, where the environment names none.
    :raises TrackspecError: INVALID_PARAMETER_VALUE if the certificates cannot be read, or the proxy is malformed.
    """

    def __init__(self, url: str, verify: str | None = None) -> None:
        parts = urlsplit(url)
        self._creds = HostCreds(f"{parts.scheme}://{parts.netloc}", verify=verify or True)
        self._connect()

    def _connect(self) -> None:
        self._transport = Transport(self._creds, _CONNECT_TIME)
        self._process = os.getpid()

    def answer(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | Iterator[bytes] | None = None,
        size: int = 0,
        file: Download | None = None,
    ) -> Answer | None:
        """The answer to a request; None if there is none.

        :param target: path and query.
        :param size: of the body in bytes.
        :param file: takes the body of the answer.
        """
        if self._process != os.getpid():  # sockets that two processes share mix their answers up
            self._connect()
        fields = {**_HEADERS, **headers}
        if body is not None:
            fields["Content-Length"] = str(size)
        try:
            return self._transport.send(
                method, target, fields, body, monotonic() + _TIME + size / LEAST_RATE, file
            )
        except (NoAnswer, TrackspecError):
            return None

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()


class DigestedFile(Download):
    """A local file that takes the body of a good answer.

    :param update: is given each piece of it.
    :param most: bytes that it may have; of a larger one nothing is taken.
    :ivar headers_of_answer: what the answer said of the body.
    :ivar is_whole: whether as many bytes have been written as the answer announced.
    """

    def __init__(self, path: Path, update: Callable[[bytes], object], most: int | None = None) -> None:
        super().__init__(path)
        self._update, self._most = update, most
        self._left = -1
        self.headers_of_answer: Mapping[str, str] = {}

    @property
    def is_whole(self) -> bool:
        return self._left == 0

    def takes(self, status: int, headers: Mapping[str, str]) -> bool:
        announced = headers.get("Content-Length", "")
        if status != GOOD or not announced.isdigit():
            return False
        self._left, self.headers_of_answer = int(announced), headers
        if self._most is not None and self._left > self._most:
            raise NoAnswer("the object is too large for this", sent=True)
        return super().takes(status, headers)

    def write(self, piece: bytes) -> None:
        self._left -= len(piece)
        self._update(piece)
        super().write(piece)
