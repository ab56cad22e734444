"""Files whose parts a client puts to S3 itself, without credentials of its own."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.object_stores import ObjectStore
from trackspec import ArtifactRepository, ErrorCode, FileInfo, TrackspecError
from trackspec.memory_repository import MemoryArtifactRepository
from trackspec.parts import NO_PARTS, UploadedPart

PART = bytes(5 * 2**20)
"""The least that S3 takes for a part which is not the last."""


@pytest.fixture
def repository(
    seaweed: ObjectStore, no_cloud: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ArtifactRepository]:
    """A repository of its own over the S3 of SeaweedFS."""
    for name, value in seaweed.settings.items():
        monkeypatch.setenv(name, value)
    with ArtifactRepository.from_artifact_uri(f"{seaweed.root}/parts-{time.time_ns()}") as opened:
        yield opened


def put(url: str, content: bytes) -> str:
    """Put a part where a credential says; what the storage answers for it."""
    kind = {"Content-Type": "application/octet-stream"}
    with urllib.request.urlopen(urllib.request.Request(url, content, kind, method="PUT"), timeout=30) as answer:
        return str(answer.headers["ETag"])


def test_a_file_is_made_of_its_parts(repository: ArtifactRepository) -> None:
    """Whatever order they come in; it is not seen before."""
    upload = repository.begin_parts("deep/a.bin", 2)
    parts = [
        UploadedPart(credential.part_number, put(credential.url, content), credential.url)
        for credential, content in zip(upload.credentials, (PART, b"end"), strict=True)
    ]
    before = repository.list_artifacts("deep")
    assert all("X-Amz-Signature" in credential.url for credential in upload.credentials)

    repository.complete_parts("deep/a.bin", upload.upload_id, parts[::-1])

    assert before == []
    assert repository.list_artifacts("deep") == [FileInfo("deep/a.bin", False, len(PART) + 3)]
    assert Path(repository.download_artifacts("deep/a.bin")).read_bytes() == PART + b"end"


def test_parts_are_thrown_away(repository: ArtifactRepository) -> None:
    """Then there is no such upload any more."""
    upload = repository.begin_parts("a.bin", 1)
    etag = put(upload.credentials[0].url, b"part")
    repository.abort_parts("a.bin", upload.upload_id)

    with pytest.raises(TrackspecError) as refused:
        repository.complete_parts("a.bin", upload.upload_id, [UploadedPart(1, etag, None)])

    assert refused.value.error_code is ErrorCode.RESOURCE_DOES_NOT_EXIST
    assert repository.list_artifacts() == []


def test_parts_that_are_none_are_refused(repository: ArtifactRepository) -> None:
    """The caller's mistake is told as one."""
    upload = repository.begin_parts("a.bin", 1)
    put(upload.credentials[0].url, b"part")

    with pytest.raises(TrackspecError) as refused:
        repository.complete_parts("a.bin", upload.upload_id, [UploadedPart(1, f'"{"0" * 32}"', None)])

    assert refused.value.error_code is ErrorCode.INVALID_PARAMETER_VALUE


@pytest.mark.parametrize(("path", "count"), [("a.bin", 0), ("a.bin", 10_001), ("../a.bin", 1), ("", 1)])
def test_what_cannot_be_uploaded_so_is_refused(repository: ArtifactRepository, path: str, count: int) -> None:
    """Before anything is begun."""
    with pytest.raises(TrackspecError) as refused:
        repository.begin_parts(path, count)

    assert refused.value.error_code is ErrorCode.INVALID_PARAMETER_VALUE


def test_other_storages_decline() -> None:
    """In the words that MLflow's client knows."""
    repository = MemoryArtifactRepository("memory:parts")
    for call in (
        lambda: repository.begin_parts("a", 1),
        lambda: repository.complete_parts("a", "upload", []),
        lambda: repository.abort_parts("a", "upload"),
    ):
        with pytest.raises(TrackspecError, match=NO_PARTS) as declined:
            call()

        assert declined.value.error_code is ErrorCode.NOT_IMPLEMENTED
