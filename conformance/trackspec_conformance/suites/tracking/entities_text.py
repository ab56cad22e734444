"""The checks of the chapter on entities: text."""

from hypothesis import strategies as st

from trackspec import ErrorCode, ExperimentTag, Param, RunTag, TrackingStore
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect, expect_equal, refused, unless_refused
from trackspec_conformance.exploring import explore
from trackspec_conformance.fresh import Fresh
from trackspec_conformance.strategies import experiment_tag_values

UNNORMALISED = (
    "é",
    "e\u0301",
    "\u212b",  # the ångström sign, and the letter that is its normal form
    "\u00c5",
    "\u2126",
    "\ufb01",
    "ｆｕｌｌ",
    "①²½",
    "\u1100\u1161\u11a8",
    "q\u0323\u0307",
    "ά\u1f71",
    "שׁלום",
    "ß ẞ ı İ",
    "\U0001d400\U00020000",
    "👩\u200d🔬 🏳️\u200d🌈",
    "\U0010fffd",
)
WHITE_SPACE = (
    " ",
    " lead",
    "trail ",
    "two  spaces",
    "\t",
    "\n",
    "\r",
    "\r\n",
    "a\nb\n",
    "a\r\nb\r\n",
    "a\rb",
    "\n\na",
    "\u00a0a\u00a0",
    "\u3000",
    "\u2028a\u2029",
    "\x85",
    "\x0b\x0c",
)
CONTROLS = (
    "\x01",
    "\x1b[31m",
    "\x07\x08",
    "\x1a",
    "\x1f",
    "\x7f",
    "\x9f",
    "\ufeffbom",
    "a\ufeff",
    "\u200b",
    "\u202eabc",
    "\ufffe",
    "\uffff",
    "\ufffd",
    "\U0001ffff",
)
SYNTAX = (
    "'",
    "''",
    '"',
    '""',
    "`",
    "\\",
    "\\'",
    "\\n",
    "C:\\new\\table",
    "'; DROP TABLE experiments; --",
    "x' OR '1'='1",
    "/* c */",
    "%",
    "%s %d %%",
    "_",
    "{}",
    "{0}",
    "{{x}}",
    "${HOME}",
    "$(id)",
    "<b>&amp;</b>",
    '{"a": [1]}',
    "- a: b",
    "a: 'b",
    "# no comment",
    "&anchor *alias !tag",
    "a,b;c\td|e",
    "../../x",
)
WORDS = (
    "007",
    "1.0",
    "1e3",
    "1_000",
    "0x1F",
    "-0",
    "12345678901234567890",
    "NaN",
    "inf",
    "true",
    "False",
    "yes",
    "off",
    "null",
    "Null",
    "None",
    "~",
    "undefined",
    "2024-01-01",
    "2024-01-01T00:00:00Z",
    "12:30:45",
)
SURROGATES = ("\ud800", "\udfff", "a\udc80b", "\ude00\ud83d")


@check("text.exact", rests_on=("experiment.create-tags",))
def any_text_comes_back(store: TrackingStore, fresh: Fresh) -> None:
    """Whatever texts an experiment's tags are given, they come back."""

    def holds(values: list[str]) -> None:
        tags = [ExperimentTag(f"k{number}", value) for number, value in enumerate(values)]
        experiment_id = store.create_experiment(fresh.name("text"), None, tags)

        _expect_kept(tags, store.get_experiment(experiment_id).tags)

    explore(fresh, st.lists(experiment_tag_values(), min_size=1, max_size=12), holds, examples=25)


@check("text.not-normalised")
def normal_forms_are_kept(store: TrackingStore, fresh: Fresh) -> None:
    """Text of any normal form comes back in that form, from experiments and from runs."""
    tags = [ExperimentTag(f"k{number}", value) for number, value in enumerate(UNNORMALISED)]
    name = fresh.name("".join(UNNORMALISED))

    experiment_id = store.create_experiment(name, None, tags)
    run_id = store.create_run(experiment_id, "e\u0301 \u212b", 0, [], "\ufb01 q\u0323\u0307").info.run_id
    store.log_batch(run_id, [], [Param("p", "".join(UNNORMALISED))], [RunTag("t", "".join(UNNORMALISED))])

    experiment, run = store.get_experiment(experiment_id), store.get_run(run_id)
    _expect_kept(tags, experiment.tags)
    expect_equal(name, experiment.name, "the name")
    expect_equal("e\u0301 \u212b", run.info.user_id, "the user id")
    expect_equal("\ufb01 q\u0323\u0307", run.info.run_name, "the run's name")
    expect_equal({"p": "".join(UNNORMALISED)}, run.data.params, "the params")
    expect_equal("".join(UNNORMALISED), run.data.tags.get("t"), "the run's tag")


@check("text.white-space-kept")
def white_space_is_kept(store: TrackingStore, fresh: Fresh) -> None:
    """White space of every kind comes back, at the edges and alone."""
    tags = [ExperimentTag(f"k{number}", value) for number, value in enumerate(WHITE_SPACE)]
    name = f" \t{fresh.name('white')}\r\n"
    params = [Param(f"p{number}", value) for number, value in enumerate(WHITE_SPACE)]
    labels = [RunTag(f"t{number}", value) for number, value in enumerate(WHITE_SPACE)]

    experiment_id = store.create_experiment(name, None, tags)
    run_id = store.create_run(experiment_id, " ada\n", 0, [], "\tfirst \r\n").info.run_id
    store.log_batch(run_id, [], params, labels)

    experiment, run = store.get_experiment(experiment_id), store.get_run(run_id)
    _expect_kept(tags, experiment.tags)
    _expect_kept(params, run.data.params)
    _expect_kept(labels, run.data.tags)
    expect_equal(name, experiment.name, "the name")
    expect_equal(" ada\n", run.info.user_id, "the user id")
    expect_equal("\tfirst \r\n", run.info.run_name, "the run's name")


@check("text.control-characters-kept")
def control_characters_are_kept(store: TrackingStore, fresh: Fresh) -> None:
    """Control characters, byte order marks and noncharacters come back."""
    tags = [ExperimentTag(f"k{number}", value) for number, value in enumerate(CONTROLS)]
    name = f"\ufeff{fresh.name('control')}\x01\x7f\uffff"

    experiment_id = store.create_experiment(name, None, tags)

    experiment = store.get_experiment(experiment_id)
    _expect_kept(tags, experiment.tags)
    expect_equal(name, experiment.name, "the name")


@check("text.syntax-is-data")
def syntax_is_data(store: TrackingStore, fresh: Fresh) -> None:
    """Quotes, escapes and statements of several languages come back, from experiments and from runs."""
    tags = [ExperimentTag(f"k{number}", value) for number, value in enumerate(SYNTAX)]
    params = [Param(f"p{number}", value) for number, value in enumerate(SYNTAX)]
    labels = [RunTag(f"t{number}", value) for number, value in enumerate(SYNTAX)]

    experiment_id = store.create_experiment(fresh.name("syntax"), None, tags)
    run_id = store.create_run(experiment_id, "o'hara\\", 0, [], "'; --").info.run_id
    store.log_batch(run_id, [], params, labels)

    experiment, run = store.get_experiment(experiment_id), store.get_run(run_id)
    _expect_kept(tags, experiment.tags)
    _expect_kept(params, run.data.params)
    _expect_kept(labels, run.data.tags)
    expect_equal("o'hara\\", run.info.user_id, "the user id")
    expect_equal("'; --", run.info.run_name, "the run's name")


@check("text.words-stay-text")
def words_stay_text(store: TrackingStore, fresh: Fresh) -> None:
    """Text that reads like a value of another type comes back as text."""
    tags = [ExperimentTag(f"k{number}", value) for number, value in enumerate(WORDS)]
    params = [Param(f"p{number}", value) for number, value in enumerate(WORDS)]

    experiment_id = store.create_experiment(fresh.name("words"), None, tags)
    run_id = store.create_run(experiment_id, "007", 0, [], "null").info.run_id
    store.log_batch(run_id, [], params, [])

    experiment, run = store.get_experiment(experiment_id), store.get_run(run_id)
    _expect_kept(tags, experiment.tags)
    _expect_kept(params, run.data.params)
    expect_equal("007", run.info.user_id, "the user id")
    expect_equal("null", run.info.run_name, "the run's name")


@check("text.empty-kept")
def the_empty_text_is_kept(store: TrackingStore, fresh: Fresh) -> None:
    """An empty value of a tag or a param is there, and empty."""
    experiment_id = store.create_experiment(fresh.name("empty"), None, [ExperimentTag("created", "")])
    run_id = fresh.run(experiment_id)

    store.set_experiment_tag(experiment_id, ExperimentTag("set", ""))
    store.log_batch(run_id, [], [Param("p", "")], [RunTag("t", "")])

    tags, data = store.get_experiment(experiment_id).tags, store.get_run(run_id).data
    expect_equal("", tags.get("created"), "the tag that the experiment was created with")
    expect_equal("", tags.get("set"), "the tag that was set")
    expect_equal({"p": ""}, data.params, "the params")
    expect_equal("", data.tags.get("t"), "the run's tag")


@check("text.length-in-characters")
def lengths_count_characters(store: TrackingStore, fresh: Fresh) -> None:
    """Names, tags and params of the greatest length are kept whole where each character takes four bytes."""
    name = fresh.name("long")
    name += "😀" * (500 - len(name))
    tag = ExperimentTag("k", "😀" * 20_000)
    param, label = Param("p", "😀" * 6000), RunTag("t", "界" * 8000)

    experiment_id = store.create_experiment(name, None, [tag])
    run_id = fresh.run(experiment_id)
    store.log_batch(run_id, [], [param], [label])

    experiment, data = store.get_experiment(experiment_id), store.get_run(run_id).data
    expect_equal(name, experiment.name, "the name")
    _expect_kept([tag], experiment.tags)
    _expect_kept([param], data.params)
    _expect_kept([label], data.tags)


@check("text.lone-surrogates-refused")
def lone_surrogates_are_refused(store: TrackingStore, fresh: Fresh) -> None:
    """Names, locations, tags and params with a lone surrogate are refused, and nothing of them is written."""
    experiment_id, run_id = fresh.experiment("surrogate"), fresh.run()
    name = fresh.name("clean")

    for text in SURROGATES:
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.create_experiment(f"{fresh.name()}{text}", None, [])
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.set_experiment_tag(experiment_id, ExperimentTag("k", text))
    with refused(ErrorCode.INVALID_PARAMETER_VALUE):
        store.create_experiment(name, None, [ExperimentTag("good", "1"), ExperimentTag("k", "\ud800")])
    with refused(ErrorCode.INVALID_PARAMETER_VALUE):
        store.create_experiment(name, "s3://bucket/\ud800", [])
    with refused(ErrorCode.INVALID_PARAMETER_VALUE):
        store.rename_experiment(experiment_id, f"{fresh.name()}\ud800")
    with refused(ErrorCode.INVALID_PARAMETER_VALUE):
        store.log_batch(run_id, [], [Param("good", "1"), Param("p", "\ud800")], [RunTag("t", "\udfff")])

    experiment, data = store.get_experiment(experiment_id), store.get_run(run_id).data
    expect("k" not in experiment.tags, "no tag k", experiment.tags)
    expect_equal(None, store.get_experiment_by_name(name), "the experiment of the refused calls' name")
    expect_equal({}, data.params, "the run's params")
    expect("t" not in data.tags, "no tag t", data.tags)


@check("text.nul-kept-or-refused")
def a_nul_is_kept_or_refused(store: TrackingStore, fresh: Fresh) -> None:
    """Names and tags with U+0000 are kept exactly, or refused and not written."""
    experiment_id = fresh.experiment("nul")

    for number, text in enumerate(("\x00", "a\x00b", "a\x00", "\x00b")):
        tag = ExperimentTag(f"k{number}", text)
        written = False
        with unless_refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.set_experiment_tag(experiment_id, tag)
            written = True
        expect_equal(text if written else None, store.get_experiment(experiment_id).tags.get(tag.key), tag.key)

    whole = fresh.name("nul")
    name = f"{whole}\x00b"
    found = None
    with unless_refused(ErrorCode.INVALID_PARAMETER_VALUE):
        found = store.get_experiment(store.create_experiment(name, None, []))
    expect(found is None or found.name == name, f"the name {name!r}", found and found.name)
    expect_equal(None, store.get_experiment_by_name(whole), "the experiment of the name up to U+0000")


def _expect_kept(given: list[ExperimentTag] | list[Param] | list[RunTag], stored: dict[str, str]) -> None:
    """Require that each of the keys that were given has its value."""
    for item in given:
        expect_equal(item.value, stored.get(item.key), f"the value of {item.key!r}")
