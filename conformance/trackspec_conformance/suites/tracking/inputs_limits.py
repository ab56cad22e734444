"""The checks of the chapter on dataset inputs: texts, their limits, and what is refused."""

from dataclasses import replace
from typing import Any

from trackspec import Dataset, DatasetInput, ErrorCode, InputTag, RunTag, TrackingStore
from trackspec_conformance import strategies
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect, expect_equal, refused
from trackspec_conformance.exploring import explore
from trackspec_conformance.fresh import Fresh

GOOD = DatasetInput(Dataset("good", "1f3a", "local", "/good.csv"), (InputTag("context", "training"),))
WINE = Dataset("wine", "77e0", "http", "https://example.org/wine.csv", "{}", "{}")


def _expect_refused(store: TrackingStore, run_id: str, *bad: Dataset) -> None:
    for dataset in bad:
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.log_inputs(run_id, [DatasetInput(dataset)])

    expect_equal((), store.get_run(run_id).inputs.dataset_inputs, "the run's dataset inputs")


def _expect_tags_refused(store: TrackingStore, run_id: str, *bad: InputTag) -> None:
    for tag in bad:
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.log_inputs(run_id, [DatasetInput(WINE, (InputTag("good", "1"), tag))])

    expect_equal((), store.get_run(run_id).inputs.dataset_inputs, "the run's dataset inputs")


# -- texts ------------------------------------------------------------------------------------------------------


@check("input.texts-exact")
def awkward_texts_read_back(store: TrackingStore, fresh: Fresh) -> None:
    """Line ends, quotes, outer spaces and characters of all planes stay in every text."""
    text = " '\"\\n\r\n\t%_{}; é e\u0301 界 \U0001f600 "
    run_id = fresh.run(fresh.experiment())
    used = DatasetInput(Dataset(text, text, text, text, text, text), (InputTag(text, text),))

    store.log_inputs(run_id, [used])

    expect_equal((used,), store.get_run(run_id).inputs.dataset_inputs, "the run's dataset inputs")


@check("input.texts-exact")
def any_input_reads_back(store: TrackingStore, fresh: Fresh) -> None:
    """Inputs of awkward names, digests, fields and tags read back exactly."""
    experiment_id = fresh.experiment()

    def holds(used: DatasetInput) -> None:
        # The first description of a dataset stays, so each example has a digest of its own.
        dataset = replace(used.dataset, digest=fresh.name()[-36:])
        run_id = fresh.run(experiment_id)

        store.log_inputs(run_id, [DatasetInput(dataset, used.tags)])

        inputs = store.get_run(run_id).inputs.dataset_inputs
        expect_equal([dataset], [got.dataset for got in inputs], "the run's datasets")
        tags = sorted((tag.key, tag.value) for tag in used.tags)
        expect_equal(tags, sorted((tag.key, tag.value) for tag in inputs[0].tags), "the input's tags, sorted")

    explore(fresh, strategies.dataset_inputs(), holds, examples=25)


@check("input.texts-up-to-limit")
def the_longest_texts_are_kept(store: TrackingStore, fresh: Fresh) -> None:
    """Texts as long as they may be, each character of two bytes, are kept whole."""
    run_id = fresh.run(fresh.experiment())
    dataset = Dataset("é" * 500, "é" * 36, "é" * 500, "é" * 65_535, "é" * 1_048_575, "é" * 1_048_576)
    used = DatasetInput(dataset, (InputTag("é" * 255, "é" * 500),))

    store.log_inputs(run_id, [used])

    expect_equal((used,), store.get_run(run_id).inputs.dataset_inputs, "the run's dataset inputs")


@check("input.over-long-name-refused")
def too_long_a_name_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """A name of 501 characters is refused."""
    _expect_refused(store, fresh.run(fresh.experiment()), replace(WINE, name="n" * 501))


@check("input.over-long-digest-refused")
def too_long_a_digest_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """A digest of 37 characters is refused."""
    _expect_refused(store, fresh.run(fresh.experiment()), replace(WINE, digest="d" * 37))


@check("input.over-long-source-refused")
def too_long_a_source_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """A source of 65,536 characters is refused."""
    _expect_refused(store, fresh.run(fresh.experiment()), replace(WINE, source="s" * 65_536))


@check("input.over-long-schema-refused")
def too_long_a_schema_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """A schema of 1,048,576 characters is refused."""
    _expect_refused(store, fresh.run(fresh.experiment()), replace(WINE, schema="s" * 1_048_576))


@check("input.over-long-profile-refused")
def too_long_a_profile_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """A profile of 16,777,216 characters is refused."""
    _expect_refused(store, fresh.run(fresh.experiment()), replace(WINE, profile="p" * 16_777_216))


@check("input.over-long-tag-key-refused")
def too_long_a_tag_key_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """A tag key of 256 characters is refused."""
    _expect_tags_refused(store, fresh.run(fresh.experiment()), InputTag("k" * 256, "1"))


@check("input.over-long-tag-value-refused")
def too_long_a_tag_value_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """A tag value of 501 characters is refused."""
    _expect_tags_refused(store, fresh.run(fresh.experiment()), InputTag("k", "v" * 501))


@check("input.empty-identity-refused")
def an_empty_identity_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """An empty name and an empty digest are refused."""
    _expect_refused(store, fresh.run(fresh.experiment()), replace(WINE, name=""), replace(WINE, digest=""))


@check("input.none-as-text-refused")
def none_is_no_text(store: TrackingStore, fresh: Fresh) -> None:
    """None is refused as a name, a digest, a source type, a source, and a tag's key and value."""
    run_id = fresh.run(fresh.experiment())
    none: Any = None
    datasets = [replace(WINE, name=none), replace(WINE, digest=none)]
    datasets += [replace(WINE, source_type=none), replace(WINE, source=none)]

    _expect_refused(store, run_id, *datasets)
    _expect_tags_refused(store, run_id, InputTag(none, "1"), InputTag("k", none))


@check("input.text-types-refused")
def what_is_no_text_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """Numbers, bytes and mappings are refused in the place of every text."""
    run_id = fresh.run(fresh.experiment())
    strangers: tuple[Any, ...] = (5, b"x", {"x": "y"})

    for stranger in strangers:
        datasets = [
            replace(WINE, name=stranger),
            replace(WINE, digest=stranger),
            replace(WINE, source_type=stranger),
        ]
        datasets += [
            replace(WINE, source=stranger),
            replace(WINE, schema=stranger),
            replace(WINE, profile=stranger),
        ]
        _expect_refused(store, run_id, *datasets)
        _expect_tags_refused(store, run_id, InputTag(stranger, "1"), InputTag("k", stranger))


@check("input.lone-surrogate-refused")
def a_lone_surrogate_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """Half of a surrogate pair is refused in every text."""
    run_id = fresh.run(fresh.experiment())
    half = "x\ud800"
    datasets = [replace(WINE, **{field: half}) for field in ("name", "digest", "source_type", "source")]
    datasets += [replace(WINE, schema=half), replace(WINE, profile=half)]

    _expect_refused(store, run_id, *datasets)
    _expect_tags_refused(store, run_id, InputTag(half, "1"), InputTag("k", half))


# -- all or nothing ---------------------------------------------------------------------------------------------


@check("input.all-or-nothing")
def nothing_is_recorded_beside_a_bad_input(store: TrackingStore, fresh: Fresh) -> None:
    """Good inputs before and after one with too long a name are not recorded."""
    run_id = fresh.run(fresh.experiment())
    bad = DatasetInput(replace(WINE, name="n" * 501))

    with refused(ErrorCode.INVALID_PARAMETER_VALUE):
        store.log_inputs(run_id, [GOOD, bad, DatasetInput(WINE)])

    expect_equal((), store.get_run(run_id).inputs.dataset_inputs, "the run's dataset inputs")


@check("input.all-or-nothing")
def a_refused_call_describes_no_dataset(store: TrackingStore, fresh: Fresh) -> None:
    """A dataset of a refused call has no description yet: the next call gives the first one."""
    run_id = fresh.run(fresh.experiment())
    bad = DatasetInput(replace(WINE, name="n" * 501))
    with refused(ErrorCode.INVALID_PARAMETER_VALUE):
        store.log_inputs(run_id, [DatasetInput(replace(GOOD.dataset, source="/refused.csv")), bad])

    store.log_inputs(run_id, [GOOD])

    expect_equal((GOOD,), store.get_run(run_id).inputs.dataset_inputs, "the run's dataset inputs")


@check("input.not-a-list-refused")
def what_is_no_list_of_inputs_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """Texts, numbers, mappings, one input alone and lists of other things are refused."""
    run_id = fresh.run(fresh.experiment())
    strangers: tuple[Any, ...] = (
        "",
        "wine",
        5,
        {"wine": GOOD},
        GOOD,
        [None],
        ["wine"],
        [WINE],
        [GOOD, RunTag("a", "b")],
    )

    for stranger in strangers:
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.log_inputs(run_id, stranger)

    expect_equal((), store.get_run(run_id).inputs.dataset_inputs, "the run's dataset inputs")


@check("input.foreign-parts-refused")
def foreign_parts_of_an_input_are_refused(store: TrackingStore, fresh: Fresh) -> None:
    """None and a mapping are no dataset; None, a text and a list of other things are no tags."""
    run_id = fresh.run(fresh.experiment())
    datasets: tuple[Any, ...] = (None, "wine", {"name": "wine", "digest": "77e0"})
    tags: tuple[Any, ...] = (None, "context", 5, {"context": "training"}, (None,), (("context", "training"),))

    for dataset in datasets:
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.log_inputs(run_id, [GOOD, DatasetInput(dataset)])
    for stranger in tags:
        with refused(ErrorCode.INVALID_PARAMETER_VALUE):
            store.log_inputs(run_id, [GOOD, DatasetInput(WINE, stranger)])

    inputs = store.get_run(run_id).inputs.dataset_inputs
    expect(not inputs, "no dataset inputs", inputs)
