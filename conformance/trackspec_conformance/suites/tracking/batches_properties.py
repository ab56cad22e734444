"""Property checks of the chapter on batches."""

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from trackspec import ErrorCode, Metric, Param, RunTag, TrackingStore
from trackspec_conformance import strategies
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect_equal, refused
from trackspec_conformance.exploring import explore
from trackspec_conformance.fresh import Fresh
from trackspec_conformance.strategies import Batch


@dataclass(frozen=True)
class SpoiltBatch:
    """A batch with an item among its metrics, params or tags that none of the lists may hold."""

    metrics: list[Any]
    params: list[Any]
    tags: list[Any]


BAD_ITEMS = (
    (Metric("../x", 1.0, 1, 1), Param("../x", "1"), RunTag("../x", "1")),
    (Metric("x" * 251, 1.0, 1, 1), Param("x" * 251, "1"), RunTag("x" * 251, "1")),
)


@st.composite
def spoilt_batches(draw: st.DrawFn) -> SpoiltBatch:
    """Batches of short texts with one item too many, anywhere in them, whose key is malformed."""
    texts = st.sampled_from(("", "1", "é", "\r\n"))
    keys = strategies.keys()
    lists: list[list[Any]] = [
        draw(st.lists(strategies.metrics(), max_size=4)),
        draw(st.lists(st.builds(Param, keys, texts), max_size=4, unique_by=lambda param: param.key)),
        draw(st.lists(st.builds(RunTag, keys, texts), max_size=4, unique_by=lambda tag: tag.key)),
    ]
    kind = draw(st.integers(0, 2))
    bad = draw(st.sampled_from(BAD_ITEMS))[kind]
    lists[kind].insert(draw(st.integers(0, len(lists[kind]))), bad)
    return SpoiltBatch(*lists)


@check("batch.any-items")
def any_batch_reads_back(store: TrackingStore, fresh: Fresh) -> None:
    """Batches of look-alike keys and awkward values read back whole."""

    def holds(batch: Batch) -> None:
        latest = {point.key: point for point in batch.metrics}
        run_id = fresh.run()

        store.log_batch(run_id, list(latest.values()), list(batch.params), list(batch.tags))

        data = store.get_run(run_id).data
        expect_equal(latest, data.latest_metrics, "the latest points")
        expect_equal({param.key: param.value for param in batch.params}, data.params, "the run's params")
        tags = {tag.key: tag.value for tag in batch.tags}
        expect_equal(tags, {key: data.tags.get(key) for key in tags}, "the run's tags")

    explore(fresh, strategies.batches(values=st.floats(allow_infinity=False)), holds, examples=25)


@check("batch.all-or-nothing")
def nothing_of_a_spoilt_batch_is_written(store: TrackingStore, fresh: Fresh) -> None:
    """Of batches with one item of a malformed key, anywhere in them, nothing is written."""

    def holds(batch: SpoiltBatch) -> None:
        run_id = fresh.run()

        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.log_batch(run_id, batch.metrics, batch.params, batch.tags)

        data = store.get_run(run_id).data
        # A store may set tags of its own.
        ours = {tag.key for tag in batch.tags} & data.tags.keys()
        expect_equal(({}, {}, set()), (data.metrics, data.params, ours), "the run's metrics, params and tags")

    explore(fresh, spoilt_batches(), holds, examples=25)
