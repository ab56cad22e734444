"""The checks of the chapter on repeated calls: idempotency keys."""

from __future__ import annotations

from functools import partial

from trackspec import ErrorCode, Param, Run, RunTag, TrackingStore
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect, expect_equal, refused, shown_error
from trackspec_conformance.fresh import Fresh
from trackspec_conformance.racing import at_once

START = 1_700_000_000_000
CREATES = "repeat.create-run"
CREATES_EXPERIMENT = "repeat.create-experiment"


def _run(store: TrackingStore, experiment_id: str, key: str) -> Run:
    return store.create_run(experiment_id, "ada", START, [], "same", idempotency_key=key)


@check(CREATES, rests_on=("run.create",))
def a_repeated_key_makes_one_run(store: TrackingStore, fresh: Fresh) -> None:
    """Creating a run twice with one key returns the same run, and makes no second."""
    experiment_id, key = fresh.experiment(), fresh.name("key")

    first = _run(store, experiment_id, key)
    second = _run(store, experiment_id, key)

    expect_equal(first.info.run_id, second.info.run_id, "the id of the second answer")
    expect_equal(1, len(store.search_runs([experiment_id])), "the number of runs")


@check("repeat.create-run-as-it-is", rests_on=(CREATES,))
def a_repeated_create_answers_the_run_of_now(store: TrackingStore, fresh: Fresh) -> None:
    """The answer to the repeated call holds what was logged to the run between."""
    experiment_id, key = fresh.shared_experiment(), fresh.name("key")
    run_id = _run(store, experiment_id, key).info.run_id
    store.log_batch(run_id, [], [Param("lr", "0.1")], [RunTag("t", "1")])

    again = _run(store, experiment_id, key)

    expect_equal(store.get_run(run_id), again, "the run that the repeated call answers")


@check(CREATES_EXPERIMENT, rests_on=("experiment.create",))
def a_repeated_key_makes_one_experiment(store: TrackingStore, fresh: Fresh) -> None:
    """Creating an experiment twice with one key returns the same id."""
    name, key = fresh.name(), fresh.name("key")

    first = store.create_experiment(name, None, [], idempotency_key=key)
    second = store.create_experiment(name, None, [], idempotency_key=key)

    expect_equal(first, second, "the id of the second answer")
    expect_equal(name, store.get_experiment(first).name, "the experiment's name")


@check("repeat.other-key", rests_on=(CREATES,))
def other_keys_make_other_runs(store: TrackingStore, fresh: Fresh) -> None:
    """Keys that differ in their last character alone make runs of their own."""
    experiment_id, key = fresh.shared_experiment(), fresh.name("key")

    ids = [_run(store, experiment_id, key + end).info.run_id for end in ("1", "2", "3")]

    expect(len(set(ids)) == 3, "three different ids", ids)


@check("repeat.kinds-apart", rests_on=(CREATES, CREATES_EXPERIMENT))
def one_key_serves_an_experiment_and_a_run(store: TrackingStore, fresh: Fresh) -> None:
    """A key that has made an experiment may make a run, and the other way round."""
    experiment_id, one, other = fresh.shared_experiment(), fresh.name("key"), fresh.name("key")
    names = fresh.name(), fresh.name()

    ids = [store.create_experiment(names[0], None, [], idempotency_key=one)]
    runs = [_run(store, experiment_id, key).info for key in (one, other)]
    ids.append(store.create_experiment(names[1], None, [], idempotency_key=other))

    expect_equal([experiment_id] * 2, [run.experiment_id for run in runs], "the experiments of the runs")
    expect_equal(list(names), [store.get_experiment(id_).name for id_ in ids], "the names of the experiments")


@check("repeat.at-once", rests_on=(CREATES,))
def one_key_at_the_same_time_makes_one_run(store: TrackingStore, fresh: Fresh) -> None:
    """Eight calls made at once with one key return one run."""
    experiment_id, key = fresh.experiment(), fresh.name("key")

    ends = at_once([partial(_run, store, experiment_id, key)] * 8)

    failed = [shown_error(end) for end in ends if isinstance(end, Exception)]
    expect(not failed, "all eight calls to return the run", f"{len(failed)} failed, one with {failed[:1]}")
    ids = {end.info.run_id for end in ends if isinstance(end, Run)}
    expect(len(ids) == 1, "one run id in all answers", sorted(ids))
    expect_equal(1, len(store.search_runs([experiment_id])), "the number of runs")


@check("repeat.at-once-experiment", rests_on=(CREATES_EXPERIMENT,))
def one_key_at_the_same_time_makes_one_experiment(store: TrackingStore, fresh: Fresh) -> None:
    """Eight calls made at once with one key and name return one id."""
    name, key = fresh.name(), fresh.name("key")

    ends = at_once([partial(store.create_experiment, name, None, [], idempotency_key=key)] * 8)

    failed = [shown_error(end) for end in ends if isinstance(end, Exception)]
    expect(not failed, "all eight calls to return the id", f"{len(failed)} failed, one with {failed[:1]}")
    expect(len(set(map(str, ends))) == 1, "one id in all answers", ends)


@check("repeat.key-reopened", rests_on=(CREATES, CREATES_EXPERIMENT))
def a_key_counts_in_a_store_opened_anew(store: TrackingStore, fresh: Fresh) -> None:
    """Another store object of the same URI answers a used key like the one that it was used in."""
    again = fresh.reopened()
    experiment_id, key = fresh.shared_experiment(), fresh.name("key")
    name = fresh.name()
    run_id = _run(store, experiment_id, key).info.run_id
    made = store.create_experiment(name, None, [], idempotency_key=key)

    repeated = _run(again, experiment_id, key).info.run_id

    expect_equal(run_id, repeated, "the run's id")
    expect_equal(made, again.create_experiment(name, None, [], idempotency_key=key), "the experiment's id")


@check("repeat.key-of-another-experiment", rests_on=(CREATES,))
def a_key_of_a_run_elsewhere_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """A key that has made a run in one experiment is refused for another one, and makes nothing there."""
    key, elsewhere = fresh.name("key"), fresh.experiment()
    _run(store, fresh.shared_experiment(), key)

    with refused(ErrorCode.INVALID_PARAMETER_VALUE):
        _run(store, elsewhere, key)

    expect_equal([], list(store.search_runs([elsewhere])), "the runs of the other experiment")


@check("repeat.key-of-another-name", rests_on=(CREATES_EXPERIMENT,))
def a_key_of_another_name_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """A used key is refused with another name; the name that it was used with counts, also after a renaming."""
    key, name, other, new = fresh.name("key"), fresh.name(), fresh.name(), fresh.name()
    made = store.create_experiment(name, None, [], idempotency_key=key)

    with refused(ErrorCode.INVALID_PARAMETER_VALUE):
        store.create_experiment(other, None, [], idempotency_key=key)

    expect_equal(None, store.get_experiment_by_name(other), "the experiment of the other name")
    store.rename_experiment(made, new)
    expect_equal(made, store.create_experiment(name, None, [], idempotency_key=key), "the id after the renaming")


@check("repeat.name-taken", rests_on=(CREATES_EXPERIMENT,))
def a_key_does_not_free_a_name(store: TrackingStore, fresh: Fresh) -> None:
    """With a new key, a name that an experiment has is refused."""
    name = fresh.name()
    store.create_experiment(name, None, [], idempotency_key=fresh.name("key"))

    with refused(ErrorCode.RESOURCE_ALREADY_EXISTS):
        store.create_experiment(name, None, [], idempotency_key=fresh.name("key"))


@check("repeat.key-after-refusal", rests_on=(CREATES, CREATES_EXPERIMENT))
def a_refused_call_leaves_its_key_unused(store: TrackingStore, fresh: Fresh) -> None:
    """After a call was refused, a correct one may carry its key."""
    experiment_id, taken, free = fresh.shared_experiment(), fresh.name(), fresh.name()
    run_key, experiment_key = fresh.name("key"), fresh.name("key")
    store.create_experiment(taken, None, [])
    with refused(ErrorCode.RESOURCE_DOES_NOT_EXIST):
        _run(store, fresh.unknown_experiment_id(), run_key)
    with refused(ErrorCode.RESOURCE_ALREADY_EXISTS):
        store.create_experiment(taken, None, [], idempotency_key=experiment_key)

    run = _run(store, experiment_id, run_key)
    made = store.create_experiment(free, None, [], idempotency_key=experiment_key)

    expect_equal(experiment_id, run.info.experiment_id, "the run's experiment")
    expect_equal(free, store.get_experiment(made).name, "the experiment's name")


@check("repeat.key-form", rests_on=(CREATES,))
def malformed_keys_are_refused(store: TrackingStore, fresh: Fresh) -> None:
    """What is no key is refused, and makes nothing."""
    experiment_id = fresh.experiment()

    for key in ("", "a key", "clé", "tab\t", "line\n", "\x7f", "k" * 201, 7, b"key"):
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            _run(store, experiment_id, key)  # type: ignore[arg-type]  # on purpose

    expect_equal([], list(store.search_runs([experiment_id])), "the experiment's runs")


@check("repeat.key-longest", rests_on=("repeat.other-key",))
def keys_count_whole(store: TrackingStore, fresh: Fresh) -> None:
    """Keys of 200 characters that differ in the last one, or in case, are different."""
    experiment_id = fresh.shared_experiment()
    start = fresh.name("key").ljust(199, "~")

    ids = {key: _run(store, experiment_id, key).info.run_id for key in (start + "a", start + "b", start + "A")}

    expect(len(set(ids.values())) == 3, "three different ids", list(ids.values()))
    expect_equal(ids[start + "a"], _run(store, experiment_id, start + "a").info.run_id, "the first key's run")
