"""Faults that a loss of power shows, and a storage that fails."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from trackspec.entities import RunTag
from trackspec.errors import ErrorCode, TrackspecError
from trackspec.memory_store import RunRecord

from . import fault
from .kept_in_a_file import PAUSE, KeptSafely, placed

HERE = "tests.faults.power"


def sync(path: Path) -> None:
    """Let what a file or folder holds survive."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class KeptOnTheDevice(KeptSafely):
    """The model with its state in a file that is synced, and so is its name: nothing is wrong with it."""

    def _write(self, content: bytes) -> None:
        unfinished = self._file.with_name("unfinished")
        try:
            unfinished.write_bytes(content)
            self._sync_file(unfinished)
            unfinished.replace(self._file)
            self._sync_folder(self._file.parent)
        except OSError as error:
            raise TrackspecError("The storage fails.", ErrorCode.TEMPORARILY_UNAVAILABLE) from error

    def _sync_file(self, path: Path) -> None:
        sync(path)

    def _sync_folder(self, path: Path) -> None:
        sync(path)


@fault("power.acknowledged")
class ContentIsNotSynced(KeptOnTheDevice):
    """The name of a file is synced, and its content is not."""

    PLACED = placed(f"{HERE}:ContentIsNotSynced")

    def _sync_file(self, path: Path) -> None:
        return


@fault("power.created")
class NamesAreNotSynced(KeptOnTheDevice):
    """A file is synced and renamed, and the folder that it is in is not synced."""

    PLACED = placed(f"{HERE}:NamesAreNotSynced")

    def _sync_folder(self, path: Path) -> None:
        return


class SyncedInSteps(KeptOnTheDevice):
    """A store that writes and syncs its state more than once in a call."""

    def _save_first(self) -> None:
        self._save()
        time.sleep(10 * PAUSE)


@fault("power.batch-whole")
class BatchesAreSyncedPieceByPiece(SyncedInSteps):
    """The tags of a batch are written and synced before the rest of it."""

    PLACED = placed(f"{HERE}:BatchesAreSyncedPieceByPiece")

    def _put_tag(self, record: RunRecord, tag: RunTag) -> None:
        super()._put_tag(record, tag)
        if tag.key == "t5":
            self._save_first()


@fault("power.overwritten")
class TagsAreEmptiedAndSynced(SyncedInSteps):
    """A tag that has a value is emptied before it gets another."""

    PLACED = placed(f"{HERE}:TagsAreEmptiedAndSynced")

    def _put_tag(self, record: RunRecord, tag: RunTag) -> None:
        if tag.key in record.tags:
            record.tags[tag.key] = ""
            self._save_first()
        super()._put_tag(record, tag)


@fault("power.usable")
class MarksOutliveThePower(KeptOnTheDevice):
    """A write under way is marked by a file, which outlives the power, and is waited for."""

    PLACED = placed(f"{HERE}:MarksOutliveThePower")

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        mark = self._file.with_name("under-way")
        deadline = time.monotonic() + 0.5
        while mark.exists():
            if time.monotonic() > deadline:
                raise TrackspecError("locked", ErrorCode.TEMPORARILY_UNAVAILABLE)
            time.sleep(0.001)
        mark.touch()
        sync(mark.parent)
        try:
            yield
        finally:
            mark.unlink()
            sync(mark.parent)


@fault("power.error-told")
class FailedSyncsAreIgnored(KeptOnTheDevice):
    """What cannot be synced is acknowledged all the same."""

    PLACED = placed(f"{HERE}:FailedSyncsAreIgnored")

    def _sync_file(self, path: Path) -> None:
        with contextlib.suppress(OSError):
            sync(path)

    _sync_folder = _sync_file


@fault("durability.error-told")
class FailedWritesAreIgnored(KeptOnTheDevice):
    """What cannot be written is acknowledged all the same."""

    PLACED = placed(f"{HERE}:FailedWritesAreIgnored")

    def _load(self) -> None:
        return

    def _write(self, content: bytes) -> None:
        with contextlib.suppress(TrackspecError):
            super()._write(content)


@fault("durability.error-keeps")
class FilesAreEmptiedFirst(KeptOnTheDevice):
    """A file is emptied before it is written to."""

    PLACED = placed(f"{HERE}:FilesAreEmptiedFirst")

    def _write(self, content: bytes) -> None:
        try:
            self._file.write_bytes(content)
        except OSError as error:
            raise TrackspecError("The storage fails.", ErrorCode.TEMPORARILY_UNAVAILABLE) from error
