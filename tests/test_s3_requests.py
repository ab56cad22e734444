"""Small objects of S3 go by bare requests, and everything that is no plain success by the SDK's calls."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers.object_stores import ObjectStore
from trackspec import ErrorCode, TrackspecError
from trackspec_reference.artifacts.s3 import S3ArtifactRepository


@pytest.fixture
def repository(
    moto: ObjectStore, no_cloud: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[S3ArtifactRepository]:
    """A repository of its own over the S3 of moto."""
    for name, value in moto.settings.items():
        monkeypatch.setenv(name, value)
    with S3ArtifactRepository(f"{moto.root}/requests-{time.time_ns()}") as opened:
        assert isinstance(opened, S3ArtifactRepository)
        yield opened


def refused(*_: Any, **__: Any) -> None:
    """Stands for a call that is not to be made."""
    raise AssertionError("the SDK was called")


def test_a_small_object_needs_no_call_of_the_sdk(
    repository: S3ArtifactRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its name may hold what a URL does not, and it may be empty."""
    for name in ("put_object", "get_object"):
        monkeypatch.setattr(repository._client, name, refused)
    for name, content in (("a b%20ü#?.txt", b"content"), ("empty", b"")):
        (tmp_path / name).write_bytes(content)

        repository.log_artifact(tmp_path / name, "in")

        copy = repository.download_artifacts(f"in/{name}")
        assert Path(copy).read_bytes() == content


@pytest.mark.parametrize("wrong", [b"", b"CONTENT", b"content and more"])
def test_what_arrives_damaged_is_got_again(
    repository: S3ArtifactRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: bytes
) -> None:
    """By the SDK, which verifies it as well."""
    (tmp_path / "a.txt").write_bytes(b"content")
    repository.log_artifact(tmp_path / "a.txt")
    send = repository._small._session.send
    damaged: list[str] = []

    def send_damaged(request: Any) -> Any:
        answer = send(request)
        if request.method == "GET" and "list-type" not in request.url and not damaged:
            damaged.append(request.url)
            assert answer.content == b"content"
            answer._content = wrong
        return answer

    monkeypatch.setattr(repository._small._session, "send", send_damaged)

    copy = repository.download_artifacts("a.txt")

    assert damaged
    assert Path(copy).read_bytes() == b"content"


def test_without_credentials_it_is_left_to_the_sdk(
    moto: ObjectStore, no_cloud: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Which tells what to set."""
    monkeypatch.setenv("MLFLOW_S3_ENDPOINT_URL", moto.settings["MLFLOW_S3_ENDPOINT_URL"])
    (tmp_path / "a.txt").write_bytes(b"content")

    with S3ArtifactRepository(f"{moto.root}/nobody") as repository, pytest.raises(TrackspecError) as raised:
        repository.log_artifact(tmp_path / "a.txt")

    assert raised.value.error_code is ErrorCode.UNAUTHENTICATED
