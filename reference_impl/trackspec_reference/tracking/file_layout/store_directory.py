"""The directory of a file store: what is where, whose it is, and the store's own configuration."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from trackspec.errors import ErrorCode, TrackspecError, invalid
from trackspec_reference.tracking.file_layout.durability import Durability
from trackspec_reference.tracking.file_layout.location import Location
from trackspec_reference.tracking.file_layout.locking import DirectoryLock

FORMAT = "trackspec-file-store"
VERSION = 1

_CONFIGURATION = "trackspec.json"
_LOCK = "trackspec.lock"
_UNFINISHED = {_LOCK, f"{_CONFIGURATION}.new"}
"""What is in a directory whose first opening was interrupted."""

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
        return self._root / "names"

    @property
    def experiments(self) -> Path:
        """Where each experiment has a directory."""
        return self._root / "experiments"

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

        :raises TrackspecError: INVALID_PARAMETER_VALUE if it is somebody else's, or of another format version;
            nothing is written then.
        """
        if not self._is_ours():
            self._root.mkdir(parents=True, exist_ok=True)
            with self._lock.held():
                if not self._is_ours():
                    self._write_configuration(None)
                    self.durability.sync_directory(self._root.parent)
        if not (self.names.is_dir() and self.experiments.is_dir()):
            with self._lock.held():
                self.durability.make_directory(self.names)
                self.durability.make_directory(self.experiments)

    def _is_ours(self) -> bool:
        try:
            self._configuration()
        except FileNotFoundError:
            if self._is_empty():
                return False
            raise invalid("The directory is not empty, and holds no trackspec file store.") from None
        except NotADirectoryError:
            raise invalid("The path of a file store leads through a file.") from None
        except TrackspecError as error:
            if error.error_code is not ErrorCode.DATA_LOSS or not self.experiments.is_dir():
                raise
            _log.warning("%s The rest of the store is served.", error.message)
        return True

    def _is_empty(self) -> bool:
        try:
            return {entry.name for entry in self._root.iterdir()} <= _UNFINISHED
        except FileNotFoundError:
            return True
        except NotADirectoryError:
            raise invalid("The path of a file store leads to a file.") from None

    # -- configuration --------------------------------------------------------------------------------------

    @property
    def artifact_root(self) -> str | None:
        """The artifact root that the store holds.

        :raises TrackspecError: DATA_LOSS if the configuration is damaged.
        """
        root: str | None = self._configuration()["artifact_root"]
        return root

    def set_artifact_root(self, artifact_root: str) -> None:
        """Keep an artifact root."""
        with self._lock.held():
            self._write_configuration(artifact_root)

    def _configuration(self) -> dict[str, Any]:
        try:
            found = json.loads((self._root / _CONFIGURATION).read_bytes())
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


def _damaged() -> TrackspecError:
    return TrackspecError(
        f"The configuration of the file store, {_CONFIGURATION}, is damaged.", ErrorCode.DATA_LOSS
    )
