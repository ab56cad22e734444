"""Hypothesis strategies of runs that are hard to tell apart, and of filters and orders that tell them apart.

What is drawn stays clear of what the specification leaves open: no letter beyond ASCII meets ILIKE, no line break
meets LIKE, and no string needs an escaped quote.
"""

from __future__ import annotations

import math
import random
import sys
from dataclasses import dataclass
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from trackspec import (
    LifecycleStage,
    Metric,
    Param,
    Run,
    RunData,
    RunInfo,
    RunStatus,
    RunTag,
)

T = TypeVar("T")

NUMBERS = (
    math.nan,
    -math.inf,
    -sys.float_info.max,
    -1.0,
    -5e-324,
    0.0,
    0.1 + 0.2,
    0.3,
    9.0,
    10.0,
    sys.float_info.max,
    math.inf,
)
TEXTS = ("", "a", "A", "ab", "aB", "a_b", "a%b", "a.b", "a b", "b", "10", "9", "null", "it's", "\\")
TIMES = (0, 1, 999, 1000, 2**31, 2**53, 2**53 + 1, 2**62)
KEYS = ("k", "K", "x/k", "k.x", "kk")
_PATTERNS = ("%", "_", "a%", "%b", "a_b", "%_%", "_%b", "A%", "a.b", "", "%a%b%", "__", "%%", "1%", "a\\%")


@dataclass(frozen=True)
class RunPlan:
    """A run to be made."""

    name: str
    user_id: str
    start_time: int
    end_time: int | None
    status: RunStatus
    metrics: dict[str, float]
    params: dict[str, str]
    tags: dict[str, str]

    @property
    def points(self) -> list[Metric]:
        """The metrics to log."""
        return [Metric(key, value, 1, 1) for key, value in self.metrics.items()]

    def entity(self, run_id: str, experiment_id: str) -> Run:
        """The run as the contract's own evaluator sees it, once it is made."""
        info = RunInfo(
            run_id,
            self.name,
            experiment_id,
            self.user_id,
            self.status,
            self.start_time,
            self.end_time,
            LifecycleStage.ACTIVE,
            "",
        )
        latest = {point.key: point for point in self.points}
        return Run(info, RunData(latest, dict(self.params), dict(self.tags)))

    @property
    def batch(self) -> tuple[list[Metric], list[Param], list[RunTag]]:
        """What to log to it."""
        return (
            self.points,
            [Param(key, value) for key, value in self.params.items()],
            [RunTag(key, value) for key, value in self.tags.items()],
        )


def random_plans(source: random.Random, count: int) -> list[RunPlan]:
    """Plans for runs that share many of their values."""
    return [
        RunPlan(
            name=source.choice(("one", "One", "two", "two_", "t%o")),
            user_id=source.choice(("ada", "Ada", "")),
            start_time=source.choice(TIMES),
            end_time=source.choice((None, *TIMES[1:])),
            status=source.choice(list(RunStatus)),
            metrics=_some(source, NUMBERS),
            params=_some(source, TEXTS),
            tags=_some(source, TEXTS),
        )
        for _ in range(count)
    ]


def _some(source: random.Random, values: tuple[T, ...]) -> dict[str, T]:
    return {key: source.choice(values) for key in KEYS if source.random() < 0.7}


def run_filters(max_clauses: int = 4) -> SearchStrategy[str]:
    """Filters of runs."""
    return st.lists(_clauses(), min_size=1, max_size=max_clauses).map(" AND ".join)


def run_orders(max_columns: int = 3) -> SearchStrategy[list[str]]:
    """Values of ``order_by`` for runs, no column twice."""
    columns = st.builds(
        "{}.{}".format, st.sampled_from(("metrics", "params", "tags")), st.sampled_from(KEYS).map(_quoted_key)
    ) | st.sampled_from(("run_name", "user_id", "status", "start_time", "end_time", "run_id"))
    directions = st.sampled_from(("", " ASC", " DESC"))
    return st.lists(st.tuples(columns, directions), max_size=max_columns, unique_by=lambda item: item[0]).map(
        lambda items: [column + direction for column, direction in items]
    )


def _clauses() -> SearchStrategy[str]:
    keys = st.sampled_from(KEYS).map(_quoted_key)
    numeric = st.sampled_from(("=", "!=", "<", "<=", ">", ">="))
    texts = st.builds("params.{}".format, keys) | st.builds("tags.{}".format, keys)
    return st.one_of(
        st.builds("metrics.{} {} {}".format, keys, numeric, st.sampled_from(NUMBERS[1:]).map(_number)),
        st.builds("{} {} {}".format, texts, st.sampled_from(("=", "!=")), st.sampled_from(TEXTS).map(_string)),
        st.builds(
            "{} {} {}".format, texts, st.sampled_from(("LIKE", "ILIKE")), st.sampled_from(_PATTERNS).map(_string)
        ),
        st.builds("{} {}".format, texts, st.sampled_from(("IS NULL", "IS NOT NULL"))),
        st.builds(
            "{} {} {}".format,
            st.sampled_from(("start_time", "end_time")),
            numeric,
            st.sampled_from(TIMES).map(str) | st.sampled_from(("0.5", "999.5", "-1")),
        ),
        st.builds(
            "{} {} {}".format,
            st.sampled_from(("run_name", "user_id")),
            st.sampled_from(("=", "!=", "LIKE", "ILIKE")),
            st.sampled_from(("one", "One", "t_o", "two%", "%", "ada", "A%", "")).map(_string),
        ),
        st.builds(
            "status {} {}".format,
            st.sampled_from(("=", "!=")),
            st.sampled_from(list(RunStatus)).map(lambda status: _string(status.value)),
        ),
    )


def _quoted_key(key: str) -> str:
    return key if key.isalnum() else f"`{key}`"


def _string(text: str) -> str:
    return f'"{text}"' if "'" in text else f"'{text}'"


def _number(value: float) -> str:
    return repr(value).replace("inf", "1e400").replace("e+", "e")
