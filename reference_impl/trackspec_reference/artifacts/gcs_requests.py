"""Objects of Google Cloud Storage by bare requests, with the credentials that the SDK has found."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote, urlsplit

import google_crc32c
from google.auth import exceptions as auth
from google.auth.transport.requests import Request

from trackspec_reference.artifacts.bare_requests import BareRequests, DigestedFile
from trackspec_reference.tracking.rest.transport import GOOD, Answer, Download

_PIECE = 1 << 20
_BINARY = "application/octet-stream"


class ObjectRequests:
    """Puts and gets objects of a bucket, or says that it did not. Their digests are verified on both sides.

    :param client: of the SDK.
    """

    def __init__(self, client: Any, bucket: str) -> None:
        self._credentials = client._credentials
        self._url: str = client.api_endpoint
        self._in_bucket = f"{urlsplit(self._url).path.rstrip('/')}{{}}/storage/v1/b/{quote(bucket, safe='')}/o{{}}"
        # What shows a certificate of its own reaches other hosts, which the SDK knows.
        self._requests = None if client._http.is_mtls else BareRequests(self._url)

    def put(self, key: str, content: bytes) -> bool:
        """Store an object; whether the service has confirmed it."""
        crc = _CRC()
        crc.update(content)
        digest = crc.text()
        edge = secrets.token_hex(16)
        described = json.dumps({"name": key, "crc32c": digest})
        body = b"".join(
            [
                f"--{edge}\r\nContent-Type: application/json; charset=utf-8\r\n\r\n{described}\r\n".encode(),
                f"--{edge}\r\nContent-Type: {_BINARY}\r\n\r\n".encode(),
                content,
                f"\r\n--{edge}--\r\n".encode(),
            ]
        )
        headers = {"Content-Type": f"multipart/related; boundary={edge}"}
        answer = self._answer("POST", self._upload_target("multipart"), headers, body, len(body))
        return _confirms(answer, digest, len(content))

    def put_file(self, key: str, local_file: Path) -> bool:
        """Store a file of any size as an object; whether the service has confirmed it."""
        with local_file.open("rb") as read:
            crc, size = _CRC(), 0
            while piece := read.read(_PIECE):
                crc.update(piece)
                size += len(piece)
            digest = crc.text()
            described = json.dumps({"name": key, "crc32c": digest}).encode()
            headers = {"Content-Type": "application/json; charset=utf-8", "X-Upload-Content-Type": _BINARY}
            begun = self._answer("POST", self._upload_target("resumable"), headers, described, len(described))
            place = urlsplit(begun.headers.get("Location", "") if begun is not None else "")
            if not self._url.startswith(f"{place.scheme}://{place.netloc}"):
                return False
            read.seek(0)
            headers = {"Content-Type": _BINARY}
            answer = self._answer("PUT", f"{place.path}?{place.query}", headers, _pieces(read, size), size)
        return _confirms(answer, digest, size)

    def get(self, key: str, local_file: Path) -> bool:
        """Write an object of any size to a local file; whether all of it is there."""
        crc = _CRC()
        file = DigestedFile(local_file, crc.update)
        target = self._in_bucket.format("/download", f"/{quote(key, safe='')}?alt=media")
        headers = {"Accept-Encoding": "gzip"}  # as it is kept, and as its digest is
        if self._answer("GET", target, headers, file=file) is None or not file.is_whole:
            return False
        told = file.headers_of_answer.get("X-Goog-Hash", "").replace(" ", "").split(",")
        return f"crc32c={crc.text()}" in told

    def close(self) -> None:
        """Close the connections."""
        if self._requests is not None:
            self._requests.close()

    def _upload_target(self, kind: str) -> str:
        return self._in_bucket.format("/upload", f"?uploadType={kind}")

    def _answer(
        self,
        method: str,
        target: str,
        headers: dict[str, str],
        body: bytes | Iterator[bytes] | None = None,
        size: int = 0,
        file: Download | None = None,
    ) -> Answer | None:
        if self._requests is None:
            return None
        try:
            self._credentials.before_request(Request(), method, self._url, headers)
        except auth.GoogleAuthError:
            return None
        return self._requests.answer(method, target, headers, body, size, file)


def _confirms(answer: Answer | None, digest: str, size: int) -> bool:
    """Whether an answer says that an object was stored as it was sent."""
    if answer is None or answer.status != GOOD:
        return False
    try:
        stored = json.loads(answer.body)
        return bool(stored["crc32c"] == digest and int(stored["size"]) == size)
    except (ValueError, TypeError, KeyError):
        return False


def _pieces(read: BinaryIO, size: int) -> Iterator[bytes]:
    """As many bytes of a file as were counted, or fewer if there are no more."""
    while size and (piece := read.read(min(_PIECE, size))):
        size -= len(piece)
        yield piece


class _CRC:
    """The CRC32C of what comes in pieces."""

    def __init__(self) -> None:
        self._value = 0

    def update(self, piece: bytes) -> None:
        self._value = google_crc32c.extend(self._value, piece)

    def text(self) -> str:
        """As the service tells it."""
        return base64.b64encode(self._value.to_bytes(4, "big")).decode()
