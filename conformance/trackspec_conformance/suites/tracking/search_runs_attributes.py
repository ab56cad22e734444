"""The checks of the chapter on search: what clauses on attributes and datasets find."""

from __future__ import annotations

from trackspec import Dataset, DatasetInput, ErrorCode, InputTag, RunStatus, TrackingStore
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect_equal, refused
from trackspec_conformance.fresh import Fresh
from trackspec_conformance.searching import names, something_to_search

FOUND = ("search.runs-of-experiments",)
RUN_NAME_TAG = "mlflow.runName"
CONTEXT_TAG = "mlflow.data.context"


@check("search.run-id", rests_on=FOUND)
def run_ids_are_compared(store: TrackingStore, fresh: Fresh) -> None:
    """A run id is found whole and by pattern."""
    experiment_id = fresh.experiment()
    one, two = (fresh.run(experiment_id, run_name=name) for name in ("one", "two"))
    other_case = one.swapcase() if one.swapcase() != one else "another"

    for filter_string, found in (
        (f"run_id = '{one}'", ["one"]),
        (f"run_id = '{other_case}'", []),
        (f"run_id = '{one[:-1]}'", []),
        (f"run_id != '{one}'", ["two"]),
        (f"run_id LIKE '%{two[1:]}'", ["two"]),
        (f"run_id ILIKE '{two.upper()}'", ["two"]),
    ):
        expect_equal(found, names(store.search_runs([experiment_id], filter_string)))


@check("search.run-id-in", rests_on=FOUND)
def run_ids_are_listed(store: TrackingStore, fresh: Fresh) -> None:
    """IN finds the listed runs, NOT IN the others."""
    experiment_id = fresh.experiment()
    one, two, three = (fresh.run(experiment_id, run_name=name) for name in ("one", "two", "three"))
    near = f"'{one[:-1]}', '{one}0', '{one.swapcase() if one.swapcase() != one else 'another'}'"

    for filter_string, found in (
        (f"run_id IN ({near})", []),
        (f"run_id NOT IN ({near})", ["one", "three", "two"]),
        (f"run_id IN ('{one}')", ["one"]),
        (f"run_id IN ('{three}', '{one}')", ["one", "three"]),
        (f"run_id IN ('{fresh.unknown_run_id()}','{two}','{two}')", ["two"]),
        (f"run_id NOT IN ('{one}', '{two}')", ["three"]),
        (f'run_id NOT IN ("{three}")', ["one", "two"]),
    ):
        expect_equal(found, sorted(names(store.search_runs([experiment_id], filter_string))))


@check("search.in-takes-strings")
def lists_hold_strings(store: TrackingStore, fresh: Fresh) -> None:
    """A list of something else, or a string without parentheses, is refused."""
    experiment_id = something_to_search(fresh)

    for wrong in ("(abc)", "(f('x'))", "(1)", "('a', 2)", "'a'", "('a'", "'a')"):
        for comparator in ("IN", "NOT IN"):
            with refused(ErrorCode.INVALID_PARAMETER_VALUE):
                store.search_runs([experiment_id], f"run_id {comparator} {wrong}", max_results=1)


@check("search.long-in-list", rests_on=FOUND)
def a_thousand_ids_are_looked_up(store: TrackingStore, fresh: Fresh) -> None:
    """The last of a thousand listed ids counts as the first does."""
    experiment_id = fresh.experiment()
    first, last = (fresh.run(experiment_id, run_name=name) for name in ("first", "last"))
    fresh.run(experiment_id, run_name="unlisted")
    listed = [first, *(fresh.unknown_run_id() for _ in range(998)), last]

    found = store.search_runs([experiment_id], f"run_id IN ({', '.join(map(repr, listed))})")

    expect_equal(["first", "last"], sorted(names(found)))


@check("search.run-name", rests_on=FOUND)
def run_names_are_compared(store: TrackingStore, fresh: Fresh) -> None:
    """A run is found by its name, with the tag that mirrors it and without."""
    experiment_id = fresh.experiment()
    fresh.run(experiment_id, run_name="Tagged")
    store.delete_tag(fresh.run(experiment_id, run_name="untagged"), RUN_NAME_TAG)

    for filter_string, found in (
        ("run_name = 'untagged'", ["untagged"]),
        ("run_name != 'Tagged'", ["untagged"]),
        ("run_name LIKE '%tagged'", ["untagged"]),
        ("run_name ILIKE '%TAGGED'", ["Tagged", "untagged"]),
        ("attributes.run_name = 'tagged'", []),
    ):
        expect_equal(found, sorted(names(store.search_runs([experiment_id], filter_string))))


@check("search.user-id", rests_on=FOUND)
def user_ids_are_compared(store: TrackingStore, fresh: Fresh) -> None:
    """A run is found by its user."""
    experiment_id = fresh.experiment()
    for user_id in ("ada", "Ada", "bob"):
        fresh.run(experiment_id, run_name=f"of {user_id}", user_id=user_id)

    for filter_string, found in (
        ("user_id = 'ada'", ["of ada"]),
        ("user_id != 'ada'", ["of Ada", "of bob"]),
        ("user_id LIKE '%o%'", ["of bob"]),
        ("user_id ILIKE 'ADA'", ["of Ada", "of ada"]),
    ):
        expect_equal(found, sorted(names(store.search_runs([experiment_id], filter_string))))


@check("search.status", rests_on=FOUND)
def statuses_are_compared(store: TrackingStore, fresh: Fresh) -> None:
    """A run is found by the name of its status."""
    experiment_id = fresh.experiment()
    fresh.run(experiment_id, run_name="running")
    for name, status in (("done", RunStatus.FINISHED), ("broken", RunStatus.FAILED)):
        store.update_run_info(fresh.run(experiment_id, run_name=name), status, 2_000_000_000_000, None)

    for filter_string, found in (
        ("status = 'RUNNING'", ["running"]),
        ("attributes.status = 'FINISHED'", ["done"]),
        ("status != 'FINISHED'", ["broken", "running"]),
        ("status LIKE 'F%'", ["broken", "done"]),
        ("status ILIKE 'failed'", ["broken"]),
        ("status = 'finished'", []),
    ):
        expect_equal(found, sorted(names(store.search_runs([experiment_id], filter_string))))


@check("search.artifact-uri", rests_on=FOUND)
def artifact_uris_are_compared(store: TrackingStore, fresh: Fresh) -> None:
    """A run is found by the URI of its artifacts."""
    experiment_id = fresh.experiment(artifact_location="s3://bucket/path")
    runs = [fresh.run(experiment_id, run_name=name) for name in ("one", "two")]
    uri = store.get_run(runs[0]).info.artifact_uri

    for filter_string, found in (
        (f'artifact_uri = "{uri}"', ["one"]),
        (f'artifact_uri = "{uri[:-1]}"', []),
        (f'artifact_uri != "{uri}"', ["two"]),
        (f'artifact_uri LIKE "{uri[:-1]}_"', ["one"]),
        (f'artifact_uri ILIKE "{uri.upper()}"', ["one"]),
    ):
        expect_equal(found, names(store.search_runs([experiment_id], filter_string)))


@check("search.times", rests_on=FOUND)
def times_are_compared(store: TrackingStore, fresh: Fresh) -> None:
    """Runs are found by when they started and ended; a run that goes on has no end."""
    experiment_id = fresh.experiment()
    for name, start_time, end_time in (("a", 1000, 5000), ("b", 2000, 6000), ("c", 3000, None)):
        run_id = fresh.run(experiment_id, run_name=name, start_time=start_time)
        if end_time is not None:
            store.update_run_info(run_id, RunStatus.FINISHED, end_time, None)

    for filter_string, found in (
        ("start_time = 2000", ["b"]),
        ("start_time != 2000", ["a", "c"]),
        ("start_time < 2000", ["a"]),
        ("start_time <= 2000", ["a", "b"]),
        ("start_time > 2000", ["c"]),
        ("attributes.start_time >= 2000", ["b", "c"]),
        ("end_time = 5000", ["a"]),
        ("end_time != 5000", ["b"]),
        ("end_time < 6000", ["a"]),
        ("end_time <= 6000", ["a", "b"]),
        ("end_time > 5000", ["b"]),
        ("end_time >= 6000", ["b"]),
        ("end_time >= 0", ["a", "b"]),
    ):
        expect_equal(found, sorted(names(store.search_runs([experiment_id], filter_string))))


def reader(store: TrackingStore, fresh: Fresh, experiment_id: str, name: str, *read: tuple[str, str, str]) -> None:
    """Arrange a run that read datasets, given as name, digest and context."""
    run_id = fresh.run(experiment_id, run_name=name)
    inputs = []
    for dataset, digest, context in read:
        tags = (InputTag("other", "train"), InputTag(CONTEXT_TAG, context)) if context else ()
        inputs.append(DatasetInput(Dataset(dataset, digest, "local", "{}"), tags))
    store.log_inputs(run_id, inputs)


@check("search.dataset-name", rests_on=(*FOUND, "input.log"))
def dataset_names_are_compared(store: TrackingStore, fresh: Fresh) -> None:
    """Runs are found by the name of a dataset."""
    experiment_id = fresh.experiment()
    reader(store, fresh, experiment_id, "a", ("mnist", "d1", "train"))
    reader(store, fresh, experiment_id, "b", ("Mnist", "d2", "train"))
    reader(store, fresh, experiment_id, "c", ("cifar", "d3", "train"))

    for filter_string, found in (
        ("dataset.name = 'mnist'", ["a"]),
        ("datasets.name != 'mnist'", ["b", "c"]),
        ("dataset.name LIKE 'm%'", ["a"]),
        ("dataset.name ILIKE 'M%'", ["a", "b"]),
        ("dataset.name IN ('cifar', 'mnist')", ["a", "c"]),
        ("dataset.name NOT IN ('cifar', 'mnist')", ["b"]),
    ):
        expect_equal(found, sorted(names(store.search_runs([experiment_id], filter_string))))


@check("search.dataset-digest", rests_on=(*FOUND, "input.log"))
def dataset_digests_are_compared(store: TrackingStore, fresh: Fresh) -> None:
    """Runs are found by the digest of a dataset."""
    experiment_id = fresh.experiment()
    reader(store, fresh, experiment_id, "a", ("mnist", "aa11", "train"))
    reader(store, fresh, experiment_id, "b", ("mnist", "AA22", "train"))
    reader(store, fresh, experiment_id, "c", ("mnist", "bb33", "train"))

    for filter_string, found in (
        ("dataset.digest = 'aa11'", ["a"]),
        ("datasets.digest != 'aa11'", ["b", "c"]),
        ("dataset.digest LIKE 'aa%'", ["a"]),
        ("dataset.digest ILIKE 'aa%'", ["a", "b"]),
        ("dataset.digest IN ('bb33', 'aa11')", ["a", "c"]),
        ("dataset.digest NOT IN ('bb33', 'aa11')", ["b"]),
    ):
        expect_equal(found, sorted(names(store.search_runs([experiment_id], filter_string))))


@check("search.dataset-context", rests_on=(*FOUND, "input.log"))
def dataset_contexts_are_compared(store: TrackingStore, fresh: Fresh) -> None:
    """Runs are found by what they read a dataset for; an input without a context is not found by it."""
    experiment_id = fresh.experiment()
    reader(store, fresh, experiment_id, "a", ("mnist", "d1", "train"))
    reader(store, fresh, experiment_id, "b", ("mnist", "d2", "Test"))
    reader(store, fresh, experiment_id, "c", ("mnist", "d3", ""))

    for filter_string, found in (
        ("dataset.context = 'train'", ["a"]),
        ("datasets.context != 'train'", ["b"]),
        ("dataset.context LIKE 'T%'", ["b"]),
        ("dataset.context ILIKE 't%'", ["a", "b"]),
        ("dataset.context IN ('train', 'none')", ["a"]),
        ("dataset.context NOT IN ('train', 'none')", ["b"]),
    ):
        expect_equal(found, sorted(names(store.search_runs([experiment_id], filter_string))))


@check("search.dataset-any-input", rests_on=(*FOUND, "input.log"))
def any_input_will_do(store: TrackingStore, fresh: Fresh) -> None:
    """One input fulfils a clause for its run, and another one may fulfil the next clause."""
    experiment_id = fresh.experiment()
    reader(store, fresh, experiment_id, "both", ("mnist", "d1", "train"), ("cifar", "d2", "test"))
    reader(store, fresh, experiment_id, "one", ("mnist", "d1", "test"))
    fresh.run(experiment_id, run_name="none")

    for filter_string, found in (
        ("dataset.name = 'mnist'", ["both", "one"]),
        ("dataset.name = 'cifar'", ["both"]),
        ("dataset.name = 'cifar' AND dataset.name = 'mnist'", ["both"]),
        ("dataset.name = 'cifar' AND dataset.context = 'train'", ["both"]),
        ("dataset.name != 'mnist'", ["both"]),
        ("dataset.name NOT IN ('mnist', 'other')", ["both"]),
        ("dataset.digest NOT IN ('d1')", ["both"]),
        ("dataset.name LIKE '%'", ["both", "one"]),
    ):
        expect_equal(found, sorted(names(store.search_runs([experiment_id], filter_string))))
