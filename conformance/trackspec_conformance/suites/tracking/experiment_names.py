"""The checks of the chapter on experiments: names, and looking experiments up by them."""

import uuid
from collections.abc import Sequence

from hypothesis import strategies as st

from trackspec import ErrorCode, ExperimentTag, TrackingStore
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect, expect_equal, refused, unless_refused
from trackspec_conformance.exploring import explore
from trackspec_conformance.fresh import Fresh
from trackspec_conformance.strategies import texts

ENDINGS = (
    ("a", "A", "aa", "á", "a\u0301", "Á", "\uff41"),
    ("", " ", "  ", "\t", "\n", "a", "a ", " a"),
    ("\u00c5", "\u212b", "ss", "ß", "ẞ", "i", "I", "ı", "İ", "\U0001f600", "\U0001f601"),
    ("%", "_", "*", "?", "a", "a%", "a_", "ab", "[a]"),
    ("'", "''", '"', '""', "`", "\\", "\\\\", "\\'"),
    ("' OR '1'='1", "'; --", "' AND name LIKE '%", "')", "/* */", "", "'"),
    ("0", "00", "1", "01", "1.0", "+1", "1e0", "١"),
    ("", "/", "//", "/a", "/./a", "/b/../a", ".", ".."),
)
"""Families of what follows the part of a name that two names share; some backend takes some of one for equal."""

DEFAULT_OR_NONE = "Default' AND name != 'nosuch"


@check("experiment.name-taken", rests_on=("experiment.create",))
def a_taken_name_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """A second experiment of one name is refused, and the first stays what the name finds."""
    name = fresh.name("taken")
    experiment_id = store.create_experiment(name, None, [ExperimentTag("k", "1")])

    with refused(ErrorCode.RESOURCE_ALREADY_EXISTS):
        store.create_experiment(name, None, [ExperimentTag("k", "2")])

    found = store.get_experiment_by_name(name)
    expect_equal(experiment_id, found and found.experiment_id, "the id that the name finds")
    expect_equal("1", found and found.tags.get("k"), "its tag")


@check("experiment.name-of-deleted-taken", rests_on=("experiment.create",))
def the_name_of_a_deleted_experiment_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """An experiment of a deleted one's name is refused."""
    name = fresh.name("deleted")
    store.delete_experiment(store.create_experiment(name, None, []))

    with refused(ErrorCode.RESOURCE_ALREADY_EXISTS):
        store.create_experiment(name, None, [])


@check("experiment.names-exact", rests_on=("experiment.create",))
def names_are_compared_exactly(store: TrackingStore, fresh: Fresh) -> None:
    """Of any names that only begin alike, each can be taken and each finds its own experiment."""

    def holds(endings: list[str]) -> None:
        start = f"{fresh.name('n')}-"
        _expect_different_names(store, [start + ending for ending in endings])

    families = st.sampled_from([*map(st.sampled_from, ENDINGS), texts(8)])
    endings = families.flatmap(lambda family: st.lists(family, min_size=2, max_size=5, unique=True))
    explore(fresh, endings, holds, examples=25)


@check("experiment.name-case", rests_on=("experiment.create",))
def case_makes_another_name(store: TrackingStore, fresh: Fresh) -> None:
    """Names that differ in the case of a letter are different."""
    start = fresh.name("case")

    _expect_different_names(
        store, [f"{start}-Alpha É", f"{start}-alpha É", f"{start}-ALPHA É", f"{start}-Alpha é"]
    )


@check("experiment.name-spaces", rests_on=("experiment.create",))
def spaces_make_another_name(store: TrackingStore, fresh: Fresh) -> None:
    """Names that differ in a space or a line end at the start or the end are different."""
    name = fresh.name("space")

    _expect_different_names(store, [name, f"{name} ", f"{name}  ", f" {name}", f"{name}\n"])


@check("experiment.name-look-alikes", rests_on=("experiment.create",))
def look_alikes_are_different_names(store: TrackingStore, fresh: Fresh) -> None:
    """Names that differ in normal form, accent, width or ligature are different."""
    start = fresh.name("look")
    endings = (
        "é",
        "e\u0301",
        "e",
        "\u00c5",
        "\u212b",
        "A",
        "\uff21",
        "fi",
        "\ufb01",
        "ss",
        "ß",
        "i",
        "ı",
        "\U0001f600",
        "\U0001f601",
    )

    _expect_different_names(store, [start + ending for ending in endings])


@check("experiment.name-wildcards", rests_on=("experiment.create",))
def wildcards_stand_for_themselves(store: TrackingStore, fresh: Fresh) -> None:
    """A name with wildcards finds no experiment that the pattern matches."""
    start = fresh.name("wild")
    store.create_experiment(f"{start}abc", None, [])

    for pattern in (f"{start}%", f"{start}_bc", f"{start}*", f"{start}a?c", f"%{start}%"):
        expect_equal(None, store.get_experiment_by_name(pattern), f"the experiment named {pattern!r}")
    _expect_different_names(store, [f"{start}_bc", f"{start}%"])


@check("experiment.name-quotes", rests_on=("experiment.create",))
def quotes_are_part_of_a_name(store: TrackingStore, fresh: Fresh) -> None:
    """Names with quotes and backslashes are taken and found."""
    start = fresh.name("quote")

    _expect_different_names(
        store, [start + ending for ending in ("'s", "''s", '"', "`", "\\", "\\'", "it's \"`\\")]
    )


@check("experiment.name-is-no-filter", rests_on=("experiment.create",))
def a_name_is_no_filter(store: TrackingStore, fresh: Fresh) -> None:
    """Names that read like filters find their own experiments or none, and never another's."""
    name = fresh.name("filter")
    store.create_experiment(name, None, [])
    clauses = (f"{name}' AND name != 'nosuch", f"x' OR name = '{name}", f"{name}' AND name LIKE '%", f"{name}'--")

    for clause in clauses:
        expect_equal(None, store.get_experiment_by_name(clause), f"the experiment named {clause!r}")
    default = store.get_experiment_by_name(DEFAULT_OR_NONE)
    expect(default is None or default.name == DEFAULT_OR_NONE, "no experiment of another name", default)
    _expect_different_names(store, clauses)


@check("experiment.name-paths", rests_on=("experiment.create",))
def paths_are_names(store: TrackingStore, fresh: Fresh) -> None:
    """Names that read as the same path, or as a way out of a folder, are kept and different."""
    name = fresh.name("path")

    _expect_different_names(
        store,
        [name, f"{name}/", f"{name}/a", f"{name}//a", f"{name}/./a", f"../{name}", f"/{name}", f"C:\\{name}"],
    )


@check("experiment.name-longest", rests_on=("experiment.create",))
def the_longest_names_are_kept(store: TrackingStore, fresh: Fresh) -> None:
    """Two names of 500 characters that differ in the last one are kept whole."""
    start = fresh.name("long").ljust(499, "x")

    _expect_different_names(store, [f"{start}a", f"{start}b"])


@check("experiment.name-over-long-refused")
def an_over_long_name_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """A name of 501 characters is refused, and none is created of its beginning."""
    name = fresh.name("long").ljust(501, "x")

    with refused(ErrorCode.INVALID_PARAMETER_VALUE):
        store.create_experiment(name, None, [])

    expect_equal(None, store.get_experiment_by_name(name[:500]), "the experiment of the first 500 characters")


@check("experiment.name-empty-refused")
def the_empty_name_is_refused(store: TrackingStore) -> None:
    """The empty name is refused."""
    with refused(ErrorCode.INVALID_PARAMETER_VALUE):
        store.create_experiment("", None, [])


@check("experiment.name-type-refused")
def a_name_of_another_type_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """Numbers, bytes, lists and None are refused as names."""
    number = uuid.uuid4().int

    for name in (None, number, 1.5, True, fresh.name().encode(), [fresh.name()]):
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.create_experiment(name, None, [])  # type: ignore[arg-type]

    expect_equal(None, store.get_experiment_by_name(str(number)), "the experiment named by the number's digits")


# -- looking up -------------------------------------------------------------------------------------------------


@check("experiment.by-name", rests_on=("experiment.create",))
def a_name_finds_the_whole_experiment(store: TrackingStore, fresh: Fresh) -> None:
    """What a name finds equals what the id finds, tags and times included."""
    name = fresh.name("find")
    experiment_id = store.create_experiment(name, "s3://bucket/find", [ExperimentTag("k", "1")])

    found = store.get_experiment_by_name(name)

    expect_equal(store.get_experiment(experiment_id), found, "the experiment that the name finds")


@check("experiment.by-name-none")
def an_unknown_name_finds_none(store: TrackingStore, fresh: Fresh) -> None:
    """A name that nobody has finds None."""
    found = store.get_experiment_by_name(fresh.name("nobody"))

    expect_equal(None, found, "the experiment")


@check("experiment.by-name-deleted", rests_on=("experiment.create",))
def a_name_finds_a_deleted_experiment(store: TrackingStore, fresh: Fresh) -> None:
    """The name of a deleted experiment finds it."""
    name = fresh.name("deleted")
    experiment_id = store.create_experiment(name, None, [])
    store.delete_experiment(experiment_id)

    found = store.get_experiment_by_name(name)

    expect_equal(experiment_id, found and found.experiment_id, "the id that the name finds")


@check("experiment.by-impossible-name")
def an_impossible_name_finds_none(store: TrackingStore, fresh: Fresh) -> None:
    """The empty name and one of 501 characters find nothing, or are refused."""
    for name in ("", fresh.name().ljust(501, "x")):
        found = None
        with unless_refused(ErrorCode.INVALID_PARAMETER_VALUE):
            found = store.get_experiment_by_name(name)
        expect_equal(None, found, "the experiment")


@check("experiment.by-name-type-refused")
def looking_up_another_type_is_refused(store: TrackingStore) -> None:
    """Numbers, bytes and None are refused as names to look up."""
    for name in (None, 5, b"Default", ["Default"]):
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.get_experiment_by_name(name)  # type: ignore[arg-type]


def _expect_different_names(store: TrackingStore, names: Sequence[str]) -> None:
    """Require that each name can be taken, that each experiment has its own, and that each name finds its own."""
    created = {name: store.create_experiment(name, None, []) for name in names}
    for name, experiment_id in created.items():
        expect_equal(name, store.get_experiment(experiment_id).name, "the name")
        found = store.get_experiment_by_name(name)
        expect_equal(experiment_id, found and found.experiment_id, f"the id that {name!r} finds")
