"""Faults of servers that proxy artifacts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from trackspec.artifact_paths import valid_path
from trackspec.artifact_repository import ArtifactRepository
from trackspec.errors import ErrorCode, TrackspecError, invalid
from trackspec.parts import PartCredential, PartsUpload
from trackspec.protocol.artifact_endpoints import ArtifactEndpoint
from trackspec.protocol.model_proxy import ModelProxy, ProxyConnection
from trackspec.protocol.model_server import Request, Response

from . import fault


@fault("proxy.listing")
class NothingIsMissing(ModelProxy):
    """The listing of a folder that is not there is refused."""

    def list_artifacts(self, endpoint: ArtifactEndpoint, request: Request, path: str) -> Response:
        answer = super().list_artifacts(endpoint, request, path)
        if b'"path"' not in answer.body:
            raise TrackspecError("There is no such folder.", ErrorCode.RESOURCE_DOES_NOT_EXIST)
        return answer


@fault("proxy.listing")
class WholePathsAreListed(ModelProxy):
    """A listing has the paths from the root in the place of names."""

    def list_artifacts(self, endpoint: ArtifactEndpoint, request: Request, path: str) -> Response:
        folder = self.asked(endpoint, request)["path"] or ""
        answer = super().list_artifacts(endpoint, request, path)
        return Response(200, answer.body.replace(b'"path":"', f'"path":"{folder}/'.encode()), answer.headers)


@fault("proxy.listing")
class SizesAreTexts(ModelProxy):
    """The size of a file is answered as a text."""

    def list_artifacts(self, endpoint: ArtifactEndpoint, request: Request, path: str) -> Response:
        answer = super().list_artifacts(endpoint, request, path)
        return Response(200, answer.body.replace(b'"file_size":1', b'"file_size":"1"'), answer.headers)


@fault("proxy.download")
class LinesAreConverted(ModelProxy):
    """A file is answered with the line ends of another system."""

    def file(self, path: str) -> Response:
        answer = super().file(path)
        answer.body = answer.body.replace(b"\r\n", b"\n")
        return answer


@fault("proxy.rest")
class RangesAreNotKnown(ModelProxy):
    """A file is always answered from its start."""

    def is_same(self, request: Request, answer: Response) -> bool:
        return False


@fault("proxy.rest-of-same")
class VersionsAreNotCompared(ModelProxy):
    """The rest of whatever file is there now is answered."""

    def is_same(self, request: Request, answer: Response) -> bool:
        return "ETag" in answer.headers


@fault("proxy.download")
class ArchivesAreUnpacked(ModelProxy):
    """A file whose name says that it is compressed is said to be encoded, so that clients decode it."""

    def download_artifact(self, endpoint: ArtifactEndpoint, request: Request, path: str) -> Response:
        answer = super().download_artifact(endpoint, request, path)
        told = {"Content-Encoding": "gzip"} if path.endswith("gz") else {}
        return replace(answer, headers={**answer.headers, **told})


@fault("proxy.missing")
class MissingFilesAreEmpty(ModelProxy):
    """What is no file is answered like an empty one."""

    def file(self, path: str) -> Response:
        try:
            return super().file(path)
        except TrackspecError:
            return Response(200, b"", dict(self.file_headers))


@fault("proxy.upload")
class OnlyBytesAreTaken(ModelProxy):
    """A body that says to be JSON is refused."""

    def upload_artifact(self, endpoint: ArtifactEndpoint, request: Request, path: str) -> Response:
        if request.headers.get("Content-Type") == "application/json":
            raise invalid("This is no file.")
        return super().upload_artifact(endpoint, request, path)


@fault("proxy.upload")
class UploadsAreAppended(ModelProxy):
    """A file that is uploaded again is made longer."""

    def upload_artifact(self, endpoint: ArtifactEndpoint, request: Request, path: str) -> Response:
        try:
            before = super().file(path).body
        except TrackspecError:
            before = b""
        longer = Request(request.method, request.path, request.query, request.headers, before + request.body)
        return super().upload_artifact(endpoint, longer, path)


class NoChunks(ProxyConnection):
    """Reads a body whose length is told."""

    def read_body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", "0")))


@fault("proxy.upload-chunked")
class ChunkedBodiesAreEmpty(ModelProxy):
    """A body whose length is not told is taken for an empty one."""

    connection = NoChunks


class TakesParts(ProxyConnection):
    """Takes what arrives for the body."""

    def require_whole(self, body: bytes, length: int) -> None:
        return None


class TakesChunks(ProxyConnection):
    """Takes the end of a connection for the end of the chunks."""

    def size_of_chunk(self) -> int:
        return int(self.rfile.readline().split(b";")[0] or b"0", 16)


@fault("proxy.upload-cut")
class CutChunksAreKept(ModelProxy):
    """The chunks that have arrived when the connection ends are the file."""

    connection = TakesChunks


@fault("proxy.upload-cut")
class CutUploadsAreKept(ModelProxy):
    """What has arrived of a body when its connection ends is the file."""

    connection = TakesParts


@fault("proxy.delete")
class NeighboursAreDeleted(ModelProxy):
    """What has a name that the deleted one's begins is deleted as well."""

    def delete_artifacts(self, endpoint: ArtifactEndpoint, request: Request, path: str) -> Response:
        judged = self.judged(path.removesuffix("/"))
        for found in self.repository.list_artifacts(judged.rpartition("/")[0]):
            if found.path.startswith(judged):
                self.repository.delete_artifacts(found.path)
        return self.told(endpoint, {})


@fault("proxy.delete")
class OnlyFilesAreDeleted(ModelProxy):
    """Deleting a folder leaves what is below it."""

    def delete_artifacts(self, endpoint: ArtifactEndpoint, request: Request, path: str) -> Response:
        try:
            self.file(valid_path(path.removesuffix("/")))
        except TrackspecError:
            return self.told(endpoint, {})
        return super().delete_artifacts(endpoint, request, path)


@fault("proxy.delete")
class SlashesAreRefused(ModelProxy):
    """The slash at the end of a folder's path is refused."""

    def delete_artifacts(self, endpoint: ArtifactEndpoint, request: Request, path: str) -> Response:
        valid_path(path)
        return super().delete_artifacts(endpoint, request, path)


@fault("proxy.path-decoded-once")
class APlusIsASpace(ModelProxy):
    """A plus in a URL's path is a space."""

    def decoded(self, rest: str) -> str:
        return super().decoded(rest.replace("+", " "))


@fault("proxy.path-decoded-once")
class PathsAreDecodedTwice(ModelProxy):
    """A path is decoded, and decoded again."""

    def decoded(self, rest: str) -> str:
        return unquote(super().decoded(rest))


class _Lenient(ModelProxy):
    """Paths are cleaned in the place of being refused."""

    def judged(self, path: str) -> str:
        try:
            return super().judged(path)
        except TrackspecError:
            return self.cleaned(path)

    def cleaned(self, path: str) -> str:
        """What is made of a path that breaks a rule."""
        names: list[str] = []
        for name in unquote(path).replace("\\", "/").split("/"):
            if name == "..":
                names = names[:-1]
            elif name.strip(" .") and "\0" not in name and "\n" not in name:
                names.append(name)
        return valid_path("/".join(names).replace("%2e", "_").replace("%2f", "_").replace(":", "_"))


@fault("proxy.path-refused")
class DetoursAreFollowed(_Lenient):
    """A path with a parent segment is resolved, and leads out of the folder."""


@fault("proxy.path-escapes")
class BrokenEscapesAreText(ModelProxy):
    """An escape that is none stays as it is."""

    def decoded(self, rest: str) -> str:
        return unquote(rest)


@fault("proxy.attachment")
class FilesAreShown(ModelProxy):
    """A browser shows a file."""

    file_headers: Mapping[str, str] = {"Content-Type": "text/html", "X-Content-Type-Options": "nosniff"}


@fault("proxy.attachment")
class KindsAreGuessed(ModelProxy):
    """A browser may guess what a file is."""

    always: Mapping[str, str] = {}
    file_headers: Mapping[str, str] = {
        "Content-Type": "application/octet-stream",
        "Content-Disposition": "attachment",
    }


@fault("proxy.foreign-origin")
class OnlyPostsHaveAnOrigin(ModelProxy):
    """The Origin is looked at for a POST, and for nothing else."""

    def require_own_origin(self, request: Request) -> None:
        if request.method == "POST":
            super().require_own_origin(request)


@fault("proxy.credentials")
class FilesAreForEverybody(ModelProxy):
    """Files are answered to whoever asks."""

    def require_credentials(self, request: Request) -> None:
        if request.method != "GET":
            super().require_credentials(request)


@fault("proxy.credentials")
class HeadIsForEverybody(ModelProxy):
    """HEAD is answered like GET, and asks for no credentials."""

    def require_credentials(self, request: Request) -> None:
        if request.method != "HEAD":
            super().require_credentials(request)

    def served(self, request: Request) -> Response:
        return super().served(replace(request, method="GET") if request.method == "HEAD" else request)


@fault("proxy.connection-usable")
class RefusedBodiesStayUnread(ModelProxy):
    """The body of an upload without credentials is not read, and is taken for the next request."""

    class connection(ProxyConnection):  # noqa: N801 - in the place of the model's
        """Reads what comes from somebody."""

        def read_body(self) -> bytes:
            return super().read_body() if "Authorization" in self.headers else b""


@fault("proxy.credentials")
class PartsAreForEverybody(ModelProxy):
    """Uploads in parts are begun for whoever asks."""

    def require_credentials(self, request: Request) -> None:
        if "/mpu/" not in request.path:
            super().require_credentials(request)


@fault("proxy.parts")
class PartsAreMissing(ModelProxy):
    """An upload has a credential for one part, however many there are."""

    def create_multipart_upload(self, endpoint: ArtifactEndpoint, request: Request, path: str) -> Response:
        credential = PartCredential("http://127.0.0.1:9/part", 1, {})
        return self.told(endpoint, PartsUpload("upload", [credential]))


@fault("proxy.parts")
class PartsAreNowhere(ModelProxy):
    """Uploads in parts are declined as a path that is not there."""

    def create_multipart_upload(self, endpoint: ArtifactEndpoint, request: Request, path: str) -> Response:
        raise TrackspecError("No such path.", ErrorCode.ENDPOINT_NOT_FOUND)


@fault("proxy.parts-path-refused")
class PartsGoAnywhere(ModelProxy):
    """The path of an upload in parts is not looked at."""

    def create_multipart_upload(self, endpoint: ArtifactEndpoint, request: Request, path: str) -> Response:
        fields: dict[str, Any] = self.asked(endpoint, request)
        parts = range(1, fields["num_parts"] + 1)
        credentials = [PartCredential("http://127.0.0.1:9/part", number, {}) for number in parts]
        return self.told(endpoint, PartsUpload("upload", credentials))


@fault("proxy.run-listing")
class RunPathsAreNames(ModelProxy):
    """A folder of a run is listed by names."""

    def list_run_artifacts(self, endpoint: ArtifactEndpoint, request: Request, path: str) -> Response:
        answer = super().list_run_artifacts(endpoint, request, path)
        return Response(200, answer.body.replace(b'"notes/', b'"'), answer.headers)


@fault("proxy.run-file")
class RunFilesLeadAnywhere(_Lenient):
    """The path of a run's file may lead out of the run's artifacts."""

    def cleaned(self, path: str) -> str:
        return super().cleaned(path).removeprefix("artifacts/")


@fault("proxy.run-file")
class RunFilesAreGuessed(ModelProxy):
    """A browser may guess what a file of a run is."""

    def get_run_artifact(self, endpoint: ArtifactEndpoint, request: Request, path: str) -> Response:
        answer = super().get_run_artifact(endpoint, request, path)
        told = {name: value for name, value in answer.headers.items() if name != "X-Content-Type-Options"}
        return replace(answer, headers={**told, "X-Content-Type-Options": "none"})


@fault("proxy.run-elsewhere")
class RunsOpenAnything(ModelProxy):
    """The server opens whatever the artifact URI of a run names."""

    def get_run_artifact(self, endpoint: ArtifactEndpoint, request: Request, path: str) -> Response:
        fields = self.asked(endpoint, request)
        uri = self.store.get_run(fields["run_id"]).info.artifact_uri
        if uri.startswith("mlflow-artifacts:"):
            return super().get_run_artifact(endpoint, request, path)
        with (
            ArtifactRepository.from_artifact_uri(uri) as elsewhere,
            elsewhere.open_artifact(fields["path"]) as opened,
        ):
            return Response(200, opened.read(), dict(self.file_headers))
