"""The artifacts of a run, wherever they are."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote

from trackspec.artifact_locations import artifact_location
from trackspec.artifact_paths import RESERVED, parent_of, valid_path
from trackspec.artifact_repository import ArtifactRepository
from trackspec.entities import FileInfo
from trackspec.errors import invalid
from trackspec.opening import open_store
from trackspec.validated_repository import ValidatedRepository
from trackspec_reference.credentials.environment import TRACKING_URI


class RunsArtifactRepository(ValidatedRepository):
    """A run's artifacts, or a folder of them, in the repository of the run's artifact URI.

    The tracking store of ``MLFLOW_TRACKING_URI`` is asked for that, once; credentials are found by the repository.

    :param artifact_uri: ``runs:/RUN_ID``, or ``runs:/RUN_ID/PATH``; the path is percent-decoded.
    :raises TrackspecError: INVALID_PARAMETER_VALUE for any other URI, or where the variable is not set;
        RESOURCE_DOES_NOT_EXIST if there is no such run; what opening the store or the repository raises.
    """

    def __init__(self, artifact_uri: str) -> None:
        super().__init__(artifact_uri)
        location = artifact_location(artifact_uri)
        run_id, _, folder = location.path.removeprefix("/").partition("/")
        if location.scheme != "runs" or location.authority or not location.path.startswith("/") or not run_id:
            raise invalid("The URI of a run's artifacts is 'runs:/RUN_ID/PATH'.")
        self._folder = valid_path(unquote(folder, errors="strict"))
        self._repository = ArtifactRepository.from_artifact_uri(_artifact_uri_of(run_id))

    def close(self) -> None:
        self._repository.close()

    def _put(self, local_file: Path, path: str) -> None:
        self._repository.log_artifact(local_file, parent_of(self._whole(path)))

    def _get(self, path: str, local_file: Path) -> None:
        if isinstance(self._repository, ValidatedRepository):
            self._repository._get(self._whole(path), local_file)
            return
        with tempfile.TemporaryDirectory(prefix=f"{RESERVED}download-", dir=local_file.parent) as folder:
            shutil.move(self._repository.download_artifacts(self._whole(path), folder), local_file)

    def _list(self, path: str) -> Iterable[FileInfo]:
        for found in self._repository.list_artifacts(self._whole(path)):
            below = found.path[len(self._folder) :].lstrip("/")
            yield FileInfo(below, found.is_dir, found.file_size)

    def _delete(self, path: str) -> None:
        self._repository.delete_artifacts(self._whole(path))

    def _whole(self, path: str) -> str:
        """The path from the root of the run's artifacts."""
        return "/".join(part for part in (self._folder, path) if part)


def _artifact_uri_of(run_id: str) -> str:
    if not (store_uri := os.environ.get(TRACKING_URI)):
        raise invalid(f"Set {TRACKING_URI} to the URI of the tracking store that has the run.")
    with closing(open_store(store_uri)) as store:
        found = store.get_run(run_id).info.artifact_uri
    if found.lower().startswith("runs:"):
        raise invalid("The artifact URI of the run leads to another run.")
    return found
