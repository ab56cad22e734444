"""The repositories of object stores: their URIs, their credentials, and services that fail."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.servers import free_port
from tests.servers.object_stores import ObjectStore
from trackspec import ArtifactRepository, ErrorCode, FileInfo, TrackspecError
from trackspec_reference.artifacts import azure_blob, gcs, s3

SECRET = "c2VjcmV0IG9mIHRoZSB0ZXN0cw=="
"""The text of a key that is nobody's; Azure's are Base64."""
ROOTS = {
    "s3": "s3://artifacts",
    "gs": "gs://artifacts",
    "wasbs": "wasbs://artifacts@tests.blob.core.windows.net",
}


@pytest.fixture(autouse=True)
def quick(no_cloud: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """No cloud is in reach, and what fails is tried again for a moment only."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    monkeypatch.setattr(gcs, "PATIENCE", 1.0)
    monkeypatch.setattr(azure_blob, "_SETTINGS", {**azure_blob._SETTINGS, "retry_total": 1, "retry_connect": 1})


@pytest.fixture(params=["moto", "seaweed", "gcs", "azure"])
def store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    """A server of each kind in turn, which the environment names."""
    found: ObjectStore = request.getfixturevalue(request.param)
    configure(monkeypatch, found.settings)
    return found


@pytest.fixture
def repository(store: ObjectStore, tmp_path: Path) -> Iterator[ArtifactRepository]:
    """A repository on such a server, with a root of its own."""
    with ArtifactRepository.from_artifact_uri(f"{store.root}/{tmp_path.name}") as opened:
        yield opened
        opened.delete_artifacts()


def configure(monkeypatch: pytest.MonkeyPatch, settings: Mapping[str, str]) -> None:
    """Set these environment variables."""
    for name, value in settings.items():
        monkeypatch.setenv(name, value)


def logged(repository: ArtifactRepository, tmp_path: Path, path: str, content: bytes = b"1") -> None:
    """Log a file to this path."""
    folder, _, name = path.rpartition("/")
    (tmp_path / name).write_bytes(content)
    repository.log_artifact(tmp_path / name, folder)


def settings_for(scheme: str, port: int) -> dict[str, str]:
    """The settings of a server of a kind that is, or is not, at a port of this machine."""
    return {
        "s3": {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": "nobody",
            "AWS_SECRET_ACCESS_KEY": SECRET,
        },
        "gs": {"STORAGE_EMULATOR_HOST": f"http://127.0.0.1:{port}"},
        "wasbs": {
            "AZURE_STORAGE_CONNECTION_STRING": f"AccountName=tests;AccountKey={SECRET};"
            f"BlobEndpoint=http://127.0.0.1:{port}/tests"
        },
    }[scheme]


def told(error: TrackspecError) -> str:
    """All that a traceback shows of an error."""
    return "".join(traceback.format_exception(error))


# -- URIs --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "uri",
    [
        "s3://",
        "s3:///path",
        "s3://key:secret@artifacts/path",
        "s3://key@artifacts/path",
        "s3://artifacts:9000/path",
        "s3://artifacts/path?versionId=1",
        "s3://artifacts/../other",
        "s3://art%2Ffacts",
        "gs://",
        "gs://token@artifacts/path",
        "gs://artifacts/path#1",
        "wasbs://artifacts",
        "wasbs://artifacts@tests",
        "wasbs://artifacts@tests.blob.core.windows.net.example.org/path",
        "wasbs://artifacts@127.0.0.1/path",
        "wasbs://artifacts:secret@tests.blob.core.windows.net/path",
        "wasbs://@tests.blob.core.windows.net/path",
        "wasbs://artifacts@tests.blob.core.windows.net/path?sig=secret",
    ],
)
def test_a_uri_that_is_more_or_less_than_a_place_is_refused(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No credentials, ports, options, detours and hosts of others; the error repeats none of it."""
    for scheme in ROOTS:
        configure(monkeypatch, settings_for(scheme, 1))

    with pytest.raises(TrackspecError) as refused:
        ArtifactRepository.from_artifact_uri(uri)

    assert refused.value.error_code is ErrorCode.INVALID_PARAMETER_VALUE
    assert "secret" not in refused.value.message


def test_a_path_is_not_decoded(store: ObjectStore, tmp_path: Path) -> None:
    """The path of a URI is that of the keys, whatever is in it."""
    with (
        ArtifactRepository.from_artifact_uri(f"{store.root}/undecoded") as above,
        ArtifactRepository.from_artifact_uri(f"{store.root}/undecoded/a%20b c") as below,
    ):
        logged(below, tmp_path, "x")

        assert above.list_artifacts() == [FileInfo("a%20b c", True, None)]


def test_a_root_is_not_the_one_whose_name_it_begins(store: ObjectStore, tmp_path: Path) -> None:
    """Roots are parted at slashes, when listing and when deleting."""
    with (
        ArtifactRepository.from_artifact_uri(f"{store.root}/apart/1") as one,
        ArtifactRepository.from_artifact_uri(f"{store.root}/apart/12") as other,
    ):
        logged(other, tmp_path, "x")

        assert one.list_artifacts() == []
        one.delete_artifacts()
        assert other.list_artifacts() == [FileInfo("x", False, 1)]


@pytest.mark.parametrize("scheme", ROOTS)
def test_a_missing_library_is_told_with_its_extra(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where an SDK is not installed, the error says how to install it."""
    module, library, extra = {
        "s3": ("s3", "boto3", "s3"),
        "gs": ("gcs", "google.cloud.storage", "gcs"),
        "wasbs": ("azure_blob", "azure.storage.blob", "azure"),
    }[scheme]
    monkeypatch.delitem(sys.modules, f"trackspec_reference.artifacts.{module}")
    for name in [name for name in sys.modules if name == library or name.startswith(f"{library}.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)  # type: ignore[arg-type]  # this is how an import is barred

    with pytest.raises(TrackspecError, match=rf"trackspec\[{extra}\]") as refused:
        ArtifactRepository.from_artifact_uri(ROOTS[scheme])

    assert refused.value.error_code is ErrorCode.INVALID_PARAMETER_VALUE


# -- services that fail ------------------------------------------------------------------------------------------


def calls(root: str, tmp_path: Path) -> Iterator[TrackspecError]:
    """What each call raises, on a repository that cannot work."""
    (tmp_path / "file").write_bytes(b"1")
    (tmp_path / "large").write_bytes(bytes(9 * 1024 * 1024))
    with ArtifactRepository.from_artifact_uri(root) as repository:
        for call in (
            lambda: repository.log_artifact(tmp_path / "file"),
            lambda: repository.log_artifact(tmp_path / "large"),
            lambda: repository.list_artifacts("folder"),
            lambda: repository.download_artifacts("file", tmp_path),
            lambda: repository.delete_artifacts("folder"),
        ):
            with pytest.raises(TrackspecError) as raised:
                call()
            yield raised.value
        assert SECRET not in repr(repository)


def test_a_missing_bucket_is_told(store: ObjectStore, tmp_path: Path) -> None:
    """Every call says that the bucket or container is not there, and none makes it."""
    for _ in range(2):
        for error in calls(store.root.replace("artifacts", "elsewhere"), tmp_path):
            assert error.error_code in (
                ErrorCode.RESOURCE_DOES_NOT_EXIST,
                ErrorCode.PERMISSION_DENIED,  # as SeaweedFS, where the first upload would make it
            )
            assert "'elsewhere'" in error.message


@pytest.mark.parametrize("server", ["seaweed", "azure"])
def test_wrong_credentials_are_told_and_not_shown(
    server: str,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Every call names what to set; no error, traceback, log or repr shows a credential."""
    caplog.set_level(logging.INFO)
    store: ObjectStore = request.getfixturevalue(server)
    right = {"seaweed": "seaweed-secret", "azure": "dGVzdHMgb2YgdHJhY2tzcGVj"}[server]
    variable = {"seaweed": "AWS_SECRET_ACCESS_KEY", "azure": "AZURE_STORAGE_CONNECTION_STRING"}[server]
    configure(monkeypatch, {name: value.replace(right, SECRET) for name, value in store.settings.items()})

    for error in calls(store.root, tmp_path):
        assert error.error_code in (ErrorCode.UNAUTHENTICATED, ErrorCode.PERMISSION_DENIED)
        assert variable in error.message
        assert SECRET not in told(error)
    assert SECRET not in caplog.text


def test_missing_credentials_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without credentials, every call names what to set."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")

    for error in calls("s3://artifacts", tmp_path):
        assert error.error_code is ErrorCode.UNAUTHENTICATED
        assert "AWS_PROFILE" in error.message


def test_missing_default_credentials_are_told() -> None:
    """Google's SDK looks for credentials at the start, and so the constructor names what to set."""
    with pytest.raises(TrackspecError, match="GOOGLE_APPLICATION_CREDENTIALS") as refused:
        ArtifactRepository.from_artifact_uri("gs://artifacts")

    assert refused.value.error_code is ErrorCode.UNAUTHENTICATED


@pytest.mark.parametrize("scheme", ROOTS)
def test_a_service_that_is_not_there_is_told(scheme: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A port on which nothing listens makes every call raise one error."""
    configure(monkeypatch, settings_for(scheme, free_port()))

    for error in calls(ROOTS[scheme], tmp_path):
        assert error.error_code is ErrorCode.TEMPORARILY_UNAVAILABLE
        assert SECRET not in told(error)


@pytest.mark.parametrize(
    ("scheme", "settings"),
    [
        ("s3", {"AWS_PROFILE": "nobody"}),
        ("s3", {"MLFLOW_S3_ENDPOINT_URL": SECRET}),
        ("s3", {"MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE": "oblique"}),
        ("gs", {"GOOGLE_APPLICATION_CREDENTIALS": f"/nowhere/{SECRET}"}),
        ("wasbs", {"AZURE_STORAGE_CONNECTION_STRING": SECRET}),
        ("wasbs", {"AZURE_STORAGE_CONNECTION_STRING": f"AccountName=other;AccountKey={SECRET}"}),
    ],
)
def test_settings_that_cannot_be_used_are_told(
    scheme: str, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A setting is never ignored, and the error does not repeat it."""
    configure(monkeypatch, settings)

    with pytest.raises(TrackspecError) as refused:
        ArtifactRepository.from_artifact_uri(ROOTS[scheme])

    assert refused.value.error_code in (ErrorCode.INVALID_PARAMETER_VALUE, ErrorCode.UNAUTHENTICATED)
    assert SECRET not in told(refused.value)


# -- keys --------------------------------------------------------------------------------------------------------


def test_a_file_and_a_folder_of_one_path_are_kept_both(repository: ArtifactRepository, tmp_path: Path) -> None:
    """Each is downloaded under its own path, and the path is the file's."""
    logged(repository, tmp_path, "a/b", b"below")
    logged(repository, tmp_path, "a", b"file")

    assert repository.list_artifacts() == [FileInfo("a", False, 4)]
    assert repository.list_artifacts("a") == [FileInfo("a/b", False, 5)]
    assert Path(repository.download_artifacts("a")).read_bytes() == b"file"
    assert Path(repository.download_artifacts("a/b")).read_bytes() == b"below"


def test_a_root_that_leaves_no_room_is_refused(store: ObjectStore, tmp_path: Path) -> None:
    """A key that no store takes is refused before it is sent."""
    with ArtifactRepository.from_artifact_uri(f"{store.root}/{'r' * 200}/{'o' * 200}") as repository:
        with pytest.raises(TrackspecError) as refused:
            logged(repository, tmp_path, "/".join(["x" * 200] * 3 + ["y" * 100]))

        assert refused.value.error_code is ErrorCode.INVALID_PARAMETER_VALUE
        assert repository.list_artifacts() == []


@pytest.mark.parametrize("server", ["moto", "seaweed"])
def test_what_tools_make_to_show_a_folder_is_no_artifact(
    server: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An object whose name ends in a slash stands for a folder: it is not listed, and deleted with the folder."""
    store: ObjectStore = request.getfixturevalue(server)
    configure(monkeypatch, store.settings)
    with s3.S3ArtifactRepository(f"{store.root}/markers") as repository:
        repository._client.put_object(Bucket="artifacts", Key="markers/folder/", Body=b"")
        logged(repository, tmp_path, "folder/a")

        assert repository.list_artifacts("folder") == [FileInfo("folder/a", False, 1)]
        assert [path.name for path in Path(repository.download_artifacts("folder")).iterdir()] == ["a"]
        repository.delete_artifacts("folder")
        assert repository.list_artifacts() == []
