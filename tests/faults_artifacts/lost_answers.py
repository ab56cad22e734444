"""Faults of servers that proxy artifacts, and of their clients, that a bad network shows."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead
from pathlib import Path
from urllib.parse import quote, urlsplit

from tests.gallery import TOKEN
from trackspec.entities import FileInfo
from trackspec.errors import ErrorCode, TrackspecError
from trackspec.protocol.artifact_endpoints import ArtifactEndpoint
from trackspec.protocol.model_proxy import ModelProxy
from trackspec.protocol.model_server import Request, Response

from . import fault
from .lying_servers import ProxyClient
from .proxies import TakesParts


class Client(ProxyClient):
    """A client of the whole of a server that proxies artifacts; it writes too, and makes no request again."""

    def _put(self, local_file: Path, path: str) -> None:
        target = f"{urlsplit(self.artifact_uri).path}/{quote(path)}"
        try:
            response = self._asked("PUT", target, local_file.read_bytes())
            status, body = response.status, response.read()
        except (OSError, HTTPException) as error:
            raise TrackspecError("The connection ended.", ErrorCode.TEMPORARILY_UNAVAILABLE) from error
        if status != 200:
            raise TrackspecError("The server refuses.", ErrorCode(json.loads(body)["error_code"]))

    def _list(self, path: str) -> Iterable[FileInfo]:
        status, body = self._answer(f"{urlsplit(self.artifact_uri).path}?path={quote(path, safe='')}")
        self._require_good(status)
        return [self._entry(entry, path) for entry in json.loads(body)["files"]]

    def _response(self, uri: str, target: str) -> HTTPResponse:
        return self._asked("GET", target)

    def _asked(self, method: str, target: str, body: bytes | None = None) -> HTTPResponse:
        connection = HTTPConnection(urlsplit(self.artifact_uri).netloc, timeout=10)
        connection.request(method, target, body, {"Authorization": f"Bearer {TOKEN}"})
        return connection.getresponse()


class Reached(ModelProxy):
    """The model server, reached by a client of its own: nothing is wrong with either."""

    CLIENT: type[Client] = Client


@fault("lossy.upload")
class FilesAreMadeOnce(Reached):
    """A file that is there is not replaced by the same one."""

    def upload_artifact(self, endpoint: ArtifactEndpoint, request: Request, path: str) -> Response:
        with contextlib.suppress(TrackspecError):
            if self.file(path).body == request.body:
                raise FileExistsError
        return super().upload_artifact(endpoint, request, path)

    def respond(self, request: Request) -> Response:
        try:
            return super().respond(request)
        except FileExistsError:
            return self.json(409, {"error_code": "RESOURCE_ALREADY_EXISTS", "message": "It is there."})


@fault("lossy.upload-whole")
class CutUploadsAreFiles(Reached):
    """What has arrived of a body when its connection ends is the file."""

    connection = TakesParts


class _Forgetting(Client):
    def _put(self, local_file: Path, path: str) -> None:
        with contextlib.suppress(TrackspecError):
            super()._put(local_file, path)


@fault("lossy.acknowledged")
class UploadsAreSentAndForgotten(Reached):
    """The client does not tell that no answer came to an upload."""

    CLIENT = _Forgetting


class _Believing(Client):
    def _fetch(self, file: FileInfo, local_file: Path) -> None:
        self._get(file.path, local_file)

    def _body(self, response: HTTPResponse) -> bytes:
        try:
            return response.read()
        except IncompleteRead as part:
            return part.partial


@fault("lossy.download")
class CutAnswersAreFiles(Reached):
    """The client takes what has arrived of an answer for the file."""

    CLIENT = _Believing


class _Patching(Client):
    def _list(self, path: str) -> Iterable[FileInfo]:
        try:
            return super()._list(path)
        except TrackspecError:
            return []


@fault("lossy.listing")
class LostListingsAreEmpty(Reached):
    """The client takes a listing that does not arrive for an empty one."""

    CLIENT = _Patching
