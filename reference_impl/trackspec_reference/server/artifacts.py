"""Artifacts that the server hands on between its clients and a repository, a piece at a time."""

from __future__ import annotations

import asyncio
import hashlib
import os
import posixpath
import re
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, BinaryIO
from urllib.parse import unquote_to_bytes

from trackspec.artifact_locations import artifact_location
from trackspec.artifact_paths import file_path, valid_path
from trackspec.artifact_repository import ArtifactRepository
from trackspec.entities import FileInfo
from trackspec.errors import invalid
from trackspec.protocol.artifact_endpoints import ARTIFACT_ENDPOINTS, IN_PATH, ArtifactEndpoint, Listing
from trackspec.store import TrackingStore
from trackspec_reference.json_bodies import read_body, write_body
from trackspec_reference.server import answers, requests
from trackspec_reference.server.answers import Answer, File
from trackspec_reference.server.calls import Calls
from trackspec_reference.server.limits import MEBIBYTE, Limits
from trackspec_reference.server.requests import Receive, Scope, Send

PIECE = MEBIBYTE // 2
"""Bytes of a file that are held at once, for each request; of one that arrives, a little more."""

SCHEME = "mlflow-artifacts"
"""The scheme of the URIs of what a server proxies."""

_PART = 206
_FROM = re.compile(rb"bytes=(\d{1,18})-")

_EXACT: Mapping[bytes, Mapping[str, ArtifactEndpoint]] = {
    path.encode(): {row.method: row for row in ARTIFACT_ENDPOINTS if path in row.paths}
    for path in {path for row in ARTIFACT_ENDPOINTS if not row.has_path for path in row.paths}
}
_BELOW: Mapping[bytes, Mapping[str, ArtifactEndpoint]] = {
    path.removesuffix(IN_PATH[1:]).encode(): {row.method: row for row in ARTIFACT_ENDPOINTS if path in row.paths}
    for path in {path for row in ARTIFACT_ENDPOINTS if row.has_path for path in row.paths}
}
"""The rows whose paths go on with an artifact's, by what comes before that."""


@dataclass(frozen=True)
class Route:
    """What is at a path.

    :ivar by_method: the rows of the table.
    :ivar rest: the artifact's path, as it stands in the URL.
    """

    by_method: Mapping[str, ArtifactEndpoint]
    rest: bytes


@dataclass(frozen=True)
class Request:
    """What is asked for.

    :ivar path: the artifact's path in the URL, decoded.
    :ivar headers: the header fields.
    """

    endpoint: ArtifactEndpoint
    path: str
    fields: Mapping[str, Any]
    headers: Mapping[bytes, bytes]


class Artifacts:
    """Answers the calls of the table of artifact endpoints.

    :param repository: where the artifacts are. It stays the caller's to close.
    :param store: whose runs have them.
    :ivar transfers: the calls in hand; those of the tracking store do not wait for them.
    """

    def __init__(self, repository: ArtifactRepository, store: TrackingStore, limits: Limits) -> None:
        self._repository = repository
        self._store = store
        self._limits = limits
        self.transfers = Calls(limits, limits.threads)

    @staticmethod
    def route(raw_path: bytes) -> Route | None:
        """What is at a path, if it is one of artifacts."""
        if by_method := _EXACT.get(raw_path):
            return Route(by_method, b"")
        for start, rows in _BELOW.items():
            if raw_path.startswith(start):
                return Route(rows, raw_path[len(start) :])
        return None

    async def send(self, file: File, send: Send, receive: Receive) -> None:
        """Send a file as the body of an answer, as fast as it is read, and close it."""
        gone = asyncio.ensure_future(_disconnected(receive))
        try:
            left = file.size
            while left and not gone.done():
                piece = await self.transfers.make(partial(file.stream.read, min(PIECE, left)))
                if not piece:
                    return  # it has become shorter; the connection ends before the length that was announced
                left -= len(piece)
                await send({"type": "http.response.body", "body": piece, "more_body": left > 0})
            if not file.size:
                await send({"type": "http.response.body", "body": b""})
        finally:
            gone.cancel()
            file.stream.close()

    async def answer(
        self, endpoint: ArtifactEndpoint, rest: bytes, scope: Scope, fields: dict[bytes, bytes], receive: Receive
    ) -> Answer:
        """The answer to a request.

        :param rest: the artifact's path, as it stands in the URL.
        :param fields: the header fields.
        :raises TrackspecError: if it is refused.
        """
        path = decoded_path(rest)
        if endpoint.takes_file:
            if scope["query_string"]:
                raise invalid("A call with a body takes no query.")
            return await self._upload(
                file_path(posixpath.basename(path), posixpath.dirname(path)), fields, receive
            )
        if endpoint.method == "POST":
            requests.require_json(fields)
            body = await requests.body(fields, receive, self._limits.body)
            asked = partial(_of_body, endpoint, path, fields, body)
        else:
            asked = partial(_of_query, endpoint, path, fields, scope["query_string"])
        call: Callable[[Request], Answer] = getattr(self, f"_{endpoint.name}")
        answer: Answer = await self.transfers.make(lambda: call(asked()))
        return answer

    # -- the calls ------------------------------------------------------------------------------------------

    def _list_artifacts(self, asked: Request) -> Answer:
        found = self._repository.list_artifacts(asked.fields["path"])
        return _json(asked, Listing([replace(item, path=posixpath.basename(item.path)) for item in found]))

    def _download_artifact(self, asked: Request) -> Answer:
        return _file(asked, self._repository.open_artifact(asked.path))

    def _delete_artifacts(self, asked: Request) -> Answer:
        path = valid_path(asked.path.removesuffix("/"))
        if not path:
            raise invalid("What is to be deleted has a path; all that the server keeps is not deleted at once.")
        self._repository.delete_artifacts(path)
        return _json(asked, {})

    def _create_multipart_upload(self, asked: Request) -> Answer:
        return _json(asked, self._repository.begin_parts(_named(asked), asked.fields["num_parts"]))

    def _complete_multipart_upload(self, asked: Request) -> Answer:
        self._repository.complete_parts(_named(asked), asked.fields["upload_id"], asked.fields["parts"])
        return _json(asked, {})

    def _abort_multipart_upload(self, asked: Request) -> Answer:
        self._repository.abort_parts(_named(asked), asked.fields["upload_id"])
        return _json(asked, {})

    def _list_run_artifacts(self, asked: Request) -> Answer:
        root_uri, root = self._root_of(asked.fields["run_id"])
        folder = valid_path(asked.fields["path"])
        found = self._repository.list_artifacts(_joined(root, folder))
        below = [FileInfo(item.path[len(root) :].lstrip("/"), item.is_dir, item.file_size) for item in found]
        return _json(asked, Listing(below, root_uri))

    def _get_run_artifact(self, asked: Request) -> Answer:
        _, root = self._root_of(asked.fields["run_id"])
        return _file(asked, self._repository.open_artifact(_joined(root, valid_path(asked.fields["path"]))))

    def _search_logged_models(self, asked: Request) -> Answer:
        return _json(asked, {})

    def _root_of(self, run_id: str) -> tuple[str, str]:
        """The artifact URI of a run, and the path of what it names in the repository.

        :raises TrackspecError: INVALID_PARAMETER_VALUE if it is elsewhere: no run makes the server open something.
        """
        uri = self._store.get_run(run_id).info.artifact_uri
        location = artifact_location(uri)
        if location.scheme != SCHEME or location.authority:
            raise invalid("The server does not proxy the artifacts of this run; they are read where it has them.")
        return uri, valid_path(decoded_path(location.path.strip("/").encode()))

    # -- uploads --------------------------------------------------------------------------------------------

    async def _upload(self, path: str, fields: dict[bytes, bytes], receive: Receive) -> Answer:
        announced = fields.get(b"content-length")
        if announced is not None and int(announced) > self._limits.artifact:
            raise requests.too_large(self._limits.artifact)
        pieces = requests.pieces(receive, PIECE, self._limits.artifact)
        first = await anext(pieces)
        if len(first) < PIECE:  # all of it
            await self.transfers.make(partial(self._store_whole, path, first))
        else:
            upload = _Upload(self._repository.receive_artifact(path))
            try:
                await self.transfers.make(partial(upload.begin, first))
                async for piece in pieces:
                    await self.transfers.make(partial(upload.write, piece))
            except BaseException as error:
                self.transfers.tidy_up(partial(upload.give_up, error))
                raise
            await self.transfers.make(upload.keep)
        return answers.json(b"{}")

    def _store_whole(self, path: str, content: bytes) -> None:
        with self._repository.receive_artifact(path) as received:
            received.write(content)


class _Upload:
    """A file that arrives. Each step is a call of its own, and the last one may overtake those before it."""

    def __init__(self, receiving: AbstractContextManager[BinaryIO]) -> None:
        self._receiving = receiving
        self._file: BinaryIO | None = None
        self._given_up = False
        self._lock = threading.Lock()

    def begin(self, piece: bytes) -> None:
        with self._lock:
            if not self._given_up:
                self._file = self._receiving.__enter__()
                self._file.write(piece)

    def write(self, piece: bytes) -> None:
        with self._lock:
            if self._file is not None:
                self._file.write(piece)

    def keep(self) -> None:
        with self._lock:
            if self._file is not None:
                self._file = None
                self._receiving.__exit__(None, None, None)

    def give_up(self, error: BaseException) -> None:
        with self._lock:
            self._given_up = True
            if self._file is not None:
                self._file = None
                self._receiving.__exit__(type(error), error, None)


async def _disconnected(receive: Receive) -> None:
    """Return when the client has gone."""
    while (await receive())["type"] == "http.request":
        pass


def decoded_path(rest: bytes) -> str:
    """The path that stands percent-encoded in a URL; it is decoded once.

    :raises TrackspecError: INVALID_PARAMETER_VALUE if it is malformed.
    """
    if requests.BROKEN_ESCAPE.search(rest):
        raise invalid("The path has a broken percent-encoding.")
    try:
        return unquote_to_bytes(rest).decode()
    except UnicodeDecodeError:
        raise invalid("The path is not in UTF-8.") from None


def _of_body(endpoint: ArtifactEndpoint, path: str, headers: Mapping[bytes, bytes], body: bytes) -> Request:
    return Request(endpoint, path, endpoint.request.attributes(read_body(body)), headers)


def _of_query(endpoint: ArtifactEndpoint, path: str, headers: Mapping[bytes, bytes], query: bytes) -> Request:
    return Request(endpoint, path, endpoint.request.query_attributes(requests.query_texts(query)), headers)


def _named(asked: Request) -> str:
    """The path of a file whose folder is in the URL, and whose name is among the fields."""
    return file_path(posixpath.basename(asked.fields["path"]), valid_path(asked.path.removesuffix("/")))


def _joined(root: str, path: str) -> str:
    return "/".join(part for part in (root, path) if part)


def _json(asked: Request, returned: Any) -> Answer:
    assert asked.endpoint.answer is not None
    return answers.json(write_body(asked.endpoint.answer.write(returned)))


def _file(asked: Request, stream: BinaryIO) -> Answer:
    """The content of a file, or what a client lacks of the same version."""
    try:
        status = os.fstat(stream.fileno())
    except BaseException:
        stream.close()
        raise
    size, version = status.st_size, _version(stream, status)
    start = _start(asked.headers, version, size)
    stream.seek(start)
    headers = [(b"etag", version), (b"accept-ranges", b"bytes")]
    if start:
        headers.append((b"content-range", b"bytes %d-%d/%d" % (start, size - 1, size)))
    left = size - start
    if left > PIECE:
        return answers.file(File(stream, left), left, headers, _PART if start else 200)
    with stream:
        return answers.file(stream.read(left), left, headers, _PART if start else 200)


def _version(stream: BinaryIO, status: os.stat_result) -> bytes:
    """What changes with a file. A copy made for this request, which has no name, is known by its content."""
    if status.st_nlink:
        return b'"%x-%x-%x"' % (status.st_ino, status.st_size, status.st_mtime_ns)
    digest = hashlib.blake2b(digest_size=16)
    while piece := stream.read(PIECE):
        digest.update(piece)
    return b'"%s"' % digest.hexdigest().encode()


def _start(headers: Mapping[bytes, bytes], version: bytes, size: int) -> int:
    """Where a client has a file up to; 0 where it has none of it, or of another version."""
    wanted = _FROM.fullmatch(headers.get(b"range", b""))
    if wanted is None or headers.get(b"if-range") != version:
        return 0
    start = int(wanted[1])
    return start if start < size else 0
