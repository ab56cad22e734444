"""Hypothesis strategies of valid data that backends confuse, cut or reorder.

Data drawn evenly from all that is valid almost never meets itself: two random keys are never a prefix of one
another, two random points never share a step. These strategies draw from small pools of values that have collided
somewhere: in file systems (prefixes, case, normal forms, long names), in databases (collations, trailing spaces,
wildcards, integer and floating-point columns) and in text formats (line ends, quotes, "null", "NaN").

Everything drawn is valid: a backend that refuses any of it is wrong. The tag that mirrors a run's name is never
drawn, since setting it does more than set a tag.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from trackspec import Dataset, DatasetInput, InputTag, Metric, Param, RunTag, limits

PREFIX_KEYS = ("a", "a/b", "a/b/c", "ab", "a.b", "a/bc", "a/b.c")
"""Each a prefix of another, by path segment or by character."""

CASE_KEYS = ("a", "A", "loss", "Loss", "LOSS", "é", "É", "ß", "ẞ", "ss", "i", "I", "ı", "İ")
"""Equal once their case is folded, by ASCII rules, by Unicode's or by those of one language."""

UNICODE_KEYS = (
    "\u00e9",  # é
    "e",
    "\u00c5",  # Å, and the ångström sign, whose normal form it is
    "\u212b",
    "\u03a9",  # Ω, and the ohm sign
    "\u2126",
    "K",  # and the kelvin sign, whose normal form and lower case are those of the letter
    "\u212a",
    "\uac00",  # a Hangul syllable, and its two jamo
    "\u1100\u1161",
    "\ufb01",  # the ligature fi, and its letters
    "fi",
    "a",  # and its full-width form
    "\uff41",
    "1",  # and the Arabic-Indic digit
    "\u0661",
    "\U0001d4d0",  # a letter outside the basic plane
)
"""Equal in one of Unicode's normal forms, or to a collation that ignores accents and widths."""

SIMILAR_KEYS = ("a_b", "a-b", "a b", "a:b", "a.b", "a/b", "axb", "a", "a ", " a", " ", ".a", "a.", "a..b", "a/.b")
"""Equal to a pattern with wildcards, to a collation that pads with spaces, or once made into a file name."""

RESERVED_KEYS = (
    "con",
    "nul",
    "NUL.txt",
    "meta.yaml",
    "metrics",
    "tags",
    "null",
    "None",
    "true",
    "0",
    "00",
    "-1",
    "1e3",
)
"""Names of files, columns and values that a backend may take them for."""

_LONG_STEMS = ("k" * 249, "é" * 249, "界" * 249, "d/" * 124 + "d")
LONG_KEYS = tuple(stem + last for stem in _LONG_STEMS for last in "xy")
"""As long as a key may be, in one to three bytes a character or in many segments, and equal but for the last."""

COLLIDING_KEYS = tuple(
    dict.fromkeys(PREFIX_KEYS + CASE_KEYS + UNICODE_KEYS + SIMILAR_KEYS + RESERVED_KEYS + LONG_KEYS)
)
"""All of the above."""

_AWKWARD_TEXT = (
    "",
    " ",
    "x",
    "X",
    "x ",
    " x",
    "\n",
    "\r",
    "\r\n",
    "line 1\nline 2",
    "line 1\r\nline 2\r\n",
    "\t",
    "\x1b[0m",
    "\x7f",
    "'",
    '"',
    "''",
    "\\",
    "\\n",
    "\\'",
    "%",
    "_",
    "%s",
    "{}",
    "{x}",
    "$x",
    "`x`",
    "--",
    "/* x */",
    ";",
    "null",
    "None",
    "NaN",
    "true",
    "0",
    "0.0",
    "1e400",
    "[]",
    '{"k": "v"}',
    "- x: &y",
    "\u00e9",
    "e\u0301",
    "\u212b",
    "\u200b",
    "\u2028",
    "\ufeff",
    "\ufffd",
    "\uffff",
    "\U0001f600",
    "\U0010ffff",
)

_INT64_EDGES = (
    limits.INT64_MIN,
    limits.INT64_MIN + 1,
    -(2**53) - 1,
    -(2**32),
    -(2**31) - 1,
    -1,
    0,
    1,
    2**31 - 1,
    2**31,
    2**32,
    2**53 - 1,
    2**53 + 1,
    limits.INT64_MAX - 1,
    limits.INT64_MAX,
)

_DOUBLE_EDGES = (
    math.nan,
    math.inf,
    -math.inf,
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.1,
    1 / 3,
    math.nextafter(0.1, 1.0),
    2.0**53,
    2.0**63,
    sys.float_info.max,
    -sys.float_info.max,
    math.nextafter(sys.float_info.max, 0.0),
    sys.float_info.min,
    -sys.float_info.min,
    math.ulp(0.0),
    -math.ulp(0.0),
    1e-300,
    123456789.12345679,
)


@dataclass(frozen=True)
class Batch:
    """The three lists of one ``log_batch`` call; no param and no tag key occurs twice."""

    metrics: tuple[Metric, ...] = ()
    params: tuple[Param, ...] = ()
    tags: tuple[RunTag, ...] = ()


# -- keys and texts ---------------------------------------------------------------------------------------------


def keys() -> SearchStrategy[str]:
    """Valid keys of params, metrics and tags."""
    return st.sampled_from(COLLIDING_KEYS) | _SHORT_KEYS


def distinct_keys(min_size: int = 2, max_size: int = 12) -> SearchStrategy[list[str]]:
    """Lists of different keys that are easily taken for one another."""
    return st.lists(keys(), min_size=min_size, max_size=max_size, unique=True)


def texts(max_length: int, min_length: int = 0) -> SearchStrategy[str]:
    """Texts of up to ``max_length`` characters, some of exactly that length; no U+0000, no lone surrogate."""
    awkward = [text for text in _AWKWARD_TEXT if min_length <= len(text) <= max_length]
    longest = ["x" * max_length, "é" * max_length, "界" * (max_length - 1) + "\n"]
    return st.sampled_from(awkward + longest) | st.text(
        _STORABLE, min_size=min_length, max_size=min(20, max_length)
    )


def param_values() -> SearchStrategy[str]:
    """Values of params."""
    return texts(limits.MAX_PARAM_VALUE_LENGTH)


def run_tag_values() -> SearchStrategy[str]:
    """Values of run tags."""
    return texts(limits.MAX_RUN_TAG_VALUE_LENGTH)


def experiment_tag_values() -> SearchStrategy[str]:
    """Values of experiment tags."""
    return texts(limits.MAX_EXPERIMENT_TAG_VALUE_LENGTH)


# -- numbers ----------------------------------------------------------------------------------------------------


def int64s(min_value: int = limits.INT64_MIN, max_value: int = limits.INT64_MAX) -> SearchStrategy[int]:
    """Integers within these bounds, mostly where a narrower type ends."""
    edges = [edge for edge in _INT64_EDGES if min_value <= edge <= max_value]
    return st.sampled_from(edges or [min_value]) | st.integers(min_value, max_value)


def steps() -> SearchStrategy[int]:
    """Steps of metric points."""
    return int64s()


def timestamps() -> SearchStrategy[int]:
    """Timestamps of metric points."""
    return int64s(min_value=0)


def doubles() -> SearchStrategy[float]:
    """Doubles: NaN, the infinities, both zeros, subnormals and the greatest ones among them."""
    return st.sampled_from(_DOUBLE_EDGES) | st.floats()


# -- entities ---------------------------------------------------------------------------------------------------


def params() -> SearchStrategy[Param]:
    """Params."""
    return st.builds(Param, keys(), param_values())


def run_tags() -> SearchStrategy[RunTag]:
    """Run tags."""
    return st.builds(RunTag, keys(), run_tag_values())


def metrics(values: SearchStrategy[float] | None = None) -> SearchStrategy[Metric]:
    """Metric points of any key, timestamp and step, and of any value unless ``values`` are given."""
    return st.builds(Metric, keys(), doubles() if values is None else values, timestamps(), steps())


FINITE_VALUES = (0.0, 1.0, -1.0, 0.1, math.nextafter(0.1, 1.0))
CROWDED_VALUES = (0.0, 1.0, -1.0, math.nan, math.inf, -math.inf, sys.float_info.max)
CROWDED_TIMESTAMPS = (0, 1, 2, limits.INT64_MAX)
CROWDED_STEPS = (0, 1, -1, 2, limits.INT64_MIN, limits.INT64_MAX)


def crowded_points(
    key: str = "m",
    *,
    values: Sequence[float] = CROWDED_VALUES,
    timestamps: Sequence[int] = CROWDED_TIMESTAMPS,
    steps: Sequence[int] = CROWDED_STEPS,
) -> SearchStrategy[Metric]:
    """Points of one metric that often share their step, timestamp or value. A zero is never negative."""
    return st.builds(
        Metric, st.just(key), st.sampled_from(values), st.sampled_from(timestamps), st.sampled_from(steps)
    )


def crowded_histories(
    points: SearchStrategy[Metric] | None = None, *, min_size: int = 2, max_size: int = 20
) -> SearchStrategy[list[Metric]]:
    """Points of one metric in the order in which they arrive, some of them several times."""
    return st.lists(crowded_points() if points is None else points, min_size=min_size, max_size=max_size)


def batches(
    max_metrics: int = 8,
    max_params: int = 8,
    max_tags: int = 8,
    *,
    values: SearchStrategy[float] | None = None,
) -> SearchStrategy[Batch]:
    """Batches within the limits, their keys easily taken for one another, their metrics of these ``values``."""
    return st.builds(
        Batch,
        st.lists(metrics(values), max_size=max_metrics).map(_without_zero_ties).map(tuple),
        st.lists(params(), max_size=max_params, unique_by=_key).map(tuple),
        st.lists(run_tags(), max_size=max_tags, unique_by=_key).map(tuple),
    )


def datasets() -> SearchStrategy[Dataset]:
    """Datasets, whose names and digests are often those of others, or run together into the same text."""
    return st.builds(
        Dataset,
        st.sampled_from(("d", "dg", "D", "d ", "d/g", "é", "\u212b", "x" * limits.MAX_DATASET_NAME_LENGTH))
        | texts(40, min_length=1),
        st.sampled_from(("g", "gg", "G", "g ", "0", "x" * limits.MAX_DATASET_DIGEST_LENGTH))
        | texts(limits.MAX_DATASET_DIGEST_LENGTH, min_length=1),
        texts(40),
        texts(200),
        st.none() | texts(200, min_length=1),
        st.none() | texts(200, min_length=1),
    )


def dataset_inputs() -> SearchStrategy[DatasetInput]:
    """Uses of datasets with up to four tags, no tag key twice."""
    tags = st.builds(
        InputTag,
        texts(limits.MAX_INPUT_TAG_KEY_LENGTH, min_length=1),
        texts(limits.MAX_INPUT_TAG_VALUE_LENGTH),
    )
    return st.builds(DatasetInput, datasets(), st.lists(tags, max_size=4, unique_by=_key).map(tuple))


# -- pages ------------------------------------------------------------------------------------------------------


def page_sizes(total: int) -> SearchStrategy[int]:
    """Page sizes around those at which ``total`` items just fit, just do not, or fill their last page."""
    near = {1, 2, 3, total // 2, total - 1, total, total + 1}
    return st.sampled_from(sorted(size for size in near if size >= 1))


_STORABLE = st.characters(exclude_categories=["Cs"], exclude_characters="\x00")


def _is_key(text: str) -> bool:
    segments = text.split("/")
    return not text.startswith("..") and not {"", ".", ".."}.intersection(segments)


_SHORT_KEYS = st.text("aAbB01_.-/ :éÉ", min_size=1, max_size=4).filter(_is_key)


def _key(item: Param | RunTag | InputTag) -> str:
    return item.key


def _without_zero_ties(points: Sequence[Metric]) -> list[Metric]:
    """Leave out a zero at the place of a zero: whether two of different sign are one point is left open."""
    seen = set()
    kept = []
    for point in points:
        if point.value == 0:
            if (place := (point.key, point.step, point.timestamp)) in seen:
                continue
            seen.add(place)
        kept.append(point)
    return kept
