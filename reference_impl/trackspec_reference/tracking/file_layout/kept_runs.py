"""What searches keep of the runs that they have read.

A run is kept packed, in few bytes, and as long as there is room also as it is evaluated, which takes less time.
Where there is no room at all, only its stamp is kept.
"""

from __future__ import annotations

import threading

from trackspec_reference.tracking.file_layout.folding import STAMP_SIZE, Folded, stamp
from trackspec_reference.tracking.file_layout.run_state import RunState

_UNPACKED_RATIO = 8
"""How much more room a run takes when it is not packed, roughly."""

UNWRITTEN = stamp(0, 0)
"""The stamp of a run that has no log yet."""
_UNREADABLE = stamp(0, 1)


class Allowance:
    """How many more bytes may be kept, of all experiments together."""

    def __init__(self, size: int) -> None:
        self._left = size
        self._lock = threading.Lock()

    def take(self, size: int) -> bool:
        """Take a part, if there is as much; a negative one is given back."""
        with self._lock:
            if size > self._left:
                return False
            self._left -= size
            return True


class KeptRuns:
    """What is kept of one experiment's runs, by the names of their logs.

    :param packed: what may be kept in few bytes.
    :param unpacked: what may be kept besides, as it is evaluated.
    :ivar unpacked: what is kept as it is evaluated.
    """

    def __init__(self, packed: Allowance, unpacked: Allowance) -> None:
        self.unpacked: dict[str, Folded[RunState]] = {}
        self._packed: dict[str, bytes] = {}
        self._packed_allowance = packed
        self._unpacked_allowance = unpacked

    def __contains__(self, name: str) -> bool:
        return name in self._packed

    def unwritten(self) -> list[str]:
        """The names of those runs that have no log yet."""
        return [name for name, packed in list(self._packed.items()) if packed.startswith(UNWRITTEN)]

    def get(self, name: str) -> Folded[RunState] | None:
        """What is known of a run; it is only read, as others may read it at the same time."""
        folded = self.unpacked.get(name)
        if folded is None:
            folded = self.copy(name)
            if folded is not None:
                self._keep_unpacked(name, folded, len(self._packed[name]))
        return folded

    def copy(self, name: str) -> Folded[RunState] | None:
        """What is known of a run, to be changed."""
        packed = self._packed.get(name, b"")
        if len(packed) <= STAMP_SIZE:
            return None
        folded = Folded(RunState(name.removesuffix(".log")))
        folded.unpack(packed)
        return folded

    def put(self, name: str, folded: Folded[RunState]) -> None:
        """Keep what is known of a run now."""
        self._put(name, folded.packed(), folded)

    def put_packed(self, name: str, packed: bytes) -> None:
        """Keep what is known of a run now, packed."""
        self._put(name, packed, None)

    def put_unreadable(self, name: str) -> None:
        """Keep that nothing is known of a run."""
        self._put(name, _UNREADABLE, None)

    def _put(self, name: str, packed: bytes, folded: Folded[RunState] | None) -> None:
        present = len(self._packed.get(name, b""))
        if self.unpacked.pop(name, None) is not None:
            self._unpacked_allowance.take(-_UNPACKED_RATIO * present)
        if not self._packed_allowance.take(len(packed) - present):
            packed = packed[:STAMP_SIZE]
            self._packed_allowance.take(len(packed) - present)
        elif folded is not None:
            self._keep_unpacked(name, folded, len(packed))
        self._packed[name] = packed

    def _keep_unpacked(self, name: str, folded: Folded[RunState], packed_size: int) -> None:
        if self._unpacked_allowance.take(_UNPACKED_RATIO * packed_size):
            self.unpacked[name] = folded
