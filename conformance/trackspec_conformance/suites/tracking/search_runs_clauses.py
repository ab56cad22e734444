"""The checks of the chapter on search: what each comparator finds among metrics, params and tags."""

from __future__ import annotations

import math

from trackspec import Metric, Param, RunTag, TrackingStore
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect_equal
from trackspec_conformance.fresh import Fresh
from trackspec_conformance.searching import names

FOUND = ("search.runs-of-experiments",)


@check("search.metric-comparators", rests_on=FOUND)
def metrics_compare_with_numbers(store: TrackingStore, fresh: Fresh) -> None:
    """Each of the six comparators finds the runs for which it holds."""
    experiment_id = fresh.experiment()
    for name, value in (("low", -2.0), ("mid", 9.0), ("top", 10.0)):
        fresh.run(experiment_id, run_name=name, metrics=[Metric("m", value, 0)])

    for filter_string, found in (
        ("metrics.m = 9", ["mid"]),
        ("metrics.m != 9", ["low", "top"]),
        ("metrics.m < 9", ["low"]),
        ("metrics.m <= 9", ["low", "mid"]),
        ("metrics.m > 9", ["top"]),
        ("metrics.m >= 9", ["mid", "top"]),
    ):
        expect_equal(found, sorted(names(store.search_runs([experiment_id], filter_string))))


@check("search.metric-latest", rests_on=FOUND)
def clauses_see_the_latest_value(store: TrackingStore, fresh: Fresh) -> None:
    """Neither an earlier value nor one that arrived last is seen."""
    experiment_id = fresh.experiment()
    points = [Metric("m", 5.0, 1, 0), Metric("m", 1.0, 1, 2), Metric("m", 9.0, 1, 1)]
    fresh.run(experiment_id, run_name="one", metrics=points)

    for filter_string, found in (
        ("metrics.m = 1", ["one"]),
        ("metrics.m = 5", []),
        ("metrics.m = 9", []),
        ("metrics.m != 1", []),
    ):
        expect_equal(found, names(store.search_runs([experiment_id], filter_string)))


@check("search.metric-nan", rests_on=FOUND)
def nan_is_only_unequal(store: TrackingStore, fresh: Fresh) -> None:
    """NaN is unequal to every number, and neither less nor greater."""
    experiment_id = fresh.experiment()
    fresh.run(experiment_id, run_name="nan", metrics=[Metric("m", math.nan, 0)])
    fresh.run(experiment_id, run_name="zero", metrics=[Metric("m", 0.0, 0)])

    for filter_string, found in (
        ("metrics.m != 5", ["nan", "zero"]),
        ("metrics.m != 0", ["nan"]),
        ("metrics.m = 0", ["zero"]),
        ("metrics.m < 5", ["zero"]),
        ("metrics.m <= 0", ["zero"]),
        ("metrics.m > -5", ["zero"]),
        ("metrics.m >= 0", ["zero"]),
    ):
        expect_equal(found, sorted(names(store.search_runs([experiment_id], filter_string))))


@check("search.missing-key", rests_on=FOUND)
def missing_keys_fulfil_nothing(store: TrackingStore, fresh: Fresh) -> None:
    """A run without the key is not even unequal."""
    experiment_id = fresh.experiment()
    fresh.run(
        experiment_id,
        run_name="with",
        metrics=[Metric("k", 1.0, 0)],
        params=[Param("k", "x")],
        tags=[RunTag("k", "x")],
    )
    fresh.run(experiment_id, run_name="without", params=[Param("other", "x")])

    for filter_string in (
        "metrics.k != 5",
        "metrics.k < 5",
        "metrics.k > -5",
        "params.k != 'y'",
        "params.k LIKE '%'",
        "params.k ILIKE '%'",
        "tags.k != 'y'",
        "tags.k LIKE '%'",
    ):
        expect_equal(["with"], names(store.search_runs([experiment_id], filter_string)))
    expect_equal([], names(store.search_runs([experiment_id], "end_time != 5")), "runs that ended")


@check("search.text-equality", rests_on=FOUND)
def text_is_compared_whole(store: TrackingStore, fresh: Fresh) -> None:
    """Case, blanks, accents, number forms, Unicode forms and the last of 301 characters tell values apart."""
    experiment_id = fresh.experiment()
    values = ("red", "Red", "red ", "réd", "re\u0301d", "redder", "1", "1.0", "", "x" * 300 + "y", "x" * 300 + "z")
    for number, value in enumerate(values):
        fresh.run(experiment_id, run_name=str(number), params=[Param("p", value)], tags=[RunTag("t", value)])
    fresh.run(experiment_id, run_name="without")

    for key in ("params.p", "tags.t"):
        for value in ("red", "réd", "1", "", values[-1]):
            found = names(store.search_runs([experiment_id], f"{key} = '{value}'"))
            expect_equal([str(values.index(value))], found, f"the runs whose {key} is {value!r}")
        others = names(store.search_runs([experiment_id], f"{key} != 'red'"))
        expect_equal([str(number) for number in range(1, len(values))], sorted(others, key=int), "the others")


@check("search.like", rests_on=FOUND)
def a_percent_sign_stands_for_any_text(store: TrackingStore, fresh: Fresh) -> None:
    """A percent sign fits no character, one and many, wherever it stands."""
    experiment_id = fresh.experiment()
    for value in ("ab", "axb", "axyzb", "b", "xaxb"):
        fresh.run(experiment_id, run_name=value, params=[Param("p", value)], tags=[RunTag("t", value)])

    for pattern, found in (
        ("a%b", ["ab", "axb", "axyzb"]),
        ("%b", ["ab", "axb", "axyzb", "b", "xaxb"]),
        ("a%", ["ab", "axb", "axyzb"]),
        ("%x%", ["axb", "axyzb", "xaxb"]),
        ("%x%x%", ["xaxb"]),
        ("ab", ["ab"]),
        ("%", ["ab", "axb", "axyzb", "b", "xaxb"]),
    ):
        for key in ("params.p", "tags.t"):
            filter_string = f"{key} LIKE '{pattern}'"
            expect_equal(found, sorted(names(store.search_runs([experiment_id], filter_string))))


@check("search.like-one-character", rests_on=FOUND)
def an_underscore_stands_for_one_character(store: TrackingStore, fresh: Fresh) -> None:
    """An underscore fits one character, of any script, and neither none nor two."""
    experiment_id = fresh.experiment()
    for value in ("ab", "axb", "a_b", "a😀b", "axxb"):
        fresh.run(experiment_id, run_name=value, params=[Param("p", value)], tags=[RunTag("t", value)])

    for pattern, found in (("a_b", ["a_b", "axb", "a😀b"]), ("a__b", ["axxb"]), ("__", ["ab"])):
        for key in ("params.p", "tags.t", "run_name"):
            filter_string = f"{key} LIKE '{pattern}'"
            expect_equal(found, sorted(names(store.search_runs([experiment_id], filter_string))), filter_string)


@check("search.like-is-anchored", rests_on=FOUND)
def patterns_fit_the_whole_value(store: TrackingStore, fresh: Fresh) -> None:
    """A pattern finds no value that merely contains, begins or ends with it."""
    experiment_id = fresh.experiment()
    for value in ("mid", "amid", "midst", "amidst"):
        fresh.run(experiment_id, run_name=value, params=[Param("p", value)])

    for pattern, found in (
        ("mid", ["mid"]),
        ("mid%", ["mid", "midst"]),
        ("%mid", ["amid", "mid"]),
        ("m_d", ["mid"]),
    ):
        filter_string = f"params.p LIKE '{pattern}'"
        expect_equal(found, sorted(names(store.search_runs([experiment_id], filter_string))))


@check("search.like-is-case-sensitive", rests_on=FOUND)
def like_tells_cases_apart(store: TrackingStore, fresh: Fresh) -> None:
    """A pattern in lower case finds no value in upper case."""
    experiment_id = fresh.experiment()
    for value in ("tree", "Tree", "TREE"):
        fresh.run(experiment_id, run_name=value, params=[Param("p", value)], tags=[RunTag("t", value)])

    for filter_string, found in (
        ("params.p LIKE 'tr%'", ["tree"]),
        ("params.p LIKE 'TREE'", ["TREE"]),
        ("tags.t LIKE 'Tr__'", ["Tree"]),
    ):
        expect_equal(found, names(store.search_runs([experiment_id], filter_string)))


@check("search.like-line-breaks", rests_on=FOUND)
def wildcards_stand_for_line_breaks(store: TrackingStore, fresh: Fresh) -> None:
    """A pattern reaches over several lines."""
    experiment_id = fresh.experiment()
    fresh.run(experiment_id, run_name="two lines", tags=[RunTag("t", "line 1\nline 2")])

    for pattern in ("line 1%line 2", "%line 2", "line 1%", "line 1_line 2"):
        found = store.search_runs([experiment_id], f"tags.t LIKE '{pattern}'")
        expect_equal(["two lines"], names(found), f"what {pattern!r} finds")


@check("search.like-literals", rests_on=FOUND)
def other_characters_stand_for_themselves(store: TrackingStore, fresh: Fresh) -> None:
    """Signs of regular expressions and of globs, and the backslash, are ordinary in a pattern."""
    experiment_id = fresh.experiment()
    for value in ("a.c", "abc", "[a]", "a*c", "a?c", "a\\c", "(a|b)", "^a$", "a+c"):
        fresh.run(experiment_id, run_name=value, params=[Param("p", value)], tags=[RunTag("t", value)])

    for pattern, found in (
        ("a.%", ["a.c"]),
        ("[a]%", ["[a]"]),
        ("a*%", ["a*c"]),
        ("a?%", ["a?c"]),
        ("a\\%", ["a\\c"]),
        ("(a|b)%", ["(a|b)"]),
        ("^a$%", ["^a$"]),
        ("a+%", ["a+c"]),
        ("[abc]%", []),
        (".*%", []),
    ):
        for key in ("params.p", "tags.t", "run_name"):
            found_names = names(store.search_runs([experiment_id], f"{key} LIKE '{pattern}'"))
            expect_equal(found, found_names, f"what {key} LIKE {pattern!r} finds")


@check("search.ilike", rests_on=FOUND)
def ilike_ignores_ascii_case(store: TrackingStore, fresh: Fresh) -> None:
    """ILIKE finds values in any case, and is otherwise as LIKE."""
    experiment_id = fresh.experiment()
    for value in ("tree", "Tree", "TREE", "trees", "a.c"):
        fresh.run(experiment_id, run_name=value, params=[Param("p", value)], tags=[RunTag("t", value)])

    for pattern, found in (
        ("TrEe", ["TREE", "Tree", "tree"]),
        ("T__E", ["TREE", "Tree", "tree"]),
        ("%EES", ["trees"]),
        ("REE", []),
        ("A.%", ["a.c"]),
    ):
        for key in ("params.p", "tags.t"):
            filter_string = f"{key} ILIKE '{pattern}'"
            expect_equal(found, sorted(names(store.search_runs([experiment_id], filter_string))))


@check("search.is-null", rests_on=FOUND)
def is_null_finds_missing_keys(store: TrackingStore, fresh: Fresh) -> None:
    """IS NULL finds the run that lacks the key, and no empty value."""
    experiment_id = fresh.experiment()
    fresh.run(experiment_id, run_name="full", params=[Param("k", "x")], tags=[RunTag("k", "x")])
    fresh.run(experiment_id, run_name="empty", params=[Param("k", "")], tags=[RunTag("k", "")])
    fresh.run(experiment_id, run_name="lacking")

    for filter_string in ("params.k IS NULL", "tags.k IS NULL"):
        expect_equal(["lacking"], names(store.search_runs([experiment_id], filter_string)))


@check("search.is-not-null", rests_on=FOUND)
def is_not_null_finds_present_keys(store: TrackingStore, fresh: Fresh) -> None:
    """IS NOT NULL finds every run that has the key, be its value empty."""
    experiment_id = fresh.experiment()
    fresh.run(experiment_id, run_name="full", params=[Param("k", "x")], tags=[RunTag("k", "x")])
    fresh.run(experiment_id, run_name="empty", params=[Param("k", "")], tags=[RunTag("k", "")])
    fresh.run(experiment_id, run_name="lacking")

    for filter_string in ("params.k IS NOT NULL", "tags.k IS NOT NULL"):
        expect_equal(["empty", "full"], sorted(names(store.search_runs([experiment_id], filter_string))))
