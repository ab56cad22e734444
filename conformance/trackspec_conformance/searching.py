"""Reading what a search found, and walking its pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from trackspec import Experiment, Metric, PagedList, Param, Run, RunTag
from trackspec_conformance.expectations import expect
from trackspec_conformance.fresh import Fresh

T = TypeVar("T")


def names(runs: Iterable[Run]) -> list[str]:
    """The names of runs, in the order in which they come."""
    return [run.info.run_name for run in runs]


def ids(experiments: Iterable[Experiment]) -> list[str]:
    """The ids of experiments, in the order in which they come."""
    return [experiment.experiment_id for experiment in experiments]


def walk(search: Callable[..., PagedList[T]], *, most: int) -> list[list[T]]:
    """Every page of a search.

    :param search: the call, complete but for its ``page_token``.
    :param most: how many pages there can be; a walk that goes on behind them has failed.
    """
    pages = [search(page_token=None)]
    while pages[-1].token is not None:
        expect(len(pages) < most, f"the walk ends within {most} pages", "a token for one page more")
        pages.append(search(page_token=pages[-1].token))
    return [list(items) for items in pages]


def something_to_search(fresh: Fresh) -> str:
    """Arrange an experiment of one run, with the metrics m and n, the params p and q and the tag t.

    There are stores that look at a filter only once there is a run, and at a clause only once the run has its key.
    """
    experiment_id = fresh.experiment()
    fresh.run(
        experiment_id,
        metrics=[Metric("m", 1.0, 0), Metric("n", 1.0, 0)],
        params=[Param("p", "x"), Param("q", "x")],
        tags=[RunTag("t", "x")],
    )
    return experiment_id
