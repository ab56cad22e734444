"""Artifact repositories that do what none should, each a ``module:factory`` of its own."""

from __future__ import annotations

from tests.faults_artifacts.files_and_folders import LineBreaksAreFolded, SlashesPartRepositories
from tests.faults_artifacts.large_files import LargeFilesAreCut
from tests.faults_artifacts.listing import AListingIsOnePage
from tests.faults_artifacts.lying_servers import NamesAreListedAsTheyCome as _Client
from trackspec import ErrorCode, TrackspecError
from trackspec.memory_repository import MemoryArtifactRepository
from trackspec_conformance.subjects import Subject

__all__ = ["AListingIsOnePage", "LargeFilesAreCut", "LineBreaksAreFolded", "SlashesPartRepositories"]


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
