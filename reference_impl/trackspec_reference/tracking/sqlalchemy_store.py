"""The SQL store: SQLite, PostgreSQL or MariaDB behind one URI."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from trackspec import uris
from trackspec.entities import (
    RUN_NAME_TAG,
    DatasetInput,
    Experiment,
    ExperimentTag,
    LifecycleStage,
    Metric,
    Param,
    Run,
    RunData,
    RunInfo,
    RunStatus,
    RunTag,
)
from trackspec.errors import ErrorCode, TrackspecError, invalid, missing
from trackspec.search.query import ExperimentQuery, RunQuery
from trackspec.validated_store import ValidatedStore
from trackspec_reference.tracking.sql import finding, loading, writing
from trackspec_reference.tracking.sql import statements as sql
from trackspec_reference.tracking.sql.database import Session, reads, writes
from trackspec_reference.tracking.sql.location import Location
from trackspec_reference.tracking.sql.numbers import Condition
from trackspec_reference.tracking.sql.opening import open_database
from trackspec_reference.tracking.sql.ordering import behind_point
from trackspec_reference.tracking.sql.schema import metric_points
from trackspec_reference.tracking.sql.selects import select_experiments, select_points, select_runs

DEFAULT_EXPERIMENT_ID = "0"
DEFAULT_EXPERIMENT_NAME = "Default"

_ACTIVE, _DELETED = LifecycleStage.ACTIVE.value, LifecycleStage.DELETED.value
_ARTIFACT_ROOT = "artifact_root"


class SqlAlchemyStore(ValidatedStore):
    """A tracking store in a SQL database, for any number of threads and processes at once.

    An empty database is set up, one of an older schema is migrated.

    :param store_uri: ``sqlite:///PATH``, ``postgresql+psycopg://…`` or ``mysql+pymysql://…``. The option
        ``durability=power`` (the default) or ``durability=process`` says what an acknowledged write survives;
        other options are the driver's.
    :raises TrackspecError: INVALID_PARAMETER_VALUE if the URI is malformed, its driver is not installed, or the
        database cannot be opened, is not a trackspec store or is of a newer one; TEMPORARILY_UNAVAILABLE if its
        server does not answer; DATA_LOSS if it is damaged.
    """

    def __init__(self, store_uri: str) -> None:
        self._location = Location.parse(store_uri)
        self._database, self._dialect = open_database(self._location)
        if not self._has_default_experiment():
            location = uris.join(self.get_artifact_root(), DEFAULT_EXPERIMENT_ID)
            self._add_default_experiment(location)

    def __repr__(self) -> str:
        return f"SqlAlchemyStore({self._location!r})"

    def close(self) -> None:
        self._database.close()

    # -- experiments ----------------------------------------------------------------------------------------

    @reads
    def _has_default_experiment(self, session: Session) -> bool:
        return session.row(sql.EXPERIMENT_ROW, DEFAULT_EXPERIMENT_ID) is not None

    @writes
    def _add_default_experiment(self, session: Session, location: str) -> None:
        if session.row(sql.EXPERIMENT_ROW, DEFAULT_EXPERIMENT_ID) is None:
            self._insert_experiment(session, DEFAULT_EXPERIMENT_ID, DEFAULT_EXPERIMENT_NAME, location, {})

    def _create_experiment(self, name: str, artifact_location: str | None, tags: dict[str, str]) -> str:
        return self._add_experiment(None, *self._placed(artifact_location), name, tags)

    def _create_experiment_once(
        self, key: str, name: str, artifact_location: str | None, tags: dict[str, str]
    ) -> str:
        return self._add_experiment(key, *self._placed(artifact_location), name, tags)

    def _placed(self, artifact_location: str | None) -> tuple[str, str]:
        """A new id, and where the experiment of this id keeps its artifacts."""
        experiment_id = str(10**11 + secrets.randbelow(9 * 10**11))
        return experiment_id, artifact_location or uris.join(self.get_artifact_root(), experiment_id)

    @writes
    def _add_experiment(
        self,
        session: Session,
        key: str | None,
        experiment_id: str,
        location: str,
        name: str,
        tags: dict[str, str],
    ) -> str:
        made = key and finding.made_by(session, "experiment", key, name)
        if made:
            return made
        finding.require_free_name(session, name)
        self._insert_experiment(session, experiment_id, name, location, tags)
        if key:
            session.change(sql.INSERT_KEY, "experiment", key, experiment_id, name)
        return experiment_id

    def _insert_experiment(
        self, session: Session, experiment_id: str, name: str, location: str, tags: dict[str, str]
    ) -> None:
        now = self._now()
        row = session.insert(sql.INSERT_EXPERIMENT, experiment_id, name, location, _ACTIVE, now, now)
        session.change_many(sql.INSERT_EXPERIMENT_TAG, [(row, key, value) for key, value in tags.items()])

    @reads
    def _get_experiment(self, session: Session, experiment_id: str) -> Experiment:
        found = session.row(sql.EXPERIMENT_ROW, experiment_id)
        if found is None:
            raise missing("experiment", experiment_id)
        with session.naming_damage(f"experiment {experiment_id!r}"):
            return loading.load_experiments(session, found)[0]

    @reads
    def _get_experiment_by_name(self, session: Session, name: str) -> Experiment | None:
        found = session.row(sql.EXPERIMENT_ROW_BY_NAME, name)
        return None if found is None else loading.load_experiments(session, found)[0]

    @writes
    def _set_experiment_stage(self, session: Session, experiment_id: str, stage: LifecycleStage) -> None:
        row, present, _ = finding.lock_experiment(session, experiment_id)
        if present == stage.value:
            raise TrackspecError(
                f"Experiment {experiment_id!r} is {stage} already.", ErrorCode.RESOURCE_DOES_NOT_EXIST
            )
        if experiment_id == DEFAULT_EXPERIMENT_ID:
            raise invalid("The default experiment cannot be deleted.")
        session.change(sql.SET_EXPERIMENT_STAGE, row, stage.value, self._now())
        session.change(sql.SET_STAGE_OF_RUNS, row, stage.value)

    @writes
    def _rename_experiment(self, session: Session, experiment_id: str, new_name: str) -> None:
        row, stage, name = finding.lock_experiment(session, experiment_id)
        if stage != _ACTIVE:
            raise TrackspecError(
                f"Experiment {experiment_id!r} is deleted and cannot be renamed.", ErrorCode.INVALID_STATE
            )
        if new_name != name:
            finding.require_free_name(session, new_name)
            session.change(sql.RENAME_EXPERIMENT, row, new_name, self._now())

    @writes
    def _set_experiment_tag(self, session: Session, experiment_id: str, tag: ExperimentTag) -> None:
        row = finding.lock_active_experiment(session, experiment_id)
        session.change(sql.SET_EXPERIMENT_TAG, row, tag.key, tag.value)

    @writes
    def _delete_experiment_tag(self, session: Session, experiment_id: str, key: str) -> None:
        row = finding.lock_active_experiment(session, experiment_id)
        if not session.change(sql.DELETE_EXPERIMENT_TAG, row, key):
            raise missing("experiment tag", key)

    @reads
    def _search_experiments(self, session: Session, query: ExperimentQuery) -> list[Experiment]:
        select = select_experiments(query, self._dialect)
        return loading.page(session, select, query.limit, loading.load_experiments)

    # -- runs -----------------------------------------------------------------------------------------------

    @writes
    def _create_run_once(
        self,
        session: Session,
        key: str,
        experiment_id: str,
        user_id: str,
        start_time: int,
        tags: dict[str, str],
        run_name: str,
    ) -> Run:
        made = finding.made_by(session, "run", key, experiment_id)
        if made:
            return loading.load_runs(session, [finding.run_row(session, made)])[0]
        run = self._insert_run(session, experiment_id, user_id, start_time, tags, run_name)
        session.change(sql.INSERT_KEY, "run", key, run.info.run_id, experiment_id)
        return run

    @writes
    def _create_run(
        self,
        session: Session,
        experiment_id: str,
        user_id: str,
        start_time: int,
        tags: dict[str, str],
        run_name: str,
    ) -> Run:
        return self._insert_run(session, experiment_id, user_id, start_time, tags, run_name)

    def _insert_run(
        self,
        session: Session,
        experiment_id: str,
        user_id: str,
        start_time: int,
        tags: dict[str, str],
        run_name: str,
    ) -> Run:
        found = session.row(sql.SHARE_EXPERIMENT, experiment_id)
        if found is None:
            raise missing("experiment", experiment_id)
        experiment, stage, location = found
        if stage != _ACTIVE:
            raise TrackspecError(f"Experiment {experiment_id!r} is deleted.", ErrorCode.INVALID_STATE)
        run_id = self._new_run_id()
        info = RunInfo(
            run_id,
            run_name,
            experiment_id,
            user_id,
            RunStatus.RUNNING,
            start_time,
            None,
            LifecycleStage.ACTIVE,
            uris.join(location, run_id, "artifacts"),
        )
        row = session.insert(
            sql.INSERT_RUN,
            run_id,
            experiment,
            run_name,
            user_id,
            info.status.value,
            start_time,
            _ACTIVE,
            info.artifact_uri,
        )
        session.change_many(sql.SET_TAG, sorted((row, key, value) for key, value in tags.items()))
        return Run(info, RunData(tags=dict(tags)))

    @reads
    def _get_run(self, session: Session, run_id: str) -> Run:
        row = finding.run_row(session, run_id)
        with session.naming_damage(f"run {run_id!r}"):
            return loading.load_runs(session, [row])[0]

    @writes
    def _update_run_info(
        self,
        session: Session,
        run_id: str,
        status: RunStatus | None,
        end_time: int | None,
        run_name: str | None,
    ) -> RunInfo:
        row, _ = finding.lock_active_run(session, run_id)
        session.change(sql.UPDATE_RUN, row, status and status.value, end_time, run_name)
        if run_name is not None:
            session.change(sql.SET_TAG, row, RUN_NAME_TAG, run_name)
        return loading.load_run_info(session, row)

    @writes
    def _set_run_stage(self, session: Session, run_id: str, stage: LifecycleStage) -> None:
        if not session.change(sql.SET_RUN_STAGE, run_id, stage.value):
            raise missing("run", run_id)

    # -- what a run logs ------------------------------------------------------------------------------------

    def _log_batch(
        self, run_id: str, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> None:
        if len(metrics) + len(params) + len(tags) != 1 or not self._log_one(run_id, metrics, params, tags):
            self._log_all(run_id, metrics, params, tags)

    def _log_one(
        self, run_id: str, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> bool:
        """Whether the only item is written the short way, which takes for granted what is usually so.

        That is: the run is active, the metric has other points only, the param is new, the tag is not the name's.
        """
        if metrics:
            (metric,) = metrics
            point = (run_id, metric.key, *writing.point_of(metric))
            return self._database.try_changes(
                (sql.MAKE_LATEST_OF_ACTIVE_RUN, point), (sql.INSERT_POINT_OF_ACTIVE_RUN, point)
            )
        if params:
            (param,) = params
            return self._database.try_changes((sql.INSERT_PARAM_OF_ACTIVE_RUN, (run_id, param.key, param.value)))
        (tag,) = tags
        if tag.key == RUN_NAME_TAG:
            return False
        return self._database.try_changes((sql.SET_TAG_OF_ACTIVE_RUN, (run_id, tag.key, tag.value)))

    @writes
    def _log_all(
        self,
        session: Session,
        run_id: str,
        metrics: Sequence[Metric],
        params: Sequence[Param],
        tags: Sequence[RunTag],
    ) -> None:
        row, _ = finding.lock_active_run(session, run_id)
        if params:
            writing.log_params(session, row, params)
        if tags:
            writing.set_tags(session, row, tags)
        if metrics:
            writing.log_points(session, row, metrics)

    @writes
    def _delete_tag(self, session: Session, run_id: str, key: str) -> None:
        row, _ = finding.lock_active_run(session, run_id)
        if not session.change(sql.DELETE_TAG, row, key):
            raise missing("tag", key)

    @writes
    def _log_inputs(self, session: Session, run_id: str, datasets: Sequence[DatasetInput]) -> None:
        row, experiment = finding.lock_active_run(session, run_id)
        writing.log_inputs(session, row, experiment, datasets)

    # -- metric history -------------------------------------------------------------------------------------

    @reads
    def _get_metric_history(
        self, session: Session, run_id: str, key: str, after: Metric | None, limit: int | None
    ) -> list[Metric]:
        conditions = [] if after is None else [behind_point(after)]
        return self._points(session, run_id, key, conditions, limit)

    @reads
    def _metric_interval(
        self, session: Session, run_id: str, key: str, start_step: int, end_step: int
    ) -> list[Metric]:
        within = metric_points.c.step.between(start_step, end_step)
        return self._points(session, run_id, key, [within], None)

    def _points(
        self, session: Session, run_id: str, key: str, conditions: Sequence[Condition], limit: int | None
    ) -> list[Metric]:
        """The points of a run's metric that meet the conditions, in the order of its history."""
        found = session.row(sql.METRIC_ROW, finding.run_row(session, run_id), key)
        if found is None:
            return []
        with session.naming_damage(f"metric {key!r} of run {run_id!r}"):
            return loading.load_points(session, run_id, key, select_points(found[0], conditions, limit))

    # -- search ---------------------------------------------------------------------------------------------

    @reads
    def _search_runs(self, session: Session, query: RunQuery) -> list[Run]:
        known = [experiment_id for experiment_id in query.experiment_ids if finding.is_storable(experiment_id)]
        within = [row for (row,) in session.rows_of(sql.EXPERIMENT_ROWS, known)]
        if not within:
            return []
        select = select_runs(query, within, self._dialect)
        return loading.page(session, select, query.limit, loading.load_runs)

    # -- configuration --------------------------------------------------------------------------------------

    @reads
    def _configured_artifact_root(self, session: Session) -> str | None:
        found = session.row(sql.SETTING, _ARTIFACT_ROOT)
        return None if found is None else str(found[0])

    @writes
    def _configure_artifact_root(self, session: Session, artifact_root: str) -> None:
        session.change(sql.SET_SETTING, _ARTIFACT_ROOT, artifact_root)

    def _built_in_artifact_root(self) -> str:
        return self._dialect.artifact_root()
