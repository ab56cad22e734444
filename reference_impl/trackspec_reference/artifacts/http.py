"""Artifacts that a server proxies: ours, or MLflow's."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote, unquote, urlencode

from trackspec import __version__
from trackspec.artifact_locations import artifact_location
from trackspec.artifact_paths import valid_path
from trackspec.entities import FileInfo
from trackspec.errors import ErrorCode, TrackspecError, invalid, missing
from trackspec.protocol.artifact_endpoints import ARTIFACTS, BY_ARTIFACT_NAME, IN_PATH
from trackspec.validated_repository import ValidatedRepository
from trackspec_reference.credentials.environment import named_host_creds
from trackspec_reference.credentials.host_creds import HostCreds
from trackspec_reference.tracking.rest.answers import answered, lie
from trackspec_reference.tracking.rest.location import patience_of, server_url
from trackspec_reference.tracking.rest.repeating import Client, Reply
from trackspec_reference.tracking.rest.request import Request
from trackspec_reference.tracking.rest.transport import GOOD, Download

_USER_AGENT = f"trackspec/{__version__}"
_MISSING = 404


class HttpArtifactRepository(ValidatedRepository):
    """The files below a folder that a server proxies, which needs no credentials for where they are kept.

    Who asks the server is said as for a tracking store behind one: see
    :class:`~trackspec_reference.tracking.rest_store.RestStore`; but where ``MLFLOW_TRACKING_URI`` names another
    server, this one is told only what the netrc file has for it. No redirection is followed. A file is sent and
    got as often as it takes until all of it is there, within the times that ``MLFLOW_HTTP_REQUEST_TIMEOUT`` and
    ``MLFLOW_HTTP_REQUEST_MAX_RETRIES`` set.

    :param artifact_uri: ``http(s)://HOST/api/2.0/mlflow-artifacts/artifacts/PATH``; the path is percent-decoded.
    :raises TrackspecError: INVALID_PARAMETER_VALUE for any other URI, or where variables contradict each other.
    """

    parallel_transfers: ClassVar[int] = 8

    def __init__(self, artifact_uri: str) -> None:
        super().__init__(artifact_uri)
        base, self._root = self._place_of(artifact_uri)
        self._base = server_url(base)
        self._connect()

    def _place_of(self, artifact_uri: str) -> tuple[str, str]:
        """The URL that the server's paths begin below, and the path of the folder there."""
        location = artifact_location(artifact_uri)
        before, found, after = f"{location.path}/".partition(f"{ARTIFACTS}/")
        if location.scheme not in ("http", "https") or not found:
            raise invalid(f"The URI of artifacts behind a server is 'http(s)://HOST{ARTIFACTS}/PATH'.")
        return f"{location.scheme}://{location.authority}{before}", decoded_root(after)

    def _connect(self) -> None:
        self._client = Client(self._get_host_creds(), patience_of(""), _USER_AGENT)
        self._process = os.getpid()

    def _get_host_creds(self) -> HostCreds:
        return named_host_creds(self._base)

    def close(self) -> None:
        self._client.close()

    # -- the primitives of a repository -----------------------------------------------------------------------

    def _put(self, local_file: Path, path: str) -> None:
        self._do("upload_artifact", path, upload=local_file)

    def _get(self, path: str, local_file: Path) -> None:
        reply = self._asked("download_artifact", path, download=Download(local_file))
        if reply.answer.status == _MISSING:
            raise missing("artifact", path)
        if reply.answer.status != GOOD:
            answered("download_artifact", reply, self._client.creds)
            raise lie("download_artifact", "it is no file")

    def _list(self, path: str) -> Iterable[FileInfo]:
        endpoint = BY_ARTIFACT_NAME["list_artifacts"]
        fields = self._answered(endpoint.name, query={"path": self._whole(path)})
        assert endpoint.answer is not None
        try:
            files = endpoint.answer.read_answer(fields, "answer").files
        except TrackspecError as error:
            raise lie(endpoint.name, error.message) from None
        return [FileInfo(f"{path}/{item.path}" if path else item.path, item.is_dir, _size(item)) for item in files]

    def _delete(self, path: str) -> None:
        if not self._whole(path):  # a server does not delete all that it keeps at once
            for item in self._listed(""):
                self._delete(item.path)
            return
        try:
            self._do("delete_artifacts", path)
        except TrackspecError as error:
            if error.error_code is not ErrorCode.RESOURCE_DOES_NOT_EXIST:
                raise

    # -- requests ---------------------------------------------------------------------------------------------

    def _do(self, name: str, path: str, **more: Any) -> None:
        """Have done what has no answer; MLflow's server says so without a body."""
        reply = self._asked(name, path, **more)
        if reply.answer.status != GOOD or reply.answer.body:
            answered(name, reply, self._client.creds)

    def _answered(self, name: str, path: str = "", **more: Any) -> Any:
        return answered(name, self._asked(name, path, **more), self._client.creds)

    def _asked(
        self,
        name: str,
        path: str,
        query: dict[str, str] | None = None,
        upload: Path | None = None,
        download: Download | None = None,
    ) -> Reply:
        endpoint = BY_ARTIFACT_NAME[name]
        target = endpoint.paths[0].replace(IN_PATH, f"/{quote(self._whole(path), safe='/')}")
        if query is not None:
            target = f"{target}?{urlencode(query, quote_via=quote)}"
        if self._process != os.getpid():  # sockets that two processes share mix their answers up
            self._connect()
        return self._client.ask(Request(name, endpoint.method, target, upload=upload, download=download))

    def _whole(self, path: str) -> str:
        """The path as the server has it."""
        return "/".join(part for part in (self._root, path) if part)


def decoded_root(path: str) -> str:
    """The path of a folder in a URI, percent-decoded.

    :raises TrackspecError: INVALID_PARAMETER_VALUE if it breaks a rule of paths.
    """
    return valid_path(unquote(path.strip("/"), errors="strict"))


def _size(item: FileInfo) -> int | None:
    return None if item.is_dir else item.file_size
