"""The checks of the chapter on experiments: ids.

Where a store might take a wrong id for an experiment after all, a check that writes uses ids which could only mean
an experiment of its own.
"""

from collections.abc import Callable

from trackspec import ErrorCode, ExperimentTag, LifecycleStage, TrackingStore
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect, expect_equal, refused
from trackspec_conformance.fresh import Fresh

INVALID, UNKNOWN = ErrorCode.INVALID_PARAMETER_VALUE, ErrorCode.RESOURCE_DOES_NOT_EXIST

MALFORMED = ("-1", "_x", "a b", "a/b", "../a", "a.b", "é", "%", "{a}", "a" * 65)


@check("experiment.ids-distinct", rests_on=("experiment.create",))
def each_experiment_has_its_own_id(store: TrackingStore, fresh: Fresh) -> None:
    """Experiments have different ids, also those that were created after one was deleted."""
    ids = [store.create_experiment(fresh.name("id"), None, []) for _ in range(3)]
    store.delete_experiment(ids[-1])

    ids += [store.create_experiment(fresh.name("id"), None, []) for _ in range(2)]

    expect(len(set(ids)) == 5, "five different ids", ids)


@check("experiment.unknown-id")
def an_unknown_id_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """Each call with the id of no experiment is refused."""
    unknown = fresh.unknown_experiment_id()

    for call in _calls(store, unknown, fresh.name("unknown")):
        with refused(UNKNOWN):
            call()


@check("experiment.ids-opaque")
def an_unknown_id_of_any_form_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """An id that is a word, or a number that no computer counts to, is as unknown as any other."""
    word = fresh.name("w")[:64]

    for call in _calls(store, word, fresh.name("unknown")):
        with refused(UNKNOWN):
            call()
    for unknown in ("x" + fresh.unknown_experiment_id(), "Z" * 64, "9" * 25, "0x1F-a_"):
        with refused(UNKNOWN):
            store.get_experiment(unknown)


@check("experiment.large-number-id")
def a_large_number_is_an_unknown_id(store: TrackingStore, fresh: Fresh) -> None:
    """Ids whose number leaves 64 bits are refused like other unknown or malformed ones."""
    for unknown in (str(2**63), str(2**64 + 1), "9" * 25, "9" * 64):
        with refused(UNKNOWN, INVALID):
            store.get_experiment(unknown)
    for call in _calls(store, "9" * 25, fresh.name("unknown")):
        with refused(UNKNOWN, INVALID):
            call()


@check("experiment.id-exact", rests_on=("experiment.create",))
def an_id_means_itself_alone(store: TrackingStore, fresh: Fresh) -> None:
    """No variant of an experiment's id finds the experiment, changes it, deletes it or takes a run to it."""
    name = fresh.name("exact")
    experiment_id = store.create_experiment(name, None, [])

    for alias in _aliases(experiment_id):
        with refused(UNKNOWN, INVALID):
            store.get_experiment(alias)
    for alias in (f"0{experiment_id}", f" {experiment_id}"):
        for call in _calls(store, alias, fresh.name("exact")):
            with refused(UNKNOWN, INVALID):
                call()
        with refused(UNKNOWN, INVALID):
            store.create_run(alias, "u", 0, [], None)

    experiment = store.get_experiment(experiment_id)
    expect("k" not in experiment.tags, "no tag k", experiment.tags)
    expect_equal((name, LifecycleStage.ACTIVE), (experiment.name, experiment.lifecycle_stage), "name and stage")


@check("experiment.absent-id-refused")
def no_id_is_no_experiment(store: TrackingStore) -> None:
    """None and the empty string are refused as ids."""
    for absent in (None, ""):
        with refused(INVALID):
            store.get_experiment(absent)  # type: ignore[arg-type]


@check("experiment.id-type-refused", rests_on=("experiment.create",))
def an_id_of_another_type_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """An id given as bytes, in a list, or as a number where it has only digits, is refused by each call."""
    experiment_id = fresh.experiment("type")
    name = store.get_experiment(experiment_id).name
    others: list[object] = [experiment_id.encode(), [experiment_id]]
    if experiment_id.isdigit():
        others.append(int(experiment_id))

    for other in others:
        for call in _calls(store, other, fresh.name("type")):
            with refused(INVALID):
                call()

    experiment = store.get_experiment(experiment_id)
    expect_equal(name, experiment.name, "the name")
    expect_equal(LifecycleStage.ACTIVE, experiment.lifecycle_stage, "the stage")


@check("experiment.malformed-id-refused")
def a_malformed_id_is_refused(store: TrackingStore, fresh: Fresh) -> None:
    """Ids with other characters or more than 64 of them are refused."""
    for malformed in MALFORMED:
        with refused(INVALID, UNKNOWN):
            store.get_experiment(malformed)
    for call in _calls(store, "a b", fresh.name("malformed")):
        with refused(INVALID, UNKNOWN):
            call()


@check("experiment.malformed-id-code", rests_on=("experiment.malformed-id-refused",))
def a_malformed_id_is_an_invalid_value(store: TrackingStore, fresh: Fresh) -> None:
    """Ids with other characters or more than 64 of them are refused as invalid, not as unknown."""
    for malformed in MALFORMED:
        with refused(INVALID):
            store.get_experiment(malformed)
    for call in _calls(store, "a b", fresh.name("malformed")):
        with refused(INVALID):
            call()


def _calls(store: TrackingStore, experiment_id: object, new_name: str) -> tuple[Callable[[], object], ...]:
    """Every call that takes the id of an experiment alone."""
    id_: str = experiment_id  # type: ignore[assignment]  # a wrong type is the point of some checks
    return (
        lambda: store.get_experiment(id_),
        lambda: store.rename_experiment(id_, new_name),
        lambda: store.set_experiment_tag(id_, ExperimentTag("k", "1")),
        lambda: store.delete_experiment_tag(id_, "k"),
        lambda: store.restore_experiment(id_),
        lambda: store.delete_experiment(id_),
    )


def _aliases(experiment_id: str) -> list[str]:
    """What a store that reads numbers, trims or folds would take for the same id."""
    arabic = experiment_id.translate({ord("0") + digit: 0x0660 + digit for digit in range(10)})
    full_width = experiment_id.translate({ord("0") + digit: 0xFF10 + digit for digit in range(10)})
    aliases = [
        f"0{experiment_id}",
        f"000{experiment_id}",
        f"+{experiment_id}",
        f" {experiment_id}",
        f"{experiment_id} ",
        f"{experiment_id}\n",
        f"{experiment_id}.0",
        f"{experiment_id[0]}_{experiment_id[1:]}",
        experiment_id.upper(),
        experiment_id.lower(),
        arabic,
        full_width,
    ]
    return [alias for alias in aliases if alias != experiment_id]
