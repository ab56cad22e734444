"""Drawing a bounded number of points from a metric's history."""

from __future__ import annotations

from collections.abc import Sequence

from trackspec.entities import Metric


def evenly_spaced(points: Sequence[Metric], size: int) -> list[Metric]:
    """At most ``size`` of the points, evenly spaced by index, the first and the last among them.

    Where ``size`` is 1, that is the last.
    """
    if len(points) <= size:
        return list(points)
    if size == 1:
        return [points[-1]]
    return [points[index * (len(points) - 1) // (size - 1)] for index in range(size)]
