"""The endpoints of a server that proxies artifacts: one row for each, as for the calls of a tracking store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trackspec import entities
from trackspec.parts import PartCredential, PartsUpload, UploadedPart
from trackspec.protocol.endpoint import BASE, BROWSER_BASE
from trackspec.protocol.entities import INT64, RUN_ID, TEXT
from trackspec.protocol.kinds import Items, Texts, Truth, Unsupported
from trackspec.protocol.message import Field, Message

ARTIFACTS_BASE = "/api/2.0/mlflow-artifacts"
"""Where a server has the artifacts that it proxies."""
ARTIFACTS_BROWSER_BASE = "/ajax-api/2.0/mlflow-artifacts"
"""Where MLflow's pages look for the same."""
ARTIFACTS = f"{ARTIFACTS_BASE}/artifacts"
"""What the URL of a proxied artifact begins with; its path follows."""

IN_PATH = "/{path}"
"""How the template of a path ends that is followed by an artifact's path, percent-encoded."""


@dataclass(frozen=True)
class ArtifactEndpoint:
    """One row.

    :ivar name: what is asked for.
    :ivar template: its path below the base; one that ends in :data:`IN_PATH` takes an artifact's path.
    :ivar request: its fields, in a query or, with POST, in a body.
    :ivar answer: its answer; None for the bytes of a file.
    :ivar takes_file: whether its body is the bytes of a file.
    :ivar bases: below which prefixes it is; a client uses the first.
    """

    name: str
    method: str
    template: str
    request: Message
    answer: Message | None
    summary: str
    takes_file: bool = False
    bases: tuple[str, ...] = (ARTIFACTS_BASE, ARTIFACTS_BROWSER_BASE)

    @property
    def has_path(self) -> bool:
        """Whether an artifact's path follows."""
        return self.template.endswith(IN_PATH)

    @property
    def paths(self) -> tuple[str, ...]:
        """Every whole path that it is served at, as a template."""
        return tuple(f"{base}/{self.template}" if base else f"/{self.template}" for base in self.bases)


FILE_INFO = Message(
    "FileInfo",
    entities.FileInfo,
    Field("path", TEXT, required=True),
    Field("is_dir", Truth(), required=True),
    Field("file_size", INT64),
)


@dataclass(frozen=True)
class Listing:
    """What is in a folder.

    :ivar files: their paths are relative to the folder, those of a run to where its artifacts begin.
    :ivar root_uri: where a run's artifacts are.
    """

    files: Sequence[entities.FileInfo]
    root_uri: str | None = None


CREDENTIAL = Message(
    "MultipartUploadCredential",
    PartCredential,
    Field("url", TEXT, required=True),
    Field("part_number", INT64, required=True),
    Field("headers", Texts(), default=dict),
)
PART = Message(
    "MultipartUploadPart",
    UploadedPart,
    Field("part_number", INT64, required=True),
    Field("etag", TEXT),
    Field("url", TEXT),
)

LISTING = Message(
    "ArtifactListing", Listing, Field("files", Items(FILE_INFO), default=()), Field("root_uri", TEXT)
)
PARTS_UPLOAD = Message(
    "MultipartUpload",
    PartsUpload,
    Field("upload_id", TEXT, required=True),
    Field("credentials", Items(CREDENTIAL), required=True),
)
NOTHING = Message("Nothing", dict)

_PATH = Field("path", TEXT)
_NAME = Field("path", TEXT, required=True)
_UPLOAD = Field("upload_id", TEXT, required=True)


def _request(name: str, *fields: Field) -> Message:
    return Message(name, dict, *fields)


ARTIFACT_ENDPOINTS = (
    ArtifactEndpoint(
        "list_artifacts",
        "GET",
        "artifacts",
        _request("ListArtifacts", _PATH),
        LISTING,
        "List a folder of the proxied artifacts.",
    ),
    ArtifactEndpoint(
        "download_artifact",
        "GET",
        f"artifacts{IN_PATH}",
        _request("DownloadArtifact"),
        None,
        "Read a proxied file.",
    ),
    ArtifactEndpoint(
        "upload_artifact",
        "PUT",
        f"artifacts{IN_PATH}",
        _request("UploadArtifact"),
        NOTHING,
        "Store a proxied file.",
        takes_file=True,
    ),
    ArtifactEndpoint(
        "delete_artifacts",
        "DELETE",
        f"artifacts{IN_PATH}",
        _request("DeleteArtifacts"),
        NOTHING,
        "Delete a proxied file, or a folder with all below it.",
    ),
    ArtifactEndpoint(
        "create_multipart_upload",
        "POST",
        f"mpu/create{IN_PATH}",
        _request("CreateMultipartUpload", _NAME, Field("num_parts", INT64, default=1)),
        PARTS_UPLOAD,
        "Begin to upload a file in parts that go to the storage itself.",
    ),
    ArtifactEndpoint(
        "complete_multipart_upload",
        "POST",
        f"mpu/complete{IN_PATH}",
        _request("CompleteMultipartUpload", _NAME, _UPLOAD, Field("parts", Items(PART), required=True)),
        NOTHING,
        "Make a file of its parts.",
    ),
    ArtifactEndpoint(
        "abort_multipart_upload",
        "POST",
        f"mpu/abort{IN_PATH}",
        _request("AbortMultipartUpload", _NAME, _UPLOAD),
        NOTHING,
        "Throw the parts of a file away.",
    ),
    ArtifactEndpoint(
        "list_run_artifacts",
        "GET",
        "artifacts/list",
        _request("ListRunArtifacts", RUN_ID, _PATH, Field("page_token", TEXT)),
        LISTING,
        "List a folder of a run's artifacts.",
        bases=(BASE, BROWSER_BASE),
    ),
    ArtifactEndpoint(
        "get_run_artifact",
        "GET",
        "get-artifact",
        _request("GetRunArtifact", RUN_ID, _NAME),
        None,
        "Read a file of a run's artifacts.",
        bases=("",),
    ),
    ArtifactEndpoint(
        "search_logged_models",
        "POST",
        "logged-models/search",
        _request(
            "SearchLoggedModels",
            Field("experiment_ids", Items(TEXT)),
            Field("filter", TEXT),
            Field("max_results", INT64),
            Field("page_token", TEXT),
            Field("order_by", Unsupported()),
            Field("datasets", Unsupported()),
        ),
        NOTHING,
        "Find no logged models, which MLflow's client asks for before it lists a folder of a run's artifacts.",
        bases=(BASE, BROWSER_BASE),
    ),
)

BY_ARTIFACT_NAME: Mapping[str, ArtifactEndpoint] = {endpoint.name: endpoint for endpoint in ARTIFACT_ENDPOINTS}
"""The rows by what is asked for."""
