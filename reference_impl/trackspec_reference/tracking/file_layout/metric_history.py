"""The points of a metric, in order, read from a run's log and kept in few bytes for the next page."""

from __future__ import annotations

import math
import os
import threading
from array import array
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from trackspec.entities import Metric
from trackspec.search.order import metric_order
from trackspec_reference.tracking.file_layout.folded_log import damage
from trackspec_reference.tracking.file_layout.folding import NO_TAIL, Folded, is_tail
from trackspec_reference.tracking.file_layout.log_format import HEADER_SIZE, Damaged, encode_json, records_with
from trackspec_reference.tracking.file_layout.run_state import Point

_KEPT_POINTS = 2_000_000
"""How many points are kept of the histories asked for last, together. A point takes 28 bytes."""
_KEPT_HISTORIES = 4096

Order = tuple[int, int, int, float]


class MetricHistory:
    """One metric of one run, as far as it has been read: each point once, ascending."""

    def __init__(self, run_id: str, key: str) -> None:
        self.run_id = run_id
        self.key = key
        self._inode = 0
        self._end = HEADER_SIZE
        self._tail = NO_TAIL
        self._steps = array("q")
        self._timestamps = array("q")
        self._values = array("d")
        self._datasets = array("I")
        self._dataset_numbers: dict[tuple[str, ...], int] = {(): 0}

    @property
    def points(self) -> int:
        """How many points have been read."""
        return len(self._steps)

    def is_current(self, folded: Folded[Any]) -> bool:
        """Whether all that a log was folded from has been read."""
        return (self._inode, self._tail) == (folded.seen[0], folded.tail)

    def is_continued(self, fd: int, folded: Folded[Any]) -> bool:
        """Whether what has been read is the beginning of what a log was folded from."""
        return self._inode == folded.seen[0] and self._end <= folded.end and is_tail(fd, self._tail)

    def read_on(self, fd: int, folded: Folded[Any]) -> None:
        """Read the points behind those that have been read."""
        ascends = True
        last = self._order(self.points - 1) if self._steps else None
        for body in records_with(fd, self._end, folded.end, f"[{encode_json(self.key)},".encode()):
            for point in body.get("metrics", ()):
                if point[0] == self.key:
                    order = self._add(point)
                    ascends = ascends and (last is None or last < order)
                    last = order
        self._inode, self._end, self._tail = folded.seen[0], folded.end, folded.tail
        if not ascends:
            self._sort()

    def _add(self, point: Point) -> Order:
        value, timestamp, step = float(point[1]), point[2], point[3]
        self._steps.append(step)
        self._timestamps.append(timestamp)
        self._values.append(value)
        self._datasets.append(self._dataset_number(tuple(point[4:])) if len(point) > 4 else 0)
        return _order(step, timestamp, value)

    def _dataset_number(self, dataset: tuple[str, ...]) -> int:
        return self._dataset_numbers.setdefault(dataset, len(self._dataset_numbers))

    def _sort(self) -> None:
        """Put the points in order; of equal ones the first stays, with its dataset."""
        first = {self._order(index): index for index in reversed(range(self.points))}
        kept = [first[order] for order in sorted(first)]
        self._steps = array("q", map(self._steps.__getitem__, kept))
        self._timestamps = array("q", map(self._timestamps.__getitem__, kept))
        self._values = array("d", map(self._values.__getitem__, kept))
        self._datasets = array("I", map(self._datasets.__getitem__, kept))

    def behind(self, after: Metric | None, limit: int | None) -> list[Metric]:
        """The first ``limit`` points behind one of them."""
        start = 0 if after is None else bisect_right(range(self.points), metric_order(after), key=self._order)
        return self._metrics(start, self.points if limit is None else min(self.points, start + limit))

    def between(self, start_step: int, end_step: int) -> list[Metric]:
        """The points of an interval of steps, both bounds included."""
        return self._metrics(bisect_left(self._steps, start_step), bisect_right(self._steps, end_step))

    def _metrics(self, start: int, end: int) -> list[Metric]:
        part = slice(start, end)
        columns = zip(
            self._values[part], self._timestamps[part], self._steps[part], self._datasets[part], strict=True
        )
        datasets = list(self._dataset_numbers)
        return [
            Metric(self.key, value, timestamp, step, self.run_id, *datasets[dataset])
            for value, timestamp, step, dataset in columns
        ]

    def _order(self, index: int) -> Order:
        return _order(self._steps[index], self._timestamps[index], self._values[index])


class MetricHistories:
    """The histories asked for last."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], MetricHistory] = OrderedDict()
        self._points = 0
        self._lock = threading.Lock()

    @contextmanager
    def current(self, run_id: str, key: str, path: str, folded: Folded[Any]) -> Iterator[MetricHistory]:
        """A metric's history, as far as a run's log was folded; the caller only reads it, within the context.

        :param path: the log.
        :raises TrackspecError: DATA_LOSS if the log has been damaged since.
        """
        with self._lock:
            history = self._forget(run_id, key) or MetricHistory(run_id, key)
            if not history.is_current(folded):
                history = _read(history, path, folded)
            self._keep(history)
            yield history

    def _keep(self, history: MetricHistory) -> None:
        self._kept[history.run_id, history.key] = history
        self._points += history.points
        while len(self._kept) > 1 and (len(self._kept) > _KEPT_HISTORIES or self._points > _KEPT_POINTS):
            self._forget(*next(iter(self._kept)))

    def _forget(self, run_id: str, key: str) -> MetricHistory | None:
        history = self._kept.pop((run_id, key), None)
        if history is not None:
            self._points -= history.points
        return history


def _read(history: MetricHistory, path: str, folded: Folded[Any]) -> MetricHistory:
    """A history as far as the log was folded, read from where it ended if what was read is still there."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if not history.is_continued(fd, folded):
            history = MetricHistory(history.run_id, history.key)
        history.read_on(fd, folded)
    except (Damaged, LookupError, OverflowError, TypeError, ValueError):
        raise damage(f"run {history.run_id!r}") from None
    finally:
        os.close(fd)
    return history


def _order(step: int, timestamp: int, value: float) -> Order:
    return (step, timestamp, 0, 0.0) if math.isnan(value) else (step, timestamp, 1, value)
