"""The SQL store keeps what it is given, on each database. The conformance suite judges the whole contract."""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from trackspec import limits
from trackspec.entities import (
    Dataset,
    DatasetInput,
    ExperimentTag,
    InputTag,
    LifecycleStage,
    Metric,
    Param,
    RunStatus,
    RunTag,
    ViewType,
)
from trackspec.errors import ErrorCode, TrackspecError
from trackspec_reference.tracking.sql import writing
from trackspec_reference.tracking.sqlalchemy_store import SqlAlchemyStore


@pytest.fixture(scope="module")
def store(shared_sql_uri: str) -> Iterator[SqlAlchemyStore]:
    """A store on a database that other tests use too."""
    with SqlAlchemyStore(shared_sql_uri) as store:
        yield store


@pytest.fixture
def experiment_id(store: SqlAlchemyStore) -> str:
    """An experiment of its own for the test."""
    return store.create_experiment(f"test-{uuid.uuid4()}", "s3://bucket")


@pytest.fixture
def run_id(store: SqlAlchemyStore, experiment_id: str) -> str:
    """A run of that experiment."""
    return store.create_run(experiment_id, "ada", 1000, [], "first").info.run_id


def test_keeps_everything_when_opened_again(sql_uri: str) -> None:
    """What one object of a URI wrote, the next one reads."""
    with SqlAlchemyStore(sql_uri) as store:
        experiment_id = store.create_experiment("kept", "s3://bucket/kept", [ExperimentTag("team", "vision")])
        run_id = store.create_run(experiment_id, "ada", 1, [RunTag("a/b", "x")], "first").info.run_id
        store.log_batch(run_id, [Metric("loss", 0.5, 2, 3)], [Param("lr", "0.1")], [RunTag("a", "y")])
        store.log_inputs(run_id, [DatasetInput(Dataset("d", "1", "local", "f"), (InputTag("use", "train"),))])
        store.update_run_info(run_id, RunStatus.FINISHED, 9, "renamed")
        store.set_artifact_root("s3://bucket/root")
        experiment, run = store.get_experiment(experiment_id), store.get_run(run_id)
    with SqlAlchemyStore(sql_uri) as store:
        assert store.get_experiment(experiment_id) == experiment
        assert store.get_experiment_by_name("kept") == experiment
        assert store.get_run(run_id) == run
        assert store.get_metric_history(run_id, "loss") == [Metric("loss", 0.5, 2, 3)]
        assert store.get_artifact_root() == "s3://bucket/root"
    assert run.info.run_name == run.data.tags["mlflow.runName"] == "renamed"
    assert run.info.artifact_uri == f"s3://bucket/kept/{run_id}/artifacts"
    assert run.inputs.dataset_inputs == (
        DatasetInput(Dataset("d", "1", "local", "f"), (InputTag("use", "train"),)),
    )


def test_holds_a_default_experiment_from_the_start(sql_uri: str) -> None:
    """The experiment "0" is there, below the artifact root, and cannot be deleted."""
    with SqlAlchemyStore(sql_uri) as store:
        default = store.get_experiment("0")
        with pytest.raises(TrackspecError) as error:
            store.delete_experiment("0")

    assert default.name == "Default"
    assert default.artifact_location.endswith("artifacts/0")
    assert error.value.error_code is ErrorCode.INVALID_PARAMETER_VALUE


def test_keeps_doubles_exactly(store: SqlAlchemyStore, run_id: str) -> None:
    """NaN, the infinities and the extremes of the doubles come back as they went in, in the contract's order."""
    values = [
        math.nan,
        -math.inf,
        -1.7976931348623157e308,
        -5e-324,
        0.0,
        5e-324,
        0.1,
        1.7976931348623157e308,
        math.inf,
    ]
    store.log_batch(run_id, [Metric("v", value, 0, 0) for value in reversed(values)], [], [])
    store.log_batch(run_id, [Metric("v", value, 0, 0) for value in values], [], [])

    history = [metric.value for metric in store.get_metric_history(run_id, "v")]

    assert repr(values) == repr(history)
    assert store.get_run(run_id).data.metrics == {"v": math.inf}


@pytest.mark.parametrize("singly", [True, False], ids=["singly", "in a batch"])
def test_latest_metric_is_the_greatest_not_the_last(store: SqlAlchemyStore, run_id: str, singly: bool) -> None:
    """The latest point is the maximum by step, timestamp and value, whatever the order of arrival."""
    points = [
        Metric("m", 1.0, 5, 2),
        Metric("m", 9.0, 9, 1),
        Metric("m", math.nan, 5, 2),
        Metric("m", 0.5, 5, 2),
        Metric("m", 1.0, 5, 2),
    ]
    if singly:
        for point in points:
            store.log_metric(run_id, point)
    else:
        store.log_batch(run_id, points, [], [])

    assert store.get_run(run_id).data.latest_metrics["m"] == Metric("m", 1.0, 5, 2)
    assert len(store.get_metric_history(run_id, "m")) == 4


@pytest.mark.parametrize("singly", [True, False], ids=["singly", "in a batch"])
def test_the_dataset_of_the_first_of_equal_points_stays(
    store: SqlAlchemyStore, experiment_id: str, run_id: str, singly: bool
) -> None:
    """A point that is logged again, with another dataset or none, keeps its own wherever it is read."""
    plain, named = Metric("m", 1.0, 5, 1), Metric("m", math.nan, 5, 2, None, "b \n\u0308", "d")
    for points in (
        [plain, named, replace(plain, dataset_name="a", dataset_digest="e"), replace(named, dataset_digest="e")],
        [replace(named, dataset_name="a"), replace(named, dataset_name=None, dataset_digest=None)],
    ):
        if singly:
            for point in points:
                store.log_metric(run_id, point)
        else:
            store.log_batch(run_id, points, [], [])

    (found,) = store.search_runs([experiment_id])
    first = store.get_metric_history(run_id, "m", max_results=1)
    second = store.get_metric_history(run_id, "m", max_results=1, page_token=first.token)
    interval = store.get_metric_history_bulk_interval([run_id], "m", 10, 1, 2)
    for read in (store.get_metric_history(run_id, "m"), [*first, *second], interval):
        assert repr([plain, named]) == repr([replace(point, run_id=None) for point in read])
    for run in (found, store.get_run(run_id)):
        assert repr(named) == repr(replace(run.data.latest_metrics["m"], run_id=None))


@pytest.mark.parametrize("later", [Metric("m", 2.0, 5, 2, None, "b", "d"), Metric("m", 2.0, 5, 2)])
def test_the_latest_metric_has_its_own_dataset(store: SqlAlchemyStore, run_id: str, later: Metric) -> None:
    """The dataset goes with its point when another one becomes the latest, and not before."""
    first = Metric("m", 1.0, 5, 2, None, "a", "c")
    store.log_metric(run_id, first)
    store.log_metric(run_id, Metric("m", 9.0, 5, 1, None, "earlier", "e"))
    assert store.get_run(run_id).data.latest_metrics == {"m": first}

    store.log_metric(run_id, later)

    assert store.get_run(run_id).data.latest_metrics == {"m": later}


def test_compares_text_by_code_point(store: SqlAlchemyStore) -> None:
    """Names that a collation might take for one are different names, and sort by code point."""
    start = str(uuid.uuid4())
    names = [start + end for end in ("a", "a ", "A", "ä", "a\u0308", "ß", "ss", "\uffff", "\U0001f600")]
    for name in names:
        store.create_experiment(name, "s3://bucket")

    found = store.search_experiments(order_by=["name"], filter_string=f"name LIKE '{start}%'")

    assert sorted(names) == [experiment.name for experiment in found]
    for name in names:
        assert store.get_experiment_by_name(name).name == name  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("clause", "matches"),
    [
        (r"LIKE 'a\%'", True),
        (r"LIKE 'a\_|\n%'", False),
        ("LIKE 'A%'", False),
        ("ILIKE 'A%'", True),
        (r"LIKE '%]*?[|%'", True),
        ("LIKE '%\n%'", True),
        ("LIKE '%'", True),
        ("LIKE ''", False),
    ],
)
def test_like_has_no_escape_and_no_other_wildcards(
    store: SqlAlchemyStore, experiment_id: str, run_id: str, clause: str, matches: bool
) -> None:
    """The backslash and what one database or another takes for a wildcard are ordinary characters."""
    store.log_param(run_id, Param("p", "a\\b]*?[|\nc"))

    found = store.search_runs([experiment_id], f"params.p {clause}")

    assert matches == bool(found)


@pytest.mark.parametrize(
    ("filter_string", "matches"),
    [
        ("start_time < 1e30 AND start_time > -1e30", True),
        ("start_time >= 99999999999999999999999999", False),
        ("start_time != 99999999999999999999999999", True),
        ("start_time = 1000.5", False),
        ("start_time > 999.5 AND start_time < 1000.5", True),
        ("end_time != 5", False),
        ("end_time < 1e30", False),
        ("metrics.big > 1e308 AND metrics.big < 1e400", True),
        ("metrics.inf = 1e400 AND metrics.inf >= 1e400", True),
        ("metrics.inf < 1e400", False),
        ("metrics.nan != 0", True),
        ("metrics.nan >= -1e400", False),
        ("metrics.none != 0", False),
    ],
)
def test_numbers_compare_mathematically(
    store: SqlAlchemyStore, experiment_id: str, run_id: str, filter_string: str, matches: bool
) -> None:
    """Numbers beyond what a column holds compare as numbers do, and missing values match nothing."""
    points = [Metric("big", 1.5e308, 0), Metric("inf", math.inf, 0), Metric("nan", math.nan, 0)]
    store.log_batch(run_id, points, [], [])

    assert matches == bool(store.search_runs([experiment_id], filter_string))


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
def test_pages_meet_without_a_gap(store: SqlAlchemyStore, experiment_id: str, direction: str) -> None:
    """The pages of an order make up the whole: values, then NaN, then runs without the metric."""
    values = [2.0, math.nan, None, -math.inf, 2.0, math.inf, None, math.nan, -1.0]
    for value in values:
        run_id = store.create_run(experiment_id, "", 7, [], None).info.run_id
        if value is not None:
            store.log_metric(run_id, Metric("m", value, 0))

    pages, token = [], None
    while True:
        page = store.search_runs(
            [experiment_id], max_results=2, order_by=[f"metrics.m {direction}"], page_token=token
        )
        pages += [(run.data.metrics.get("m"), run.info.run_id) for run in page]
        token = page.token
        if token is None:
            break

    numbers = sorted([-math.inf, -1.0, 2.0, 2.0, math.inf], reverse=direction == "DESC")
    assert repr([*numbers, math.nan, math.nan, None, None]) == repr([value for value, _ in pages])
    assert len({run_id for _, run_id in pages}) == len(values)


def test_batch_is_all_or_nothing(store: SqlAlchemyStore, run_id: str) -> None:
    """A batch with one conflicting param leaves no trace."""
    store.log_param(run_id, Param("lr", "0.1"))
    before = store.get_run(run_id)

    with pytest.raises(TrackspecError) as error:
        store.log_batch(run_id, [Metric("m", 1.0, 1)], [Param("new", "1"), Param("lr", "0.2")], [RunTag("t", "1")])

    assert error.value.error_code is ErrorCode.INVALID_PARAMETER_VALUE
    assert store.get_run(run_id) == before
    assert store.get_metric_history(run_id, "m") == []


def test_a_param_is_written_once(store: SqlAlchemyStore, run_id: str) -> None:
    """The same value again is accepted, another one refused."""
    store.log_param(run_id, Param("lr", "0.1"))
    store.log_param(run_id, Param("lr", "0.1"))

    with pytest.raises(TrackspecError) as error:
        store.log_param(run_id, Param("lr", "0.1 "))

    assert error.value.error_code is ErrorCode.INVALID_PARAMETER_VALUE
    assert store.get_run(run_id).data.params == {"lr": "0.1"}


def test_a_deleted_run_refuses_each_kind_of_item(store: SqlAlchemyStore, run_id: str) -> None:
    """The short way of a single item and the long way of a batch refuse alike."""
    store.log_metric(run_id, Metric("m", 1.0, 1))
    store.delete_run(run_id)
    before = store.get_run(run_id)

    for items in ([Metric("m", 2.0, 2)], [], []), ([], [Param("p", "1")], []), ([], [], [RunTag("t", "1")]):
        with pytest.raises(TrackspecError) as error:
            store.log_batch(run_id, *items)
        assert error.value.error_code is ErrorCode.INVALID_PARAMETER_VALUE

    assert store.get_run(run_id) == before


def test_runs_follow_their_experiment(store: SqlAlchemyStore, experiment_id: str) -> None:
    """Deleting and restoring an experiment moves all its runs, and nobody else's."""
    for _ in range(3):
        store.create_run(experiment_id, "", 1, [], None)
    other = store.create_run("0", "", 1, [], None).info.run_id

    store.delete_experiment(experiment_id)
    deleted = store.search_runs([experiment_id, "0"], run_view_type=ViewType.DELETED_ONLY)
    store.restore_experiment(experiment_id)

    assert len(deleted) == 3
    assert store.get_run(other).info.lifecycle_stage is LifecycleStage.ACTIVE
    assert len(store.search_runs([experiment_id])) == 3


def test_long_texts_are_kept_whole(store: SqlAlchemyStore, run_id: str) -> None:
    """Texts at their limits survive, in characters of four bytes, and a profile of several parts."""
    wide = "\U0001f600"
    dataset = Dataset(
        "n" * 500, "d" * 36, "t", wide * 65_535, wide * 100_000, "p" * (2 * writing.PROFILE_PART_LENGTH + 1)
    )
    point = Metric("m", 0.5, 1, 0, None, wide * 500, wide * 36)
    store.log_batch(run_id, [point], [Param("p", wide * 6000)], [RunTag("t", wide * 8000)])
    store.log_inputs(run_id, [DatasetInput(dataset), DatasetInput(Dataset("empty", "1", "t", "", "", ""))])

    run = store.get_run(run_id)

    assert run.data.params["p"] == wide * 6000
    assert run.data.tags["t"] == wide * 8000
    assert run.inputs.dataset_inputs[0].dataset == dataset
    assert run.inputs.dataset_inputs[1].dataset.profile == ""
    assert run.data.latest_metrics["m"] == point


def test_long_texts_sort_by_their_last_character(store: SqlAlchemyStore, experiment_id: str) -> None:
    """Values that differ only behind a common beginning of kilobytes still have an order."""
    start = "\U0001f600" * 5999
    for end in "bca":
        run_id = store.create_run(experiment_id, "", 1, [], end).info.run_id
        store.log_param(run_id, Param("p", start + end))

    found = store.search_runs([experiment_id], order_by=["params.p"], max_results=2)
    rest = store.search_runs([experiment_id], order_by=["params.p"], max_results=2, page_token=found.token)

    assert [run.info.run_name for run in [*found, *rest]] == ["a", "b", "c"]


def test_the_widest_search_is_answered(store: SqlAlchemyStore, experiment_id: str, run_id: str) -> None:
    """A search with as many clauses, listed values and columns as the contract allows is no error."""
    listed = ", ".join(f"'{number}'" for number in range(limits.MAX_FILTER_IN_VALUES))
    clauses = [f"run_id NOT IN ({listed})"]
    clauses += [f"params.p{number} IS NULL" for number in range(limits.MAX_FILTER_CLAUSES - 1)]
    columns = [f"params.c{number}" for number in range(limits.MAX_ORDER_COLUMNS)]

    found = store.search_runs([experiment_id], " AND ".join(clauses), order_by=columns)

    assert [run.info.run_id for run in found] == [run_id]


def test_any_number_of_experiments_can_be_searched(store: SqlAlchemyStore) -> None:
    """Experiment ids may be many, unknown and malformed."""
    mine = [store.create_experiment(f"test-{uuid.uuid4()}", "s3://bucket") for _ in range(300)]
    for experiment_id in mine[-3:]:
        store.create_run(experiment_id, "", 1, [], None)
    ids = [*mine, "unknown", "", "\0", "é"]

    first = store.search_runs(ids, max_results=2)
    second = store.search_runs(ids, max_results=2, page_token=first.token)

    assert (len(first), len(second)) == (2, 1)


def test_its_representation_shows_no_credentials(tmp_path: Path) -> None:
    """The URI's user, password and options stay out of the representation."""
    with SqlAlchemyStore(f"sqlite:///{tmp_path}/s.db?durability=process") as store:
        assert repr(store) == f"SqlAlchemyStore(sqlite+pysqlite:///{tmp_path}/s.db)"
