"""The checks of the chapter on metrics: points that name a dataset."""

from trackspec import ErrorCode, Metric, TrackingStore
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect_equal, unless_refused
from trackspec_conformance.fresh import Fresh

_REFUSALS = (ErrorCode.INVALID_PARAMETER_VALUE, ErrorCode.NOT_IMPLEMENTED)


@check("metric.dataset-kept")
def the_dataset_of_a_point_is_kept(store: TrackingStore, fresh: Fresh) -> None:
    """A point's dataset is read with it, and a point without one has none."""
    run_id = fresh.run(metrics=[Metric("loss", 0.5, 1, 6)])
    logged: list[tuple[float, str | None, str | None]] = [(0.5, None, None)]

    with unless_refused(*_REFUSALS):
        store.log_metric(run_id, Metric("loss", 0.25, 1, 7, dataset_name="train", dataset_digest="abc123"))
        logged.insert(0, (0.25, "train", "abc123"))

    points = store.get_metric_history(run_id, "loss")
    expect_equal(
        logged,
        sorted((point.value, point.dataset_name, point.dataset_digest) for point in points),
        "value, dataset name and digest of the points",
    )


@check("metric.dataset-alters-nothing")
def a_dataset_alters_nothing_else(store: TrackingStore, fresh: Fresh) -> None:
    """A point that names a dataset keeps value, timestamp and step, and counts as the latest by them."""
    run_id = fresh.run(metrics=[Metric("loss", 0.75, 5, 3)])
    logged = [(3, 5, 0.75)]

    with unless_refused(*_REFUSALS):
        store.log_metric(run_id, Metric("loss", 0.5, 4, 7, dataset_name="train", dataset_digest="abc123"))
        logged.append((7, 4, 0.5))

    points = store.get_metric_history(run_id, "loss")
    expect_equal(
        logged,
        sorted((point.step, point.timestamp, point.value) for point in points),
        "step, timestamp and value of the points",
    )
    expect_equal({"loss": logged[-1][2]}, store.get_run(run_id).data.metrics, "the latest values")


@check("metric.dataset-name-exact", rests_on=("metric.dataset-kept",))
def the_name_of_a_dataset_is_any_text(store: TrackingStore, fresh: Fresh) -> None:
    """Names with spaces, line breaks and other awkward characters are kept, and the run stays readable."""
    run_id = fresh.run()
    names = ("my data set", "a\nb", "12 34 5", "données, \N{SNOWMAN}", "n" * 500)

    accepted = []
    for step, name in enumerate(names):
        with unless_refused(*_REFUSALS):
            store.log_metric(run_id, Metric("loss", 0.5, 1, step, dataset_name=name, dataset_digest="d" * 36))
            accepted.append((step, name))

    expect_equal(
        accepted,
        sorted((point.step, point.dataset_name) for point in store.get_metric_history(run_id, "loss")),
        "steps and dataset names of the points",
    )
    expect_equal({"loss": 0.5} if accepted else {}, store.get_run(run_id).data.metrics, "the latest values")


@check("metric.dataset-over-long-refused", rests_on=("metric.dataset-kept",))
def an_over_long_dataset_is_never_cut(store: TrackingStore, fresh: Fresh) -> None:
    """A dataset's name or digest beyond the limit is refused or kept whole."""
    run_id = fresh.run()
    accepted = []
    for step, (name, digest) in enumerate((("n" * 501, "d"), ("n", "d" * 37))):
        with unless_refused(*_REFUSALS):
            store.log_metric(run_id, Metric("loss", 0.5, 1, step, dataset_name=name, dataset_digest=digest))
            accepted.append((name, digest))

    points = store.get_metric_history(run_id, "loss")
    expect_equal(
        accepted,
        [(point.dataset_name, point.dataset_digest) for point in sorted(points, key=lambda point: point.step)],
        "names and digests of the datasets",
    )


@check("metric.dataset-of-a-repeated-point", rests_on=("metric.dataset-kept", "history.same-point-once"))
def a_repeated_point_keeps_its_dataset(store: TrackingStore, fresh: Fresh) -> None:
    """Of points that are equal but for their dataset, the first is kept."""
    run_id = fresh.run()
    first = Metric("loss", 0.5, 1, 7, dataset_name="train", dataset_digest="abc123")
    logged = []

    with unless_refused(*_REFUSALS):
        store.log_metric(run_id, first)
        logged.append(("train", "abc123"))
        store.log_metric(run_id, Metric("loss", 0.5, 1, 7, dataset_name="test", dataset_digest="def456"))
        store.log_metric(run_id, Metric("loss", 0.5, 1, 7))

    points = store.get_metric_history(run_id, "loss")
    expect_equal(
        logged, [(point.dataset_name, point.dataset_digest) for point in points], "the datasets of the points"
    )
