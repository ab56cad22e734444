"""Declining an optional operation: its refusal, seen to have no effect, takes the place of its checks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import cache

from trackspec import Dataset, DatasetInput, ErrorCode, TrackingStore, catalogue
from trackspec_conformance.checks import DEFAULT_TIMEOUT, Check
from trackspec_conformance.expectations import NotApplicable, expect_equal, refused
from trackspec_conformance.fresh import Fresh

OPTIONAL_OPERATIONS = {
    "log_inputs": ("input.", "search.dataset-", "search.run-inputs"),
    "get_metric_history_bulk_interval": ("interval.",),
    "set_artifact_root": ("config.set-",),
}
"""Each operation that a store may decline, and how the ids of the requirements that need it begin."""


class Declined(NotApplicable):
    """The subject refused as specified what it says it lacks."""


def log_inputs(store: TrackingStore, fresh: Fresh) -> None:
    """Logging inputs is refused with NOT_IMPLEMENTED, and the run has none afterwards."""
    run_id = fresh.run()

    with refused(ErrorCode.NOT_IMPLEMENTED):
        store.log_inputs(run_id, [DatasetInput(Dataset("d", "1", "local", "here"))])

    expect_equal((), store.get_run(run_id).inputs.dataset_inputs, "the run's inputs")


def get_metric_history_bulk_interval(store: TrackingStore, fresh: Fresh) -> None:
    """Reading a bulk interval is refused with NOT_IMPLEMENTED."""
    run_id = fresh.run()

    with refused(ErrorCode.NOT_IMPLEMENTED):
        store.get_metric_history_bulk_interval([run_id], "m", 10)


def set_artifact_root(store: TrackingStore) -> None:
    """Setting the artifact root is refused with NOT_IMPLEMENTED, and leaves it as it was."""
    root = store.get_artifact_root()

    with refused(ErrorCode.NOT_IMPLEMENTED):
        store.set_artifact_root("file:///elsewhere")

    expect_equal(root, store.get_artifact_root(), "the artifact root")


@cache
def refusal_checks() -> dict[str, Check]:
    """The check of each optional operation's refusal, by the operation's name."""
    functions: tuple[Callable[..., None], ...] = (log_inputs, get_metric_history_bulk_interval, set_artifact_root)
    return {function.__name__: _refusal(function) for function in functions}


def _refusal(function: Callable[..., None]) -> Check:
    prefixes = OPTIONAL_OPERATIONS[function.__name__]
    ids = tuple(
        item.id
        for item in catalogue.requirements().values()
        if item.id.startswith(prefixes) and not item.not_testable
    )
    name = f"declining.{function.__name__}"
    return Check(name, function.__doc__ or "", ids, (), DEFAULT_TIMEOUT, _declines(function))


def _declines(function: Callable[..., None]) -> Callable[..., None]:
    def refusal(store: TrackingStore, fresh: Fresh) -> None:
        offered = {"store": store, "fresh": fresh}
        function(**{name: offered[name] for name in function.__annotations__ if name in offered})
        raise Declined(f"the subject says that it lacks {function.__name__}, and refuses it as specified")

    return refusal


def replaced_by_refusals(
    checks: Mapping[str, Check], refusals: Mapping[str, Check], declines: Collection[str]
) -> dict[str, Check]:
    """The checks with those of declined operations replaced by the check of their refusal."""
    chosen = [refusals[operation] for operation in sorted(declines)]
    replaced = {id_ for check in chosen for id_ in check.verifies}
    kept = {
        name: check
        for name, check in checks.items()
        if not replaced.intersection(check.verifies) and check.needs not in replaced
    }
    return kept | {check.name: check for check in chosen}
