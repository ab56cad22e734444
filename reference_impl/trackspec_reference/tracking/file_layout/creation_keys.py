"""What idempotency keys have been used for.

A use is noted before what it makes is made, and counts only if that is there: an experiment by the id that it was
to have, a run by the key in its creation record, which is looked for from the offset that the note gives. So a
crash between the two costs nothing, and a run and its key cannot come apart.

The notes lie in logs by the digest of their key, so that few callers wait for each other.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from trackspec.errors import ErrorCode, TrackspecError
from trackspec_reference.tracking.file_layout.folded_log import Change, FoldedLog
from trackspec_reference.tracking.file_layout.log_format import HEADER_SIZE, Body, header
from trackspec_reference.tracking.file_layout.store_directory import StoreDirectory

_log = logging.getLogger(__name__)


class KeyUses:
    """The uses of some keys.

    :ivar of: for each key what was asked for with it (a name, an experiment's id), and where what it made is to be
        found (an id, an offset).
    """

    def __init__(self) -> None:
        self.of: dict[str, tuple[str, Any]] = {}

    def apply(self, body: Body) -> None:
        """Take in one more record."""
        self.of[body["key"]] = body["asked"], body["place"]

    def plain(self) -> Any:
        """The state as JSON-ready values."""
        return self.of

    def restore(self, plain: Any) -> None:
        """Become the state of which :meth:`plain` is given."""
        self.of = {key: (asked, place) for key, (asked, place) in plain.items()}


class CreationKeys:
    """The keys that have made one kind of thing.

    :param kind: part of the names of the logs.
    """

    def __init__(self, directory: StoreDirectory, kind: str) -> None:
        self._directory = directory
        self._kind = kind
        self._logs: dict[str, FoldedLog[KeyUses]] = {}

    @contextmanager
    def held(self, key: str) -> Iterator[Change[KeyUses]]:
        """Hold a key against others who use it at the same time, and see what it was used for."""
        path = self._path(key)
        log = self._logs.get(path.name)
        if log is None:
            log = FoldedLog(str(path), self._directory.durability, f"the keys in {path.name}", KeyUses)
            log = self._logs.setdefault(path.name, log)
        self._prepare(path, log)
        with log.changing() as change:
            yield change

    def note(self, change: Change[KeyUses], key: str, asked: str, place: object) -> None:
        """Note a use, the key being held."""
        change.append({"key": key, "asked": asked, "place": place})

    def _path(self, key: str) -> Path:
        digest = hashlib.sha256(key.encode()).hexdigest()
        return self._directory.keys / f"{self._kind}-{digest[:2]}.log"

    def _prepare(self, path: Path, log: FoldedLog[KeyUses]) -> None:
        """Have a readable log there; a damaged one is put aside, since it must not keep anybody from creating."""
        try:
            with log.current():
                return
        except FileNotFoundError:
            damaged = False
        except TrackspecError as error:
            if error.error_code is not ErrorCode.DATA_LOSS:
                raise
            damaged = True
        with self._directory.locked():
            if damaged:
                _log.warning("What the idempotency keys in %s have made is forgotten: it is damaged.", path.name)
                os.replace(path, path.with_suffix(".damaged"))
            if not path.exists():
                self._directory.durability.make_directory(self._directory.keys)
                self._directory.durability.write_file(path, header(HEADER_SIZE))
