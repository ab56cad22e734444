"""A tracking store's public calls in terms of a few primitive ones.

:class:`ValidatedStore` judges every argument, parses filters and orderings, binds page tokens to their query and
settles how a run's name and its tag mirror each other. A backend implements the primitives below, which see
only valid arguments, and is thereby spared the half of the contract that has nothing to do with storage.
"""

from __future__ import annotations

import os
import secrets
import time
from abc import abstractmethod
from collections.abc import Sequence

from trackspec import arguments, limits, run_names, uris
from trackspec.entities import (
    RUN_NAME_TAG,
    DatasetInput,
    Experiment,
    ExperimentTag,
    LifecycleStage,
    Metric,
    PagedList,
    Param,
    Run,
    RunInfo,
    RunStatus,
    RunTag,
    ViewType,
)
from trackspec.errors import no_keys
from trackspec.metric_sampling import evenly_spaced
from trackspec.search import page_token as page_tokens
from trackspec.search.order import experiment_sort_key, is_point, is_sort_key, metric_order, run_sort_key
from trackspec.search.parser import (
    parse_experiment_filter,
    parse_experiment_order,
    parse_run_filter,
    parse_run_order,
)
from trackspec.search.query import ExperimentQuery, RunQuery
from trackspec.search.vocabulary import TIMES
from trackspec.store import TrackingStore

ARTIFACT_ROOT_VARIABLE = "TRACKSPEC_ARTIFACT_ROOT"
"""The environment variable that gives the artifact root of a store which holds none."""


class ValidatedStore(TrackingStore):
    """The part of a store that is the same over every storage."""

    # -- what a backend implements --------------------------------------------------------------------------

    @abstractmethod
    def _create_experiment(self, name: str, artifact_location: str | None, tags: dict[str, str]) -> str:
        """Create an experiment with one winner per name; the location defaults to ``join(artifact root, id)``."""

    @abstractmethod
    def _get_experiment(self, experiment_id: str) -> Experiment:
        """Return the experiment or raise RESOURCE_DOES_NOT_EXIST."""

    @abstractmethod
    def _get_experiment_by_name(self, name: str) -> Experiment | None:
        """Return the experiment of exactly this name, of any stage."""

    @abstractmethod
    def _set_experiment_stage(self, experiment_id: str, stage: LifecycleStage) -> None:
        """Move an experiment of the other stage, and all its runs, or raise RESOURCE_DOES_NOT_EXIST."""

    @abstractmethod
    def _rename_experiment(self, experiment_id: str, new_name: str) -> None:
        """Rename an active experiment; the name it has is a no-op."""

    @abstractmethod
    def _set_experiment_tag(self, experiment_id: str, tag: ExperimentTag) -> None:
        """Set a tag of an active experiment."""

    @abstractmethod
    def _delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        """Delete a tag of an active experiment, or raise RESOURCE_DOES_NOT_EXIST."""

    @abstractmethod
    def _search_experiments(self, query: ExperimentQuery) -> list[Experiment]:
        """Return the first ``query.limit`` matching experiments behind ``query.after``."""

    @abstractmethod
    def _create_run(
        self, experiment_id: str, user_id: str, start_time: int, tags: dict[str, str], run_name: str
    ) -> Run:
        """Create a run in an active experiment; ``tags`` holds the name's mirror already."""

    @abstractmethod
    def _get_run(self, run_id: str) -> Run:
        """Return the run or raise RESOURCE_DOES_NOT_EXIST."""

    @abstractmethod
    def _update_run_info(
        self, run_id: str, status: RunStatus | None, end_time: int | None, run_name: str | None
    ) -> RunInfo:
        """Change an active run's fields, and with the name its mirroring tag, in one step."""

    @abstractmethod
    def _set_run_stage(self, run_id: str, stage: LifecycleStage) -> None:
        """Move a run to ``stage``; without effect on one that is there."""

    @abstractmethod
    def _log_batch(
        self, run_id: str, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> None:
        """Log to an active run all of the items, or none; a tag that mirrors the run's name renames the run."""

    @abstractmethod
    def _delete_tag(self, run_id: str, key: str) -> None:
        """Delete an active run's tag, or raise RESOURCE_DOES_NOT_EXIST."""

    @abstractmethod
    def _log_inputs(self, run_id: str, datasets: Sequence[DatasetInput]) -> None:
        """Record an active run's inputs, all or none; first writer wins."""

    @abstractmethod
    def _get_metric_history(self, run_id: str, key: str, after: Metric | None, limit: int | None) -> list[Metric]:
        """Return the first ``limit`` points behind ``after`` in metric order, their ``run_id`` set."""

    @abstractmethod
    def _search_runs(self, query: RunQuery) -> list[Run]:
        """Return the first ``query.limit`` matching runs behind ``query.after``."""

    @abstractmethod
    def _configured_artifact_root(self) -> str | None:
        """Return the artifact root that the store itself holds."""

    @abstractmethod
    def _configure_artifact_root(self, artifact_root: str) -> None:
        """Keep the artifact root in the store itself."""

    @abstractmethod
    def _built_in_artifact_root(self) -> str:
        """Return the artifact root where neither the store nor the environment gives one."""

    # -- what a backend may implement -----------------------------------------------------------------------

    def _create_experiment_once(
        self, key: str, name: str, artifact_location: str | None, tags: dict[str, str]
    ) -> str:
        """Create an experiment, or return the id of the one of this name that the key has made.

        Where the key has made one of another name, INVALID_PARAMETER_VALUE is raised.
        """
        raise no_keys()

    def _create_run_once(
        self,
        key: str,
        experiment_id: str,
        user_id: str,
        start_time: int,
        tags: dict[str, str],
        run_name: str,
    ) -> Run:
        """Create a run, or return the one of this experiment that the key has made.

        Where the key has made one of another experiment, INVALID_PARAMETER_VALUE is raised.
        """
        raise no_keys()

    # -- experiments ----------------------------------------------------------------------------------------

    def create_experiment(
        self,
        name: str,
        artifact_location: str | None = None,
        tags: Sequence[ExperimentTag] | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> str:
        name = arguments.experiment_name(name)
        location = arguments.artifact_location(artifact_location)
        by_key = {tag.key: tag.value for tag in arguments.experiment_tags(tags)}
        key = arguments.idempotency_key(idempotency_key)
        if key is None:
            return self._create_experiment(name, location, by_key)
        return self._create_experiment_once(key, name, location, by_key)

    def get_experiment(self, experiment_id: str) -> Experiment:
        return self._get_experiment(arguments.experiment_id(experiment_id))

    def get_experiment_by_name(self, experiment_name: str) -> Experiment | None:
        return self._get_experiment_by_name(arguments.experiment_name(experiment_name))

    def delete_experiment(self, experiment_id: str) -> None:
        self._set_experiment_stage(arguments.experiment_id(experiment_id), LifecycleStage.DELETED)

    def restore_experiment(self, experiment_id: str) -> None:
        self._set_experiment_stage(arguments.experiment_id(experiment_id), LifecycleStage.ACTIVE)

    def rename_experiment(self, experiment_id: str, new_name: str) -> None:
        self._rename_experiment(arguments.experiment_id(experiment_id), arguments.experiment_name(new_name))

    def set_experiment_tag(self, experiment_id: str, tag: ExperimentTag) -> None:
        label = arguments.experiment_tag(arguments.entity(tag, ExperimentTag))
        self._set_experiment_tag(arguments.experiment_id(experiment_id), label)

    def delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        self._delete_experiment_tag(arguments.experiment_id(experiment_id), arguments.key(key, "A tag key"))

    def search_experiments(
        self,
        view_type: ViewType = ViewType.ACTIVE_ONLY,
        max_results: int | None = limits.DEFAULT_MAX_RESULTS,
        filter_string: str | None = None,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[Experiment]:
        view_type = arguments.view_type(view_type)
        size = arguments.max_results(max_results)
        clauses = parse_experiment_filter(filter_string)
        columns = parse_experiment_order(order_by)
        bound = ("experiments", view_type.name, clauses, columns)
        after = page_tokens.redeem(bound, page_token, lambda key: is_sort_key(key, columns, TIMES))
        found = self._search_experiments(ExperimentQuery(clauses, view_type, columns, after, size + 1))
        if len(found) <= size:
            return PagedList(found)
        page = found[:size]
        return PagedList(page, page_tokens.issue(bound, experiment_sort_key(page[-1], columns)))

    # -- runs -----------------------------------------------------------------------------------------------

    def create_run(
        self,
        experiment_id: str,
        user_id: str | None,
        start_time: int | None,
        tags: Sequence[RunTag] | None,
        run_name: str | None,
        *,
        idempotency_key: str | None = None,
    ) -> Run:
        experiment_id = arguments.experiment_id(experiment_id)
        user = arguments.user_id(user_id)
        start = self._now() if start_time is None else arguments.int64(start_time, "A start time")
        given, name = arguments.tags_and_name(tags, run_name)
        labels = {tag.key: tag.value for tag in given}
        labels[RUN_NAME_TAG] = name = name or run_names.generate()
        key = arguments.idempotency_key(idempotency_key)
        if key is None:
            return self._create_run(experiment_id, user, start, labels, name)
        return self._create_run_once(key, experiment_id, user, start, labels, name)

    def get_run(self, run_id: str) -> Run:
        return self._get_run(arguments.run_id(run_id))

    def update_run_info(
        self,
        run_id: str,
        run_status: RunStatus | None = None,
        end_time: int | None = None,
        run_name: str | None = None,
    ) -> RunInfo:
        run_id = arguments.run_id(run_id)
        status = arguments.run_status(run_status)
        end = None if end_time is None else arguments.int64(end_time, "An end time")
        return self._update_run_info(run_id, status, end, arguments.run_name(run_name))

    def delete_run(self, run_id: str) -> None:
        self._set_run_stage(arguments.run_id(run_id), LifecycleStage.DELETED)

    def restore_run(self, run_id: str) -> None:
        self._set_run_stage(arguments.run_id(run_id), LifecycleStage.ACTIVE)

    # -- what a run logs ------------------------------------------------------------------------------------

    def log_metric(self, run_id: str, metric: Metric) -> None:
        point = arguments.metric(arguments.entity(metric, Metric))
        self._log_batch(arguments.run_id(run_id), [point], [], [])

    def log_param(self, run_id: str, param: Param) -> None:
        setting = arguments.param(arguments.entity(param, Param))
        self._log_batch(arguments.run_id(run_id), [], [setting], [])

    def set_tag(self, run_id: str, tag: RunTag) -> None:
        label = arguments.mirrored(arguments.run_tag(arguments.entity(tag, RunTag)))
        self._log_batch(arguments.run_id(run_id), [], [], [label])

    def delete_tag(self, run_id: str, key: str) -> None:
        self._delete_tag(arguments.run_id(run_id), arguments.key(key, "A tag key"))

    def log_batch(
        self, run_id: str, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> None:
        self._log_batch(arguments.run_id(run_id), *arguments.batch(metrics, params, tags))

    def log_inputs(self, run_id: str, datasets: Sequence[DatasetInput] | None = None) -> None:
        self._log_inputs(arguments.run_id(run_id), arguments.dataset_inputs(datasets))

    # -- metric history -------------------------------------------------------------------------------------

    def get_metric_history(
        self, run_id: str, metric_key: str, max_results: int | None = None, page_token: str | None = None
    ) -> PagedList[Metric]:
        run_id = arguments.run_id(run_id)
        metric_key = arguments.key(metric_key, "A metric key")
        size = None if max_results is None else arguments.max_results(max_results)
        bound = ("history", run_id, metric_key)
        position = page_tokens.redeem(bound, page_token, is_point)
        after = None if position is None else Metric(metric_key, position[2], position[1], position[0])
        found = self._get_metric_history(run_id, metric_key, after, None if size is None else size + 1)
        if size is None or len(found) <= size:
            return PagedList(found)
        last = found[size - 1]
        return PagedList(found[:size], page_tokens.issue(bound, [last.step, last.timestamp, last.value]))

    def get_metric_history_bulk_interval(
        self,
        run_ids: Sequence[str],
        metric_key: str,
        max_results: int,
        start_step: int | None = None,
        end_step: int | None = None,
    ) -> list[Metric]:
        runs, low, high = arguments.interval(run_ids, start_step, end_step)
        metric_key = arguments.key(metric_key, "A metric key")
        size = arguments.interval_size(max_results)
        return [
            metric
            for run_id in runs
            for metric in evenly_spaced(self._metric_interval(run_id, metric_key, low, high), size)
        ]

    def _metric_interval(self, run_id: str, key: str, start_step: int, end_step: int) -> list[Metric]:
        """The points of an interval in metric order. A backend overrides it where it can read less."""
        history = self._get_metric_history(run_id, key, None, None)
        return [metric for metric in history if start_step <= metric.step <= end_step]

    # -- search ---------------------------------------------------------------------------------------------

    def search_runs(
        self,
        experiment_ids: Sequence[str],
        filter_string: str | None = None,
        run_view_type: ViewType = ViewType.ACTIVE_ONLY,
        max_results: int | None = limits.DEFAULT_MAX_RESULTS,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[Run]:
        ids = arguments.identifiers(experiment_ids, "experiment_ids")
        view_type = arguments.view_type(run_view_type)
        size = arguments.max_results(max_results)
        clauses = parse_run_filter(filter_string)
        columns = parse_run_order(order_by)
        bound = ("runs", tuple(sorted(ids)), view_type.name, clauses, columns)
        after = page_tokens.redeem(bound, page_token, lambda key: is_sort_key(key, columns, TIMES))
        found = self._search_runs(RunQuery(ids, clauses, view_type, columns, after, size + 1))
        if len(found) <= size:
            return PagedList(found)
        page = found[:size]
        return PagedList(page, page_tokens.issue(bound, run_sort_key(page[-1], columns)))

    # -- configuration --------------------------------------------------------------------------------------

    def get_artifact_root(self) -> str:
        configured = self._configured_artifact_root() or os.environ.get(ARTIFACT_ROOT_VARIABLE)
        return uris.absolute(configured or self._built_in_artifact_root())

    def set_artifact_root(self, artifact_root: str) -> None:
        self._configure_artifact_root(arguments.artifact_root(artifact_root))

    # -- what backends share --------------------------------------------------------------------------------

    def _now(self) -> int:
        """The time in milliseconds since the epoch."""
        return time.time_ns() // 1_000_000

    @staticmethod
    def _new_run_id() -> str:
        return secrets.token_hex(16)

    @staticmethod
    def _latest(current: Metric | None, new: Metric) -> Metric:
        """The later of two points of one metric."""
        if current is None or metric_order(new) > metric_order(current):
            return new
        return current
