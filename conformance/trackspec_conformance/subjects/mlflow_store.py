"""MLflow's tracking stores, seen through the interface of the contract.

The adapter translates calls, entities and errors, and nothing else: it repairs, hides and invents nothing, so that
what a check finds is the store's own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from trackspec import (
    DatasetInput,
    ErrorCode,
    Experiment,
    ExperimentTag,
    Metric,
    PagedList,
    Param,
    Run,
    RunInfo,
    RunStatus,
    RunTag,
    TrackingStore,
    TrackspecError,
    ViewType,
)
from trackspec_conformance.subjects import mlflow_entities as translated

_OMITTED: Any = object()
"""Stands for an argument that the caller left out, so that the store's own default applies."""


class MlflowTrackingStore(TrackingStore):
    """A store over any instance of MLflow's ``AbstractStore``.

    :ivar adapted: that instance.
    :ivar store_uri: the URI that it was opened by, if it was.
    """

    def __init__(
        self, store: Any, uri: str | None = None, open_uri: Callable[[str], TrackingStore] | None = None
    ) -> None:
        self.adapted = store
        self.store_uri = uri
        self._open_uri = open_uri

    def opened_at(self, uri: str) -> TrackingStore:
        """A store of the same kind that MLflow opens for another URI."""
        assert self._open_uri is not None
        return self._open_uri(uri)

    # -- experiments ----------------------------------------------------------------------------------------

    def create_experiment(
        self,
        name: str,
        artifact_location: str | None = None,
        tags: Sequence[ExperimentTag] | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> str:
        _require_no_key(idempotency_key)
        created: str = self._call("create_experiment", name, artifact_location, tags)
        return created

    def get_experiment(self, experiment_id: str) -> Experiment:
        found: Experiment = translated.experiment(self._call("get_experiment", experiment_id))
        return found

    def get_experiment_by_name(self, experiment_name: str) -> Experiment | None:
        found: Experiment | None = translated.experiment(self._call("get_experiment_by_name", experiment_name))
        return found

    def delete_experiment(self, experiment_id: str) -> None:
        self._call("delete_experiment", experiment_id)

    def restore_experiment(self, experiment_id: str) -> None:
        self._call("restore_experiment", experiment_id)

    def rename_experiment(self, experiment_id: str, new_name: str) -> None:
        self._call("rename_experiment", experiment_id, new_name)

    def set_experiment_tag(self, experiment_id: str, tag: ExperimentTag) -> None:
        self._call("set_experiment_tag", experiment_id, tag)

    def delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        self._call("delete_experiment_tag", experiment_id, key)

    def search_experiments(
        self,
        view_type: ViewType = _OMITTED,
        max_results: int | None = _OMITTED,
        filter_string: str | None = None,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[Experiment]:
        found = self._call(
            "search_experiments",
            view_type=view_type,
            max_results=max_results,
            filter_string=filter_string,
            order_by=order_by,
            page_token=page_token,
        )
        return translated.page(found, translated.experiment)

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
        _require_no_key(idempotency_key)
        created: Run = translated.run(self._call("create_run", experiment_id, user_id, start_time, tags, run_name))
        return created

    def get_run(self, run_id: str) -> Run:
        found: Run = translated.run(self._call("get_run", run_id))
        return found

    def update_run_info(
        self,
        run_id: str,
        run_status: RunStatus | None = None,
        end_time: int | None = None,
        run_name: str | None = None,
    ) -> RunInfo:
        updated: RunInfo = translated.run_info(
            self._call("update_run_info", run_id, run_status, end_time, run_name)
        )
        return updated

    def delete_run(self, run_id: str) -> None:
        self._call("delete_run", run_id)

    def restore_run(self, run_id: str) -> None:
        self._call("restore_run", run_id)

    # -- what a run logs ------------------------------------------------------------------------------------

    def log_metric(self, run_id: str, metric: Metric) -> None:
        self._call("log_metric", run_id, metric)

    def log_param(self, run_id: str, param: Param) -> None:
        self._call("log_param", run_id, param)

    def set_tag(self, run_id: str, tag: RunTag) -> None:
        self._call("set_tag", run_id, tag)

    def delete_tag(self, run_id: str, key: str) -> None:
        self._call("delete_tag", run_id, key)

    def log_batch(
        self, run_id: str, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> None:
        self._call("log_batch", run_id, metrics, params, tags)

    def log_inputs(self, run_id: str, datasets: Sequence[DatasetInput] | None = None) -> None:
        self._call("log_inputs", run_id, datasets)

    # -- metric history -------------------------------------------------------------------------------------

    def get_metric_history(
        self,
        run_id: str,
        metric_key: str,
        max_results: int | None = _OMITTED,
        page_token: str | None = _OMITTED,
    ) -> PagedList[Metric]:
        found = self._call(
            "get_metric_history", run_id, metric_key, max_results=max_results, page_token=page_token
        )
        return translated.page(found, translated.metric)

    def get_metric_history_bulk_interval(
        self,
        run_ids: Sequence[str],
        metric_key: str,
        max_results: int,
        start_step: int | None = None,
        end_step: int | None = None,
    ) -> list[Metric]:
        found = self._call(
            "get_metric_history_bulk_interval", run_ids, metric_key, max_results, start_step, end_step
        )
        return [translated.metric(point) for point in found]

    # -- search ---------------------------------------------------------------------------------------------

    def search_runs(
        self,
        experiment_ids: Sequence[str],
        filter_string: str | None = None,
        run_view_type: ViewType = ViewType.ACTIVE_ONLY,
        max_results: int | None = _OMITTED,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[Run]:
        found = self._call(
            "search_runs",
            experiment_ids,
            filter_string,
            run_view_type,
            max_results=max_results,
            order_by=order_by,
            page_token=page_token,
        )
        return translated.page(found, translated.run)

    # -- configuration --------------------------------------------------------------------------------------

    def get_artifact_root(self) -> str:
        raise TrackspecError("MLflow's interface does not tell the artifact root.", ErrorCode.NOT_IMPLEMENTED)

    def set_artifact_root(self, artifact_root: str) -> None:  # noqa: ARG002 - the interface's parameter
        raise TrackspecError("MLflow's interface does not set the artifact root.", ErrorCode.NOT_IMPLEMENTED)

    # -- the call itself ------------------------------------------------------------------------------------

    def _call(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Call the MLflow store with translated arguments, without those that were left out."""
        function = getattr(self.adapted, method, None)
        if function is None:
            raise TrackspecError(f"{type(self.adapted).__name__} has no {method}.", ErrorCode.NOT_IMPLEMENTED)
        given = {name: value for name, value in kwargs.items() if value is not _OMITTED}
        with translated.mlflow_errors(), translated.lent([*args, *given.values()]) as passed:
            return function(*passed[: len(args)], **dict(zip(given, passed[len(args) :], strict=True)))


def _require_no_key(idempotency_key: str | None) -> None:
    if idempotency_key is not None:
        raise TrackspecError("MLflow's interface has no idempotency keys.", ErrorCode.NOT_IMPLEMENTED)
