"""Faults of paths: what is not refused, but made fit."""

from __future__ import annotations

import posixpath
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

from trackspec.entities import FileInfo
from trackspec.errors import ErrorCode, TrackspecError
from trackspec.memory_repository import MemoryArtifactRepository

from . import fault


class OtherPaths(MemoryArtifactRepository):
    """A repository that changes a path before it judges it."""

    def log_artifact(self, local_file: Any, artifact_path: Any = None) -> None:
        super().log_artifact(local_file, self._written(artifact_path))

    def log_artifacts(self, local_dir: Any, artifact_path: Any = None) -> None:
        super().log_artifacts(local_dir, self._written(artifact_path))

    def list_artifacts(self, path: Any = None) -> list[FileInfo]:
        return super().list_artifacts(self._read(path))

    def download_artifacts(self, artifact_path: Any, dst_path: Any = None) -> str:
        return super().download_artifacts(self._read(artifact_path), dst_path)

    def _written(self, path: Any) -> Any:
        return self._taken(path)

    def _read(self, path: Any) -> Any:
        return self._taken(path)

    def _taken(self, path: Any) -> Any:
        return path


@fault("path.root")
class TheEmptyStringIsAFolder(OtherPaths):
    """What is logged to the empty string lies in a folder of another name."""

    def _written(self, path: Any) -> Any:
        return "root" if path == "" else path


@fault("path.root")
class TheRootIsListedByNoneOnly(OtherPaths):
    """The empty string lists nothing."""

    def list_artifacts(self, path: Any = None) -> list[FileInfo]:
        return [] if path == "" else super().list_artifacts(path)


@fault("path.parent-refused")
class ParentsAreResolved(OtherPaths):
    """A parent segment takes away the segment before it."""

    def _taken(self, path: Any) -> Any:
        return posixpath.normpath(path) if isinstance(path, str) and "/../" in path else path


@fault("path.parent-refused")
class ParentsAtTheEndAreResolved(OtherPaths):
    """A parent segment at the end of a path that is read takes away the one before it."""

    def _read(self, path: Any) -> Any:
        return re.sub(r"[^/]+/\.\.$", "", path).rstrip("/") if isinstance(path, str) and "/" in path else path


@fault("path.absolute-refused")
class RootsAreStripped(OtherPaths):
    """A slash at the start of a path is dropped."""

    def _taken(self, path: Any) -> Any:
        return path.lstrip("/") if isinstance(path, str) else path


@fault("path.absolute-refused")
class RootsAreStrippedInReading(OtherPaths):
    """A slash at the start of a path that is read is dropped."""

    def _read(self, path: Any) -> Any:
        return path.lstrip("/") if isinstance(path, str) else path


@fault("path.drive-refused")
class DrivesAreStripped(OtherPaths):
    """A letter and a colon at the start of a path are dropped."""

    def _taken(self, path: Any) -> Any:
        return re.sub("^[A-Za-z]:/?", "", path) if isinstance(path, str) else path


@fault("path.back-slash-refused")
class BackSlashesPartFolders(OtherPaths):
    """A back-slash is taken for a slash."""

    def _taken(self, path: Any) -> Any:
        return path.replace("\\", "/") if isinstance(path, str) else path


@fault("path.control-refused")
class ControlCharactersAreDropped(OtherPaths):
    """Control characters are dropped from paths."""

    def _taken(self, path: Any) -> Any:
        return re.sub("[\0-\x1f\x7f]", "", path) if isinstance(path, str) else path


@fault("path.control-refused")
class LineBreaksAtTheEndAreDropped(OtherPaths):
    """A line break at the end of a path is dropped."""

    def _taken(self, path: Any) -> Any:
        return path.rstrip("\n") if isinstance(path, str) else path


@fault("path.surrogates-refused")
class SurrogatesAreReplaced(OtherPaths):
    """A lone surrogate becomes a question mark."""

    def _taken(self, path: Any) -> Any:
        return path.encode(errors="replace").decode() if isinstance(path, str) else path


@fault("path.one-form")
class PathsAreNormalisedInLogging(OtherPaths):
    """Empty and dot segments are dropped from the paths that are logged to."""

    def _written(self, path: Any) -> Any:
        return posixpath.normpath(path) if isinstance(path, str) and path and ".." not in path else path


@fault("path.one-form-read")
class PathsAreNormalisedInReading(OtherPaths):
    """Empty and dot segments are dropped from the paths that are read."""

    def _read(self, path: Any) -> Any:
        if not isinstance(path, str) or not path or ".." in path or path.startswith("/"):
            return path
        return posixpath.normpath(path).removeprefix(".")


@fault("path.encoded-refused")
class EncodedDetoursAreNames(OtherPaths):
    """A percent sign is a character like any other, whatever it stands for."""

    def _taken(self, path: Any) -> Any:
        return path.replace("%", "\N{FULLWIDTH PERCENT SIGN}") if isinstance(path, str) else path


@fault("path.encoded-refused")
class PathsAreDecodedOnce(OtherPaths):
    """Detours that are encoded twice are not looked for."""

    def _taken(self, path: Any) -> Any:
        return path.replace("%25", "\N{FULLWIDTH PERCENT SIGN}") if isinstance(path, str) else path


@fault("path.type-refused")
class PathsAreMadeText(OtherPaths):
    """What is no string is turned into one."""

    def _taken(self, path: Any) -> Any:
        return path if path is None or isinstance(path, str) else f"{type(path).__name__}"


@fault("path.type-refused")
class ANumberIsATypeError(OtherPaths):
    """What is no string is an error of the repository's own."""

    def _taken(self, path: Any) -> Any:
        if not isinstance(path, (str, type(None))):
            raise TrackspecError("This should not happen.", ErrorCode.INTERNAL_ERROR)
        return path


@fault("path.refused-writes-nothing")
class RefusesAfterWriting(OtherPaths):
    """A path is judged when the file has been written."""

    def log_artifact(self, local_file: Any, artifact_path: Any = None) -> None:
        with suppress(TrackspecError, TypeError, AttributeError):
            folder = re.sub("[^a-zA-Z0-9-]+", "/", artifact_path).strip("/")
            self._put(Path(local_file), f"{folder}/{Path(local_file).name}")
        super().log_artifact(local_file, artifact_path)


@fault("path.refused-writes-nothing")
class MakesTheDestinationFirst(OtherPaths):
    """A download notes what it is about to do before the path is judged."""

    def download_artifacts(self, artifact_path: Any, dst_path: Any = None) -> str:
        try:
            return super().download_artifacts(artifact_path, dst_path)
        except TrackspecError as error:
            if dst_path is not None and error.error_code is ErrorCode.INVALID_PARAMETER_VALUE:
                with suppress(OSError):
                    Path(dst_path, "failed").write_text(str(artifact_path))
            raise
