"""What is timed. Written once for both sides: MLflow's stores and entities have the names that ours have.

Runs in MLflow's environment too, so it imports neither of the two.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

START = 1_700_000_000_000
FILTER = "metrics.m1 > 0.5 AND params.p1 = '3'"
ORDER = ["metrics.m2 DESC"]

ROUND_SECONDS = 0.5
"""How long one round of a fast operation lasts; a slow one is made once a round."""


MANY_SECONDS = 4.0
"""How long one round of many clients lasts."""

Fill = Callable[[Any, str, list[tuple[Any, Any, Any]]], None]


class Operations:
    """The operations on one store.

    :param store: the store to time.
    :param entities: the module that has ``Metric``, ``Param``, ``RunTag`` and ``ViewType``.
    :param active_only: the view type of active runs.
    :param populated: the id of an experiment with many runs, for the operations that read them.
    """

    def __init__(self, store: Any, entities: ModuleType, populated: str | None) -> None:
        self._store = store
        self._entities = entities
        self._populated = populated
        self._numbers = itertools.count()
        self._experiment = store.create_experiment(f"bench-{time.time_ns()}", None, [])
        self._run = self._new_run()
        self._read = self._new_run()
        store.log_batch(self._read, *self._whole_run(0))

    def _new_run(self) -> str:
        run = self._store.create_run(self._experiment, "user", START + next(self._numbers), [], None)
        return str(run.info.run_id)

    def _whole_run(self, number: int) -> tuple[list[Any], list[Any], list[Any]]:
        make = self._entities
        return (
            [make.Metric(f"m{i}", ((number * 37 + i) % 1000) / 1000, START, 0) for i in range(5)],
            [make.Param(f"p{i}", str((number + i) % 10)) for i in range(5)],
            [make.RunTag(f"t{i}", f"v{number % 7}") for i in range(3)],
        )

    def populate(self, runs: int, fill: Fill | None) -> str:
        """Make an experiment with this many runs of 5 metrics, 5 params and 3 tags; return its id.

        :param fill: writes the runs in a shorter way than by calls of the store.
        """
        experiment: str = self._store.create_experiment(f"populated-{time.time_ns()}", None, [])
        if fill:
            fill(self._store, experiment, [self._whole_run(number) for number in range(runs)])
            return experiment
        for number in range(runs):
            run = self._store.create_run(experiment, "user", START + number, [], f"run-{number}")
            self._store.log_batch(run.info.run_id, *self._whole_run(number))
        return experiment

    def log_metric(self) -> None:
        """One point of one metric."""
        number = next(self._numbers)
        self._store.log_metric(self._run, self._entities.Metric("m", 0.5, START, number))

    def log_param(self) -> None:
        """One param."""
        self._store.log_param(self._run, self._entities.Param(f"p{next(self._numbers)}", "value"))

    def set_tag(self) -> None:
        """One tag, overwritten."""
        self._store.set_tag(self._run, self._entities.RunTag("t", str(next(self._numbers))))

    def create_run(self) -> None:
        """One run without tags."""
        self._new_run()

    def log_batch_1000(self) -> None:
        """A thousand points of ten metrics."""
        make, first = self._entities.Metric, next(self._numbers) * 1000
        points = [make(f"b{i % 10}", i / 7, START, first + i) for i in range(1000)]
        self._store.log_batch(self._run, points, [], [])

    def get_run(self) -> None:
        """A run of 5 metrics, 5 params and 3 tags."""
        run = self._store.get_run(self._read)
        assert len(run.data.params) == 5

    def search_runs(self) -> None:
        """The first 100 runs of a filtered and ordered search over the populated experiment."""
        found = self._store.search_runs(
            [self._populated], FILTER, self._entities.ViewType.ACTIVE_ONLY, 100, ORDER, None
        )
        assert 0 < len(found) <= 100

    def read_all(self) -> None:
        """Every run of the populated experiment, in pages of 1,000."""
        token, count = None, 0
        while True:
            page = self._store.search_runs(
                [self._populated], None, self._entities.ViewType.ACTIVE_ONLY, 1000, None, token
            )
            count += len(page)
            token = page.token
            if not token:
                break
        assert count >= 1000

    def named(self, name: str) -> Callable[[], None]:
        """An operation by name."""
        operation: Callable[[], None] = getattr(self, name)
        return operation


def rate(operation: Callable[[], None]) -> float:
    """Operations a second, over one round."""
    started = time.perf_counter()
    for count in itertools.count(1):
        operation()
        elapsed = time.perf_counter() - started
        if elapsed >= ROUND_SECONDS:
            return count / elapsed
    raise AssertionError


def many_at_once(operations: list[Callable[[], None]]) -> dict[str, float]:
    """Operations a second of clients that all work at once, and how long one takes, in milliseconds.

    :param operations: one for each client.
    """
    times: list[list[float]] = [[] for _ in operations]
    start = threading.Barrier(len(operations))

    def work(operation: Callable[[], None], taken: list[float]) -> None:
        start.wait()
        end = time.perf_counter() + MANY_SECONDS
        while (begun := time.perf_counter()) < end:
            operation()
            taken.append(time.perf_counter() - begun)

    threads = [
        threading.Thread(target=work, args=(operation, taken))
        for operation, taken in zip(operations, times, strict=True)
    ]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    elapsed = time.perf_counter() - started
    ordered = sorted(itertools.chain.from_iterable(times))
    return {
        "rate": len(ordered) / elapsed,
        "p50": 1000 * ordered[len(ordered) // 2],
        "p99": 1000 * ordered[len(ordered) * 99 // 100],
    }


def names() -> Iterator[str]:
    """The operations in the order in which they are timed."""
    yield from ("log_metric", "log_param", "set_tag", "create_run", "log_batch_1000", "get_run")
    yield from ("search_runs", "read_all")
