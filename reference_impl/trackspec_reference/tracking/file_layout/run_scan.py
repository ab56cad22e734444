"""All runs of an experiment, one after the other, for searches."""

from __future__ import annotations

import errno
import logging
import os
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from trackspec.errors import ErrorCode, TrackspecError
from trackspec_reference.tracking.file_layout.folded_log import fold
from trackspec_reference.tracking.file_layout.folding import Folded
from trackspec_reference.tracking.file_layout.kept_runs import Allowance, KeptRuns
from trackspec_reference.tracking.file_layout.log_format import HEADER_SIZE, UNREADABLE, Damaged
from trackspec_reference.tracking.file_layout.run_ids import parse_run_id
from trackspec_reference.tracking.file_layout.run_register import Record, RunRegister
from trackspec_reference.tracking.file_layout.run_state import RunState

_EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOMEM}
"""What reading any file fails with when the process or the machine has run out of something."""

_log = logging.getLogger(__name__)


class RunScan:
    """One experiment's runs. What was read of a run is kept, and read on from where its log has grown.

    :param directory: the experiment's directory.
    """

    def __init__(self, directory: Path, register: RunRegister, packed: Allowance, unpacked: Allowance) -> None:
        self._experiment_id = directory.name
        self._directory = str(directory / "runs")
        self._register = register
        self._register_end = HEADER_SIZE
        self._kept = KeptRuns(packed, unpacked)
        self._lock = threading.Lock()

    def states(self) -> Iterator[RunState]:
        """Every run that is not damaged; the others are warned of. The caller only reads them."""
        with self._lock:
            yield from self._unless_lost(self._written())
            yield from self._unless_lost(self._read_register())
            for name in self._kept.unwritten():
                if folded := self._readable(name, partial(self._read_record, name)):
                    yield folded.state

    def offer(self, run_id: str, packed: bytes) -> None:
        """Take over what is known of a run that nobody uses for the time being, unless a search is under way."""
        if self._lock.acquire(blocking=False):
            try:
                self._kept.put_packed(f"{run_id}.log", packed)
            finally:
                self._lock.release()

    def _unless_lost(self, states: Iterator[RunState]) -> Iterator[RunState]:
        try:
            yield from states
        except OSError as error:
            if error.errno not in {errno.ENOENT, *UNREADABLE}:
                raise
            reason = os.strerror(error.errno)
            _log.warning("A search leaves out runs of experiment %s: %s.", self._experiment_id, reason)

    def _written(self) -> Iterator[RunState]:
        unpacked = self._kept.unpacked.get
        with os.scandir(self._directory) as entries:
            for entry in entries:
                name = entry.name
                folded = unpacked(name) or self._kept.get(name)
                if folded is not None:
                    if folded.seen == _inode_and_size(entry):
                        yield folded.state
                        continue
                elif not name.endswith(".log") or not parse_run_id(name[:-4]):
                    continue
                if folded := self._readable(name, partial(self._read_log, name)):
                    yield folded.state

    def _readable(self, name: str, read: Callable[[], Folded[RunState]]) -> Folded[RunState] | None:
        try:
            return read()
        except TrackspecError as error:
            if error.error_code is not ErrorCode.DATA_LOSS:
                raise
            reason = error.message
        except Damaged:
            reason = "Its record is damaged."
        except OSError as error:
            if error.errno in _EXHAUSTED:
                raise
            reason = os.strerror(error.errno or 0)
        self._kept.put_unreadable(name)
        _log.warning("A search leaves out run %s: %s", name.removesuffix(".log"), reason)
        return None

    def _read_log(self, name: str) -> Folded[RunState]:
        run_id = name.removesuffix(".log")
        fd = os.open(f"{self._directory}/{name}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            folded = fold(fd, self._kept.copy(name), partial(_new, run_id), f"run {run_id!r}")
        finally:
            os.close(fd)
        self._kept.put(name, folded)
        return folded

    def _read_record(self, name: str) -> Folded[RunState]:
        """A run that has no log yet."""
        folded = self._kept.get(name)
        if folded is None:
            run_id = name.removesuffix(".log")
            parsed = parse_run_id(run_id)
            record = parsed and self._register.get(parsed[1])
            if not record:
                raise Damaged
            folded = _created(record)
        return folded

    def _read_register(self) -> Iterator[RunState]:
        """Those runs that got a log since the logs were listed. The others without a log are kept as unwritten."""
        for record, behind in self._register.scan(self._register_end):
            self._register_end = behind
            if record is None:
                _log.warning("A search leaves out a run of experiment %s: damaged record.", self._experiment_id)
                continue
            name = f"{record.run_id}.log"
            if name in self._kept:
                continue
            if record.has_log:
                if folded := self._readable(name, partial(self._read_log, name)):
                    yield folded.state
            elif folded := self._readable(name, partial(_created, record)):
                self._kept.put(name, folded)


def _inode_and_size(entry: os.DirEntry[str]) -> tuple[int, int] | None:
    try:
        status = entry.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size


def _new(run_id: str) -> Folded[RunState]:
    return Folded(RunState(run_id))


def _created(record: Record) -> Folded[RunState]:
    folded = _new(record.run_id)
    folded.apply(record.body)
    return folded
