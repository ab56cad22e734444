"""The checks of the chapter on search: the grammar of filters, their identifiers, strings and numbers."""

from __future__ import annotations

from trackspec import ErrorCode, Metric, Param, RunTag, TrackingStore
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect_equal, refused, unless_refused
from trackspec_conformance.fresh import Fresh
from trackspec_conformance.searching import names, something_to_search

FOUND = ("search.runs-of-experiments",)
INVALID = ErrorCode.INVALID_PARAMETER_VALUE


@check("search.clauses-all-hold", rests_on=FOUND)
def every_clause_counts(store: TrackingStore, fresh: Fresh) -> None:
    """A run that fails any one of several clauses, of which two are of each kind, is not found."""
    experiment_id = fresh.experiment()
    keys = ("params.a", "params.b", "tags.a", "tags.b", "metrics.a", "metrics.b")
    for failing in (None, *keys):
        texts = {key: "2" if key == failing else "1" for key in keys}
        fresh.run(
            experiment_id,
            run_name=failing or "all",
            params=[Param(key, texts[f"params.{key}"]) for key in "ab"],
            tags=[RunTag(key, texts[f"tags.{key}"]) for key in "ab"],
            metrics=[Metric(key, float(texts[f"metrics.{key}"]), 0) for key in "ab"],
        )
    clauses = [f"{key} < 1.5" if key.startswith("metrics") else f"{key} = '1'" for key in keys]

    for ordered in (clauses, clauses[::-1]):
        expect_equal(["all"], names(store.search_runs([experiment_id], " AND ".join(ordered))))


@check("search.no-filter", rests_on=FOUND)
def no_filter_finds_all(store: TrackingStore, fresh: Fresh) -> None:
    """None, the empty string and no argument at all find every run."""
    experiment_id = fresh.experiment()
    for name in ("bare", "logged"):
        fresh.run(experiment_id, run_name=name, params=[Param("p", "x")] if name == "logged" else [])

    for found in (
        store.search_runs([experiment_id], None),
        store.search_runs([experiment_id], ""),
        store.search_runs([experiment_id]),
    ):
        expect_equal(["bare", "logged"], sorted(names(found)))


@check("search.blank-filter-refused")
def a_blank_filter_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """Spaces and line breaks are no filter."""
    experiment_id = something_to_search(fresh)

    for blank in ("  ", "\n", " \t "):
        with refused(INVALID):
            store.search_runs([experiment_id], blank, max_results=1)


@check("search.filter-type")
def a_filter_of_another_type_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """A number, a bool and a list are no filters."""
    experiment_id = something_to_search(fresh)

    for wrong in (5, True, ["params.p = 'x'"]):
        with refused(INVALID):
            store.search_runs([experiment_id], wrong, max_results=1)  # type: ignore[arg-type]


@check("search.malformed-filter-refused")
def malformed_filters_are_refused(store: TrackingStore, fresh: Fresh) -> None:
    """What the grammar does not derive is refused."""
    experiment_id = something_to_search(fresh)

    for malformed in (
        "params.p",
        "params.p =",
        "= 'x'",
        "params.p 'x'",
        "params.p == 'x'",
        "params.p <> 'x'",
        "params.p = 'x",
        "params.p = x'",
        "'x' = params.p",
        "params.p = 'x' OR params.p = 'y'",
        "NOT params.p = 'x'",
        "(params.p = 'x')",
        "params.p BETWEEN 'a' AND 'b'",
        "params.p = 'x'; params.p = 'y'",
        "params.p = 'x' -- nothing",
        "metrics.m > metrics.n",
    ):
        with refused(INVALID):
            store.search_runs([experiment_id], malformed, max_results=1)


@check("search.refused-without-runs")
def filters_are_refused_where_there_is_no_run(store: TrackingStore, fresh: Fresh) -> None:
    """A filter that is refused among runs is refused in an empty experiment."""
    experiment_id = fresh.experiment()

    for wrong in ("params.p == 'x'", "params.p > 'x'", "metrics.m = 'x'", "gadget.k = 'x'", "params.p"):
        with refused(INVALID):
            store.search_runs([experiment_id], wrong)


@check("search.unjoined-clauses-refused")
def clauses_without_an_and_are_refused(store: TrackingStore, fresh: Fresh) -> None:
    """Two clauses side by side are refused."""
    experiment_id = something_to_search(fresh)

    for unjoined in (
        "metrics.m > 0.4 metrics.n < 0",
        "params.p = 'x' params.q = 'y'",
        "params.p IS NULL tags.t = 'x'",
    ):
        with refused(INVALID):
            store.search_runs([experiment_id], unjoined, max_results=1)


@check("search.stray-and-refused")
def a_stray_and_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """An AND that joins nothing is refused."""
    experiment_id = something_to_search(fresh)

    for stray in (
        "AND",
        "params.p = 'x' AND",
        "AND params.p = 'x'",
        "params.p = 'x' AND AND params.q = 'y'",
    ):
        with refused(INVALID):
            store.search_runs([experiment_id], stray, max_results=1)


@check("search.keywords-in-any-case", rests_on=FOUND)
def keywords_are_understood_in_any_case(store: TrackingStore, fresh: Fresh) -> None:
    """Lower and mixed case mean what upper case means."""
    experiment_id = fresh.experiment()
    with_param = fresh.run(experiment_id, run_name="with", params=[Param("p", "Red")])
    fresh.run(experiment_id, run_name="without")

    for filter_string, found in (
        ("params.p like 'R%' and params.p Like '%d'", ["with"]),
        ("params.p ilike 'RED' And params.p iLike 'red'", ["with"]),
        ("params.p is null", ["without"]),
        ("params.p Is Not Null", ["with"]),
        (f"run_id in ('{with_param}')", ["with"]),
        (f"run_id not in ('{with_param}')", ["without"]),
    ):
        expect_equal(found, names(store.search_runs([experiment_id], filter_string)))


@check("search.white-space-is-free", rests_on=FOUND)
def white_space_is_free(store: TrackingStore, fresh: Fresh) -> None:
    """Clauses read the same set tightly, widely and over several lines."""
    experiment_id = fresh.experiment()
    for name, value in (("low", 1.0), ("high", 9.0)):
        fresh.run(experiment_id, run_name=name, metrics=[Metric("m", value, 0)], params=[Param("p", name)])

    for filter_string in (
        "metrics.m>5 AND params.p='high'",
        " metrics.m > 5 AND params.p = 'high' ",
        "params.p IS\n NOT NULL AND params.none IS\tNULL AND metrics.m > 5",
        "metrics.m  >   5   AND   params.p   =   'high'",
        "metrics.m\n>\n5\nAND\n\tparams.p\t=\t'high'",
        "metrics.m>=5 AND params.p!='low'",
    ):
        expect_equal(["high"], names(store.search_runs([experiment_id], filter_string)))


@check("search.white-space-in-keywords", rests_on=("search.is-not-null", "search.run-id-in"))
def white_space_parts_the_words_of_a_keyword(store: TrackingStore, fresh: Fresh) -> None:
    """The words of a comparator, and a list and its comparator, may stand on lines of their own."""
    experiment_id = fresh.experiment()
    run_id = fresh.run(experiment_id, run_name="with", params=[Param("p", "x")])
    other_id = fresh.run(experiment_id, run_name="without")

    for filter_string in (
        "params.p IS NOT  NULL",
        "params.p IS NOT\nNULL",
        f"run_id NOT  IN ('{other_id}')",
        f"run_id IN\n\t('{run_id}')",
    ):
        expect_equal(["with"], names(store.search_runs([experiment_id], filter_string)))


@check("search.comparator-refused")
def comparators_of_another_kind_are_refused(store: TrackingStore, fresh: Fresh) -> None:
    """Text is not greater or less, and a number has no pattern."""
    experiment_id = something_to_search(fresh)

    for misplaced in (
        "metrics.m LIKE 'x'",
        "metrics.m ILIKE 'x'",
        "metrics.m IN ('1')",
        "params.p > 'x'",
        "params.p <= 'x'",
        "tags.t < 'x'",
        "tags.t >= 'x'",
        "run_id > 'x'",
        "status < 'x'",
        "start_time LIKE '1%'",
        "end_time IN ('1')",
    ):
        with refused(INVALID):
            store.search_runs([experiment_id], misplaced, max_results=1)


@check("search.many-clauses", rests_on=FOUND)
def twenty_clauses_are_answered(store: TrackingStore, fresh: Fresh) -> None:
    """Each of twenty clauses over different keys counts, the last one too."""
    experiment_id = fresh.experiment()
    fresh.run(experiment_id, run_name="one", params=[Param(f"p{number}", "x") for number in range(20)])
    clauses = [f"params.p{number} = 'x'" for number in range(20)]

    all_hold = store.search_runs([experiment_id], " AND ".join(clauses))
    last_fails = store.search_runs([experiment_id], " AND ".join([*clauses[:-1], "params.p19 = 'y'"]))

    expect_equal(["one"], names(all_hold))
    expect_equal([], names(last_fails))


@check("search.oversized-filter", rests_on=FOUND)
def a_filter_beyond_bounds_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """Two thousand clauses are refused in due form, if they are not answered."""
    experiment_id = fresh.experiment()
    fresh.run(experiment_id, run_name="one", params=[Param("p", "x")])
    filter_string = " AND ".join(f"params.p != '{number}'" for number in range(2000))

    with unless_refused(INVALID):
        expect_equal(["one"], names(store.search_runs([experiment_id], filter_string)))


@check("search.entity-spellings", rests_on=FOUND)
def each_spelling_names_its_entity(store: TrackingStore, fresh: Fresh) -> None:
    """Every spelling of an entity reads that entity, and a name alone reads an attribute."""
    experiment_id = fresh.experiment()
    for name, value in (("one", 1.0), ("two", 2.0)):
        fresh.run(
            experiment_id,
            run_name=name,
            metrics=[Metric("k", value, 0)],
            params=[Param("k", f"param {name}")],
            tags=[RunTag("k", f"tag {name}")],
        )

    for filter_string in (
        *(f"{entity}.k = 2" for entity in ("metric", "metrics")),
        *(f"{entity}.k = 'param two'" for entity in ("param", "params", "parameter", "parameters")),
        *(f"{entity}.k = 'tag two'" for entity in ("tag", "tags")),
        *(f"{entity}run_name = 'two'" for entity in ("", "attribute.", "attributes.", "attr.", "run.")),
    ):
        expect_equal(["two"], names(store.search_runs([experiment_id], filter_string)))


@check("search.unknown-entity-refused")
def unknown_entities_are_refused(store: TrackingStore, fresh: Fresh) -> None:
    """An entity that does not exist, or is spelled in capitals, is refused."""
    experiment_id = something_to_search(fresh)

    for unknown in ("gadget.k = 'x'", "Metrics.m = 1", "PARAMS.p = 'x'", "Tag.t = 'x'"):
        with refused(INVALID):
            store.search_runs([experiment_id], unknown, max_results=1)


@check("search.unknown-attribute-refused")
def unknown_attributes_are_refused(store: TrackingStore, fresh: Fresh) -> None:
    """An attribute that does not exist is refused, and so is such a key of datasets."""
    experiment_id = something_to_search(fresh)

    for unknown in ("gadget = 'x'", "attributes.gadget = 'x'", "gadget > 1", "dataset.gadget = 'x'"):
        with refused(INVALID):
            store.search_runs([experiment_id], unknown, max_results=1)


@check("search.attribute-aliases", rests_on=FOUND)
def aliases_mean_their_attributes(store: TrackingStore, fresh: Fresh) -> None:
    """The aliases of start_time and run_name are understood."""
    experiment_id = fresh.experiment()
    fresh.run(experiment_id, run_name="early", start_time=1000)
    fresh.run(experiment_id, run_name="late", start_time=2000)

    for filter_string in (
        "created > 1500",
        "Created > 1500",
        "attributes.created = 2000",
        "`run name` = 'late'",
        "`Run name` = 'late'",
        "attr.`Run Name` = 'late'",
    ):
        expect_equal(["late"], names(store.search_runs([experiment_id], filter_string)))


@check("search.quoted-keys", rests_on=FOUND)
def quoted_keys_are_taken_as_they_are(store: TrackingStore, fresh: Fresh) -> None:
    """Backticks and double quotes hold keys with slashes, blanks, dots, hyphens, colons, letters and keywords."""
    experiment_id = fresh.experiment()
    keys = ("a/b", "a b", "a-b", "a.b", "and", " a ", "a:b", "größe 層")
    fresh.run(
        experiment_id,
        run_name="one",
        metrics=[Metric("a/b", 1.0, 0)],
        params=[Param(key, f"value {number}") for number, key in enumerate(keys)],
        tags=[RunTag("a b", "tagged")],
    )
    near = {"a": " a ", "and ": "and", "GRÖSSE 層": "größe 層"}
    others = [Param(key, f"value {keys.index(other)}") for key, other in near.items()]
    fresh.run(experiment_id, run_name="other", params=others)

    for number, key in enumerate(keys):
        for quoted in (f"`{key}`", f'"{key}"'):
            found = store.search_runs([experiment_id], f"params.{quoted} = 'value {number}'")
            expect_equal(["one"], names(found), f"what params.{quoted} finds")
    for filter_string in ("metrics.`a/b` = 1", 'metrics."a/b" < 2', "tags.`a b` = 'tagged'"):
        expect_equal(["one"], names(store.search_runs([experiment_id], filter_string)))


@check("search.dots-in-keys", rests_on=FOUND)
def keys_may_hold_dots(store: TrackingStore, fresh: Fresh) -> None:
    """The entity ends at the first dot."""
    experiment_id = fresh.experiment()
    fresh.run(
        experiment_id, run_name="dotted", params=[Param("net.depth.max", "3")], metrics=[Metric("x.y", 2.0, 0)]
    )
    fresh.run(
        experiment_id,
        run_name="other",
        params=[Param("net", "3"), Param("max", "3")],
        metrics=[Metric("y", 2.0, 0)],
    )

    for filter_string in ("params.net.depth.max = '3'", "params.`net.depth.max` = '3'", "metrics.x.y = 2"):
        expect_equal(["dotted"], names(store.search_runs([experiment_id], filter_string)))


@check("search.keys-are-exact", rests_on=FOUND)
def keys_are_compared_exactly(store: TrackingStore, fresh: Fresh) -> None:
    """Keys that differ in case, or begin alike, are different keys."""
    experiment_id = fresh.experiment()
    for key in ("lr", "LR", "lr2", "l"):
        fresh.run(
            experiment_id,
            run_name=key,
            metrics=[Metric(key, 1.0, 0)],
            params=[Param(key, "x")],
            tags=[RunTag(key, "x")],
        )

    for filter_string in ("metrics.lr = 1", "params.lr = 'x'", "tags.lr = 'x'"):
        expect_equal(["lr"], names(store.search_runs([experiment_id], filter_string)))


@check("search.empty-key-refused")
def empty_keys_are_refused(store: TrackingStore, fresh: Fresh) -> None:
    """An entity without a key is refused, quotes or not."""
    experiment_id = something_to_search(fresh)

    for empty in ("tags.`` = 'x'", "tags.\"\" = 'x'", "params. = 'x'", "metrics.`` > 0"):
        with refused(INVALID):
            store.search_runs([experiment_id], empty, max_results=1)
