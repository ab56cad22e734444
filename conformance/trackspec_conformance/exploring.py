"""Property checks, bounded in time whether they pass or fail.

Hypothesis finds and shrinks the counterexample. Once the budget is spent, no further call reaches the subject: a
property that has not failed ends, one that has failed stops shrinking. A few examples are tried even on a machine
so busy that they take longer than that.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis.strategies import SearchStrategy

from trackspec_conformance.arrangement import Arrangement, Blocked
from trackspec_conformance.calls import Call

T = TypeVar("T")

LEAST = 5
"""Examples that are tried before the budget can end a property, as long as it is not spent three times over."""
SHRINKING = 2.0
"""Seconds that a counterexample may take to shrink, within the budget."""


def explore(
    fresh: Arrangement[Any], strategy: SearchStrategy[T], holds: Callable[[T], None], *, examples: int = 30
) -> None:
    """Try ``holds`` on up to ``examples`` values of ``strategy``; raise the failure of the smallest one found.

    ``holds`` makes its calls on things of its own, so that examples do not meet each other.
    """
    deadline = fresh.deadline()
    last = deadline + 2 * fresh.time_budget
    tried = 0
    transcript = fresh.transcript
    start = transcript.mark()
    smallest: list[Exception] = []
    told: list[Call] = []
    blocked: list[Blocked] = []

    def bounded(value: T) -> None:
        nonlocal deadline, tried
        if blocked:
            raise blocked[0]
        now = time.monotonic()
        if smallest and now > deadline:
            raise smallest[0]
        if not smallest and now > (deadline if tried >= LEAST else last):
            return
        tried += 1
        transcript.rewind(start)
        try:
            holds(value)
        except Blocked as reason:
            blocked.append(reason)
            raise
        except Exception as failure:
            if not smallest:
                deadline = min(deadline, time.monotonic() + SHRINKING)
            smallest[:] = [failure]
            told[:] = transcript.calls[start:]
            raise

    test = settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=False,
        report_multiple_bugs=False,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )(given(strategy)(bounded))
    try:
        seeded(fresh.seed)(test)()
    except Exception:
        if blocked:
            raise blocked[0] from None
        # The last failure seen is the smallest: hypothesis replays it last, and its own report is not ours.
        if not smallest:
            raise
        transcript.rewind(start)
        transcript.calls += told
        raise smallest[0] from None
