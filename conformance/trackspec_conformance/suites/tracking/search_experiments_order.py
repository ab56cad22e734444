"""The checks of the chapter on search: the order of experiments."""

from __future__ import annotations

import time
from typing import Any, cast

from trackspec import ErrorCode, TrackingStore
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect_equal, refused, unless_refused
from trackspec_conformance.fresh import Fresh
from trackspec_conformance.searching import ids

SCOPED = ("experiment.create", "search-experiments.name")
INVALID = ErrorCode.INVALID_PARAMETER_VALUE


def family(store: TrackingStore, fresh: Fresh, *ends: str) -> tuple[str, dict[str, str]]:
    """Arrange experiments of one prefix; return a filter that finds them, and the id of each by its name's end."""
    prefix = fresh.name()
    made = {}
    for end in ends:
        made[end] = store.create_experiment(f"{prefix}-{end}", None, [])
        # Most clocks count milliseconds; two experiments of the same one would have no order to be checked.
        time.sleep(0.002)
    return f"name LIKE '{prefix}%'", made


@check("search-experiments.default-order", rests_on=SCOPED)
def the_latest_experiment_comes_first(store: TrackingStore, fresh: Fresh) -> None:
    """Experiments come by their creation times, the latest first."""
    all_of_them, made = family(store, fresh, "b", "c", "a")

    found = store.search_experiments(max_results=1000, filter_string=all_of_them)

    expect_equal(sorted(made.values()), sorted(ids(found)))
    times = [experiment.creation_time for experiment in found]
    expect_equal(sorted(times, reverse=True), times, "the creation times")


@check("search-experiments.order", rests_on=SCOPED)
def columns_order_experiments(store: TrackingStore, fresh: Fresh) -> None:
    """Names order by code point, times as numbers, and an earlier column weighs more."""
    all_of_them, made = family(store, fresh, "b", "é", "B", "10", "9")
    store.rename_experiment(made["B"], f"{store.get_experiment(made['B']).name}2")
    by_name = [made[end] for end in ("10", "9", "B", "b", "é")]

    for column, found in (
        ("name", by_name),
        ("name ASC", by_name),
        ("attribute.name DESC", by_name[::-1]),
    ):
        answer = store.search_experiments(
            max_results=1000, filter_string=all_of_them, order_by=[column, "creation_time"]
        )
        expect_equal(found, ids(answer), f"by {column}")
    for key in ("creation_time", "last_update_time"):
        for direction in ("", " desc"):
            answer = store.search_experiments(
                max_results=1000, filter_string=all_of_them, order_by=[key + direction, "name"]
            )
            expect_equal(sorted(made.values()), sorted(ids(answer)))
            times = [getattr(experiment, key) for experiment in answer]
            expect_equal(sorted(times, reverse=bool(direction)), times, f"the times by {key}{direction}")


@check("search-experiments.order-id", rests_on=SCOPED)
def ids_order_experiments(store: TrackingStore, fresh: Fresh) -> None:
    """Ids give an order that stays, and that DESC reverses."""
    all_of_them, made = family(store, fresh, "a", "b", "c", "d")

    ascending, again, descending = (
        ids(store.search_experiments(max_results=1000, filter_string=all_of_them, order_by=[column]))
        for column in ("experiment_id", "experiment_id ASC", "experiment_id DESC")
    )

    expect_equal(sorted(made.values()), sorted(ascending))
    expect_equal(ascending, again, "the same search again")
    expect_equal(ascending[::-1], descending, "the ids descending")


@check("search-experiments.order-ties", rests_on=SCOPED)
def ties_keep_their_order(store: TrackingStore, fresh: Fresh) -> None:
    """Experiments made at once come in the same order every time."""
    prefix = fresh.name()
    made = [store.create_experiment(f"{prefix}-{number}", None, []) for number in range(6)]

    for order_by in (None, ["last_update_time"]):
        answers = [
            ids(
                store.search_experiments(
                    max_results=1000, filter_string=f"name LIKE '{prefix}%'", order_by=order_by
                )
            )
            for _ in range(2)
        ]
        expect_equal(sorted(made), sorted(answers[0]))
        expect_equal(answers[0], answers[1], f"the same search again, by {order_by}")


@check("search-experiments.order-twice", rests_on=SCOPED)
def the_first_mention_counts(store: TrackingStore, fresh: Fresh) -> None:
    """A column that is named again changes nothing."""
    all_of_them, made = family(store, fresh, "b", "a", "c")

    for order_by in (["name", "name DESC"], ["name ASC", "attribute.name DESC"]):
        with unless_refused(INVALID):
            answer = store.search_experiments(max_results=1000, filter_string=all_of_them, order_by=order_by)
            expect_equal([made[end] for end in "abc"], ids(answer), f"by {order_by}")


@check("search-experiments.order-refused")
def wrong_orders_are_refused(store: TrackingStore) -> None:
    """What is no order of experiments is refused."""
    for wrong in ("", "gadget", "metrics.m", "name SIDEWAYS", "name, creation_time"):
        with refused(INVALID):
            store.search_experiments(max_results=1, order_by=[wrong])


@check("search-experiments.order-type")
def an_order_is_a_list_of_strings(store: TrackingStore) -> None:
    """A single column without a list around it is refused, and so is a list of something else."""
    for wrong in ("name", 5, [5], [None]):
        with refused(INVALID):
            store.search_experiments(max_results=1, order_by=cast(Any, wrong))
