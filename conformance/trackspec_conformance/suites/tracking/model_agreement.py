"""The check of the chapter on the model: random sequences of calls, made on the store and on the model."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from trackspec import (
    ErrorCode,
    Experiment,
    Metric,
    Param,
    Run,
    RunStatus,
    RunTag,
    TrackingStore,
    ViewType,
)
from trackspec.memory_store import MemoryStore
from trackspec.search.order import metric_order
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import Unexpected, error_code, same, shown, shown_error
from trackspec_conformance.exploring import explore
from trackspec_conformance.fresh import Fresh

_NAMES = ("a", "A", "a ", "a/b", "a%", "'a'", "ä")
_KEYS = ("k", "K", "k/k")
_TEXTS = ("", "x", "X", "x%", "'", "x ", "é")
_NUMBERS = (0.0, 1.0, -1.0, 2.5, float("inf"), float("-inf"), float("nan"))
_FILTERS = (
    None,
    "metrics.k > 0",
    "metrics.k != 1",
    "params.k = 'x'",
    "params.k IS NULL",
    "tags.`k/k` LIKE '%x%'",
    "attributes.status = 'FINISHED'",
    "attributes.run_name != 'a'",
    "params.K ILIKE 'X%' AND metrics.k <= 2.5",
)
_ORDERS: tuple[list[str], ...] = (
    [],
    ["metrics.k DESC"],
    ["params.k"],
    ["tags.k DESC", "metrics.K"],
    ["attributes.run_name DESC"],
)
# Where a call has several faults, the contract leaves open which of them the refusal names.
_REFUSED = {
    code.value
    for code in (
        ErrorCode.INVALID_PARAMETER_VALUE,
        ErrorCode.INVALID_STATE,
        ErrorCode.RESOURCE_ALREADY_EXISTS,
        ErrorCode.RESOURCE_DOES_NOT_EXIST,
    )
}

_REFUSAL = ("refused",)


@dataclass(frozen=True)
class Step:
    """One call: its name, which experiment or run it is made on, and its other arguments.

    ``target`` counts round the things that exist by then.
    """

    call: str
    target: int
    arguments: tuple[Any, ...] = ()


@dataclass
class Side:
    """One of the two stores, with the ids that it gave to what the sequence made."""

    store: TrackingStore
    prefix: str
    experiments: list[str] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)

    def answer(self, step: Step) -> Any:
        """What the store answers to a step, without what may differ; a failure of its own as its code."""
        try:
            return getattr(self, step.call)(step.target, *step.arguments)
        except Exception as error:
            code = error_code(error)
            if code is None:
                raise
            return _REFUSAL if code in _REFUSED else ("refused", code)

    def create_experiment(self, _: int, name: str) -> None:
        self.experiments.append(self.store.create_experiment(self.prefix + name, None, []))

    def experiment(self, target: int, method: str) -> None:
        getattr(self.store, method)(self._experiment(target))

    def rename_experiment(self, target: int, name: str) -> None:
        self.store.rename_experiment(self._experiment(target), self.prefix + name)

    def experiment_by_name(self, _: int, name: str) -> Any:
        found = self.store.get_experiment_by_name(self.prefix + name)
        return None if found is None else self._told_experiment(found)

    def create_run(self, target: int, start_time: int, name: str) -> None:
        run = self.store.create_run(self._experiment(target), "user", start_time, [], name)
        self.runs.append(run.info.run_id)

    def run(self, target: int, method: str) -> None:
        getattr(self.store, method)(self._run(target))

    def update_run_info(self, target: int, status: RunStatus, end_time: int | None, name: str | None) -> None:
        self.store.update_run_info(self._run(target), status, end_time, name)

    def log_batch(self, target: int, metrics: list[Metric], params: list[Param], tags: list[RunTag]) -> None:
        self.store.log_batch(self._run(target), metrics, params, tags)

    def log_metric(self, target: int, metric: Metric) -> None:
        self.store.log_metric(self._run(target), metric)

    def log_param(self, target: int, param: Param) -> None:
        self.store.log_param(self._run(target), param)

    def set_tag(self, target: int, tag: RunTag) -> None:
        self.store.set_tag(self._run(target), tag)

    def delete_tag(self, target: int, key: str) -> None:
        self.store.delete_tag(self._run(target), key)

    def get_run(self, target: int) -> Any:
        return self._told_run(self.store.get_run(self._run(target)))

    def history(self, target: int, key: str) -> Any:
        points = self.store.get_metric_history(self._run(target), key)
        return sorted(map(metric_order, points))

    def search_runs(
        self, _: int, filter_string: str | None, view: ViewType, order_by: list[str], size: int
    ) -> Any:
        found: list[str] = []
        token = None
        for _page in range(len(self.runs) + 1):
            page = self.store.search_runs(self.experiments, filter_string, view, size, order_by, token)
            found += [run.info.run_id for run in page]
            token = page.token
            if token is None:
                break
        return [self.runs.index(run_id) if run_id in self.runs else run_id for run_id in found]

    def _experiment(self, target: int) -> str:
        return self.experiments[target % len(self.experiments)]

    def _run(self, target: int) -> str:
        return self.runs[target % len(self.runs)]

    def _told_experiment(self, experiment: Experiment) -> Any:
        index = self.experiments.index(experiment.experiment_id)
        return index, experiment.name.removeprefix(self.prefix), experiment.lifecycle_stage

    def _told_run(self, run: Run) -> Any:
        info = run.info
        return {
            "experiment": self.experiments.index(info.experiment_id),
            "info": (info.run_name, info.status, info.start_time, info.end_time, info.lifecycle_stage),
            "params": run.data.params,
            "metrics": run.data.metrics,
            "tags": {key: value for key, value in run.data.tags.items() if key in _KEYS},
        }

    def can(self, step: Step) -> bool:
        """Whether there is something to make the call on, and the contract leaves no choice of the answer."""
        if step.call in ("create_experiment", "experiment_by_name"):
            return True
        if step.call == "rename_experiment" and self.experiments:
            # Whether an experiment takes the name that it has is a matter of its own.
            renamed = self.store.get_experiment(self._experiment(step.target))
            return renamed.name != f"{self.prefix}{step.arguments[0]}"
        if step.call in ("experiment", "create_run"):
            return bool(self.experiments)
        return bool(self.runs)


@check("model.agreement", timeout=60.0)
def a_sequence_of_calls_is_answered_as_by_the_model(store: TrackingStore, fresh: Fresh) -> None:
    """Random sequences of calls get the answers that the model gives."""
    _explore(store, fresh, _writes_and_reads(), [], examples=25)


@check("model.agreement", timeout=60.0, needs="search.runs-of-experiments")
def a_sequence_with_searches_is_answered_as_by_the_model(store: TrackingStore, fresh: Fresh) -> None:
    """Random sequences of calls, of which every other one is a search, get the answers that the model gives."""
    _explore(store, fresh, _writes_and_reads() | _searches(), [], examples=20)


@check("model.agreement", timeout=60.0, needs="history.whole")
def a_sequence_with_histories_is_answered_as_by_the_model(store: TrackingStore, fresh: Fresh) -> None:
    """Random sequences of calls leave the metrics with the histories that they have in the model."""
    closing = [Step("history", number, (key,)) for number in range(2) for key in _KEYS[:2]]
    _explore(store, fresh, _writes_and_reads(), closing, examples=10)


def _explore(
    store: TrackingStore, fresh: Fresh, steps: SearchStrategy[Step], closing: list[Step], *, examples: int
) -> None:
    """Make sequences of these steps on the store and on the model, and compare what both answer."""
    closing = [Step("get_run", number) for number in range(3)] + closing

    def agrees(steps: list[Step]) -> None:
        # Start times are unlike each other, so that no order rests on ids, which the two sides give differently.
        tried, model = Side(store, fresh.name("model")), Side(MemoryStore(), uuid.uuid4().hex)
        for step in [*steps, *closing]:
            if not model.can(step):
                continue
            expected = model.answer(step)
            told = f"as by the model: {_shown(expected)}"
            try:
                got = tried.answer(step)
            except Exception as error:
                if error is not fresh.transcript.last_error:
                    raise
                raise Unexpected(told, shown_error(error)) from error
            if not same(expected, got):
                raise Unexpected(told, _shown(got))

    explore(fresh, sequences(steps), agrees, examples=examples)


def _shown(answer: Any) -> str:
    if isinstance(answer, tuple) and answer[:1] == _REFUSAL:
        return " with ".join(["a refusal", *answer[1:]])
    return shown(answer)


def sequences(steps: SearchStrategy[Step]) -> SearchStrategy[list[Step]]:
    """Sequences of these steps that start with an experiment and a run, and collide often."""
    opening = [Step("create_experiment", 0, ("first",)), Step("create_run", 0, (0, "a"))]
    return st.lists(steps, min_size=10, max_size=40).map(lambda drawn: _with_times(opening + drawn))


def _with_times(steps: list[Step]) -> list[Step]:
    return [
        Step(step.call, step.target, (1_000 + number, *step.arguments[1:])) if step.call == "create_run" else step
        for number, step in enumerate(steps)
    ]


def _searches() -> SearchStrategy[Step]:
    return _step(
        "search_runs",
        st.sampled_from(_FILTERS),
        st.sampled_from(ViewType),
        st.sampled_from(_ORDERS),
        st.integers(1, 4),
    )


def _writes_and_reads() -> SearchStrategy[Step]:
    names, keys = st.sampled_from(_NAMES), st.sampled_from(_KEYS)
    metrics = st.builds(
        Metric,
        keys,
        st.sampled_from(_NUMBERS),
        st.integers(0, 2),
        st.sampled_from((-(2**63), -1, 0, 1, 2**63 - 1)),
    )
    params = st.builds(Param, keys, st.sampled_from(_TEXTS))
    tags = st.builds(RunTag, keys, st.sampled_from(_TEXTS))
    unlike: Callable[[Any], str] = lambda item: item.key  # noqa: E731 - a key function
    return st.one_of(
        _step("create_experiment", names),
        _step("experiment", st.sampled_from(("delete_experiment", "restore_experiment"))),
        _step("rename_experiment", names),
        _step("experiment_by_name", names),
        _step("create_run", st.just(0), names),
        _step("run", st.sampled_from(("delete_run", "restore_run"))),
        _step(
            "update_run_info",
            st.sampled_from(RunStatus),
            st.none() | st.integers(0, 3),
            st.none() | names,
        ),
        _step("log_batch", *(st.lists(item, max_size=4, unique_by=unlike) for item in (metrics, params, tags))),
        _step("log_metric", metrics),
        _step("log_param", params),
        _step("set_tag", tags),
        _step("delete_tag", keys),
        _step("get_run"),
    )


def _step(call: str, *arguments: SearchStrategy[Any]) -> SearchStrategy[Step]:
    return st.builds(Step, st.just(call), st.integers(0, 2), st.tuples(*arguments))
