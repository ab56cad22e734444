"""The interface of a tracking store.

Method and field names are MLflow's. What each call promises is written in the chapters of the specification;
the docstrings name the requirements. Every method raises :class:`~trackspec.errors.TrackspecError` and nothing
else: INVALID_PARAMETER_VALUE for an argument of the wrong type, form or size, before anything is written.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from types import TracebackType

from trackspec import limits
from trackspec.entities import (
    DatasetInput,
    Experiment,
    ExperimentTag,
    Metric,
    PagedList,
    Param,
    Run,
    RunInfo,
    RunStatus,
    RunTag,
    ViewType,
)


class TrackingStore(ABC):
    """Keeps experiments, runs and what is logged to them.

    A store is constructed from one URI, may be used by several threads at once, and is closed when done with.
    """

    # -- experiments ----------------------------------------------------------------------------------------

    @abstractmethod
    def create_experiment(
        self,
        name: str,
        artifact_location: str | None = None,
        tags: Sequence[ExperimentTag] | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> str:
        """Create an experiment and return its id.

        :param idempotency_key: makes the call repeatable: with a key that has made an experiment it returns the id
            of that one. A store need not know keys, and refuses them with NOT_IMPLEMENTED then.
        :raises TrackspecError: RESOURCE_ALREADY_EXISTS if an active or deleted experiment has the name.
        """

    @abstractmethod
    def get_experiment(self, experiment_id: str) -> Experiment:
        """Return an experiment, also a deleted one.

        :raises TrackspecError: RESOURCE_DOES_NOT_EXIST if there is none of this id.
        """

    @abstractmethod
    def get_experiment_by_name(self, experiment_name: str) -> Experiment | None:
        """Return the experiment, active or deleted, whose name is exactly this one, or None."""

    @abstractmethod
    def delete_experiment(self, experiment_id: str) -> None:
        """Move an active experiment and all its runs to the deleted stage.

        :raises TrackspecError: RESOURCE_DOES_NOT_EXIST if there is no active experiment of this id.
        """

    @abstractmethod
    def restore_experiment(self, experiment_id: str) -> None:
        """Move a deleted experiment and all its runs to the active stage.

        :raises TrackspecError: RESOURCE_DOES_NOT_EXIST if there is no deleted experiment of this id.
        """

    @abstractmethod
    def rename_experiment(self, experiment_id: str, new_name: str) -> None:
        """Rename an active experiment; its own present name is accepted.

        :raises TrackspecError: RESOURCE_DOES_NOT_EXIST if there is none of this id; INVALID_STATE if it is
            deleted; RESOURCE_ALREADY_EXISTS if another experiment has the name.
        """

    @abstractmethod
    def set_experiment_tag(self, experiment_id: str, tag: ExperimentTag) -> None:
        """Set a tag of an active experiment, replacing the value it had.

        :raises TrackspecError: RESOURCE_DOES_NOT_EXIST if there is no experiment of this id;
            INVALID_PARAMETER_VALUE if it is deleted.
        """

    @abstractmethod
    def delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        """Delete a tag of an active experiment.

        :raises TrackspecError: RESOURCE_DOES_NOT_EXIST if there is no experiment of this id or no tag of this
            key; INVALID_PARAMETER_VALUE if the experiment is deleted.
        """

    @abstractmethod
    def search_experiments(
        self,
        view_type: ViewType = ViewType.ACTIVE_ONLY,
        max_results: int | None = limits.DEFAULT_MAX_RESULTS,
        filter_string: str | None = None,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[Experiment]:
        """Return one page of the experiments that match, in the requested order."""

    # -- runs -----------------------------------------------------------------------------------------------

    @abstractmethod
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
        """Create an active run with status RUNNING.

        :param idempotency_key: makes the call repeatable: with a key that has made a run it returns that one. A
            store need not know keys, and refuses them with NOT_IMPLEMENTED then.
        :raises TrackspecError: RESOURCE_DOES_NOT_EXIST if there is no experiment of this id; INVALID_STATE if
            it is deleted.
        """

    @abstractmethod
    def get_run(self, run_id: str) -> Run:
        """Return a run with all its data and inputs, also a deleted one.

        :raises TrackspecError: RESOURCE_DOES_NOT_EXIST if there is none of this id.
        """

    @abstractmethod
    def update_run_info(
        self,
        run_id: str,
        run_status: RunStatus | None = None,
        end_time: int | None = None,
        run_name: str | None = None,
    ) -> RunInfo:
        """Change the given fields of an active run and return all of them; None leaves a field as it is.

        :raises TrackspecError: RESOURCE_DOES_NOT_EXIST if there is none of this id; INVALID_PARAMETER_VALUE if
            it is deleted.
        """

    @abstractmethod
    def delete_run(self, run_id: str) -> None:
        """Move a run to the deleted stage; without effect on one that is there.

        :raises TrackspecError: RESOURCE_DOES_NOT_EXIST if there is none of this id.
        """

    @abstractmethod
    def restore_run(self, run_id: str) -> None:
        """Move a run to the active stage; without effect on one that is there.

        :raises TrackspecError: RESOURCE_DOES_NOT_EXIST if there is none of this id.
        """

    # -- what a run logs ------------------------------------------------------------------------------------

    @abstractmethod
    def log_metric(self, run_id: str, metric: Metric) -> None:
        """Add a point to a metric; a point equal in key, step, timestamp and value is stored once.

        :raises TrackspecError: RESOURCE_DOES_NOT_EXIST if there is no run of this id; INVALID_PARAMETER_VALUE
            if it is deleted.
        """

    @abstractmethod
    def log_param(self, run_id: str, param: Param) -> None:
        """Set a param, once: its present value is accepted, another one is refused.

        :raises TrackspecError: RESOURCE_DOES_NOT_EXIST if there is no run of this id; INVALID_PARAMETER_VALUE
            if it is deleted or the param has another value.
        """

    @abstractmethod
    def set_tag(self, run_id: str, tag: RunTag) -> None:
        """Set a tag, replacing the value it had.

        :raises TrackspecError: RESOURCE_DOES_NOT_EXIST if there is no run of this id; INVALID_PARAMETER_VALUE
            if it is deleted.
        """

    @abstractmethod
    def delete_tag(self, run_id: str, key: str) -> None:
        """Delete a tag.

        :raises TrackspecError: RESOURCE_DOES_NOT_EXIST if there is no run of this id or no tag of this key;
            INVALID_PARAMETER_VALUE if the run is deleted.
        """

    @abstractmethod
    def log_batch(
        self, run_id: str, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> None:
        """Log all of a batch, or nothing of it.

        :raises TrackspecError: as :meth:`log_metric`, :meth:`log_param` and :meth:`set_tag`.
        """

    @abstractmethod
    def log_inputs(self, run_id: str, datasets: Sequence[DatasetInput] | None = None) -> None:
        """Record the datasets that a run read: all of them, or none.

        :raises TrackspecError: RESOURCE_DOES_NOT_EXIST if there is no run of this id; INVALID_PARAMETER_VALUE
            if it is deleted.
        """

    # -- metric history -------------------------------------------------------------------------------------

    @abstractmethod
    def get_metric_history(
        self, run_id: str, metric_key: str, max_results: int | None = None, page_token: str | None = None
    ) -> PagedList[Metric]:
        """Return a metric's points, ascending by step, timestamp and value; all of them without ``max_results``.

        A key that was never logged has no points.

        :raises TrackspecError: RESOURCE_DOES_NOT_EXIST if there is no run of this id.
        """

    @abstractmethod
    def get_metric_history_bulk_interval(
        self,
        run_ids: Sequence[str],
        metric_key: str,
        max_results: int,
        start_step: int | None = None,
        end_step: int | None = None,
    ) -> list[Metric]:
        """Return at most ``max_results`` points of each run, evenly drawn from the steps of an interval.

        Both bounds are inclusive and given together; without them the interval is the whole history. The points
        carry their ``run_id`` and come run by run, in the order of ``run_ids``.

        :raises TrackspecError: RESOURCE_DOES_NOT_EXIST if one of the runs does not exist.
        """

    # -- search ---------------------------------------------------------------------------------------------

    @abstractmethod
    def search_runs(
        self,
        experiment_ids: Sequence[str],
        filter_string: str | None = None,
        run_view_type: ViewType = ViewType.ACTIVE_ONLY,
        max_results: int | None = limits.DEFAULT_MAX_RESULTS,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[Run]:
        """Return one page of the runs of these experiments that match, whole, in the requested order."""

    # -- configuration --------------------------------------------------------------------------------------

    @abstractmethod
    def get_artifact_root(self) -> str:
        """Return the URI below which a new experiment without a location of its own keeps its artifacts."""

    @abstractmethod
    def set_artifact_root(self, artifact_root: str) -> None:
        """Set the artifact root, in the store itself, for the experiments created from now on."""

    def close(self) -> None:
        """Give back connections and files. What was acknowledged stays; the object is not used again."""
        return

    def __enter__(self) -> TrackingStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
