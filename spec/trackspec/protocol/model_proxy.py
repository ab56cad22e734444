"""The executable model of a server that proxies artifacts: the plainest one that keeps its chapter."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any
from urllib.parse import unquote_to_bytes

from trackspec.artifact_locations import artifact_location
from trackspec.artifact_paths import file_path, valid_path
from trackspec.artifact_repository import ArtifactRepository
from trackspec.entities import FileInfo
from trackspec.errors import ErrorCode, invalid
from trackspec.memory_store import MemoryStore
from trackspec.protocol.artifact_endpoints import ARTIFACT_ENDPOINTS, IN_PATH, ArtifactEndpoint, Listing
from trackspec.protocol.model_server import Connection, ModelServer, Refused, Request, Response
from trackspec.store import TrackingStore

_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


class ProxyConnection(Connection):
    """Reads also bodies that come in chunks, and takes none that ends too early."""

    def read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            return b"".join(self.chunks())
        body = super().read_body()
        self.require_whole(body, int(self.headers.get("Content-Length", "0")))
        return body

    def chunks(self) -> list[bytes]:
        """The chunks of a body."""
        found = []
        while size := self.size_of_chunk():
            found.append(self.rfile.read(size))
            self.require_whole(found[-1], size)
            self.rfile.readline()
        self.rfile.readline()
        return found

    def size_of_chunk(self) -> int:
        """The number of bytes that the next chunk says to have; 0 ends the body."""
        told = self.rfile.readline().split(b";")[0].strip()
        if not re.fullmatch(rb"[0-9A-Fa-f]{1,15}", told):
            raise invalid("The body is not whole.")
        return int(told, 16)

    def require_whole(self, body: bytes, length: int) -> None:
        """Require that a body has the length that was told."""
        if len(body) != length:
            raise invalid("The body is not whole.")


class ModelProxy(ModelServer):
    """Hands artifacts on between its clients and a repository.

    :param repository: where the artifacts are.
    """

    connection = ProxyConnection
    file_headers: Mapping[str, str] = {
        "Content-Type": "application/octet-stream",
        "Content-Disposition": "attachment",
        "X-Content-Type-Options": "nosniff",
    }
    """The headers of a file."""

    def __init__(
        self, repository: ArtifactRepository, store: TrackingStore | None = None, token: str | None = None
    ) -> None:
        super().__init__(store or MemoryStore(), token)
        self.repository = repository

    def served(self, request: Request) -> Response:
        found = [(row, rest) for row in ARTIFACT_ENDPOINTS if (rest := rest_of(row, request.path)) is not None]
        if not found:
            return super().served(request)
        for endpoint, rest in found:
            if endpoint.method == request.method:
                call: Callable[..., Response] = getattr(self, endpoint.name)
                return self.lacking(request, call(endpoint, request, self.decoded(rest)))
        allowed = ", ".join(endpoint.method for endpoint, _ in found)
        raise Refused(ErrorCode.ENDPOINT_NOT_FOUND, f"The path takes {allowed}.", 405, {"Allow": allowed})

    def decoded(self, rest: str) -> str:
        """The path of an artifact, which stands percent-encoded in a URL."""
        if _BAD_ESCAPE.search(rest):
            raise invalid("The path holds a % that escapes nothing.")
        try:
            return unquote_to_bytes(rest).decode()
        except UnicodeDecodeError:
            raise invalid("The path is not in UTF-8.") from None

    def judged(self, path: str) -> str:
        """A path, or the error that it is none."""
        return valid_path(path)

    # -- the rows of the table --------------------------------------------------------------------------------

    def list_artifacts(self, endpoint: ArtifactEndpoint, request: Request, _: str) -> Response:
        """A folder."""
        folder = self.judged(self.asked(endpoint, request)["path"])
        found = self.repository.list_artifacts(folder)
        return self.told(endpoint, Listing([replace(item, path=item.path.rpartition("/")[2]) for item in found]))

    def download_artifact(self, _: ArtifactEndpoint, request: Request, path: str) -> Response:  # noqa: ARG002
        """A file."""
        return self.file(self.judged(path))

    def upload_artifact(self, endpoint: ArtifactEndpoint, request: Request, path: str) -> Response:
        """A file that is stored."""
        with self.repository.receive_artifact(self.judged(path)) as received:
            received.write(request.body)
        return self.told(endpoint, {})

    def delete_artifacts(self, endpoint: ArtifactEndpoint, request: Request, path: str) -> Response:  # noqa: ARG002
        """A file or folder that is deleted."""
        judged = self.judged(path.removesuffix("/"))
        if not judged:
            raise invalid("What is deleted has a path.")
        self.repository.delete_artifacts(judged)
        return self.told(endpoint, {})

    def create_multipart_upload(self, endpoint: ArtifactEndpoint, request: Request, path: str) -> Response:
        """An upload in parts."""
        fields = self.asked(endpoint, request)
        return self.told(endpoint, self.repository.begin_parts(self.named(path, fields), fields["num_parts"]))

    def complete_multipart_upload(self, endpoint: ArtifactEndpoint, request: Request, path: str) -> Response:
        """A file that is made of its parts."""
        fields = self.asked(endpoint, request)
        self.repository.complete_parts(self.named(path, fields), fields["upload_id"], fields["parts"])
        return self.told(endpoint, {})

    def abort_multipart_upload(self, endpoint: ArtifactEndpoint, request: Request, path: str) -> Response:
        """Parts that are thrown away."""
        fields = self.asked(endpoint, request)
        self.repository.abort_parts(self.named(path, fields), fields["upload_id"])
        return self.told(endpoint, {})

    def list_run_artifacts(self, endpoint: ArtifactEndpoint, request: Request, _: str) -> Response:
        """A folder of a run."""
        fields = self.asked(endpoint, request)
        uri, root = self.root_of(fields["run_id"])
        found = self.repository.list_artifacts(joined(root, self.judged(fields["path"])))
        below = [FileInfo(item.path[len(root) :].lstrip("/"), item.is_dir, item.file_size) for item in found]
        return self.told(endpoint, Listing(below, uri))

    def get_run_artifact(self, endpoint: ArtifactEndpoint, request: Request, _: str) -> Response:
        """A file of a run."""
        fields = self.asked(endpoint, request)
        _, root = self.root_of(fields["run_id"])
        return self.file(joined(root, self.judged(fields["path"])))

    def search_logged_models(self, endpoint: ArtifactEndpoint, request: Request, _: str) -> Response:
        """No logged models."""
        self.asked(endpoint, request)
        return self.told(endpoint, {})

    # -- what they share ----------------------------------------------------------------------------------------

    def asked(self, endpoint: ArtifactEndpoint, request: Request) -> dict[str, Any]:
        """The fields of a request."""
        return self.fields(endpoint, request)

    def told(self, endpoint: ArtifactEndpoint, returned: Any) -> Response:
        """An answer in JSON."""
        assert endpoint.answer is not None
        return self.json(200, endpoint.answer.write(returned))

    def file(self, path: str) -> Response:
        """The bytes of a file."""
        with self.repository.open_artifact(path) as opened:
            content = opened.read()
        return Response(200, content, {**self.file_headers, "ETag": f'"{sha256(content).hexdigest()}"'})

    def lacking(self, request: Request, answer: Response) -> Response:
        """What a client lacks of a file, if it has the start of the same version."""
        wanted = re.fullmatch(r"bytes=(\d{1,18})-", request.headers.get("Range", ""))
        if wanted is None or not self.is_same(request, answer) or int(wanted[1]) >= len(answer.body):
            return answer
        start, size = int(wanted[1]), len(answer.body)
        told = {**answer.headers, "Content-Range": f"bytes {start}-{size - 1}/{size}"}
        return Response(206, answer.body[start:], told)

    def is_same(self, request: Request, answer: Response) -> bool:
        """Whether an answer is of the version that a client has the start of."""
        return "ETag" in answer.headers and request.headers.get("If-Range") == answer.headers["ETag"]

    def named(self, folder: str, fields: dict[str, Any]) -> str:
        """The path of a file whose folder is in the URL, and whose name is among the fields."""
        return file_path(fields["path"].rpartition("/")[2], self.judged(folder.removesuffix("/")))

    def root_of(self, run_id: str) -> tuple[str, str]:
        """The artifact URI of a run, and its folder in what the server proxies."""
        uri = self.store.get_run(run_id).info.artifact_uri
        location = artifact_location(uri)
        if location.scheme != "mlflow-artifacts" or location.authority:
            raise invalid("The run's artifacts are elsewhere.")
        return uri, self.judged(self.decoded(location.path.strip("/")))


def rest_of(endpoint: ArtifactEndpoint, path: str) -> str | None:
    """What follows in a path that an endpoint is at, encoded; None if it is another's."""
    for template in endpoint.paths:
        start = template.removesuffix(IN_PATH[1:])
        if path == template or (endpoint.has_path and path.startswith(start)):
            return path[len(start) :]
    return None


def joined(root: str, path: str) -> str:
    """A path below a folder."""
    return "/".join(part for part in (root, path) if part)
