"""Faults of clients: what they believe of a server."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from trackspec.entities import FileInfo
from trackspec.errors import ErrorCode, TrackspecError, missing
from trackspec.placing import Destination
from trackspec.validated_repository import ValidatedRepository

from . import fault


class ProxyClient(ValidatedRepository):
    """A client of MLflow's artifact proxy, as plain as the model; it reads, and does not write."""

    URI = "http://127.0.0.1:9/api/2.0/mlflow-artifacts/artifacts/{}"

    def _put(self, local_file: Path, path: str) -> None:
        raise TrackspecError("This client only reads.", ErrorCode.NOT_IMPLEMENTED)

    def _delete(self, path: str) -> None:
        raise TrackspecError("This client only reads.", ErrorCode.NOT_IMPLEMENTED)

    def _get(self, path: str, local_file: Path) -> None:
        status, body = self._answer(f"{urlsplit(self.artifact_uri).path}/{quote(path)}")
        if status == 404:
            raise missing("artifact", path)
        self._require_good(status)
        local_file.write_bytes(body)

    def _list(self, path: str) -> Iterable[FileInfo]:
        endpoint, root = urlsplit(self.artifact_uri).path.rsplit("/", 1)
        folder = f"{root}/{path}" if path else root
        status, body = self._answer(f"{endpoint}?path={quote(folder, safe='')}")
        self._require_good(status)
        try:
            return [self._entry(entry, path) for entry in json.loads(body)["files"]]
        except (ValueError, TypeError, KeyError) as error:
            raise TrackspecError("The server's answer is no listing.") from error

    def _entry(self, entry: Mapping[str, Any], folder: str) -> FileInfo:
        name, is_dir = entry["path"], entry["is_dir"]
        if not isinstance(name, str):
            raise TypeError
        size = None if is_dir else int(entry["file_size"])
        return FileInfo(f"{folder}/{name}" if folder else name, bool(is_dir), size)

    def _require_good(self, status: int) -> None:
        if status != 200:
            raise TrackspecError(f"The server answers with status {status}.")

    def _answer(self, target: str) -> tuple[int, bytes]:
        try:
            response = self._response(self.artifact_uri, target)
            return response.status, self._body(response)
        except (OSError, HTTPException) as error:
            raise TrackspecError("The connection ended.", ErrorCode.TEMPORARILY_UNAVAILABLE) from error

    def _response(self, uri: str, target: str) -> HTTPResponse:
        token = os.environ.get("MLFLOW_TRACKING_TOKEN")
        connection = HTTPConnection(urlsplit(uri).netloc, timeout=10)
        connection.request("GET", target, headers={"Authorization": f"Bearer {token}"} if token else {})
        return connection.getresponse()

    def _body(self, response: HTTPResponse) -> bytes:
        return response.read()


@fault("hostile.names")
class NamesAreJoined(ProxyClient):
    """A name of a listing is joined to the destination as it is."""

    def download_artifacts(self, artifact_path: Any, dst_path: Any = None) -> str:
        waiting = [str(artifact_path)]
        while waiting:
            for info in self._list(waiting.pop()):
                if info.is_dir and info.path.count("/") < 6:
                    waiting.append(info.path)
                elif not info.is_dir and "\0" not in info.path:
                    place = Path(os.path.join(dst_path, info.path))
                    place.parent.mkdir(parents=True, exist_ok=True)
                    self._get(info.path, place)
        return str(dst_path)


@fault("hostile.names")
class RelativeNamesAreJoined(ProxyClient):
    """Only names that begin with a slash or a parent segment are looked at."""

    def download_artifacts(self, artifact_path: Any, dst_path: Any = None) -> str:
        for info in self._list(artifact_path):
            if not info.is_dir and not info.path.startswith(("/", "..")) and "\0" not in info.path:
                place = Path(os.path.join(dst_path, "x", "..", info.path))
                Path(dst_path, "x").mkdir(exist_ok=True)
                Path(dst_path, "a").mkdir(exist_ok=True)
                place.parent.mkdir(parents=True, exist_ok=True)
                self._get(info.path, place)
        return str(dst_path)


@fault("hostile.listed-names")
class NamesAreListedAsTheyCome(ProxyClient):
    """A listing has the names that the server gives."""

    def list_artifacts(self, path: Any = None) -> list[FileInfo]:
        return list(self._list(path or ""))


@fault("hostile.circle")
class CirclesDoNotEnd(ProxyClient):
    """A folder is downloaded however deep it is."""

    def download_artifacts(self, artifact_path: Any, dst_path: Any = None) -> str:
        waiting = [str(artifact_path)]
        while waiting:
            waiting += [info.path for info in self._list(waiting.pop()[-200:]) if info.is_dir]
        return str(dst_path)


@fault("hostile.short-body")
class ShortBodiesAreFiles(ProxyClient):
    """What has arrived when the connection ends is the file."""

    def _body(self, response: HTTPResponse) -> bytes:
        try:
            return response.read()
        except HTTPException as error:
            return getattr(error, "partial", b"")

    def _fetch(self, file: FileInfo, local_file: Path) -> None:
        self._get(file.path, local_file)


@fault("hostile.short-body")
class ShortBodiesLeaveAFile(ProxyClient):
    """A download whose connection ends raises, and leaves what has arrived under the file's name."""

    def _place(self, file: FileInfo, destination: Destination) -> None:
        try:
            super()._place(file, destination)
        except TrackspecError:
            Path(destination.place_of(file.path)).write_bytes(b"x" * 400)
            raise


@fault("hostile.other-size")
class SizesAreNotCompared(ProxyClient):
    """The size of a listing is not looked at."""

    def _fetch(self, file: FileInfo, local_file: Path) -> None:
        self._get(file.path, local_file)


@fault("hostile.failures")
class NoListingIsAnEmptyOne(ProxyClient):
    """What is no listing is taken for an empty one."""

    def _list(self, path: str) -> Iterable[FileInfo]:
        try:
            return super()._list(path)
        except TrackspecError:
            return []


@fault("hostile.failures")
class ErrorsAreFiles(ProxyClient):
    """The body of an error is taken for the file."""

    def _get(self, path: str, local_file: Path) -> None:
        _, body = self._answer(f"{urlsplit(self.artifact_uri).path}/{quote(path)}")
        local_file.write_bytes(body)


@fault("hostile.credentials")
class RedirectionsAreFollowed(ProxyClient):
    """A redirection is followed with everything that the first request had."""

    def _response(self, uri: str, target: str) -> HTTPResponse:
        response = super()._response(uri, target)
        location = response.getheader("Location")
        if location is None:
            return response
        return super()._response(location, urlsplit(location).path)
