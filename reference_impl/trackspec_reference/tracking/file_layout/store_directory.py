"""The directory of a file store: what is where, whose it is, and the store's own configuration."""

from __future__ import annotations

import errno
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from trackspec.errors import ErrorCode, TrackspecError, invalid
from trackspec_reference.tracking.file_layout.durability import Durability
from trackspec_reference.tracking.file_layout.location import Location
from trackspec_reference.tracking.file_layout.locking import DirectoryLock
from trackspec_reference.tracking.file_layout.log_format import is_log

FORMAT = "trackspec-file-store"
VERSION = 1

_CONFIGURATION = "trackspec.json"
_LOCK = "trackspec.lock"
_NAMES = "names"
_EXPERIMENTS = "experiments"
_UNFINISHED = {_LOCK, f"{_CONFIGURATION}.new", _NAMES, _EXPERIMENTS}
"""What may be in a directory whose first opening was interrupted."""

_NO_PLACE = {errno.ELOOP, errno.ENAMETOOLONG, errno.ENOTDIR}
"""What using a path fails with that no directory can have."""

_log = logging.getLogger(__name__)


class StoreDirectory:
    """A directory that holds a file store.

    :ivar durability: what an acknowledged write survives.
    """

    def __init__(self, location: Location) -> None:
        self._root = location.root
        self.durability: Durability = location.durability
        self._lock = DirectoryLock(self._root / _LOCK)

    @property
    def names(self) -> Path:
        """Where experiment names are reserved."""
        return self._root / _NAMES

    @property
    def experiments(self) -> Path:
        """Where each experiment has a directory."""
        return self._root / _EXPERIMENTS

    @property
    def keys(self) -> Path:
        """Where it is noted what idempotency keys have made."""
        return self._root / "keys"

    @property
    def built_in_artifact_root(self) -> str:
        """The URI of a directory beside the store's own."""
        return (self._root / "artifacts").as_uri()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the store against whoever else creates, renames, deletes or restores an experiment."""
        with self._lock.held():
            yield

    def open(self) -> None:
        """Make the directory this store's own, unless it is already.

        :raises TrackspecError: INVALID_PARAMETER_VALUE if it is somebody else's, or of another format version, or
            cannot be a directory; nothing is written then. DATA_LOSS if it has lost its experiments.
        """
        if not self._is_ours():
            self._make_root()
            with self._lock.held():
                if not self._is_ours():
                    self.durability.make_directory(self.names)
                    self.durability.make_directory(self.experiments)
                    self._write_configuration(None)  # last, as this is what makes it a store
        if not self.experiments.is_dir():
            raise TrackspecError("The file store has lost its experiments.", ErrorCode.DATA_LOSS)

    def _make_root(self) -> None:
        absent = [path for path in (self._root, *self._root.parents) if not path.exists()]
        for path in reversed(absent):
            self.durability.make_directory(path)

    def _is_ours(self) -> bool:
        try:
            self._configuration()
        except FileNotFoundError:
            if self._is_unfinished():
                return False
            if (self._root / _CONFIGURATION).exists():  # another process has made it a store's since
                return self._is_ours()
            if not self._holds_experiments():
                raise invalid("The directory is not empty, and holds no trackspec file store.") from None
            _log.warning("%s The rest of the store is served.", _damaged().message)
        except TrackspecError as error:
            if error.error_code is not ErrorCode.DATA_LOSS or not self._holds_experiments():
                raise
            _log.warning("%s The rest of the store is served.", error.message)
        except OSError as error:
            if error.errno in _NO_PLACE:
                raise invalid(f"The path of a file store cannot be: {os.strerror(error.errno)}.") from None
            raise
        return True

    def _is_unfinished(self) -> bool:
        try:
            found = {path.name for path in self._root.iterdir()}
        except FileNotFoundError:
            return True
        return found <= _UNFINISHED and all(
            _is_empty_directory(self._root / name) for name in found & {_NAMES, _EXPERIMENTS}
        )

    def _holds_experiments(self) -> bool:
        """Whether there are experiments of a file store, which may have lost its configuration."""
        return any(is_log(path) for path in self.experiments.glob("*/experiment.log"))

    # -- configuration --------------------------------------------------------------------------------------

    @property
    def artifact_root(self) -> str | None:
        """The artifact root that the store holds.

        :raises TrackspecError: DATA_LOSS if the configuration is damaged.
        """
        try:
            root: str | None = self._configuration()["artifact_root"]
        except FileNotFoundError:
            raise _damaged() from None
        return root

    def set_artifact_root(self, artifact_root: str) -> None:
        """Keep an artifact root."""
        with self._lock.held():
            self._write_configuration(artifact_root)

    def _configuration(self) -> dict[str, Any]:
        try:
            content = (self._root / _CONFIGURATION).read_bytes()
        except IsADirectoryError:
            raise _damaged() from None
        try:
            found = json.loads(content)
            written_by, version, root = found["format"], found["version"], found["artifact_root"]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise _damaged() from None
        if written_by != FORMAT or not isinstance(root, str | None):
            raise _damaged()
        if version != VERSION:
            raise invalid(f"The file store has format version {version!r}; this trackspec reads {VERSION}.")
        return dict(found)

    def _write_configuration(self, artifact_root: str | None) -> None:
        content = {"format": FORMAT, "version": VERSION, "artifact_root": artifact_root}
        self.durability.write_file(
            self._root / _CONFIGURATION, (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()
        )


def _is_empty_directory(path: Path) -> bool:
    return path.is_dir() and not any(path.iterdir())


def _damaged() -> TrackspecError:
    return TrackspecError(
        f"The configuration of the file store, {_CONFIGURATION}, is damaged.", ErrorCode.DATA_LOSS
    )
