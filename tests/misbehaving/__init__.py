"""Subjects that do what no store should: hang, abort, vanish. Each is a ``module:factory`` of its own."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import Any

from trackspec import PagedList, Param, Run, RunTag
from trackspec.memory_store import MemoryStore


class AbortsOnDeleteTag(MemoryStore):
    """Takes the whole process down, as native code can."""

    def delete_tag(self, run_id: str, key: str) -> None:
        os.abort()


class HangsOnDeleteTag(MemoryStore):
    """Never answers one call."""

    def delete_tag(self, run_id: str, key: str) -> None:
        time.sleep(3600)


class Vanishes(MemoryStore):
    """Answers nothing any more once a run was deleted, as a server that died."""

    gone = False

    def delete_run(self, run_id: str) -> None:
        type(self).gone = True
        super().delete_run(run_id)

    def __getattribute__(self, name: str) -> Any:
        if not name.startswith("_") and name != "gone" and type(self).gone:
            raise ConnectionError("nobody is there")
        return super().__getattribute__(name)


class Chatters(MemoryStore):
    """Prints to standard output and error whatever it is asked."""

    def log_param(self, run_id: str, param: Param) -> None:
        print("{'kind': 'judged'}\n" * 10)
        os.write(1, b"\x00\xff not text\n")
        super().log_param(run_id, param)


class IgnoresFilters(MemoryStore):
    """Accepts every filter and ordering, and ignores them."""

    def search_runs(self, experiment_ids: Any, filter_string: Any = None, *args: Any, **kwargs: Any) -> Any:
        kwargs.pop("order_by", None)
        return super().search_runs(experiment_ids, None, *args[:2], **kwargs)


class TellsTimesAsText(MemoryStore):
    """Answers runs whose start time is a string."""

    def get_run(self, run_id: str) -> Run:
        run = super().get_run(run_id)
        return replace(run, info=replace(run.info, start_time=str(run.info.start_time)))


class ReturnsNone(MemoryStore):
    """Answers a call with the wrong type."""

    def get_run(self, run_id: str) -> Any:
        super().get_run(run_id)


class Slow(MemoryStore):
    """Takes 50 ms a call."""

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name.startswith("_") or not callable(found) or name in ("close",):
            return found

        def slow(*args: Any, **kwargs: Any) -> Any:
            time.sleep(0.05)
            return found(*args, **kwargs)

        return slow


def raises() -> MemoryStore:
    """Fail to open."""
    raise RuntimeError("no such luck")


def not_a_store() -> object:
    """Return something else."""
    return PagedList([RunTag("a", "b")])


def aborts() -> MemoryStore:
    """Abort while opening."""
    os.abort()
