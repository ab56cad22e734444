"""The checks of the chapter on batches: what a batch stores, and how much it takes."""

from trackspec import ErrorCode, Metric, Param, RunTag, TrackingStore
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect_equal, refused
from trackspec_conformance.fresh import Fresh

KEYS_OF_TAGS = frozenset({f"t{number}" for number in range(101)} | {"a", "a/b", "c/d/e", "c/d", "c"})


def _metrics(count: int) -> list[Metric]:
    return [Metric(f"m{number}", float(number), number, number) for number in range(count)]


def _params(count: int) -> list[Param]:
    return [Param(f"p{number}", str(number)) for number in range(count)]


def _tags(count: int) -> list[RunTag]:
    return [RunTag(f"t{number}", str(number)) for number in range(count)]


def _expect_logged(
    store: TrackingStore, run_id: str, metrics: list[Metric], params: list[Param], tags: list[RunTag]
) -> None:
    """Require that the run has exactly these metrics and params, and these tags of ours."""
    data = store.get_run(run_id).data
    expect_equal({point.key: point for point in metrics}, data.latest_metrics, "the latest points")
    expect_equal({param.key: param.value for param in params}, data.params, "the run's params")
    # A store may set tags of its own.
    ours = {key: value for key, value in data.tags.items() if key == "kept" or key in KEYS_OF_TAGS}
    expect_equal({tag.key: tag.value for tag in tags}, ours, "the run's tags")


# -- what is stored ---------------------------------------------------------------------------------------------


@check("batch.log")
def a_batch_reads_back(store: TrackingStore, fresh: Fresh) -> None:
    """Every metric, param and tag of a batch is on the run afterwards, the last ones too."""
    metrics, params, tags = _metrics(20), _params(20), _tags(20)
    run_id = fresh.run()

    store.log_batch(run_id, metrics, params, tags)

    _expect_logged(store, run_id, metrics, params, tags)


@check("batch.log")
def a_batch_adds_to_what_is_there(store: TrackingStore, fresh: Fresh) -> None:
    """A batch leaves what earlier calls logged in place."""
    run_id = fresh.run()
    store.log_batch(run_id, _metrics(3)[:2], _params(3)[:2], _tags(3)[:2])

    store.log_batch(run_id, _metrics(3)[2:], _params(3)[2:], _tags(3)[2:])

    _expect_logged(store, run_id, _metrics(3), _params(3), _tags(3))


@check("batch.partial-lists")
def lists_may_be_empty(store: TrackingStore, fresh: Fresh) -> None:
    """A batch of metrics alone, of params alone and of tags alone is stored."""
    run_id = fresh.run()

    store.log_batch(run_id, _metrics(2), [], [])
    store.log_batch(run_id, [], _params(2), [])
    store.log_batch(run_id, [], [], _tags(2))

    _expect_logged(store, run_id, _metrics(2), _params(2), _tags(2))


@check("batch.empty")
def an_empty_batch_changes_nothing(store: TrackingStore, fresh: Fresh) -> None:
    """A batch of nothing is accepted and leaves the run as it was."""
    run_id = fresh.run(metrics=_metrics(2), params=_params(2), tags=_tags(2))

    store.log_batch(run_id, [], [], [])

    _expect_logged(store, run_id, _metrics(2), _params(2), _tags(2))


@check("batch.points-of-one-key")
def several_points_of_a_metric_count(store: TrackingStore, fresh: Fresh) -> None:
    """The latest of a batch's points is the greatest by step, be it first, last or in the middle of many."""
    low, middle, high = (Metric("m", float(step), 0, step) for step in (1, 2, 3))
    first, between, last, among_many = (fresh.run() for _ in range(4))
    many = [Metric("m", float(step), 0, -step) for step in range(300)]

    store.log_batch(first, [high, low, middle], [], [])
    store.log_batch(between, [low, high, middle], [], [])
    store.log_batch(last, [low, middle, high], [], [])
    store.log_batch(among_many, [*many[150:], high, *many[:150]], [], [])

    for run_id in (first, between, last, among_many):
        expect_equal({"m": high}, store.get_run(run_id).data.latest_metrics, "the latest points")


@check("batch.tags-replace")
def a_tag_is_replaced(store: TrackingStore, fresh: Fresh) -> None:
    """A tag that the run has takes the value that the batch gives it."""
    run_id = fresh.run(tags=[RunTag("t0", "old"), RunTag("kept", "old")])

    store.log_batch(run_id, [], [], [RunTag("t0", "new")])

    _expect_logged(store, run_id, [], [], [RunTag("t0", "new"), RunTag("kept", "old")])


@check("batch.params-repeated")
def a_param_is_repeated(store: TrackingStore, fresh: Fresh) -> None:
    """A param with the value it has is accepted, and what comes after it is stored."""
    run_id = fresh.run(params=[Param("p0", "0")])

    store.log_batch(run_id, _metrics(1), _params(2), _tags(1))

    _expect_logged(store, run_id, _metrics(1), _params(2), _tags(1))


@check("batch.repeatable")
def a_batch_is_repeated(store: TrackingStore, fresh: Fresh) -> None:
    """The same batch once more is accepted and leaves the run as it was."""
    run_id = fresh.run(metrics=_metrics(3), params=_params(3), tags=_tags(3))

    store.log_batch(run_id, _metrics(3), _params(3), _tags(3))

    _expect_logged(store, run_id, _metrics(3), _params(3), _tags(3))


@check("batch.prefix-keys")
def prefixes_meet_in_a_batch(store: TrackingStore, fresh: Fresh) -> None:
    """Keys and their continuations by a slash are stored together, the shorter before and after the longer."""
    keys = ("a", "a/b", "c/d/e", "c/d", "c")
    metrics = [Metric(key, 1.0, 0, 0) for key in keys]
    params = [Param(key, "1") for key in keys]
    tags = [RunTag(key, "1") for key in keys]
    run_id = fresh.run()

    store.log_batch(run_id, metrics, params, tags)

    _expect_logged(store, run_id, metrics, params, tags)


@check("batch.unknown-run")
def an_unknown_run_takes_no_batch(store: TrackingStore, fresh: Fresh) -> None:
    """A batch for a run that does not exist is refused, even one of nothing."""
    run_id = fresh.unknown_run_id()

    with refused(ErrorCode.RESOURCE_DOES_NOT_EXIST):
        store.log_batch(run_id, _metrics(1), _params(1), _tags(1))
    with refused(ErrorCode.RESOURCE_DOES_NOT_EXIST):
        store.log_batch(run_id, [], [], [])


@check("batch.deleted-run-refused", rests_on=("run.delete",))
def a_deleted_run_takes_no_batch(store: TrackingStore, fresh: Fresh) -> None:
    """A batch for a deleted run is refused, whatever it holds and even if that is nothing, and the run stays."""
    run_id = fresh.run(metrics=_metrics(1), params=_params(1), tags=_tags(1))
    store.delete_run(run_id)

    for metrics, params, tags in (
        (_metrics(2), _params(2), _tags(2)),
        (_metrics(2), [], []),
        ([], _params(2), []),
        ([], [], _tags(2)),
        ([], [], []),
    ):
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.log_batch(run_id, metrics, params, tags)

    _expect_logged(store, run_id, _metrics(1), _params(1), _tags(1))


# -- how much is taken ------------------------------------------------------------------------------------------


@check("batch.takes-1000-metrics")
def a_thousand_metrics_are_stored(store: TrackingStore, fresh: Fresh) -> None:
    """A batch of 1,000 metrics is stored to the last."""
    run_id = fresh.run()

    store.log_batch(run_id, _metrics(1000), [], [])

    _expect_logged(store, run_id, _metrics(1000), [], [])


@check("batch.1001-metrics-refused")
def one_metric_too_many_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """A batch of 1,001 metrics is refused, and none of them is stored."""
    run_id = fresh.run()

    with refused(ErrorCode.INVALID_PARAMETER_VALUE):
        store.log_batch(run_id, _metrics(1001), [], [])

    _expect_logged(store, run_id, [], [], [])


@check("batch.takes-100-params")
def a_hundred_params_are_stored(store: TrackingStore, fresh: Fresh) -> None:
    """A batch of 100 params is stored to the last."""
    run_id = fresh.run()

    store.log_batch(run_id, [], _params(100), [])

    _expect_logged(store, run_id, [], _params(100), [])


@check("batch.101-params-refused")
def one_param_too_many_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """A batch of 101 params is refused, and nothing of it is stored."""
    run_id = fresh.run()

    with refused(ErrorCode.INVALID_PARAMETER_VALUE):
        store.log_batch(run_id, _metrics(1), _params(101), _tags(1))

    _expect_logged(store, run_id, [], [], [])


@check("batch.takes-100-tags")
def a_hundred_tags_are_stored(store: TrackingStore, fresh: Fresh) -> None:
    """A batch of 100 tags is stored to the last."""
    run_id = fresh.run()

    store.log_batch(run_id, [], [], _tags(100))

    _expect_logged(store, run_id, [], [], _tags(100))


@check("batch.101-tags-refused")
def one_tag_too_many_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """A batch of 101 tags is refused, and nothing of it is stored."""
    run_id = fresh.run()

    with refused(ErrorCode.INVALID_PARAMETER_VALUE):
        store.log_batch(run_id, _metrics(1), _params(1), _tags(101))

    _expect_logged(store, run_id, [], [], [])


@check("batch.takes-1000-items")
def a_thousand_items_are_stored(store: TrackingStore, fresh: Fresh) -> None:
    """A batch of 800 metrics, 100 params and 100 tags is stored to the last."""
    run_id = fresh.run()

    store.log_batch(run_id, _metrics(800), _params(100), _tags(100))

    _expect_logged(store, run_id, _metrics(800), _params(100), _tags(100))


@check("batch.1001-items-refused")
def one_item_too_many_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """A batch of 801 metrics, 100 params and 100 tags is refused, and nothing of it is stored."""
    run_id = fresh.run()

    with refused(ErrorCode.INVALID_PARAMETER_VALUE):
        store.log_batch(run_id, _metrics(801), _params(100), _tags(100))

    _expect_logged(store, run_id, [], [], [])
