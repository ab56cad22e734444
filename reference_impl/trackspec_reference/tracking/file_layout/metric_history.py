"""The points of a metric, in order, read from a run's log and kept in few bytes for the next page."""

from __future__ import annotations

import math
import os
import threading
from array import array
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from typing import Any

from trackspec.entities import Metric
from trackspec.search.order import metric_order
from trackspec_reference.tracking.file_layout.folding import Folded
from trackspec_reference.tracking.file_layout.log_format import HEADER_SIZE, encode_json, records_with

_KEPT_POINTS = 2_000_000
"""How many points are kept of the histories asked for last, together. A point takes 24 bytes."""

Order = tuple[int, int, int, float]


class MetricHistory:
    """One metric of one run, as far as it has been read: each point once, ascending.

    :ivar inode: the log that was read.
    :ivar end: the offset up to which it was read.
    """

    def __init__(self, run_id: str, key: str, inode: int) -> None:
        self.inode = inode
        self._run_id = run_id
        self._key = key
        self.end = HEADER_SIZE
        self._steps = array("q")
        self._timestamps = array("q")
        self._values = array("d")

    def __len__(self) -> int:
        return len(self._steps)

    def read_on(self, fd: int, end: int) -> None:
        """Read the points between what was read and an offset, which is the end of a record."""
        ascends = True
        last = self._order(len(self) - 1) if self._steps else None
        for body in records_with(fd, self.end, end, f"[{encode_json(self._key)},".encode()):
            for key, value, timestamp, step in body.get("metrics", ()):
                if key == self._key:
                    number = float(value)
                    self._steps.append(step)
                    self._timestamps.append(timestamp)
                    self._values.append(number)
                    order = _order(step, timestamp, number)
                    ascends = ascends and (last is None or last < order)
                    last = order
        self.end = end
        if not ascends:
            self._sort()

    def _sort(self) -> None:
        orders = sorted({self._order(index) for index in range(len(self))})
        self._steps = array("q", (order[0] for order in orders))
        self._timestamps = array("q", (order[1] for order in orders))
        self._values = array("d", (order[3] if order[2] else math.nan for order in orders))

    def behind(self, after: Metric | None, limit: int | None) -> list[Metric]:
        """The first ``limit`` points behind one of them."""
        start = 0 if after is None else bisect_right(range(len(self)), metric_order(after), key=self._order)
        return self._metrics(start, len(self) if limit is None else min(len(self), start + limit))

    def between(self, start_step: int, end_step: int) -> list[Metric]:
        """The points of an interval of steps, both bounds included."""
        return self._metrics(bisect_left(self._steps, start_step), bisect_right(self._steps, end_step))

    def _metrics(self, start: int, end: int) -> list[Metric]:
        return [
            Metric(self._key, self._values[index], self._timestamps[index], self._steps[index], self._run_id)
            for index in range(start, end)
        ]

    def _order(self, index: int) -> Order:
        return _order(self._steps[index], self._timestamps[index], self._values[index])


class MetricHistories:
    """The histories asked for last."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], MetricHistory] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, run_id: str, key: str, path: str, folded: Folded[Any]) -> MetricHistory:
        """A metric's history, as far as a run's log was folded.

        :param path: the log.
        """
        with self._lock:
            history = self._kept.pop((run_id, key), None)
            if history is None or history.inode != folded.seen[0] or history.end > folded.end:
                history = MetricHistory(run_id, key, folded.seen[0])
            if history.end < folded.end:
                fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
                try:
                    history.read_on(fd, folded.end)
                finally:
                    os.close(fd)
            self._kept[run_id, key] = history
            while len(self._kept) > 1 and sum(map(len, self._kept.values())) > _KEPT_POINTS:
                self._kept.popitem(last=False)
            return history


def _order(step: int, timestamp: int, value: float) -> Order:
    return (step, timestamp, 0, 0.0) if math.isnan(value) else (step, timestamp, 1, value)
