"""The checks of the chapter on pagination: tokens, and changes between two pages."""

from __future__ import annotations

import base64
from typing import Any, cast

from trackspec import ErrorCode, Param, TrackingStore, ViewType
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect, expect_equal, refused
from trackspec_conformance.fresh import Fresh
from trackspec_conformance.searching import ids, names

RUNS = ("search.runs-of-experiments", "page.full")
EXPERIMENTS = ("experiment.create", "search-experiments.name", "page.full")
INVALID = ErrorCode.INVALID_PARAMETER_VALUE


def numbered_runs(fresh: Fresh, count: int) -> tuple[str, list[str]]:
    """Arrange an experiment of runs named by number in their default order; return its id and theirs."""
    experiment_id = fresh.experiment()
    made = [
        fresh.run(experiment_id, run_name=str(number), start_time=10_000 - number, params=[Param("p", "x")])
        for number in range(count)
    ]
    return experiment_id, made


def token_of_experiments(store: TrackingStore, fresh: Fresh) -> dict[str, Any]:
    """Arrange three experiments; return the search for the second of them, by the token of the first page."""
    prefix = fresh.name()
    for end in "abc":
        store.create_experiment(f"{prefix}-{end}", None, [])
    search: dict[str, Any] = {"max_results": 1, "filter_string": f"name LIKE '{prefix}%'", "order_by": ["name"]}
    token = store.search_experiments(**search).token
    expect(bool(token), "a token, since there are more experiments", token)
    return {**search, "page_token": token}


@check("page.token-reusable", rests_on=RUNS)
def tokens_can_be_used_again(store: TrackingStore, fresh: Fresh) -> None:
    """The same token gives the same page, also after a later one was read."""
    experiment_id, _ = numbered_runs(fresh, 5)
    token = store.search_runs([experiment_id], max_results=2).token

    second = store.search_runs([experiment_id], max_results=2, page_token=token)
    third = store.search_runs([experiment_id], max_results=2, page_token=second.token)
    again = store.search_runs([experiment_id], max_results=2, page_token=token)
    third_again = store.search_runs([experiment_id], max_results=2, page_token=again.token)

    pages = [names(page) for page in (second, again, third, third_again)]
    expect_equal([["2", "3"], ["2", "3"], ["4"], ["4"]], pages, "the second page twice, and the third")


@check("page.token-reopened", rests_on=RUNS)
def tokens_are_good_elsewhere(store: TrackingStore, fresh: Fresh) -> None:
    """A store that is opened anew goes on where another one was."""
    experiment_id, _ = numbered_runs(fresh, 3)
    token = store.search_runs([experiment_id], max_results=2).token

    rest = fresh.reopened().search_runs([experiment_id], max_results=2, page_token=token)

    expect_equal(["2"], names(rest))


@check("page.stable-under-deletes", rests_on=(*RUNS, "run.delete"))
def deleted_runs_hide_no_others(store: TrackingStore, fresh: Fresh) -> None:
    """Deleting all runs of a page that was read leaves those of the next ones."""
    experiment_id, made = numbered_runs(fresh, 6)
    first = store.search_runs([experiment_id], max_results=2)
    for run_id in made[:2]:
        store.delete_run(run_id)

    second = store.search_runs([experiment_id], max_results=2, page_token=first.token)
    store.delete_run(made[3])
    third = store.search_runs([experiment_id], max_results=2, page_token=second.token)

    expect_equal([["0", "1"], ["2", "3"], ["4", "5"]], [names(page) for page in (first, second, third)])


@check("page.stable-under-deletes", rests_on=(*EXPERIMENTS, "experiment.delete"))
def deleted_experiments_hide_no_others(store: TrackingStore, fresh: Fresh) -> None:
    """Deleting the experiments of a page that was read leaves those of the next one."""
    prefix = fresh.name()
    made = [store.create_experiment(f"{prefix}-{number}", None, []) for number in range(4)]
    search: dict[str, Any] = {"max_results": 2, "filter_string": f"name LIKE '{prefix}%'", "order_by": ["name"]}
    first = store.search_experiments(**search)
    for experiment_id in made[:2]:
        store.delete_experiment(experiment_id)

    second = store.search_experiments(**search, page_token=first.token)

    expect_equal([made[:2], made[2:]], [ids(first), ids(second)])


@check("page.stable-under-inserts", rests_on=RUNS)
def new_runs_repeat_no_others(store: TrackingStore, fresh: Fresh) -> None:
    """Runs that come first by order arrive, and nothing that was read appears again."""
    experiment_id, _ = numbered_runs(fresh, 5)
    first = store.search_runs([experiment_id], max_results=2)
    for name in ("new", "newer"):
        fresh.run(experiment_id, run_name=name, start_time=99_000)

    second = store.search_runs([experiment_id], max_results=2, page_token=first.token)
    third = store.search_runs([experiment_id], max_results=2, page_token=second.token)

    expect_equal([["0", "1"], ["2", "3"], ["4"]], [names(page) for page in (first, second, third)])


@check("page.stable-under-inserts", rests_on=EXPERIMENTS)
def new_experiments_repeat_no_others(store: TrackingStore, fresh: Fresh) -> None:
    """Experiments that come first by order arrive, and nothing that was read appears again."""
    prefix = fresh.name()
    made = [store.create_experiment(f"{prefix}-{number}", None, []) for number in range(1, 5)]
    search: dict[str, Any] = {"max_results": 2, "filter_string": f"name LIKE '{prefix}%'", "order_by": ["name"]}
    first = store.search_experiments(**search)
    store.create_experiment(f"{prefix}-0", None, [])

    second = store.search_experiments(**search, page_token=first.token)

    expect_equal([made[:2], made[2:]], [ids(first), ids(second)])


@check("page.no-token", rests_on=RUNS)
def no_token_asks_for_the_first_page(store: TrackingStore, fresh: Fresh) -> None:
    """None and the empty string ask for the first page."""
    experiment_id, _ = numbered_runs(fresh, 3)
    name = fresh.name()
    store.create_experiment(name, None, [])

    for token in (None, ""):
        found = store.search_runs([experiment_id], max_results=2)
        expect_equal(["0", "1"], names(found))
        experiments = store.search_experiments(max_results=9, filter_string=f"name = '{name}'", page_token=token)
        expect_equal([name], [experiment.name for experiment in experiments])


@check("page.token-refused")
def tokens_that_nobody_issued_are_refused(store: TrackingStore, fresh: Fresh) -> None:
    """Neither garbage nor the encoding of a plausible number is a token."""
    experiment_id = fresh.experiment()
    encoded = ("[]", '"a"', "null", "{}", '{"offset": 0}', '{"offset": -1}', '{"offset": 1180591620717411303424}')
    plausible = [base64.b64encode(text.encode()).decode() for text in encoded]

    for token in ("garbage", "1", " ", "é", "%%%", *plausible, 5):
        with refused(INVALID):
            store.search_runs([experiment_id], max_results=1, page_token=cast(Any, token))
    for token in ("garbage", " ", "é", plausible[0], plausible[-2], 5):
        with refused(INVALID):
            store.search_experiments(max_results=1, page_token=cast(Any, token))


@check("page.token-altered", rests_on=RUNS)
def altered_tokens_are_refused(store: TrackingStore, fresh: Fresh) -> None:
    """A token of which a character was changed, added or cut off is no token."""
    experiment_id, _ = numbered_runs(fresh, 3)
    token = store.search_runs([experiment_id], max_results=1).token
    expect(token is not None, "a token, since there are more runs", token)
    assert token is not None
    changed = [
        token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        for place in (0, len(token) // 2)
    ]

    for altered in (*changed, token + token, token[: len(token) // 2], token[1:]):
        with refused(INVALID):
            store.search_runs([experiment_id], max_results=1, page_token=altered)


@check("page.token-bound-to-order", rests_on=RUNS)
def tokens_belong_to_their_order(store: TrackingStore, fresh: Fresh) -> None:
    """A token of one order is refused with another one."""
    experiment_id, _ = numbered_runs(fresh, 3)
    token = store.search_runs([experiment_id], max_results=1, order_by=["params.p"]).token

    for order_by in (None, ["params.p DESC"], ["params.q"], ["metrics.p"], ["params.p", "run_id"]):
        with refused(INVALID):
            store.search_runs([experiment_id], max_results=1, order_by=order_by, page_token=token)


@check("page.token-bound-to-filter", rests_on=RUNS)
def tokens_belong_to_their_filter(store: TrackingStore, fresh: Fresh) -> None:
    """A token of one filter is refused with another one."""
    experiment_id, _ = numbered_runs(fresh, 3)
    token = store.search_runs([experiment_id], "params.p = 'x'", max_results=1).token

    for filter_string in (
        None,
        "params.p = 'y'",
        "params.p != 'x'",
        "params.q = 'x'",
        "params.p = 'x' AND run_id != 'a'",
    ):
        with refused(INVALID):
            store.search_runs([experiment_id], filter_string, max_results=1, page_token=token)


@check("page.token-bound-to-filter", rests_on=EXPERIMENTS)
def tokens_of_experiments_belong_to_their_filter(store: TrackingStore, fresh: Fresh) -> None:
    """A token of one filter of experiments is refused with another one."""
    search = token_of_experiments(store, fresh)

    for filter_string in (None, search["filter_string"] + " AND name != 'x'", "name LIKE '%'"):
        with refused(INVALID):
            store.search_experiments(**{**search, "filter_string": filter_string})


@check("page.token-bound-to-order", rests_on=EXPERIMENTS)
def tokens_of_experiments_belong_to_their_order(store: TrackingStore, fresh: Fresh) -> None:
    """A token of one order of experiments is refused with another one."""
    search = token_of_experiments(store, fresh)

    for order_by in (None, ["name DESC"], ["creation_time"], ["name", "creation_time"]):
        with refused(INVALID):
            store.search_experiments(**{**search, "order_by": order_by})


@check("page.token-bound-to-view", rests_on=EXPERIMENTS)
def tokens_of_experiments_belong_to_their_view(store: TrackingStore, fresh: Fresh) -> None:
    """A token of one view type of experiments is refused with another one."""
    search = token_of_experiments(store, fresh)

    for view_type in (ViewType.ALL, ViewType.DELETED_ONLY):
        with refused(INVALID):
            store.search_experiments(view_type, **search)


@check("page.token-bound-to-experiments", rests_on=RUNS)
def tokens_belong_to_their_experiments(store: TrackingStore, fresh: Fresh) -> None:
    """A token of one experiment is refused with another one, or with one more."""
    experiment_id, _ = numbered_runs(fresh, 3)
    another = fresh.experiment()
    token = store.search_runs([experiment_id], max_results=1).token

    for experiment_ids in ([another], [experiment_id, another]):
        with refused(INVALID):
            store.search_runs(experiment_ids, max_results=1, page_token=token)


@check("page.token-bound-to-view", rests_on=RUNS)
def tokens_belong_to_their_view(store: TrackingStore, fresh: Fresh) -> None:
    """A token of one view type is refused with another one."""
    experiment_id, _ = numbered_runs(fresh, 3)
    token = store.search_runs([experiment_id], "", ViewType.ACTIVE_ONLY, 1).token

    for view_type in (ViewType.ALL, ViewType.DELETED_ONLY):
        with refused(INVALID):
            store.search_runs([experiment_id], "", view_type, 1, page_token=token)


@check("page.token-bound-to-call", rests_on=(*RUNS, *EXPERIMENTS))
def tokens_belong_to_their_call(store: TrackingStore, fresh: Fresh) -> None:
    """A token for runs is refused by the search for experiments, and the other way round."""
    experiment_id, _ = numbered_runs(fresh, 2)
    runs_token = store.search_runs([experiment_id], max_results=1).token
    prefix = fresh.name()
    for end in "ab":
        store.create_experiment(f"{prefix}-{end}", None, [])
    experiments_token = store.search_experiments(max_results=1, filter_string=f"name LIKE '{prefix}%'").token

    with refused(INVALID):
        store.search_experiments(max_results=1, page_token=runs_token)
    with refused(INVALID):
        store.search_runs([experiment_id], max_results=1, page_token=experiments_token)
