"""The checks of the chapter on search: what search_experiments finds."""

from __future__ import annotations

import operator
from functools import partial
from typing import Any, cast

from trackspec import ErrorCode, ExperimentTag, TrackingStore, ViewType
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect_equal, refused, unless_refused
from trackspec_conformance.fresh import Fresh
from trackspec_conformance.searching import ids, walk

CREATED = ("experiment.create",)
SCOPED = (*CREATED, "search-experiments.name", "search-experiments.clauses-all-hold")
INVALID = ErrorCode.INVALID_PARAMETER_VALUE


@check("search-experiments.whole", rests_on=CREATED)
def experiments_come_whole(store: TrackingStore, fresh: Fresh) -> None:
    """An experiment is answered as get_experiment answers it, and holds what it was made of."""
    name = fresh.name()
    tags = {"a/b": "x", "empty": "", "long": "v" * 20_000} | {f"k{number}": str(number) for number in range(20)}
    place = "s3://bucket/Place/?v=1"
    experiment_id = store.create_experiment(name, place, [ExperimentTag(*item) for item in tags.items()])

    answer = store.search_experiments(max_results=1000, filter_string=f"name = '{name}'")

    expect_equal([experiment_id], ids(answer))
    found = answer[0]
    expect_equal((name, place), (found.name, found.artifact_location), "the name and the location")
    expect_equal(tags, {key: found.tags.get(key) for key in tags}, "the tags")
    expect_equal(store.get_experiment(experiment_id), found)


def one_active_one_deleted(store: TrackingStore, fresh: Fresh) -> tuple[str, str, str]:
    """Arrange an active and a deleted experiment; return a filter that finds both, and their ids."""
    prefix = fresh.name()
    active, deleted = (store.create_experiment(f"{prefix}-{stage}", None, []) for stage in ("active", "deleted"))
    store.delete_experiment(deleted)
    return f"name LIKE '{prefix}%'", active, deleted


def _expect_seen(store: TrackingStore, view_type: ViewType, both: str, by_name: list[str]) -> None:
    search = partial(store.search_experiments, view_type)
    expect_equal(sorted(by_name), sorted(ids(search(1000, filter_string=both))))
    found = search(1000, filter_string=f"{both} AND creation_time > 0 AND name != 'x'")
    expect_equal(sorted(by_name), sorted(ids(found)), "with more clauses")
    expect_equal(by_name, ids(search(1000, filter_string=both, order_by=["name"])), "by name")
    pages = walk(partial(search, 1, filter_string=both, order_by=["name DESC"]), most=3)
    expect_equal(by_name[::-1], [id_ for page in pages for id_ in ids(page)], "page by page")


@check("search-experiments.view-active", rests_on=(*CREATED, "experiment.delete"))
def active_experiments_are_seen(store: TrackingStore, fresh: Fresh) -> None:
    """The default view shows the active experiment only, with more clauses, in another order and page by page."""
    both, active, _ = one_active_one_deleted(store, fresh)

    expect_equal([active], ids(store.search_experiments(max_results=1000, filter_string=both)))
    expect_equal(
        [active], ids(store.search_experiments(max_results=1000, filter_string=both, order_by=["name DESC"]))
    )
    _expect_seen(store, ViewType.ACTIVE_ONLY, both, [active])


@check("search-experiments.view-deleted", rests_on=(*CREATED, "experiment.delete"))
def deleted_experiments_are_seen(store: TrackingStore, fresh: Fresh) -> None:
    """The view of deleted experiments shows the deleted one only, with more clauses, and in another order."""
    both, _, deleted = one_active_one_deleted(store, fresh)

    _expect_seen(store, ViewType.DELETED_ONLY, both, [deleted])


@check("search-experiments.view-all", rests_on=(*CREATED, "experiment.delete"))
def all_experiments_are_seen(store: TrackingStore, fresh: Fresh) -> None:
    """The view of all experiments shows the active and the deleted one, with more clauses and in another order."""
    both, active, deleted = one_active_one_deleted(store, fresh)

    _expect_seen(store, ViewType.ALL, both, [active, deleted])


@check("search-experiments.view-type-refused")
def other_view_types_are_refused(store: TrackingStore) -> None:
    """A number, None and a text are no view types."""
    for wrong in (0, 99, None, "ALL"):
        with refused(INVALID):
            store.search_experiments(cast(Any, wrong), 1)


@check("search-experiments.name", rests_on=CREATED)
def names_are_compared(store: TrackingStore, fresh: Fresh) -> None:
    """An experiment is found by its name, whole and by pattern."""
    prefix = fresh.name("Name")
    one, two, other_case = (store.create_experiment(f"{prefix}-{end}", None, []) for end in ("one", "two", "ONE"))

    for filter_string, found in (
        (f"name = '{prefix}-one'", [one]),
        (f'attribute.name = "{prefix}-one"', [one]),
        (f"name LIKE '{prefix}-t_o'", [two]),
        (f"name LIKE '{prefix}-o%'", [one]),
        (f"name LIKE '{prefix.upper()}%'", []),
        (f"name ILIKE '{prefix.upper()}-one'", [one, other_case]),
        (f"name LIKE '{prefix}%' AND name != '{prefix}-one'", [two, other_case]),
        (f"name = '{prefix}-t_o'", []),
    ):
        expect_equal(
            sorted(found), sorted(ids(store.search_experiments(max_results=1000, filter_string=filter_string)))
        )


@check("search-experiments.name", rests_on=CREATED)
def awkward_names_are_compared(store: TrackingStore, fresh: Fresh) -> None:
    """Names that differ in a backslash or the Unicode form alone are told apart, and a pattern's dot is a dot."""
    prefix = fresh.name("Name")
    ends = ("a\\b", "a\\\\b", "ab", "é", "e\u0301", "a.b")
    made = {end: store.create_experiment(f"{prefix}-{end}", None, []) for end in ends}

    for filter_string, found in (
        *((f"name = '{prefix}-{end}'", [end]) for end in ends),
        (f"name LIKE '{prefix}-a\\b'", ["a\\b"]),
        (f"name LIKE '%{prefix}-a\\\\%'", ["a\\\\b"]),
        (f"name LIKE '{prefix}-a.%'", ["a.b"]),
    ):
        answer = store.search_experiments(max_results=1000, filter_string=filter_string)
        expect_equal(sorted(made[end] for end in found), sorted(ids(answer)), filter_string)


@check("search-experiments.id", rests_on=SCOPED)
def ids_are_compared(store: TrackingStore, fresh: Fresh) -> None:
    """An experiment is found by its id, alone and in a list."""
    prefix = fresh.name()
    one, two, three = (store.create_experiment(f"{prefix}-{end}", None, []) for end in "abc")

    for filter_string, found in (
        (f"experiment_id = '{one}'", [one]),
        *(((f"experiment_id = '0{one}'", []),) if one.isdigit() and len(one) < 64 else ()),
        (f"name LIKE '{prefix}%' AND experiment_id != '{one}'", [two, three]),
        (f"experiment_id IN ('{one}', '{three}')", [one, three]),
        (f"name LIKE '{prefix}%' AND experiment_id NOT IN ('{one}','{three}')", [two]),
    ):
        expect_equal(
            sorted(found), sorted(ids(store.search_experiments(max_results=1000, filter_string=filter_string)))
        )


@check("search-experiments.unknown-id")
def unknown_ids_find_nothing(store: TrackingStore, fresh: Fresh) -> None:
    """An id that no experiment has, be it digits or letters, finds nothing."""
    unknown = fresh.unknown_experiment_id()

    for filter_string in (
        f"experiment_id = '{unknown}'",
        f"experiment_id = 'nobody-{unknown}'",
        "experiment_id IN ('abc')",
    ):
        expect_equal([], ids(store.search_experiments(max_results=1000, filter_string=filter_string)))


@check("search-experiments.id-like-refused")
def ids_have_no_patterns(store: TrackingStore) -> None:
    """A pattern of ids is refused."""
    for pattern in ("experiment_id LIKE '%'", "experiment_id ILIKE '1%'"):
        with refused(INVALID):
            store.search_experiments(max_results=1, filter_string=pattern)


@check("search-experiments.times", rests_on=SCOPED)
def times_are_compared(store: TrackingStore, fresh: Fresh) -> None:
    """Experiments are found by when they were made and last changed."""
    prefix = fresh.name()
    made = [store.create_experiment(f"{prefix}-{end}", None, []) for end in "abc"]
    store.rename_experiment(made[0], f"{prefix}-changed")
    experiments = [store.get_experiment(experiment_id) for experiment_id in made]
    comparators = {
        "=": operator.eq,
        "!=": operator.ne,
        "<": operator.lt,
        "<=": operator.le,
        ">": operator.gt,
        ">=": operator.ge,
    }

    for key in ("creation_time", "last_update_time"):
        time = sorted(getattr(experiment, key) for experiment in experiments)[1]
        for comparator, holds in comparators.items():
            wanted = [item.experiment_id for item in experiments if holds(getattr(item, key), time)]
            found = store.search_experiments(
                max_results=1000, filter_string=f"name LIKE '{prefix}%' AND {key} {comparator} {time}"
            )
            expect_equal(sorted(wanted), sorted(ids(found)), f"{key} {comparator} {time}")


@check("search-experiments.time-fraction", rests_on=SCOPED)
def times_compare_with_fractions(store: TrackingStore, fresh: Fresh) -> None:
    """A time lies before or behind a number with a fraction."""
    name = fresh.name()
    experiment_id = store.create_experiment(name, None, [])
    time = store.get_experiment(experiment_id).creation_time

    for clause, found in (
        (f"creation_time < {time}.5", [experiment_id]),
        (f"creation_time > {time}.5", []),
        (f"creation_time > {time - 1}.5", [experiment_id]),
    ):
        answer = store.search_experiments(max_results=1000, filter_string=f"name = '{name}' AND {clause}")
        expect_equal(found, ids(answer), clause)


@check("search-experiments.time-out-of-range", rests_on=SCOPED)
def numbers_beyond_64_bits_compare(store: TrackingStore, fresh: Fresh) -> None:
    """No time reaches a number of more than 64 bits."""
    name = fresh.name()
    experiment_id = store.create_experiment(name, None, [])

    for clause, found in (
        ("creation_time < 99999999999999999999999999", [experiment_id]),
        ("last_update_time > 99999999999999999999999999", []),
        ("creation_time > -99999999999999999999999999", [experiment_id]),
    ):
        with unless_refused(INVALID):
            answer = store.search_experiments(max_results=1000, filter_string=f"name = '{name}' AND {clause}")
            expect_equal(found, ids(answer), clause)


@check("search-experiments.tags", rests_on=SCOPED)
def tags_are_compared(store: TrackingStore, fresh: Fresh) -> None:
    """Experiments are found by their tags; one without the tag is found by IS NULL alone."""
    prefix = fresh.name()
    red, tree, bare = (
        store.create_experiment(f"{prefix}-{end}", None, [ExperimentTag(*item) for item in tags.items()])
        for end, tags in (
            ("r", {"a/kind": "red", "A/kind": "Red"}),
            ("t", {"a/kind": "Tree", "A/kind": "red "}),
            ("b", {"A/kind": "red", "a": "red"}),
        )
    )

    for clause, found in (
        ("tags.`a/kind` = 'red'", [red]),
        ("tags.`a/kind` = 'tree'", []),
        ("tags.`A/kind` = 'red'", [bare]),
        ("tag.`a/kind` != 'red'", [tree]),
        ("tags.`a/kind` LIKE '%re%'", [red, tree]),
        ("tags.`a/kind` LIKE 'tr%'", []),
        ("tags.`a/kind` ILIKE 'tr%'", [tree]),
        ("tags.`a/kind` IS NULL", [bare]),
        ('tags."a/kind" IS NOT NULL', [red, tree]),
    ):
        answer = store.search_experiments(max_results=1000, filter_string=f"name LIKE '{prefix}%' AND {clause}")
        expect_equal(sorted(found), sorted(ids(answer)), clause)


@check("search-experiments.clauses-all-hold", rests_on=CREATED)
def every_clause_counts(store: TrackingStore, fresh: Fresh) -> None:
    """An experiment that fails one of three clauses is not found."""
    prefix = fresh.name()
    made = {
        (a, b): store.create_experiment(f"{prefix}-{a}{b}", None, [ExperimentTag("a", a), ExperimentTag("b", b)])
        for a in "12"
        for b in "12"
    }

    for filter_string, found in (
        (f"name LIKE '{prefix}%' AND tags.a = '1' AND tags.b = '2'", made["1", "2"]),
        (f"tags.a = '2' AND tags.b = '1' AND name LIKE '{prefix}%'", made["2", "1"]),
    ):
        expect_equal([found], ids(store.search_experiments(max_results=1000, filter_string=filter_string)))


@check("search-experiments.keywords-in-any-case", rests_on=SCOPED)
def keywords_are_understood_in_any_case(store: TrackingStore, fresh: Fresh) -> None:
    """Lower and mixed case mean what upper case means."""
    prefix = fresh.name()
    tagged = store.create_experiment(f"{prefix}-tagged", None, [ExperimentTag("k", "Red")])
    bare = store.create_experiment(f"{prefix}-bare", None, [])

    for filter_string, found in (
        (f"name like '{prefix}%' and tags.k Is Not Null", [tagged]),
        (f"name Like '{prefix}%' And tags.k is null", [bare]),
        (f"name iLike '{prefix}%' and tags.k ilike 'RED'", [tagged]),
        (f"experiment_id in ('{bare}')", [bare]),
        (f"name LIKE '{prefix}%' AND experiment_id Not In ('{bare}')", [tagged]),
    ):
        expect_equal(found, ids(store.search_experiments(max_results=1000, filter_string=filter_string)))


@check("search-experiments.quote-escape", rests_on=CREATED)
def a_doubled_quote_stands_for_one(store: TrackingStore, fresh: Fresh) -> None:
    """A tag that holds both kinds of quotes finds its experiment."""
    name = fresh.name()
    experiment_id = store.create_experiment(name, None, [ExperimentTag("k", "\"it's\" o'clock")])

    for clause in ("tags.k = '\"it''s\" o''clock'", 'tags.k = """it\'s"" o\'clock"', "tags.k LIKE '%''clock'"):
        answer = store.search_experiments(max_results=1000, filter_string=f"{clause} AND name = '{name}'")
        expect_equal([experiment_id], ids(answer), clause)


@check("search-experiments.filter-refused")
def wrong_filters_are_refused(store: TrackingStore) -> None:
    """What is no filter of experiments is refused."""
    for wrong in (
        " ",
        "name",
        "name = 'x",
        "name == 'x'",
        "name = 'x' OR name = 'y'",
        "(name = 'x')",
        "name = x",
        "name = 5",
        "name > 'x'",
        "creation_time = '5'",
        "creation_time LIKE '5'",
        "experiment_id = 5",
        "experiment_id > '5'",
        "experiment_id IN (5)",
        "tags.k > 'x'",
        "tags.k = 5",
        "gadget = 'x'",
        "gadget.k = 'x'",
        "metrics.m > 1",
        "params.p = 'x'",
    ):
        with refused(INVALID):
            store.search_experiments(max_results=1, filter_string=wrong)


@check("search-experiments.filter-type")
def a_filter_of_another_type_is_refused(store: TrackingStore) -> None:
    """A number, a bool and a list are no filters."""
    for wrong in (5, True, ["name = 'x'"]):
        with refused(INVALID):
            store.search_experiments(max_results=1, filter_string=cast(Any, wrong))
