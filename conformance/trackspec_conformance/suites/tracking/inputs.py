"""The checks of the chapter on dataset inputs: what is recorded, and which dataset it is."""

from dataclasses import replace

from trackspec import Dataset, DatasetInput, ErrorCode, InputTag, RunStatus, TrackingStore
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect_equal, refused, unless_refused
from trackspec_conformance.fresh import Fresh

WINE = Dataset("wine", "1f3a", "http", "https://example.org/wine.csv", '{"ph": "double"}', '{"rows": 178}')
BEER = Dataset("beer", "77e0", "local", "/data/beer.csv", '{"ibu": "long"}', '{"rows": 12}')
TRAINING, TEST = (InputTag("context", "training"),), (InputTag("context", "test"),)


def _expect_inputs(store: TrackingStore, run_id: str, *expected: DatasetInput) -> None:
    """Require that the run has exactly these inputs, in any order, their tags in any order."""
    got = store.get_run(run_id).inputs.dataset_inputs
    expect_equal(_in_order(expected), _in_order(got), "the run's dataset inputs, sorted")


def _in_order(inputs: tuple[DatasetInput, ...]) -> list[DatasetInput]:
    with_sorted_tags = [replace(used, tags=tuple(sorted(used.tags, key=lambda tag: tag.key))) for used in inputs]
    return sorted(with_sorted_tags, key=lambda used: (used.dataset.name, used.dataset.digest))


# -- what is recorded -------------------------------------------------------------------------------------------


@check("input.log")
def an_input_reads_back(store: TrackingStore, fresh: Fresh) -> None:
    """A dataset input reads back with all fields of its dataset and all of its tags."""
    run_id = fresh.run(fresh.experiment())
    tags = [InputTag(f"tag {number}", str(number)) for number in range(12)]
    used = DatasetInput(WINE, (InputTag("context", "training"), InputTag("part", "first half"), *tags))

    store.log_inputs(run_id, [used])

    _expect_inputs(store, run_id, used)


@check("input.optional-fields")
def schema_and_profile_may_be_absent(store: TrackingStore, fresh: Fresh) -> None:
    """A dataset without schema, without profile, or without both reads back so, and so do empty ones."""
    run_id = fresh.run(fresh.experiment())
    bare = [
        DatasetInput(replace(WINE, name="empty", source="", schema="", profile="")),
        DatasetInput(replace(WINE, name="no schema", schema=None)),
        DatasetInput(replace(WINE, name="no profile", profile=None)),
        DatasetInput(replace(WINE, name="neither", schema=None, profile=None)),
    ]

    store.log_inputs(run_id, bare)

    _expect_inputs(store, run_id, *bare)


@check("entity.arguments-not-kept", rests_on=("input.log",), needs="input.log")
def a_list_of_inputs_is_not_kept(store: TrackingStore, fresh: Fresh) -> None:
    """Emptying and filling the list of inputs after the call changes nothing that is stored."""
    run_id = fresh.run(fresh.experiment())
    inputs = [DatasetInput(WINE, TRAINING)]
    store.log_inputs(run_id, inputs)

    inputs[:] = [DatasetInput(BEER, TEST)]

    _expect_inputs(store, run_id, DatasetInput(WINE, TRAINING))


@check("input.no-tags")
def tags_may_be_absent(store: TrackingStore, fresh: Fresh) -> None:
    """An input without tags is recorded without tags."""
    run_id = fresh.run(fresh.experiment())

    store.log_inputs(run_id, [DatasetInput(WINE)])

    _expect_inputs(store, run_id, DatasetInput(WINE))


@check("input.several")
def many_inputs_are_recorded(store: TrackingStore, fresh: Fresh) -> None:
    """All of 550 datasets in one call are recorded."""
    run_id = fresh.run(fresh.experiment())
    many = [DatasetInput(Dataset(f"part {number}", "1f3a", "local", ""), TRAINING) for number in range(550)]

    store.log_inputs(run_id, many)

    _expect_inputs(store, run_id, *many)


@check("input.added")
def later_inputs_are_added(store: TrackingStore, fresh: Fresh) -> None:
    """A second call adds to the inputs of the first."""
    run_id = fresh.run(fresh.experiment())
    store.log_inputs(run_id, [DatasetInput(WINE, TRAINING)])

    store.log_inputs(run_id, [DatasetInput(BEER, TEST)])

    _expect_inputs(store, run_id, DatasetInput(WINE, TRAINING), DatasetInput(BEER, TEST))


@check("input.one-run-only")
def inputs_belong_to_one_run(store: TrackingStore, fresh: Fresh) -> None:
    """A run shows nothing that was logged to another run of its experiment."""
    experiment_id = fresh.experiment()
    run_id, other_id, empty_id = fresh.run(experiment_id), fresh.run(experiment_id), fresh.run(experiment_id)

    store.log_inputs(run_id, [DatasetInput(WINE, TRAINING)])
    store.log_inputs(other_id, [DatasetInput(BEER, TEST)])

    _expect_inputs(store, run_id, DatasetInput(WINE, TRAINING))
    _expect_inputs(store, other_id, DatasetInput(BEER, TEST))
    _expect_inputs(store, empty_id)


@check("input.none-or-empty")
def no_datasets_change_nothing(store: TrackingStore, fresh: Fresh) -> None:
    """None, an empty list and no argument at all are accepted and change nothing."""
    run_id = fresh.run(fresh.experiment())
    store.log_inputs(run_id, [DatasetInput(WINE, TRAINING)])

    store.log_inputs(run_id)
    store.log_inputs(run_id, None)
    store.log_inputs(run_id, [])

    _expect_inputs(store, run_id, DatasetInput(WINE, TRAINING))


@check("input.repeatable")
def inputs_are_repeated(store: TrackingStore, fresh: Fresh) -> None:
    """The same call once more is accepted and leaves the run's inputs as they were."""
    run_id = fresh.run(fresh.experiment())
    inputs = [DatasetInput(WINE, TRAINING), DatasetInput(BEER, TEST)]
    store.log_inputs(run_id, inputs)

    store.log_inputs(run_id, inputs)

    _expect_inputs(store, run_id, *inputs)


@check("input.finished-run", rests_on=("run.update",))
def a_finished_run_takes_inputs(store: TrackingStore, fresh: Fresh) -> None:
    """Inputs are recorded on a run that is finished, failed or killed."""
    experiment_id = fresh.experiment()
    for status in (RunStatus.FINISHED, RunStatus.FAILED, RunStatus.KILLED):
        run_id = fresh.run(experiment_id)
        store.update_run_info(run_id, status, 1_700_000_060_000, None)

        store.log_inputs(run_id, [DatasetInput(WINE, TRAINING)])

        _expect_inputs(store, run_id, DatasetInput(WINE, TRAINING))


@check("input.unknown-run")
def an_unknown_run_takes_no_inputs(store: TrackingStore, fresh: Fresh) -> None:
    """Inputs for a run that does not exist are refused."""
    run_id = fresh.unknown_run_id()

    with refused(ErrorCode.RESOURCE_DOES_NOT_EXIST):
        store.log_inputs(run_id, [DatasetInput(WINE)])


@check("input.deleted-run-refused", rests_on=("run.delete",))
def a_deleted_run_takes_no_inputs(store: TrackingStore, fresh: Fresh) -> None:
    """Inputs for a deleted run are refused, and it keeps those that it had."""
    run_id = fresh.run(fresh.experiment())
    store.log_inputs(run_id, [DatasetInput(WINE, TRAINING)])
    store.delete_run(run_id)

    with refused(ErrorCode.INVALID_PARAMETER_VALUE):
        store.log_inputs(run_id, [DatasetInput(BEER, TEST)])

    _expect_inputs(store, run_id, DatasetInput(WINE, TRAINING))


# -- which dataset it is ----------------------------------------------------------------------------------------


@check("input.identity-is-the-pair")
def joined_texts_are_not_confused(store: TrackingStore, fresh: Fresh) -> None:
    """Pairs of name and digest that give the same text when joined are different datasets."""
    run_id = fresh.run(fresh.experiment())
    pairs = (
        ("d", "gh"),
        ("dg", "h"),
        ("a/b", "c"),
        ("a", "b/c"),
        ("x\n", "y"),
        ("x", "\ny"),
        ("n", "d"),
        ("d", "n"),
    )
    inputs = [DatasetInput(Dataset(name, digest, "local", f"/{name}/{digest}")) for name, digest in pairs]

    store.log_inputs(run_id, inputs)

    _expect_inputs(store, run_id, *inputs)


@check("input.identity-is-the-pair")
def similar_names_are_not_confused(store: TrackingStore, fresh: Fresh) -> None:
    """Names and digests that differ in case, spaces or Unicode form make different datasets."""
    run_id = fresh.run(fresh.experiment())
    names = ("wine", "Wine", "wine ", "\u00e9", "e\u0301", "\u212b", "\u00c5")
    inputs = [DatasetInput(Dataset(name, "same", "local", f"/{number}")) for number, name in enumerate(names)]
    digests = ("same ", "Same")
    inputs += [DatasetInput(Dataset("wine", digest, "local", digest)) for digest in digests]

    store.log_inputs(run_id, inputs)

    _expect_inputs(store, run_id, *inputs)


@check("input.same-name")
def digests_tell_datasets_apart(store: TrackingStore, fresh: Fresh) -> None:
    """Two versions of a dataset, of one name, are both recorded with fields of their own."""
    run_id = fresh.run(fresh.experiment())
    first, second = DatasetInput(WINE), DatasetInput(replace(BEER, name="wine"))

    store.log_inputs(run_id, [first, second])

    _expect_inputs(store, run_id, first, second)


@check("input.same-digest")
def names_tell_datasets_apart(store: TrackingStore, fresh: Fresh) -> None:
    """Two datasets of equal content, of one digest, are both recorded with fields of their own."""
    run_id = fresh.run(fresh.experiment())
    first, second = DatasetInput(WINE), DatasetInput(replace(BEER, digest="1f3a"))

    store.log_inputs(run_id, [first, second])

    _expect_inputs(store, run_id, first, second)


@check("input.first-description")
def the_first_description_stays(store: TrackingStore, fresh: Fresh) -> None:
    """A dataset logged again, to the same run and to another, keeps its source, schema and profile."""
    experiment_id = fresh.experiment()
    run_id, other_id = fresh.run(experiment_id), fresh.run(experiment_id)
    moved = replace(WINE, source_type="local", source="/moved.csv", schema="{}", profile=None)
    store.log_inputs(run_id, [DatasetInput(WINE)])

    store.log_inputs(run_id, [DatasetInput(moved)])
    store.log_inputs(other_id, [DatasetInput(moved)])

    _expect_inputs(store, run_id, DatasetInput(WINE))
    _expect_inputs(store, other_id, DatasetInput(WINE))


@check("input.experiments-apart")
def experiments_describe_datasets_for_themselves(store: TrackingStore, fresh: Fresh) -> None:
    """The same name and digest in another experiment keep the description that was given there."""
    run_id, other_id = fresh.run(fresh.experiment()), fresh.run(fresh.experiment())
    moved = replace(WINE, source_type="local", source="/moved.csv", schema="{}", profile=None)

    store.log_inputs(run_id, [DatasetInput(WINE)])
    store.log_inputs(other_id, [DatasetInput(moved)])

    _expect_inputs(store, run_id, DatasetInput(WINE))
    _expect_inputs(store, other_id, DatasetInput(moved))


@check("input.once-per-run")
def a_dataset_is_one_input(store: TrackingStore, fresh: Fresh) -> None:
    """A dataset that is logged again in a later call, and one twice in a call, are one input each."""
    run_id = fresh.run(fresh.experiment())
    store.log_inputs(run_id, [DatasetInput(WINE, TRAINING)])

    store.log_inputs(run_id, [DatasetInput(WINE, TRAINING), DatasetInput(BEER, TEST), DatasetInput(BEER, TEST)])

    _expect_inputs(store, run_id, DatasetInput(WINE, TRAINING), DatasetInput(BEER, TEST))


@check("input.first-tags")
def the_first_tags_stay(store: TrackingStore, fresh: Fresh) -> None:
    """A dataset logged to its run again with other tags keeps the first ones."""
    run_id = fresh.run(fresh.experiment())
    store.log_inputs(run_id, [DatasetInput(WINE, TRAINING)])

    store.log_inputs(run_id, [DatasetInput(WINE, (InputTag("context", "test"), InputTag("more", "1")))])

    _expect_inputs(store, run_id, DatasetInput(WINE, TRAINING))


@check("input.tags-per-run")
def runs_tag_a_dataset_for_themselves(store: TrackingStore, fresh: Fresh) -> None:
    """Two runs that read one dataset have each its own tags on it."""
    experiment_id = fresh.experiment()
    run_id, other_id = fresh.run(experiment_id), fresh.run(experiment_id)

    store.log_inputs(run_id, [DatasetInput(WINE, TRAINING)])
    store.log_inputs(other_id, [DatasetInput(WINE, TEST)])

    _expect_inputs(store, run_id, DatasetInput(WINE, TRAINING))
    _expect_inputs(store, other_id, DatasetInput(WINE, TEST))


@check("input.repeated-tag")
def a_tag_named_twice_has_its_last_value(store: TrackingStore, fresh: Fresh) -> None:
    """Of two tags of one key on an input the last is stored, unless the call is refused and nothing recorded."""
    run_id = fresh.run(fresh.experiment())
    twice = (InputTag("context", "training"), InputTag("other", "1"), InputTag("context", "test"))

    recorded: list[DatasetInput] = []
    with unless_refused(ErrorCode.INVALID_PARAMETER_VALUE):
        store.log_inputs(run_id, [DatasetInput(BEER), DatasetInput(WINE, twice)])
        recorded = [DatasetInput(BEER), DatasetInput(WINE, twice[1:])]

    _expect_inputs(store, run_id, *recorded)
