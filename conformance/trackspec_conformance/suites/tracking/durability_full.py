"""The checks of the chapter on durability: what holds while the storage is full, and when there is room again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from trackspec import ErrorCode, Metric, Param, RunTag, TrackingStore
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import error_code, expect, expect_equal, shown_error
from trackspec_conformance.fresh import Fresh
from trackspec_conformance.storage import SmallStorage, small_storage

WRITES = 300
"""How many values of 4,000 characters are written at most until the storage is full."""


@dataclass
class Full:
    """A store on a storage that is full.

    :ivar tags: the values that were acknowledged.
    :ivar error: what the first call that was not served failed with.
    """

    store: TrackingStore
    storage: SmallStorage
    run_id: str
    tags: dict[str, str] = field(default_factory=dict)
    error: Exception | None = None


@contextmanager
def _filled_up(fresh: Fresh) -> Iterator[Full]:
    """A store of the subject's kind on a small storage, written to until a call fails."""
    with small_storage() as storage:
        store = fresh.opened_in(storage.directory)
        try:
            experiment_id = store.create_experiment(fresh.name())
            run_id = store.create_run(experiment_id, "", 0, [], None).info.run_id
            full = Full(store, storage, run_id)
            store.log_batch(run_id, [Metric("m", 1.0, 0, step) for step in range(50)], [Param("p", "v")], [])
            for number in range(20):
                _write(full, number, "old")
            storage.fill()
            for number in range(WRITES):
                if not _write(full, number, f"new {number} "):
                    break
            yield full
        finally:
            store.close()


def _write(full: Full, number: int, text: str) -> bool:
    key, value = f"t{number % 20}", text.ljust(4000, "x")
    try:
        full.store.set_tag(full.run_id, RunTag(key, value))
    except Exception as error:
        full.error = full.error or error
        return False
    full.tags[key] = value
    return True


@check("durability.full-refused", rests_on=("tag.replace",))
def a_full_storage_is_told(fresh: Fresh) -> None:
    """A call that a full storage cannot serve fails with TEMPORARILY_UNAVAILABLE."""
    with _filled_up(fresh) as full:
        expect(full.error is not None, "a call to fail, there being no room", f"{WRITES} calls served")
        assert full.error is not None
        code = error_code(full.error)
        expect(code == ErrorCode.TEMPORARILY_UNAVAILABLE.value, "TEMPORARILY_UNAVAILABLE", shown_error(full.error))


@check("durability.full-keeps", rests_on=("tag.replace", "history.whole"))
def a_full_storage_can_be_read(fresh: Fresh) -> None:
    """What was acknowledged is read while the storage is full."""
    with _filled_up(fresh) as full:
        run = full.store.get_run(full.run_id)
        expect_equal({"p": "v"}, run.data.params, "the params")
        steps = [metric.step for metric in full.store.get_metric_history(full.run_id, "m")]
        expect_equal(list(range(50)), steps, "the steps of the metric")


@check("durability.full-keeps-old-values", rests_on=("tag.replace",))
def a_value_that_could_not_be_overwritten_stays(fresh: Fresh) -> None:
    """Each tag has the last value that was acknowledged."""
    with _filled_up(fresh) as full:
        found = full.store.get_run(full.run_id).data.tags
        other = {key: found.get(key, "")[:12] for key, value in full.tags.items() if found.get(key) != value}
        expect(not other, "each tag to have its last acknowledged value", other)


@check("durability.full-recovers", rests_on=("tag.replace",))
def a_store_takes_writes_when_there_is_room(fresh: Fresh) -> None:
    """Once there is room again, the same store object takes writes, and keeps them."""
    with _filled_up(fresh) as full:
        full.storage.free()

        full.store.set_tag(full.run_id, RunTag("again", "1"))

        expect_equal(
            "1", full.store.get_run(full.run_id).data.tags.get("again"), "the tag that was set afterwards"
        )
