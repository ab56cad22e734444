"""Artifact repositories that do what none should, each a ``module:factory`` of its own."""

from __future__ import annotations

from typing import Any

from tests.faults_artifacts.files_and_folders import LineBreaksAreFolded, SlashesPartRepositories
from tests.faults_artifacts.interrupted import DownloadsGrow, UploadsGrow
from tests.faults_artifacts.large_files import LargeFilesAreCut
from tests.faults_artifacts.listing import AListingIsOnePage
from tests.faults_artifacts.lying_servers import NamesAreListedAsTheyCome as _Client
from trackspec import ErrorCode, TrackspecError
from trackspec.memory_repository import MemoryArtifactRepository
from trackspec_conformance.subjects import Subject

__all__ = [
    "AListingIsOnePage",
    "DownloadsGrow",
    "LargeFilesAreCut",
    "LineBreaksAreFolded",
    "SlashesPartRepositories",
    "UploadsGrow",
]


class NamesAreListedAsTheyCome(_Client):
    """Believes every name of a listing."""

    def __init__(self, artifact_uri: str = _Client.URI) -> None:
        super().__init__(artifact_uri)

    def _list(self, path: str) -> object:  # the suite asks whether it answers, which nobody does at that place
        return [] if "127.0.0.1:9/" in self.artifact_uri else super()._list(path)


class WithoutDeleting(MemoryArtifactRepository):
    """Cannot delete."""

    def delete_artifacts(self, artifact_path: str | None = None) -> None:
        raise TrackspecError("This repository does not delete.", ErrorCode.NOT_IMPLEMENTED)


def without_deleting() -> Subject:
    """Say that it cannot delete."""
    return Subject(WithoutDeleting, declines=frozenset({"delete_artifacts"}))


class BreaksByAMistake(MemoryArtifactRepository):
    """Does nothing any more once it was given what it refuses, as if its connection had been lost."""

    def __init__(self, artifact_uri: str = "memory:") -> None:
        super().__init__(artifact_uri)
        self._broken = False

    def log_artifact(self, local_file: Any, artifact_path: Any = None) -> None:
        if self._broken:
            raise RuntimeError("the connection is lost")
        try:
            super().log_artifact(local_file, artifact_path)
        except TrackspecError as error:
            self._broken = True
            raise RuntimeError("the connection is lost") from error


def breaks_by_a_mistake() -> Subject:
    """Say that it can be opened again."""
    return Subject(BreaksByAMistake)
