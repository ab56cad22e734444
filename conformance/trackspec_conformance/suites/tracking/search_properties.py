"""Property checks of search: any filter, any order and any page size, against the contract's own evaluator."""

from __future__ import annotations

from functools import cmp_to_key, partial

from hypothesis import strategies as st

from trackspec import Run, TrackingStore
from trackspec.search.evaluate import run_matches
from trackspec.search.order import compare_sort_keys, run_sort_key
from trackspec.search.parser import parse_run_filter, parse_run_order
from trackspec_conformance.arrangement import Blocked
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect_equal
from trackspec_conformance.exploring import explore
from trackspec_conformance.fresh import Fresh
from trackspec_conformance.search_strategies import random_plans, run_filters, run_orders
from trackspec_conformance.searching import walk

RUNS = 8
VALUES = ("search.runs-of-experiments", "search.infinite-numbers", "search.metric-nan", "search.run-name")


def similar_runs(store: TrackingStore, fresh: Fresh) -> tuple[str, list[Run]]:
    """Arrange an experiment of runs that are easily confused; return its id, and them as they were made."""
    experiment_id = fresh.experiment()
    made = []
    for plan in random_plans(fresh.random, RUNS):
        metrics, params, tags = plan.batch
        run_id = fresh.run(
            experiment_id,
            run_name=plan.name,
            start_time=plan.start_time,
            user_id=plan.user_id,
            metrics=metrics,
            params=params,
            tags=tags,
        )
        try:
            store.update_run_info(run_id, plan.status, plan.end_time, None)
        except Exception as error:
            raise Blocked("run.update", error) from error
        made.append(plan.entity(run_id, experiment_id))
    return experiment_id, made


def in_order(runs: list[Run], order_by: list[str]) -> list[str]:
    """The ids of the runs in the order that the contract gives them."""
    columns = parse_run_order(order_by)
    position = cmp_to_key(compare_sort_keys(columns))
    return [run.info.run_id for run in sorted(runs, key=lambda run: position(run_sort_key(run, columns)))]


@check("search.any-filter", rests_on=VALUES)
def any_filter_finds_what_it_says(store: TrackingStore, fresh: Fresh) -> None:
    """Whatever the clauses, the runs are found for which all of them hold."""
    experiment_id, made = similar_runs(store, fresh)

    def holds(filter_string: str) -> None:
        matching = [run for run in made if run_matches(run, parse_run_filter(filter_string))]
        found = store.search_runs([experiment_id], filter_string)
        expect_equal(in_order(matching, []), [run.info.run_id for run in found])

    explore(fresh, run_filters(), holds, examples=45)


@check("search.any-order", rests_on=(*VALUES, "search.order-nan", "search.order-ties"))
def any_order_orders_as_it_says(store: TrackingStore, fresh: Fresh) -> None:
    """Whatever the columns, all runs come, in the order that the columns and the tie-breakers give."""
    experiment_id, made = similar_runs(store, fresh)

    def holds(order_by: list[str]) -> None:
        found = store.search_runs([experiment_id], order_by=order_by)
        expect_equal(in_order(made, order_by), [run.info.run_id for run in found])

    explore(fresh, run_orders(), holds, examples=30)


@check("page.sum", rests_on=("search.runs-of-experiments",))
def any_search_can_be_walked(store: TrackingStore, fresh: Fresh) -> None:
    """Whatever the filter and the order, the pages of any size are the same as a single one."""
    experiment_id, _ = similar_runs(store, fresh)

    def holds(search: tuple[str, list[str], int]) -> None:
        filter_string, order_by, size = search
        search_runs = partial(store.search_runs, [experiment_id], filter_string, order_by=order_by)
        whole = [run.info.run_id for run in search_runs(max_results=RUNS)]
        pages = walk(partial(search_runs, max_results=size), most=RUNS + 1)
        expect_equal(whole, [run.info.run_id for page in pages for run in page], f"the runs in pages of {size}")

    searches = st.tuples(st.just("") | run_filters(2), run_orders(), st.integers(1, RUNS - 1))
    explore(fresh, searches, holds, examples=12)
