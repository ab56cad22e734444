"""Surface: what lies in the files of a file store."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.fuzz.surface import Found, Surface, each
from trackspec import Dataset, DatasetInput, Metric, Param, RunTag, TrackspecError, ViewType
from trackspec.errors import ErrorCode
from trackspec_reference.tracking.file_store import FileStore


class Records(Surface):
    """One byte for the file, two for a place in it, one for how many bytes go there, and then those that come."""

    name = "records"
    seeds: ClassVar[tuple[bytes, ...]] = tuple(
        bytes([number, high, low, gone]) + content
        for number in range(12)
        for high, low, gone, content in (
            (0, 0, 0, b""),
            (0, 9, 255, b"[[[["),
            (0, 30, 4, b'{"a": NaN}\n'),
            (255, 255, 0, b"0badcafe-9999999 {}\n"),
            (0, 0, 255, b"../outside/canary"),
        )
    )

    def open(self) -> None:
        self._good, self._damaged = self.inside / "good", self.inside / "store"
        with FileStore(f"file:{self._good}") as store:
            experiment_id = store.create_experiment("e", "s3://b/x", [])
            run_id = store.create_run(experiment_id, "u", 1, [RunTag("t", "v")], "r").info.run_id
            store.log_batch(run_id, [Metric("m", 1.5, 1, step) for step in range(5)], [Param("p", "v")], [])
            store.log_inputs(run_id, [DatasetInput(Dataset("d", "1", "local", "here"))])
            store.delete_run(store.create_run("0", "u", 2, [], None).info.run_id)
        self._files = [path.relative_to(self._good) for path in sorted(self._good.rglob("*")) if path.is_file()]

    def inputs(self) -> SearchStrategy[bytes]:
        words = st.sampled_from(
            (
                b'"',
                b"{",
                b"[",
                b"}",
                b"\n",
                b"\0",
                b"null",
                b"true",
                b"-1",
                b"1e999",
                b"NaN",
                b"../",
                b"/",
                b"\xff",
                b"9" * 30,
            )
        )
        contents = st.lists(words | st.binary(max_size=8), max_size=6).map(b"".join)
        long = st.builds(lambda word, times: word * times, words, st.integers(1, 20_000))
        heads = st.binary(min_size=4, max_size=4)
        return st.builds(lambda head, content: head + content, heads, contents | long)

    def take(self, data: bytes) -> object:
        number, high, low, gone, *_ = data.ljust(4, b"\0")
        shutil.rmtree(self._damaged, ignore_errors=True)
        shutil.copytree(self._good, self._damaged)
        file = self._damaged / self._files[number % len(self._files)]
        content = file.read_bytes()
        place = min(high << 8 | low, len(content))
        rest = b"" if gone == 255 else content[place + gone :]
        file.write_bytes(content[:place] + data[4:] + rest)
        try:
            return _everything(self._damaged)
        except TrackspecError as refused:
            if refused.error_code is ErrorCode.INTERNAL_ERROR:
                raise Found("5xx", refused.message) from refused
            return refused.message


def _everything(directory: Path) -> object:
    with contextlib.closing(FileStore(f"file:{directory}")) as store:
        told = each(lambda: store.search_experiments(ViewType.ALL), store.get_artifact_root)
        ids = [item.experiment_id for item in told[0]] if isinstance(told[0], list) else ["0"]
        told += each(lambda: store.search_runs(ids, run_view_type=ViewType.ALL))
        for run in told[-1] if isinstance(told[-1], list) else []:
            run_id = run.info.run_id
            told += each(
                lambda i=run_id: store.get_run(i),  # type: ignore[misc]  # called at once
                lambda i=run_id: store.get_metric_history(i, "m"),  # type: ignore[misc]
                lambda i=run_id: store.set_tag(i, RunTag("t", "w")),  # type: ignore[misc]
                lambda i=run_id: store.log_metric(i, Metric("m", 2.0, 2, 9)),  # type: ignore[misc]
            )
        told += each(lambda: store.create_run("0", "u", 3, [], None))
        return told
