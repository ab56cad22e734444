"""What one round has found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from trackspec_conformance.crowds import require_order
from trackspec_conformance.expectations import Unexpected
from trackspec_conformance.histories.linearizability import Model
from trackspec_conformance.histories.operation import Operation

Told = tuple[str, str, int]
"""An anomaly: its kind, what is told of it, and how many there are."""


@dataclass
class Found:
    """What one round has found.

    :ivar operations: the calls that clients have made.
    :ivar faults: the processes that were killed, the answers that were lost.
    """

    operations: int
    faults: int
    anomalies: list[Told]


Scenario = Callable[[Any, Any], Found]
"""Is given what was opened, and what arranges; makes one round."""


def unexplained(history: Sequence[Operation], model: Model) -> list[Told]:
    """The anomaly of a history that no order of its calls explains."""
    try:
        require_order(history, model)
    except Unexpected as answer:
        kind, _, told = answer.got.partition(": ")
        return [(kind, told or kind, 1)]
    return []
