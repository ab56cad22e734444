"""The shape of every answer: the types that the interface promises, before any value is looked at."""

from __future__ import annotations

from typing import Any

from trackspec import Experiment, Metric, PagedList, Run, RunInfo
from trackspec_conformance.expectations import Unexpected, shown

_ITEMS: dict[str, type] = {
    "search_experiments": Experiment,
    "search_runs": Run,
    "get_metric_history": Metric,
    "get_metric_history_bulk_interval": Metric,
}
_ONE: dict[str, tuple[type, ...]] = {
    "create_experiment": (str,),
    "get_experiment": (Experiment,),
    "get_experiment_by_name": (Experiment, type(None)),
    "create_run": (Run,),
    "get_run": (Run,),
    "update_run_info": (RunInfo,),
    "get_artifact_root": (str,),
}


def require_shape(method: str, answer: Any) -> None:
    """Require that an answer has the type that the interface promises for the method.

    :raises Unexpected: if it has not.
    """
    if permitted := _ONE.get(method):
        if not isinstance(answer, permitted):
            names = " or ".join("None" if kind is type(None) else kind.__name__ for kind in permitted)
            raise Unexpected(f"{method} returns {names}", shown(answer))
    elif kind := _ITEMS.get(method):
        if not isinstance(answer, list):
            raise Unexpected(f"{method} returns a list", shown(answer))
        strangers = [item for item in answer if not isinstance(item, kind)]
        if strangers:
            raise Unexpected(f"{method} returns {kind.__name__} entities", shown(strangers[0]))
        if method != "get_metric_history_bulk_interval" and not _is_paged(answer):
            raise Unexpected(f"{method} returns a PagedList, its token a string or None", shown(answer))


def _is_paged(answer: list[Any]) -> bool:
    token = getattr(answer, "token", answer)
    return isinstance(answer, PagedList) and (token is None or isinstance(token, str))
