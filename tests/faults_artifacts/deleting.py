"""Faults of deleting."""

from __future__ import annotations

import fnmatch
import posixpath
import re
from typing import Any
from urllib.parse import unquote

from trackspec.artifact_paths import parent_of
from trackspec.errors import ErrorCode, missing
from trackspec.memory_repository import MemoryArtifactRepository

from . import fault


@fault("delete.file")
class DeletingDoesNothing(MemoryArtifactRepository):
    """A deleted file stays."""

    def _delete(self, path: str) -> None:
        if list(self._list(path)):
            super()._delete(path)


@fault("delete.folder")
class FoldersAreNotDeleted(MemoryArtifactRepository):
    """A folder stays with all below it."""

    def _delete(self, path: str) -> None:
        if not list(self._list(path)):
            super()._delete(path)


@fault("delete.folder")
class HiddenFilesStay(MemoryArtifactRepository):
    """What has a name that begins with a full stop stays when the folder that it is in is deleted."""

    def _delete(self, path: str) -> None:
        for file in list(self._files_below(path)):
            if "/." not in file.path[len(path) :]:
                super()._delete(file.path)
        if not list(self._list(path)):
            super()._delete(path)


@fault("delete.folder")
class DeeperFoldersStay(MemoryArtifactRepository):
    """The files of a folder are deleted, and what lies deeper stays."""

    def _delete(self, path: str) -> None:
        listed = list(self._list(path))
        for info in listed:
            if not info.is_dir:
                super()._delete(info.path)
        if not listed:
            super()._delete(path)


@fault("delete.alone")
class DeletingIsByPrefix(MemoryArtifactRepository):
    """What has a name that the deleted one's begins is deleted as well."""

    def _delete(self, path: str) -> None:
        for info in list(self._list(parent_of(path))):
            if info.path.startswith(path):
                super()._delete(info.path)


@fault("delete.alone")
class FoldersGoWithTheirFiles(MemoryArtifactRepository):
    """The folder of a deleted file is deleted as well."""

    def _delete(self, path: str) -> None:
        super()._delete(path if list(self._list(path)) else parent_of(path) or path)


@fault("delete.exact-name")
class DeletingIsByPattern(MemoryArtifactRepository):
    """A path is a pattern for deleting."""

    def _delete(self, path: str) -> None:
        super()._delete(path)
        for info in list(self._list(parent_of(path))):
            if fnmatch.fnmatchcase(info.path, path):
                super()._delete(info.path)


@fault("delete.exact-name")
class DeletingIsLike(MemoryArtifactRepository):
    """An underscore in a path that is deleted is any character, as for SQL's LIKE."""

    def _delete(self, path: str) -> None:
        super()._delete(path)
        for info in list(self._list(parent_of(path))):
            if re.fullmatch(re.escape(path).replace("_", "."), info.path):
                super()._delete(info.path)


@fault("delete.exact-name")
class DeletingDecodes(MemoryArtifactRepository):
    """A path is percent-decoded by deleting."""

    def _delete(self, path: str) -> None:
        super()._delete(unquote(path))


@fault("delete.exact-name")
class DeletingEndsAtAHash(MemoryArtifactRepository):
    """A path ends at a hash for deleting."""

    def _delete(self, path: str) -> None:
        super()._delete(path.partition("#")[0])


@fault("delete.root")
class TheRootIsNotDeleted(MemoryArtifactRepository):
    """Without a path, nothing is deleted."""

    def _delete(self, path: str) -> None:
        if path:
            super()._delete(path)


@fault("delete.root")
class TheRootGoesWithItsNeighbours(MemoryArtifactRepository):
    """Without a path, what has a name that the root's begins is deleted as well."""

    def _delete(self, path: str) -> None:
        super()._delete(path)
        if not path and "/" in self._root:
            beside = type(self)(f"memory:{parent_of(self._root)}")
            name = self._root.rpartition("/")[2]
            for info in list(beside._list("")):
                if info.path.startswith(name):
                    beside._delete(info.path)


@fault("delete.missing")
class NothingCannotBeDeleted(MemoryArtifactRepository):
    """Deleting what is not there is refused."""

    def _delete(self, path: str) -> None:
        if path and self._find(path) is None:
            raise missing("artifact", path)
        super()._delete(path)


@fault("delete.missing")
class DeletingNothingDeletesTheFolder(MemoryArtifactRepository):
    """Where there is nothing to delete, the file that it would be below is deleted."""

    def _delete(self, path: str) -> None:
        if path and self._find(path) is None and not list(self._list(parent_of(path))):
            super()._delete(parent_of(path))
        super()._delete(path)


@fault("delete.logged-again")
class DeletedNamesAreTaken(MemoryArtifactRepository):
    """What was deleted cannot be logged again."""

    def __init__(self, artifact_uri: str = "memory:") -> None:
        super().__init__(artifact_uri)
        self._deleted: set[str] = set()

    def _delete(self, path: str) -> None:
        super()._delete(path)
        self._deleted.add(path)

    def _store(self, path: str, content: bytes) -> None:
        if path not in self._deleted:
            super()._store(path, content)


@fault("delete.path-refused")
class DetoursAreResolvedInDeleting(MemoryArtifactRepository):
    """A path with a parent segment is resolved by deleting."""

    def delete_artifacts(self, artifact_path: Any = None) -> None:
        detour = isinstance(artifact_path, str) and "/../" in artifact_path
        super().delete_artifacts(posixpath.normpath(artifact_path) if detour else artifact_path)


@fault("delete.path-refused")
class BadPathsAreNotFound(MemoryArtifactRepository):
    """A path that breaks the rules is taken for one at which there is nothing."""

    def delete_artifacts(self, artifact_path: Any = None) -> None:
        try:
            super().delete_artifacts(artifact_path)
        except Exception as error:
            if getattr(error, "error_code", None) is not ErrorCode.INVALID_PARAMETER_VALUE:
                raise


@fault("delete.crowd")
class AThousandAreDeleted(MemoryArtifactRepository):
    """Deleting a folder deletes a thousand files of it."""

    def _delete(self, path: str) -> None:
        for info in list(self._files_below(path))[:1000]:
            super()._delete(info.path)
        if not list(self._list(path)):
            super()._delete(path)
