"""The checks of the chapter on runs: updating, the status, times and the user."""

from contextlib import suppress

from trackspec import ErrorCode, Metric, Param, RunStatus, RunTag, TrackingStore
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect, expect_equal, refused, unless_refused
from trackspec_conformance.fresh import Fresh

START = 1_700_000_000_000
A_DAY = 24 * 60 * 60 * 1000
NO_INT64 = ("7", "", 1.5, 7.0, True, 2**63, -(2**63) - 1, [7])


@check("run.update")
def given_fields_are_set(store: TrackingStore, fresh: Fresh) -> None:
    """The status, the end time and the name that update_run_info is given are read thereafter."""
    run_id = fresh.run(run_name="old")

    for number, name in enumerate(("new", " Trial 'é' \"e\u0301\" 😀\r\n%_\\ ", "0")):
        store.update_run_info(run_id, RunStatus.FINISHED, START + number, name)

        info = store.get_run(run_id).info
        expect_equal(RunStatus.FINISHED, info.status, "the status")
        expect_equal(START + number, info.end_time, "the end time")
        expect_equal(name, info.run_name, "the name")


@check("run.update-answer", rests_on=("run.update",))
def the_answer_to_an_update_is_what_is_stored(store: TrackingStore, fresh: Fresh) -> None:
    """The info that update_run_info returns is the info that get_run returns."""
    run_id = fresh.run(run_name="old")

    store.update_run_info(run_id, end_time=START + 1)
    answered = store.update_run_info(run_id, RunStatus.KILLED, run_name="new")

    expect_equal(store.get_run(run_id).info, answered, "the info that update_run_info answers")


@check("run.update-none-keeps", rests_on=("run.update",))
def fields_given_as_none_stay(store: TrackingStore, fresh: Fresh) -> None:
    """None leaves the status, the end time and the name as they are, also a run that has no end without one."""
    run_id = fresh.run(run_name="named")
    for status in (RunStatus.FINISHED, RunStatus.KILLED):
        store.update_run_info(run_id, status, None, None)
        expect_equal(None, store.get_run(run_id).info.end_time, f"the end time of a run that is {status}")
    store.update_run_info(run_id, RunStatus.FAILED, START + 5, "renamed")
    before = store.get_run(run_id).info

    store.update_run_info(run_id, None, None, None)
    store.update_run_info(run_id, RunStatus.FAILED, None, None)
    store.update_run_info(run_id, None, START + 5, None)
    store.update_run_info(run_id, None, None, "renamed")

    expect_equal(before, store.get_run(run_id).info, "the run's info")


@check("run.update-alone")
def an_update_changes_nothing_else(store: TrackingStore, fresh: Fresh) -> None:
    """An update leaves what it does not set, and all that the run logged."""
    run_id = fresh.run(
        run_name="old",
        metrics=[Metric("m", 0.5, START, 1)],
        params=[Param("p", "1")],
        tags=[RunTag("t", "2")],
    )
    before = store.get_run(run_id)

    store.update_run_info(run_id, RunStatus.FINISHED, START + 1, "new")

    after = store.get_run(run_id)
    for field in ("run_id", "experiment_id", "user_id", "start_time", "lifecycle_stage", "artifact_uri"):
        expect_equal(getattr(before.info, field), getattr(after.info, field), field)
    expect_equal({"p": "1"}, after.data.params, "the params")
    expect_equal({"m": 0.5}, after.data.metrics, "the metrics")
    expect_equal("2", after.data.tags.get("t"), "the tag")


@check("run.update-unknown")
def an_update_of_an_unknown_run_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """Updating a run that does not exist is refused."""
    with refused(ErrorCode.RESOURCE_DOES_NOT_EXIST):
        store.update_run_info(fresh.unknown_run_id(), RunStatus.FINISHED, START, "name")


@check("run.update-refused-changes-nothing")
def a_refused_update_changes_nothing(store: TrackingStore, fresh: Fresh) -> None:
    """Where one field is refused, the others are not set."""
    for status, end_time, name in (
        ("BOGUS", START + 1, "new"),
        (RunStatus.FINISHED, "soon", "new"),
        (RunStatus.FINISHED, START + 1, "\ud800"),
        (RunStatus.FINISHED, START + 1, 5),
    ):
        run_id = fresh.run(run_name="old")
        before = store.get_run(run_id)

        with suppress(Exception):
            store.update_run_info(run_id, status, end_time, name)  # type: ignore[arg-type]
            continue  # that it is refused is another requirement

        expect_equal(before, store.get_run(run_id), "the run")


@check("run.status-kept")
def every_status_is_kept(store: TrackingStore, fresh: Fresh) -> None:
    """Each status is read as it was set."""
    run_id = fresh.run()

    for status in (
        RunStatus.SCHEDULED,
        RunStatus.RUNNING,
        RunStatus.FINISHED,
        RunStatus.FAILED,
        RunStatus.KILLED,
    ):
        store.update_run_info(run_id, status)

        expect_equal(status, store.get_run(run_id).info.status, "the status")


@check("run.status-any-direction", rests_on=("run.status-kept",))
def an_ended_run_may_run_again(store: TrackingStore, fresh: Fresh) -> None:
    """A status that ends a run bars none that follows."""
    run_id = fresh.run()

    for ended, again in (
        (RunStatus.FINISHED, RunStatus.RUNNING),
        (RunStatus.FAILED, RunStatus.SCHEDULED),
        (RunStatus.KILLED, RunStatus.FINISHED),
    ):
        store.update_run_info(run_id, ended, START + 1)
        store.update_run_info(run_id, again)

        expect_equal(again, store.get_run(run_id).info.status, f"the status after {ended}")


@check("run.status-running-keeps-end", rests_on=("run.update",))
def running_again_keeps_the_end_time(store: TrackingStore, fresh: Fresh) -> None:
    """A run that is set to RUNNING again keeps its end time."""
    run_id = fresh.run()
    store.update_run_info(run_id, RunStatus.FINISHED, START + 60_000)

    store.update_run_info(run_id, RunStatus.RUNNING)

    expect_equal(START + 60_000, store.get_run(run_id).info.end_time, "the end time")


@check("run.status-refused")
def what_is_no_status_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """A status that is none of the five is refused, and the run keeps the one it has."""
    run_id = fresh.run()

    for status in ("BOGUS", 0, 99, ["FINISHED"]):
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.update_run_info(run_id, status)  # type: ignore[arg-type]

    expect_equal(RunStatus.RUNNING, store.get_run(run_id).info.status, "the status")


@check("run.status-text-refused")
def a_status_as_text_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """The name of a status is no status."""
    run_id = fresh.run()

    with refused(ErrorCode.INVALID_PARAMETER_VALUE):
        store.update_run_info(run_id, "FINISHED")  # type: ignore[arg-type]


@check("run.finished-writable")
def an_ended_run_is_writable(store: TrackingStore, fresh: Fresh) -> None:
    """A run that is finished, failed or killed accepts every kind of write."""
    for status in (RunStatus.FINISHED, RunStatus.FAILED, RunStatus.KILLED):
        run_id = fresh.run(tags=[RunTag("old", "1")])
        store.update_run_info(run_id, status, START + 1)

        store.log_param(run_id, Param("p", "1"))
        store.log_metric(run_id, Metric("m", 0.5, START, 1))
        store.set_tag(run_id, RunTag("t", "2"))
        store.delete_tag(run_id, "old")
        store.log_batch(run_id, [Metric("n", 1.5, START, 1)], [Param("q", "3")], [])
        store.update_run_info(run_id, end_time=START + 2)

        run = store.get_run(run_id)
        expect_equal({"p": "1", "q": "3"}, run.data.params, f"the params of a run that is {status}")
        expect_equal({"m": 0.5, "n": 1.5}, run.data.metrics, f"the metrics of a run that is {status}")
        tags = run.data.tags
        expect_equal(("2", None), (tags.get("t"), tags.get("old")), f"the tags of a run that is {status}")
        expect_equal((status, START + 2), (run.info.status, run.info.end_time), "the status and the end time")


@check("run.start-time-kept")
def start_times_are_kept(store: TrackingStore, fresh: Fresh) -> None:
    """A start time is read to the millisecond, from the epoch to the greatest 64-bit integer."""
    experiment_id = fresh.shared_experiment()

    for start_time in (0, 1, 2**31, START + 123, 2**53 + 1, 2**63 - 1):
        run_id = store.create_run(experiment_id, "ada", start_time, [], None).info.run_id

        expect_equal(start_time, store.get_run(run_id).info.start_time, "the start time")


@check("run.start-time-now")
def a_missing_start_time_is_the_present(store: TrackingStore, fresh: Fresh) -> None:
    """A run created without a start time starts when its experiment was made, give or take a day."""
    experiment_id = fresh.experiment("now")
    present = store.get_experiment(experiment_id).creation_time

    with unless_refused(ErrorCode.INVALID_PARAMETER_VALUE):
        created = store.create_run(experiment_id, "ada", None, [], None)

        start_time = store.get_run(created.info.run_id).info.start_time
        near = isinstance(start_time, int) and isinstance(present, int) and abs(start_time - present) < A_DAY
        expect(near, f"a start time within a day of {present}, when the experiment was made", start_time)


@check("run.start-time-refused")
def what_is_no_start_time_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """A start time that is no 64-bit integer is refused."""
    experiment_id = fresh.experiment("start times")

    for start_time in NO_INT64:
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.create_run(experiment_id, "ada", start_time, [], None)  # type: ignore[arg-type]


@check("run.end-time-kept")
def end_times_are_kept(store: TrackingStore, fresh: Fresh) -> None:
    """An end time is read to the millisecond, up to the greatest 64-bit integer."""
    run_id = fresh.run(start_time=0)

    for end_time in (1, 2**31, START + 123, 2**53 + 1, 2**63 - 1):
        store.update_run_info(run_id, end_time=end_time)

        expect_equal(end_time, store.get_run(run_id).info.end_time, "the end time")


@check("run.end-time-zero")
def zero_is_an_end_time(store: TrackingStore, fresh: Fresh) -> None:
    """The epoch itself is kept as an end time, and replaces another."""
    run_id = fresh.run(start_time=0)
    store.update_run_info(run_id, end_time=START)

    store.update_run_info(run_id, end_time=0)

    expect_equal(0, store.get_run(run_id).info.end_time, "the end time")


@check("run.end-time-before-start")
def an_end_before_the_start_is_accepted(store: TrackingStore, fresh: Fresh) -> None:
    """The store does not compare the end time with the start time."""
    run_id = fresh.run(start_time=START)

    store.update_run_info(run_id, RunStatus.FINISHED, START - 60_000)

    expect_equal(START - 60_000, store.get_run(run_id).info.end_time, "the end time")


@check("run.end-time-refused")
def what_is_no_end_time_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """An end time that is no 64-bit integer is refused, and the run keeps the one it has."""
    run_id = fresh.run()
    store.update_run_info(run_id, end_time=START + 1)

    for end_time in NO_INT64:
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.update_run_info(run_id, end_time=end_time)  # type: ignore[arg-type]

    expect_equal(START + 1, store.get_run(run_id).info.end_time, "the end time")


@check("run.times-before-1970")
def times_may_be_negative(store: TrackingStore, fresh: Fresh) -> None:
    """Times before the epoch are kept."""
    run_id = store.create_run(fresh.shared_experiment(), "ada", -2_000, [], None).info.run_id

    store.update_run_info(run_id, end_time=-1_000)

    info = store.get_run(run_id).info
    expect_equal((-2_000, -1_000), (info.start_time, info.end_time), "the start and the end time")


@check("run.user-kept")
def user_ids_are_kept(store: TrackingStore, fresh: Fresh) -> None:
    """A user id is read exactly as it was given, up to 256 characters of any script."""
    experiment_id = fresh.shared_experiment()

    for user_id in ("ada", "", " Ada O'Neil\r\n", 'José "é" 😀 <x@y> %_\\', "u" * 256, "層" * 256):
        run_id = store.create_run(experiment_id, user_id, START, [], None).info.run_id

        expect_equal(user_id, store.get_run(run_id).info.user_id, "the user id")


@check("run.user-never-cut")
def long_user_ids_are_not_cut(store: TrackingStore, fresh: Fresh) -> None:
    """A user id of more than 256 characters is kept whole or refused."""
    experiment_id = fresh.shared_experiment()

    for user_id in ("u" * 257, "u" * 5000):
        with unless_refused(ErrorCode.INVALID_PARAMETER_VALUE):
            run_id = store.create_run(experiment_id, user_id, START, [], None).info.run_id

            expect_equal(user_id, store.get_run(run_id).info.user_id, "the user id")


@check("run.user-none")
def no_user_is_the_empty_one(store: TrackingStore, fresh: Fresh) -> None:
    """None as user id is read as the empty string."""
    run_id = store.create_run(fresh.shared_experiment(), None, START, [], None).info.run_id

    expect_equal("", store.get_run(run_id).info.user_id, "the user id")


@check("run.user-refused")
def what_is_no_user_id_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """A user id that is no string is refused."""
    experiment_id = fresh.shared_experiment()

    for user_id in (5, b"ada", ["ada"]):
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.create_run(experiment_id, user_id, START, [], None)  # type: ignore[arg-type]


@check("run.user-tag-apart")
def the_user_tag_does_not_change_the_user(store: TrackingStore, fresh: Fresh) -> None:
    """The tag mlflow.user leaves the user id alone, at creation and later."""
    tags = [RunTag("mlflow.user", "eve")]
    run_id = store.create_run(fresh.shared_experiment(), "ada", START, tags, None).info.run_id

    store.set_tag(run_id, RunTag("mlflow.user", "mallory"))

    run = store.get_run(run_id)
    expect_equal("ada", run.info.user_id, "the user id")
    expect_equal("mallory", run.data.tags.get("mlflow.user"), "the tag")
