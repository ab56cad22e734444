"""What came of rounds."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

TOLD = 20
"""So many anomalies of a scenario are told in full; the others are counted."""


@dataclass(frozen=True)
class Anomaly:
    """What must not be.

    :ivar replay: what ``--replay`` takes to make the round again.
    """

    kind: str
    told: str
    replay: str


@dataclass
class Tally:
    """What came of the rounds of one scenario.

    :ivar operations: the calls that clients have made, beside those that arrange and judge.
    :ivar faults: how many processes were killed, answers lost, and so on.
    :ivar anomalies: how often there was one of each kind.
    :ivar examples: the first of them.
    :ivar reason: why no round could be made, if none could.
    """

    rounds: int = 0
    operations: int = 0
    faults: int = 0
    anomalies: Counter[str] = field(default_factory=Counter)
    examples: list[Anomaly] = field(default_factory=list)
    reason: str = ""

    def note(self, kind: str, told: str, replay: str, count: int = 1) -> None:
        """Count an anomaly, or several of a kind in one round."""
        self.anomalies[kind] += count
        if len(self.examples) < TOLD:
            self.examples.append(Anomaly(kind, told, replay))

    def as_json(self) -> dict[str, Any]:
        """The tally as JSON has it."""
        return {
            "rounds": self.rounds,
            "operations": self.operations,
            "faults": self.faults,
            "anomalies": dict(sorted(self.anomalies.items())),
            "examples": [vars(item) for item in self.examples],
            "not_tried": self.reason,
        }
