"""The checks of the chapter on search: strings and numbers in filters."""

from __future__ import annotations

import sys

from trackspec import ErrorCode, Metric, Param, RunTag, TrackingStore
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect_equal, refused, unless_refused
from trackspec_conformance.fresh import Fresh
from trackspec_conformance.searching import names, something_to_search

FOUND = ("search.runs-of-experiments",)
INVALID = ErrorCode.INVALID_PARAMETER_VALUE


@check("search.double-quoted-strings", rests_on=FOUND)
def strings_may_stand_in_double_quotes(store: TrackingStore, fresh: Fresh) -> None:
    """Double quotes hold a string, and single quotes within it."""
    experiment_id = fresh.experiment()
    fresh.run(experiment_id, run_name="one", params=[Param("p", "it's"), Param("q", "plain")])
    fresh.run(experiment_id, run_name="other", params=[Param("p", "its"), Param("q", "it's")])

    for filter_string in ('params.q = "plain"', 'params.p = "it\'s"', 'params.p LIKE "it\'%"'):
        expect_equal(["one"], names(store.search_runs([experiment_id], filter_string)))


@check("search.quote-escape", rests_on=FOUND)
def a_doubled_quote_stands_for_one(store: TrackingStore, fresh: Fresh) -> None:
    """A string can hold both kinds of quotes."""
    experiment_id = fresh.experiment()
    for name, value in (("single", "it's"), ("both", '"it\'s"'), ("doubled", "it''s")):
        fresh.run(experiment_id, run_name=name, params=[Param("p", value)])

    for filter_string, found in (
        ("params.p = 'it''s'", ["single"]),
        ("params.p = '\"it''s\"'", ["both"]),
        ('params.p = """it\'s"""', ["both"]),
        ("params.p = 'it''''s'", ["doubled"]),
        ("params.p LIKE '%''s'", ["doubled", "single"]),
    ):
        expect_equal(found, sorted(names(store.search_runs([experiment_id], filter_string))))


@check("search.backslash-is-a-character", rests_on=FOUND)
def a_backslash_stands_for_itself(store: TrackingStore, fresh: Fresh) -> None:
    """A backslash in a string escapes nothing."""
    experiment_id = fresh.experiment()
    for name, value in (("path", "C:\\new"), ("line", "C:\new"), ("drive", "C:\\"), ("bare", "C:new")):
        fresh.run(experiment_id, run_name=name, params=[Param("p", value)])

    for filter_string, found in (("params.p = 'C:\\new'", ["path"]), ("params.p = 'C:\\'", ["drive"])):
        expect_equal(found, names(store.search_runs([experiment_id], filter_string)))


@check("search.strings-are-data", rests_on=FOUND)
def strings_are_data(store: TrackingStore, fresh: Fresh) -> None:
    """No string is taken for a part of a query, a pattern or a placeholder."""
    experiment_id = fresh.experiment()
    values = (
        "x' OR '1'='1",
        "x'; DROP TABLE runs; --",
        "%",
        "_",
        "NULL",
        "5",
        "%s",
        "?",
        ":value",
        "{0}",
        "AND",
        "a AND b",
        "a and params.p = 'b'",
        "IS NULL",
        "a = 'b', (c)",
        " two  spaces ",
        "two\n\n lines\t",
        "50%% off",
        "`a`",
        "é😀",
    )
    # What a store makes of such a string when it takes it apart finds the other run.
    altered = ("a and b", "two spaces", "two lines", "50% off")
    for name, texts in (("one", values), ("other", [*altered, *["x"] * (len(values) - len(altered))])):
        params = [Param(f"p{number}", text) for number, text in enumerate(texts)]
        fresh.run(experiment_id, run_name=name, params=params, tags=[RunTag("t", texts[13])])

    for number, value in enumerate(values):
        found = store.search_runs([experiment_id], f'params.p{number} = "{value}"')
        expect_equal(["one"], names(found), f"what {value!r} finds")
    found = store.search_runs([experiment_id], f"tags.t = \"{values[13]}\" AND params.p0 LIKE '%'")
    expect_equal(["one"], names(found), f"what {values[13]!r} finds beside another clause")


@check("search.text-takes-strings")
def text_compares_with_strings_only(store: TrackingStore, fresh: Fresh) -> None:
    """Text compared with a number or a bare word is refused."""
    experiment_id = something_to_search(fresh)

    for wrong in (
        "params.p = 5",
        "params.p = x",
        "tags.t != 1.5",
        "tags.t LIKE x",
        "run_name = 1",
        "status = FINISHED",
    ):
        with refused(INVALID):
            store.search_runs([experiment_id], wrong, max_results=1)


@check("search.number-forms", rests_on=FOUND)
def numbers_are_understood_in_every_form(store: TrackingStore, fresh: Fresh) -> None:
    """Integers, decimals, exponents and negative numbers denote what they do elsewhere."""
    experiment_id = fresh.experiment()
    fresh.run(experiment_id, run_name="ten", metrics=[Metric("m", 10.0, 0)])
    fresh.run(experiment_id, run_name="minus half", metrics=[Metric("m", -0.5, 0)])

    for number in ("10", "10.0", "10.", "1e1", "1E1", "100e-1", "0.1e2"):
        expect_equal(["ten"], names(store.search_runs([experiment_id], f"metrics.m = {number}")), number)
    for number in ("-0.5", "-.5", "-5e-1"):
        expect_equal(["minus half"], names(store.search_runs([experiment_id], f"metrics.m = {number}")), number)


@check("search.number-rare-forms", rests_on=FOUND)
def numbers_are_understood_as_programs_write_them(store: TrackingStore, fresh: Fresh) -> None:
    """An exponent may have a plus sign, and stand behind a number that begins with the point."""
    experiment_id = fresh.experiment()
    fresh.run(experiment_id, run_name="large", metrics=[Metric("m", 1e20, 0)])

    for number in ("1e+20", "1E+20", str(1e20), ".1e21"):
        expect_equal(["large"], names(store.search_runs([experiment_id], f"metrics.m = {number}")), number)


@check("search.numbers-take-numbers")
def numbers_compare_with_numbers_only(store: TrackingStore, fresh: Fresh) -> None:
    """A metric or a time compared with what is no decimal number is refused."""
    experiment_id = something_to_search(fresh)

    for wrong in ("NaN", "inf", "0x1", "1_0", "true", "'1'", '"1"', "x", "1.2.3"):
        with refused(INVALID):
            store.search_runs([experiment_id], f"metrics.m = {wrong}", max_results=1)
    for wrong in ("'1'", "x", "NaN"):
        with refused(INVALID):
            store.search_runs([experiment_id], f"start_time = {wrong}", max_results=1)


@check("search.numbers-are-exact", rests_on=FOUND)
def metrics_compare_without_tolerance(store: TrackingStore, fresh: Fresh) -> None:
    """The sum of 0.1 and 0.2 is not 0.3, and the smallest double is not zero."""
    experiment_id = fresh.experiment()
    for name, value in (("sum", 0.1 + 0.2), ("third", 0.3), ("smallest", 5e-324)):
        fresh.run(experiment_id, run_name=name, metrics=[Metric("m", value, 0)])

    for filter_string, found in (
        ("metrics.m = 0.3", ["third"]),
        ("metrics.m = 0.30000000000000004", ["sum"]),
        ("metrics.m > 0.3", ["sum"]),
        ("metrics.m > 0 AND metrics.m < 1e-300", ["smallest"]),
    ):
        expect_equal(found, names(store.search_runs([experiment_id], filter_string)))


@check("search.infinite-numbers", rests_on=FOUND)
def infinities_compare_as_such(store: TrackingStore, fresh: Fresh) -> None:
    """An infinite metric is no large finite one."""
    experiment_id = fresh.experiment()
    for name, value in (("inf", float("inf")), ("max", sys.float_info.max), ("-inf", float("-inf"))):
        fresh.run(experiment_id, run_name=name, metrics=[Metric("m", value, 0)])

    for filter_string, found in (
        ("metrics.m = 1e400", ["inf"]),
        ("metrics.m = -1e400", ["-inf"]),
        ("metrics.m < 1e400", ["-inf", "max"]),
        ("metrics.m > 1.7976931348623157e308", ["inf"]),
        ("metrics.m = 1.7976931348623157e308", ["max"]),
    ):
        expect_equal(found, sorted(names(store.search_runs([experiment_id], filter_string))))


@check("search.times-are-exact", rests_on=FOUND)
def times_compare_as_integers(store: TrackingStore, fresh: Fresh) -> None:
    """Two times of the same double are told apart."""
    experiment_id = fresh.experiment()
    for name, start_time in (("even", 2**53), ("odd", 2**53 + 1)):
        fresh.run(experiment_id, run_name=name, start_time=start_time)

    for filter_string, found in (
        ("start_time = 9007199254740993", ["odd"]),
        ("start_time = 9007199254740992", ["even"]),
        ("start_time > 9007199254740992", ["odd"]),
        ("start_time <= 9007199254740992", ["even"]),
    ):
        expect_equal(found, names(store.search_runs([experiment_id], filter_string)))


@check("search.time-fraction", rests_on=FOUND)
def times_compare_with_fractions(store: TrackingStore, fresh: Fresh) -> None:
    """A time lies before, behind, or on a number with a fraction."""
    experiment_id = fresh.experiment()
    for start_time in (1000, 1001):
        fresh.run(experiment_id, run_name=str(start_time), start_time=start_time)

    for filter_string, found in (
        ("start_time > 1000.5", ["1001"]),
        ("start_time < 1000.5", ["1000"]),
        ("start_time = 1000.5", []),
        ("start_time = 1000.0", ["1000"]),
    ):
        expect_equal(found, names(store.search_runs([experiment_id], filter_string)))


@check("search.time-out-of-range", rests_on=FOUND)
def numbers_beyond_64_bits_compare(store: TrackingStore, fresh: Fresh) -> None:
    """No time reaches a number of more than 64 bits."""
    experiment_id = fresh.experiment()
    fresh.run(experiment_id, run_name="one", start_time=1000)

    for filter_string, found in (
        ("start_time > 99999999999999999999999999", []),
        ("start_time < 99999999999999999999999999", ["one"]),
        ("start_time > -99999999999999999999999999", ["one"]),
        ("start_time < 9223372036854775808", ["one"]),
        ("start_time < 1e400", ["one"]),
    ):
        with unless_refused(INVALID):
            expect_equal(found, names(store.search_runs([experiment_id], filter_string)))
