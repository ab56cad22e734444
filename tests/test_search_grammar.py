"""The parser of filters and orders, and the evaluator of what it makes."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackspec import (
    Dataset,
    DatasetInput,
    ErrorCode,
    Experiment,
    InputTag,
    LifecycleStage,
    Metric,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunStatus,
    TrackspecError,
    limits,
)
from trackspec.search.evaluate import experiment_matches, ilike, like, run_matches
from trackspec.search.order import compare_sort_keys, run_sort_key
from trackspec.search.parser import (
    parse_experiment_filter,
    parse_experiment_order,
    parse_run_filter,
    parse_run_order,
)
from trackspec.search.syntax import Comparator, Comparison, Entity, Identifier, OrderBy
from trackspec_conformance.search_strategies import run_filters, run_orders

EVERY_PARSER = (
    parse_run_filter,
    parse_experiment_filter,
    lambda text: parse_run_order([text]),
    lambda text: parse_experiment_order([text]),
)


def clause(entity: Entity, key: str, comparator: Comparator, value: object = None) -> Comparison:
    """A comparison."""
    return Comparison(Identifier(entity, key), comparator, value)  # type: ignore[arg-type]


# -- filters ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("metrics.m > 1", clause(Entity.METRIC, "m", Comparator.GT, 1.0)),
        ("params.p = 'x'", clause(Entity.PARAM, "p", Comparator.EQ, "x")),
        ('tag.`a/b` != "it\'s"', clause(Entity.TAG, "a/b", Comparator.NE, "it's")),
        ("tags.t LIKE '%'", clause(Entity.TAG, "t", Comparator.LIKE, "%")),
        ("parameter.a.b.c ilike 'X'", clause(Entity.PARAM, "a.b.c", Comparator.ILIKE, "X")),
        ("params.p IS  NULL", clause(Entity.PARAM, "p", Comparator.IS_NULL)),
        ("params.p is not null", clause(Entity.PARAM, "p", Comparator.IS_NOT_NULL)),
        ("run_id IN('a','b','a')", clause(Entity.ATTRIBUTE, "run_id", Comparator.IN, ("a", "b"))),
        ("run_id Not In ('a',)", clause(Entity.ATTRIBUTE, "run_id", Comparator.NOT_IN, ("a",))),
        ("attr.Created >= 5", clause(Entity.ATTRIBUTE, "start_time", Comparator.GE, 5)),
        ("`Run Name` = ''", clause(Entity.ATTRIBUTE, "run_name", Comparator.EQ, "")),
        ("end_time < 1.5", clause(Entity.ATTRIBUTE, "end_time", Comparator.LT, 1.5)),
        ("datasets.context = 'train'", clause(Entity.DATASET, "context", Comparator.EQ, "train")),
        ("metrics.and = 1", clause(Entity.METRIC, "and", Comparator.EQ, 1.0)),
        ("metrics.`x``y` = 1", clause(Entity.METRIC, "x`y", Comparator.EQ, 1.0)),
    ],
)
def test_a_clause_is_read(text: str, expected: Comparison) -> None:
    """A clause of each kind has one reading."""
    assert parse_run_filter(text) == (expected,)


@pytest.mark.parametrize("nothing", [None, ""])
def test_no_filter_has_no_clauses(nothing: str | None) -> None:
    """None and the empty string mean everything."""
    assert parse_run_filter(nothing) == ()
    assert parse_experiment_filter(nothing) == ()


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ("'it''s'", "it's"),
        ("''''", "'"),
        ("''", ""),
        ('"say ""it\'s"""', 'say "it\'s"'),
        ("'\\'", "\\"),
        ("'a\nb'", "a\nb"),
        ("' AND '", " AND "),
    ],
)
def test_quotes_are_escaped_by_doubling(literal: str, value: str) -> None:
    """A doubled quote is one; nothing else is special within quotes."""
    assert parse_run_filter(f"params.p = {literal}")[0].value == value


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ("1", 1.0),
        ("-1.5", -1.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1E-3", 0.001),
        ("1e400", math.inf),
        ("-1e400", -math.inf),
        ("9" * 5000, math.inf),
        ("9007199254740993", 9007199254740992.0),
    ],
)
def test_metrics_compare_with_doubles(literal: str, value: float) -> None:
    """A number that meets a metric is a float, infinite if it is too large."""
    (parsed,) = parse_run_filter(f"metrics.m = {literal}")

    assert parsed.value == value
    assert isinstance(parsed.value, float)


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ("9007199254740993", 9007199254740993),
        (str(limits.INT64_MAX), limits.INT64_MAX),
        (str(limits.INT64_MIN), limits.INT64_MIN),
        (str(limits.INT64_MAX + 1), math.inf),
        (str(limits.INT64_MIN - 1), -math.inf),
        ("9" * 5000, math.inf),
        ("1.5", 1.5),
    ],
)
def test_times_compare_with_64_bit_integers(literal: str, value: float) -> None:
    """A number that meets a time is an int within 64 bits, or a float."""
    (parsed,) = parse_run_filter(f"start_time = {literal}")

    assert parsed.value == value
    assert isinstance(parsed.value, type(value))


@pytest.mark.parametrize(
    "text",
    [
        " ",
        "AND",
        "params.p = 'x' AND",
        "AND params.p = 'x'",
        "params.p = 'x' AND AND params.p = 'x'",
        "params.p = 'x' params.q = 'x'",
        "params.p = 'x' OR params.q = 'x'",
        "params.p = 'x' ANDparams.q = 'x'",
        "(params.p = 'x')",
        "params.p = 'x",
        "params.p == 'x'",
        "params.p = 5",
        "params.p > 'x'",
        "params.p IN ('x')",
        "params. = 'x'",
        "params.`` = 'x'",
        "params.a-b = 'x'",
        "metrics.m = 'x'",
        "metrics.m = NaN",
        "metrics.m = 1_0",
        "metrics.m = 0x1",
        "metrics.m = +1",
        "metrics.m = 1.2.3",
        "metrics.m IS NULL",
        "run_id IN ()",
        "run_id IN 'x'",
        "run_id IN (x)",
        "gadget = 'x'",
        "gadget.k = 'x'",
        "Metrics.m = 1",
        "dataset.gadget = 'x'",
        "experiment_id = '1'",
        "params.p = 'a\x00b'",
        "params.p = 'a\ud800b'",
    ],
)
def test_what_is_no_filter_is_refused(text: str) -> None:
    """A refusal is an INVALID_PARAMETER_VALUE."""
    with pytest.raises(TrackspecError) as refusal:
        parse_run_filter(text)

    assert refusal.value.error_code is ErrorCode.INVALID_PARAMETER_VALUE


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("metrics.m > 1 AND params.p == 'x'", "= 'x'"),
        ("metrics.m > 1 AND gadget.k = 'x'", "gadget"),
        ("metrics.m > 1 AND gadget = 'x'", "gadget"),
        ("metrics.m > 'abc'", "abc"),
        ("params.p > 'x'", ">"),
        ("params.p = 'x' AND", "too early"),
    ],
)
def test_a_refusal_names_the_part_at_fault(text: str, named: str) -> None:
    """A person sees what to mend."""
    with pytest.raises(TrackspecError) as refusal:
        parse_run_filter(text)

    assert named in refusal.value.message


@pytest.mark.parametrize("wrong", [5, True, b"params.p = 'x'", ["params.p = 'x'"]])
def test_a_filter_of_another_type_is_refused(wrong: object) -> None:
    """A filter is a string or None."""
    for parse in (parse_run_filter, parse_experiment_filter):
        with pytest.raises(TrackspecError):
            parse(wrong)  # type: ignore[arg-type]


def test_filters_are_bounded() -> None:
    """Clauses and listed strings have bounds; what is at the bound is read."""
    most = " AND ".join(["params.p = 'x'"] * limits.MAX_FILTER_CLAUSES)
    listed = ",".join(f"'{number}'" for number in range(limits.MAX_FILTER_IN_VALUES))

    assert len(parse_run_filter(most)) == limits.MAX_FILTER_CLAUSES
    assert len(parse_run_filter(f"run_id IN ({listed})")) == 1
    for text in (f"{most} AND params.p = 'x'", f"run_id IN ({listed},'x')"):
        with pytest.raises(TrackspecError):
            parse_run_filter(text)


@pytest.mark.parametrize(
    "text", ["(" * 500_000, "'" * 499_999, "params.p = " * 40_000, "params.p = 'x' AND " * 20_000]
)
def test_huge_filters_are_refused_in_time(text: str) -> None:
    """No depth and no length brings the parser down."""
    started = time.monotonic()

    with pytest.raises(TrackspecError):
        parse_run_filter(text)

    assert time.monotonic() - started < 30


@pytest.mark.parametrize(
    "text",
    [
        "metrics.m > 1",
        "params.p = 'x'",
        "experiment_id LIKE '1'",
        "run_name = 'x'",
        "name > 'x'",
        "creation_time = 'x'",
    ],
)
def test_experiments_have_their_own_names(text: str) -> None:
    """What belongs to runs is refused in a filter of experiments."""
    with pytest.raises(TrackspecError):
        parse_experiment_filter(text)


# -- orders -----------------------------------------------------------------------------------------------------


def test_columns_are_read() -> None:
    """A column ascends unless DESC follows."""
    assert parse_run_order(["metrics.`a/b` desc", "created", "params.asc ASC"]) == (
        OrderBy(Identifier(Entity.METRIC, "a/b"), ascending=False),
        OrderBy(Identifier(Entity.ATTRIBUTE, "start_time"), ascending=True),
        OrderBy(Identifier(Entity.PARAM, "asc"), ascending=True),
    )


def test_the_first_mention_of_a_column_counts() -> None:
    """Later mentions are dropped, by whatever name."""
    assert parse_run_order(["created DESC", "run_id", "attr.start_time", "Created ASC"]) == (
        OrderBy(Identifier(Entity.ATTRIBUTE, "start_time"), ascending=False),
        OrderBy(Identifier(Entity.ATTRIBUTE, "run_id"), ascending=True),
    )


@pytest.mark.parametrize(
    "wrong",
    ["metrics.m", 5, {"metrics.m"}, [5], [None], [""], ["metrics.m foo"], ["a, b"], ["gadget"], ["dataset.name"]],
)
def test_what_is_no_order_is_refused(wrong: object) -> None:
    """A refusal is an INVALID_PARAMETER_VALUE."""
    with pytest.raises(TrackspecError) as refusal:
        parse_run_order(wrong)  # type: ignore[arg-type]

    assert refusal.value.error_code is ErrorCode.INVALID_PARAMETER_VALUE


def test_orders_are_bounded() -> None:
    """Columns have a bound; mentions have none."""
    most = [f"params.p{number}" for number in range(limits.MAX_ORDER_COLUMNS)]

    assert len(parse_run_order(most * 3)) == limits.MAX_ORDER_COLUMNS
    with pytest.raises(TrackspecError):
        parse_run_order([*most, "params.one_more"])


def test_tags_do_not_order_experiments() -> None:
    """Experiments are ordered by attributes."""
    assert len(parse_experiment_order(["name", "experiment_id", "creation_time", "last_update_time"])) == 4
    with pytest.raises(TrackspecError):
        parse_experiment_order(["tags.k"])


# -- any text ---------------------------------------------------------------------------------------------------

WORDS = """
metrics. params. tags. attr. dataset. gadget. m p name run_id start_time context AND and OR NOT = != < <= > >= ==
LIKE ILIKE IN IS NULL ( ) , ; . - + 1 -1.5 1e400 NaN 'x' "x" `k` ' " ` ASC DESC
"""
TOKENS = st.sampled_from([*WORDS.split(), " ", "\n", "\x00", "\ud800", "\u212a"])


@given(st.text() | st.lists(TOKENS, max_size=12).map(" ".join) | st.lists(TOKENS, max_size=12).map("".join))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text has another effect than a reading or an INVALID_PARAMETER_VALUE."""
    for parse in EVERY_PARSER:
        assert reading(parse, text) in ("read", ErrorCode.INVALID_PARAMETER_VALUE)


def reading(parse: Callable[[str], object], text: str) -> object:
    """What comes of parsing a text: ``read``, or the code of the refusal."""
    try:
        parse(text)
    except TrackspecError as refusal:
        return refusal.error_code
    return "read"


@given(run_filters(), run_orders())
def test_what_the_suite_draws_is_valid(filter_string: str, order_by: list[str]) -> None:
    """The suite's own strategies draw filters and orders that are read."""
    assert parse_run_filter(filter_string)
    assert len(parse_run_order(order_by)) == len(order_by)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\x00")))
def test_any_value_can_be_named(value: str) -> None:
    """Once its quotes are doubled, every value can stand in a filter, in quotes of both kinds."""
    for quote in "'\"":
        literal = quote + value.replace(quote, quote * 2) + quote
        assert parse_run_filter(f"params.p = {literal}")[0].value == value


# -- matching ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "pattern", "fits"),
    [
        ("", "", True),
        ("", "%", True),
        ("", "_", False),
        ("abc", "abc", True),
        ("abc", "ab", False),
        ("abc", "a%", True),
        ("abc", "%c", True),
        ("abc", "%b%", True),
        ("abc", "a_c", True),
        ("abc", "___", True),
        ("abc", "____", False),
        ("aba", "ab%ba", False),
        ("abba", "ab%ba", True),
        ("a\nb", "a%b", True),
        ("a\nb", "a_b", True),
        ("aXbXc", "a%X%c", True),
        ("mississippi", "m%iss%ip_i", True),
        ("mississippi", "%ss%ss%ss%", False),
        ("a.c", "a.c", True),
        ("abc", "a.c", False),
        ("a%c", "a%%c", True),
        ("😀", "_", True),
    ],
)
def test_like(value: str, pattern: str, fits: bool) -> None:
    """A pattern fits the whole value or not at all."""
    assert like(value, pattern) is fits


@given(st.text("ab_%\n", max_size=8), st.text("ab_%", max_size=6))
def test_like_is_a_regular_expression(value: str, pattern: str) -> None:
    """A pattern is the regular expression that its wildcards spell."""
    expression = "".join({"%": ".*", "_": "."}.get(character, re.escape(character)) for character in pattern)

    assert like(value, pattern) == bool(re.fullmatch(expression, value, re.DOTALL))


def test_like_takes_no_time() -> None:
    """A pattern of many wildcards does not make matching slow."""
    started = time.monotonic()

    assert not like("a" * 5000, "%a" * 50 + "%b")

    assert time.monotonic() - started < 5


def test_ilike_folds_ascii() -> None:
    """Only the letters A to Z are folded."""
    assert ilike("TREE", "tr%")
    assert not ilike("É", "é")


def run(**data: object) -> Run:
    """A run with this data."""
    info = RunInfo("r1", "one", "1", "ada", RunStatus.FINISHED, 1000, None, LifecycleStage.ACTIVE, "s3://b/r1")
    inputs = RunInputs(
        (
            DatasetInput(Dataset("mnist", "d1", "local", "{}"), (InputTag("mlflow.data.context", "train"),)),
            DatasetInput(Dataset("cifar", "d2", "local", "{}")),
        )
    )
    return Run(info, RunData(**data), inputs)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("metrics.nan != 1", True),
        ("metrics.nan = 1 ", False),
        ("metrics.nan < 1e400", False),
        ("metrics.inf = 1e400", True),
        ("metrics.inf > 1.7976931348623157e308", True),
        ("metrics.missing != 1", False),
        ("params.p = 'x' AND params.empty = ''", True),
        ("params.missing != 'x'", False),
        ("params.missing IS NULL", True),
        ("params.empty IS NULL", False),
        ("params.empty IS NOT NULL", True),
        ("end_time != 5", False),
        ("start_time > 999.5", True),
        ("start_time < 99999999999999999999999", True),
        ("status = 'FINISHED'", True),
        ("status = 'finished'", False),
        ("run_id NOT IN ('r2')", True),
        ("dataset.name = 'cifar' AND dataset.context = 'train'", True),
        ("dataset.context != 'train'", False),
        ("dataset.name NOT IN ('mnist')", True),
        ("dataset.digest LIKE 'd_'", True),
    ],
)
def test_a_filter_matches_a_run(text: str, matches: bool) -> None:
    """What a filter means is what the chapter says."""
    metrics = {"nan": Metric("nan", math.nan, 1), "inf": Metric("inf", math.inf, 1)}
    subject = run(latest_metrics=metrics, params={"p": "x", "empty": ""})

    assert run_matches(subject, parse_run_filter(text)) is matches


def test_a_filter_matches_an_experiment() -> None:
    """Experiments are matched by attributes and tags."""
    experiment = Experiment("7", "Trees", "s3://b/7", LifecycleStage.ACTIVE, 1000, 2000, {"k": "v"})

    assert experiment_matches(experiment, parse_experiment_filter("name ILIKE 'tr%' AND tags.k = 'v'"))
    assert experiment_matches(
        experiment, parse_experiment_filter("experiment_id IN ('7') AND creation_time < 1000.5")
    )
    assert not experiment_matches(experiment, parse_experiment_filter("tags.other != 'v'"))


@given(run_orders(), st.lists(st.floats(), min_size=2, max_size=3), st.lists(st.sampled_from("abc"), min_size=3))
def test_sort_keys_are_totally_ordered(order_by: list[str], values: list[float], params: list[str]) -> None:
    """Two sort keys compare one way, and the other way round."""
    columns = parse_run_order(order_by)
    compare = compare_sort_keys(columns)
    keys = [
        run_sort_key(run(latest_metrics={"k": Metric("k", value, 1)}, params={"k": param}), columns)
        for value, param in zip(values, params, strict=False)
    ]

    for left in keys:
        assert compare(left, left) == 0
        for right in keys:
            assert compare(left, right) == -compare(right, left)
