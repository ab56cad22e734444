"""An artifact repository's public calls in terms of a few primitive ones.

:class:`ValidatedRepository` judges every path, walks trees, transfers in parallel, and writes downloads so that no
server's listing can make it write elsewhere, or half a file. A repository implements the primitives below, which
see only valid paths.
"""

from __future__ import annotations

import logging
import tempfile
from abc import abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import BinaryIO, ClassVar, TypeVar

from trackspec import local_trees
from trackspec.artifact_paths import parent_of, valid_path
from trackspec.artifact_repository import ArtifactRepository, LocalPath
from trackspec.entities import FileInfo
from trackspec.errors import ErrorCode, TrackspecError, missing
from trackspec.placing import Destination
from trackspec.progress import progress

T = TypeVar("T")

_ATTEMPTS = 4
"""How often a file is read whose size is another than its listing says, as it is where somebody replaces it."""

_log = logging.getLogger(__name__)


class ValidatedRepository(ArtifactRepository):
    """The part of a repository that is the same over every storage.

    :cvar parallel_transfers: how many files are transferred at once.
    """

    parallel_transfers: ClassVar[int] = 8

    def __init__(self, artifact_uri: str) -> None:
        self.artifact_uri = artifact_uri

    # -- what a repository implements -----------------------------------------------------------------------

    @abstractmethod
    def _put(self, local_file: Path, path: str) -> None:
        """Store a local file's content under a path, whole and at once, replacing what was there."""

    @abstractmethod
    def _get(self, path: str, local_file: Path) -> None:
        """Write a file's content to a local file, which exists and is empty, or raise RESOURCE_DOES_NOT_EXIST."""

    @abstractmethod
    def _list(self, path: str) -> Iterable[FileInfo]:
        """Give what is directly in a folder, in any order; nothing if it is no folder. The root's path is ''."""

    @abstractmethod
    def _delete(self, path: str) -> None:
        """Delete a file, or all that is below a folder; what is not there is no error."""

    def _find(self, path: str) -> FileInfo | None:
        """The file or folder of a path. A repository overrides it where it can ask for one."""
        return next((found for found in self._list(parent_of(path)) if found.path == path), None)

    # -- the interface --------------------------------------------------------------------------------------

    def log_artifact(self, local_file: LocalPath, artifact_path: str | None = None) -> None:
        self._put_all([local_trees.uploaded_file(local_file, valid_path(artifact_path))])

    def log_artifacts(self, local_dir: LocalPath, artifact_path: str | None = None) -> None:
        self._put_all(local_trees.uploaded_files(local_dir, valid_path(artifact_path)))

    def list_artifacts(self, path: str | None = None) -> list[FileInfo]:
        return self._listed(valid_path(path))

    def download_artifacts(self, artifact_path: str, dst_path: LocalPath | None = None) -> str:
        path = valid_path(artifact_path)
        found = self._find(path) if path else FileInfo("", True, None)
        if found is None:
            raise missing("artifact", path)
        destination = Destination(dst_path)
        files = list(self._files_below(path)) if found.is_dir else [found]
        if not files and path:
            raise missing("artifact", path)
        with progress("downloading", len(files)) as ended:
            self._in_parallel(lambda file: self._place(file, destination), files, ended)
        return destination.place_of(path)

    def delete_artifacts(self, artifact_path: str | None = None) -> None:
        self._delete(valid_path(artifact_path))

    def open_artifact(self, artifact_path: str) -> BinaryIO:
        path = valid_path(artifact_path)
        found = self._find(path) if path else None
        if found is None or found.is_dir:
            raise missing("file", path)
        return self._open(found)

    def _open(self, file: FileInfo) -> BinaryIO:
        """Open a file for reading. A repository overrides it where that takes no copy."""
        with tempfile.TemporaryDirectory(prefix="trackspec-") as folder:
            copy = Path(folder, "file")
            copy.touch()
            self._fetch(file, copy)
            return copy.open("rb")

    # -- what the calls above share -------------------------------------------------------------------------

    def _put_all(self, files: Sequence[tuple[Path, str]]) -> None:
        with progress("uploading", len(files)) as ended:
            self._in_parallel(lambda file: self._put_one(*file), files, ended)

    def _put_one(self, local_file: Path, path: str) -> None:
        local_trees.require_readable(local_file)
        self._put(local_file, path)

    def _place(self, file: FileInfo, destination: Destination) -> None:
        destination.write(file.path, lambda local: self._fetch(file, local))

    def _fetch(self, file: FileInfo, local_file: Path) -> None:
        """Write a file's content to a local file: as many bytes as its listing says, before or after."""
        listed: FileInfo | None = file
        for _ in range(_ATTEMPTS):
            self._get(file.path, local_file)
            written = local_file.stat().st_size
            if listed is not None and listed.file_size in (None, written):
                return
            listed = self._find(file.path)  # it may have been replaced meanwhile
            if listed is None:
                raise missing("artifact", file.path)
            if listed.file_size == written:
                return
        told = f"The artifact {file.path!r} has {listed.file_size if listed else 0} bytes, and {written} arrived."
        raise TrackspecError(told, ErrorCode.DATA_LOSS)

    def _listed(self, folder: str) -> list[FileInfo]:
        """What is directly in a folder, by path; what can be no artifact is left out, with a warning."""
        listed: dict[str, FileInfo] = {}
        for found in self._list(folder):
            if _is_directly_in(found.path, folder):
                listed.setdefault(found.path, found)
            elif found.path != folder:
                _log.warning("The listing of %r names %r, which is no path in it; left out.", folder, found.path)
        return [listed[path] for path in sorted(listed)]

    def _files_below(self, folder: str) -> Iterator[FileInfo]:
        """All files below a folder. The greatest length of a path bounds a folder that contains itself."""
        for found in self._list(folder):
            if found.path == folder:
                continue
            if not _is_directly_in(found.path, folder):
                raise no_artifact(found.path, folder)
            if found.is_dir:
                yield from self._files_below(found.path)
            else:
                yield found

    def _in_parallel(
        self, transfer: Callable[[T], None], items: Sequence[T], ended: Callable[[], None] | None = None
    ) -> None:
        """Transfer each item; the first failure is raised, once no transfer runs any more.

        :param ended: is called after each.
        """
        waiting, failures = deque(items), list[BaseException]()

        def transfer_waiting() -> None:
            while not failures:
                try:
                    item = waiting.popleft()
                except IndexError:
                    return
                try:
                    transfer(item)
                    if ended:
                        ended()
                except BaseException as error:
                    failures.append(error)

        if self.parallel_transfers == 1 or len(items) == 1:
            transfer_waiting()
        else:
            # Each thread takes one item after the other: handing each over costs more than a small local file.
            with ThreadPoolExecutor(self.parallel_transfers) as pool:
                running = [pool.submit(transfer_waiting) for _ in items[: self.parallel_transfers]]
                try:
                    wait(running)
                finally:
                    waiting.clear()
        if failures:
            raise failures[0]


def no_artifact(path: str, folder: str) -> TrackspecError:
    """What refuses to download a folder of which a listing names something that has no artifact's path."""
    told = f"The folder {folder!r} holds something whose name is no artifact's: {path!r}."
    return TrackspecError(told, ErrorCode.DATA_LOSS)


def _is_directly_in(path: object, folder: str) -> bool:
    try:
        judged = valid_path(path)
    except TrackspecError:
        return False
    return bool(judged) and parent_of(judged) == folder
