"""Objects go by bare requests, and everything that is no plain success by the calls of the SDK."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.servers.object_stores import ObjectStore
from trackspec import ArtifactRepository, ErrorCode, TrackspecError
from trackspec_reference.artifacts import azure_requests
from trackspec_reference.artifacts.azure_requests import RANGE, BlobRequests
from trackspec_reference.artifacts.gcs_requests import ObjectRequests
from trackspec_reference.artifacts.s3 import S3ArtifactRepository
from trackspec_reference.tracking.rest.transport import Transport

MEBIBYTE = 1024 * 1024
SDK_CALLS = {
    "moto": ("_client", ("put_object", "get_object")),
    "gcs": ("_bucket", ("blob",)),
    "azure": ("_container", ("upload_blob", "download_blob")),
}
"""The attribute that is the SDK's, by server, and the calls of it that transfer an object."""


@pytest.fixture(params=SDK_CALLS)
def server(request: pytest.FixtureRequest) -> str:
    """The kinds of servers."""
    found: str = request.param
    return found


@pytest.fixture
def repository(
    server: str, request: pytest.FixtureRequest, no_cloud: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ArtifactRepository]:
    """A repository of its own over a server."""
    store: ObjectStore = request.getfixturevalue(server)
    for name, value in store.settings.items():
        monkeypatch.setenv(name, value)
    with ArtifactRepository.from_artifact_uri(f"{store.root}/requests-{time.time_ns()}") as opened:
        yield opened


def refuse(repository: ArtifactRepository, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the SDK make no call that transfers an object."""

    def refused(*_: Any, **__: Any) -> None:
        raise AssertionError("the SDK was called")

    attribute, calls = SDK_CALLS[server]
    for name in calls:
        monkeypatch.setattr(getattr(repository, attribute), name, refused)


def damage(method: str, wrong: bytes, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let the body of the first answer to such a request arrive as another; gives what was damaged."""
    send, damaged = Transport.send, []

    def send_damaged(self: Transport, *arguments: Any) -> Any:
        asked, target, file = arguments[0], arguments[1], arguments[-1]
        if asked != method or damaged:
            return send(self, *arguments)
        damaged.append(target)
        if file is not None:
            monkeypatch.setattr(file, "write", lambda _: partial(type(file).write, file)(wrong), raising=False)
        answer = send(self, *arguments)
        return answer._replace(body=wrong) if answer.body else answer

    monkeypatch.setattr(Transport, "send", send_damaged)
    return damaged


def test_a_small_object_needs_no_call_of_the_sdk(
    repository: ArtifactRepository, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its name may hold what a URL does not."""
    refuse(repository, server, monkeypatch)
    (tmp_path / "a b%20ü#?&+~(.txt").write_bytes(b"content")

    repository.log_artifact(tmp_path / "a b%20ü#?&+~(.txt", "in")

    copy = repository.download_artifacts("in/a b%20ü#?&+~(.txt")
    assert Path(copy).read_bytes() == b"content"


def test_an_empty_object_is_as_empty(repository: ArtifactRepository, tmp_path: Path) -> None:
    """Whoever gets it."""
    (tmp_path / "empty").touch()

    repository.log_artifact(tmp_path / "empty")

    assert Path(repository.download_artifacts("empty")).read_bytes() == b""


@pytest.mark.parametrize("wrong", [b"", b"CONTENT", b"content and more"])
def test_what_arrives_damaged_is_got_again(
    repository: ArtifactRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: bytes
) -> None:
    """It is verified."""
    (tmp_path / "a.txt").write_bytes(b"content")
    repository.log_artifact(tmp_path / "a.txt")
    found = repository._find("a.txt")  # type: ignore[attr-defined]  # so that nothing else is got below
    damaged = damage("GET", wrong, monkeypatch)

    repository._get("a.txt", tmp_path / "copy")  # type: ignore[attr-defined]  # as above

    assert found
    assert damaged
    assert (tmp_path / "copy").read_bytes() == b"content"


@pytest.mark.parametrize("server", ["gcs"], indirect=True)
def test_what_is_not_confirmed_is_put_again(
    repository: ArtifactRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the service tells what it has stored, that is compared."""
    (tmp_path / "a.txt").write_bytes(b"content")
    damaged = damage("POST", b'{"size": "7", "crc32c": "AAAAAA=="}', monkeypatch)
    put = ObjectRequests.put
    confirmed: list[bool] = []
    monkeypatch.setattr(ObjectRequests, "put", lambda *asked: confirmed.append(put(*asked)) or confirmed[-1])

    repository.log_artifact(tmp_path / "a.txt")

    assert damaged
    assert confirmed == [False]
    assert Path(repository.download_artifacts("a.txt")).read_bytes() == b"content"


def test_a_large_object_is_got_whole(
    repository: ArtifactRepository, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However it was cut on its way."""
    content = bytes(range(256)) * (40 * 1024) + b"end"
    (tmp_path / "large").write_bytes(content)
    repository.log_artifact(tmp_path / "large")
    if server != "moto":  # the large ones of S3 are the SDK's to cut
        refuse(repository, server, monkeypatch)

    assert Path(repository.download_artifacts("large")).read_bytes() == content


@pytest.mark.parametrize("server", ["azure"], indirect=True)
def test_a_blob_that_is_replaced_between_two_ranges_is_got_anew(
    repository: ArtifactRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is made of two versions."""
    for name, letter in (("old", b"a"), ("new", b"b")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "large").write_bytes(letter * (2 * RANGE + 1))
    repository.log_artifact(tmp_path / "old" / "large")
    get_range, replaced = BlobRequests._range, []

    def get_and_replace(self: BlobRequests, *asked: Any) -> Any:
        content = get_range(self, *asked)
        if not replaced:
            replaced.append(asked)
            repository.log_artifact(tmp_path / "new" / "large")
        return content

    monkeypatch.setattr(BlobRequests, "_range", get_and_replace)
    monkeypatch.setattr(azure_requests, "STREAMS", 1)

    copy = repository.download_artifacts("large")

    assert replaced
    assert Path(copy).read_bytes() == b"b" * (2 * RANGE + 1)


def test_without_credentials_it_is_left_to_the_sdk(
    moto: ObjectStore, no_cloud: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Which tells what to set."""
    monkeypatch.setenv("MLFLOW_S3_ENDPOINT_URL", moto.settings["MLFLOW_S3_ENDPOINT_URL"])
    (tmp_path / "a.txt").write_bytes(b"content")

    with S3ArtifactRepository(f"{moto.root}/nobody") as repository, pytest.raises(TrackspecError) as raised:
        repository.log_artifact(tmp_path / "a.txt")

    assert raised.value.error_code is ErrorCode.UNAUTHENTICATED


def test_a_token_is_renewed_before_its_end(
    azure: ObjectStore, no_cloud: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And asked for once until then."""
    given: list[float] = []

    class Credential:
        def get_token(self, _: str) -> Any:
            from azure.core.credentials import AccessToken  # noqa: PLC0415 - not everybody has it

            given.append(0)
            return AccessToken(f"token-{len(given)}", int(time.time()) + [200, 4000][len(given) > 1])

    class Account:
        credential, api_version, url = Credential(), "2026-02-06", "https://tests.blob.core.windows.net/artifacts"

    requests = BlobRequests(Account(), Account())
    signed = [requests._signed("GET", requests._url, {}, 0)["Authorization"] for _ in range(3)]

    assert signed == ["Bearer token-1", "Bearer token-2", "Bearer token-2"]
