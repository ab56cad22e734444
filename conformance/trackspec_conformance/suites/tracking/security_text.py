"""The checks of the chapter on security: text is no place, and a store's files are data."""

from __future__ import annotations

import contextlib
import os
import pickle
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from trackspec import (
    Dataset,
    DatasetInput,
    ErrorCode,
    ExperimentTag,
    Metric,
    Param,
    RunStatus,
    RunTag,
    TrackingStore,
    ViewType,
)
from trackspec_conformance.canaries import logged, require_hidden, temporary_files, told_by
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import (
    Unexpected,
    error_code,
    expect,
    expect_equal,
    refused,
    shown_error,
    unless_refused,
)
from trackspec_conformance.fresh import Fresh
from trackspec_conformance.loopback import listening
from trackspec_conformance.neighbours import neighbours
from trackspec_conformance.subjects.errors import SubjectError
from trackspec_conformance.suites.tracking.configuration import ROOT

INVALID = ErrorCode.INVALID_PARAMETER_VALUE


# -- ids and keys ------------------------------------------------------------------------------------------------


@check("confined.ids", timeout=60)
def ids_lead_nowhere(fresh: Fresh) -> None:
    """Ids that read as paths to another store tell nothing of it, and change nothing there."""
    with neighbours(fresh) as beside:
        for way in beside.ways:
            beside.told_by(_with_id(beside.store, way))

        beside.require_untouched()


def _with_id(store: TrackingStore, id_: str) -> list[Callable[[], Any]]:
    return [
        lambda: store.get_run(id_),
        lambda: store.log_metric(id_, Metric("m", 2.0, 1, 1)),
        lambda: store.log_param(id_, Param("q", "mine")),
        lambda: store.set_tag(id_, RunTag("t", "mine")),
        lambda: store.delete_tag(id_, "t"),
        lambda: store.log_batch(id_, [Metric("m", 3.0, 2, 2)], [], [RunTag("t", "mine")]),
        lambda: store.get_metric_history(id_, "m"),
        lambda: store.update_run_info(id_, RunStatus.FINISHED, 1, "mine"),
        lambda: store.delete_run(id_),
        lambda: store.restore_run(id_),
        lambda: store.get_experiment(id_),
        lambda: store.create_run(id_, "", 0, [], None),
        lambda: store.search_runs([id_], run_view_type=ViewType.ALL),
        lambda: store.set_experiment_tag(id_, ExperimentTag("t", "mine")),
        lambda: store.rename_experiment(id_, "mine"),
        lambda: store.delete_experiment(id_),
        lambda: store.restore_experiment(id_),
    ]


@check("confined.keys", timeout=60)
def keys_lead_nowhere(fresh: Fresh) -> None:
    """Keys, names and page tokens that read as paths to another store read and write nothing there."""
    with neighbours(fresh) as beside:
        store = beside.store
        experiment_id = store.create_experiment(fresh.name(), None, [])
        run_id = store.create_run(experiment_id, "", 0, [], None).info.run_id
        for way in beside.ways:
            beside.told_by(_with_key(store, experiment_id, run_id, way))

        beside.require_untouched()


def _with_key(store: TrackingStore, experiment_id: str, run_id: str, key: str) -> list[Callable[[], Any]]:
    return [
        lambda: store.log_metric(run_id, Metric(key, 2.0, 1, 1)),
        lambda: store.log_param(run_id, Param(key, "mine")),
        lambda: store.set_tag(run_id, RunTag(key, "mine")),
        lambda: store.get_metric_history(run_id, key),
        lambda: store.get_metric_history(run_id, "m", max_results=1, page_token=key),
        lambda: store.delete_tag(run_id, key),
        lambda: store.set_experiment_tag(experiment_id, ExperimentTag(key, "mine")),
        lambda: store.delete_experiment_tag(experiment_id, key),
        lambda: store.get_experiment_by_name(key),
        lambda: store.create_experiment(key, None, []),
        lambda: store.create_run(experiment_id, key, 0, [], key),
        lambda: store.search_runs([experiment_id], page_token=key),
    ]


# -- values ------------------------------------------------------------------------------------------------------


@check("confined.values", rests_on=("experiment.create",), timeout=60)
def values_are_no_places(store: TrackingStore, fresh: Fresh) -> None:
    """Values that name a listener, a file or a command are kept or refused, and nobody goes there."""
    with listening() as listener, tempfile.TemporaryDirectory(prefix="trackspec-") as directory:
        made = f"{directory}/made"
        texts = [
            *listener.urls(),
            f"s3://127.0.0.1:{listener.port}/canary",
            f"ftp://127.0.0.1:{listener.port}/canary",
            f"file://{made}",
            f"file://localhost{made}",
            f"memory:{made}",
            f"sqlite:///{made}",
            made,
            f"$(touch {made})",
            f"`touch {made}`",
            f"| touch {made}",
            f"!!python/object/apply:os.mkdir ['{made}']",
            f"{{{{ ''.__class__.__mro__[1] }}}} {made}",
        ]

        for text in texts:
            for call in _with_value(store, fresh, text):
                with contextlib.suppress(Exception):
                    call()

        expect_equal([], os.listdir(directory), "what lies in the folder that the values name")
        expect_equal([], listener.callers, "who has called the listener that the values name")


def _with_value(store: TrackingStore, fresh: Fresh, text: str) -> list[Callable[[], Any]]:
    run_id = fresh.run()
    source = Dataset("d", "1", "http", text, text, text)

    def located() -> None:
        experiment_id = store.create_experiment(fresh.name("located"), text, [])
        store.create_run(experiment_id, "", 0, [], None)
        store.search_runs([experiment_id])

    return [
        located,
        lambda: store.log_param(run_id, Param("p", text)),
        lambda: store.set_tag(run_id, RunTag("mlflow.source.name", text)),
        lambda: store.set_tag(run_id, RunTag("mlflow.source.git.repoURL", text)),
        lambda: store.log_inputs(run_id, [DatasetInput(source)]),
        lambda: store.get_run(run_id),
    ]


# -- a store's own files -----------------------------------------------------------------------------------------


class _Folder:
    """What makes a folder when it is unpickled."""

    def __init__(self, place: str) -> None:
        self._place = place

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return os.mkdir, (self._place,)


@check("confined.records", timeout=60)
def records_are_data(fresh: Fresh) -> None:
    """Objects of Python, in each form that a reader might run, are not run where a store's records were."""
    with tempfile.TemporaryDirectory(prefix="trackspec-") as directory:
        made = f"{directory}/made"
        contents = [pickle.dumps(_Folder(made), protocol) for protocol in (0, 4)]
        contents += [
            f"!!python/object/apply:os.mkdir ['{made}']\n".encode(),
            f"- !!python/object/apply:os.mkdir ['{made}']\n".encode(),
            f'{{"py/reduce": [{{"py/function": "os.mkdir"}}, {{"py/tuple": ["{made}"]}}]}}\n'.encode(),
            f"__import__('os').mkdir('{made}')\n".encode(),
        ]
        for file in _replaced(fresh, Path(directory), contents):
            with contextlib.suppress(Exception):
                _read_everything(fresh, Path(directory) / "store")
            expect(not os.path.exists(made), f"the content of {file} to be read as data", "it was run")


@check("confined.records-end", timeout=60)
def records_of_any_kind_end(fresh: Fresh) -> None:
    """A store whose files hold what it never wrote answers, or raises an error of the contract."""
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    contents = [
        b"",
        b"\0" * 5000,
        b"\xff\xfe" * 300,
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"9" * 100_000,
        b'{"a": 1, "a": 2}\n',
        bomb.encode(),
        b"null\n[]\n5\n",
    ]
    with tempfile.TemporaryDirectory(prefix="trackspec-") as directory:
        for file in _replaced(fresh, Path(directory), contents):
            _require_end(fresh, Path(directory) / "store", file)


def _require_end(fresh: Fresh, directory: Path, file: str) -> None:
    try:
        _read_everything(fresh, directory)
    except Exception as raised:
        error = (raised.__cause__ or raised) if isinstance(raised, SubjectError) else raised
        known = error_code(error) in set(ErrorCode)
        expect(known, f"an error of the contract for the content of {file}", shown_error(error))


def _replaced(fresh: Fresh, directory: Path, contents: list[bytes]) -> Iterator[str]:
    """For each file of a store and each content, the file's path, while the content is in its place."""
    good = directory / "good"
    good.mkdir()
    store = fresh.opened_in(good)
    experiment_id = store.create_experiment(fresh.name(), None, [])
    run_id = store.create_run(experiment_id, "", 0, [], None).info.run_id
    store.log_batch(run_id, [Metric("m", 1.0, 0, 0)], [Param("p", "v")], [RunTag("t", "v")])
    store.close()
    files = [path.relative_to(good) for path in sorted(good.rglob("*")) if path.is_file()]
    expect(bool(files), "a file in which the store keeps what it has", "none")
    for file in files:
        for content in contents:
            shutil.rmtree(directory / "store", ignore_errors=True)
            shutil.copytree(good, directory / "store")
            (directory / "store" / file).write_bytes(content)
            yield str(file)


def _read_everything(fresh: Fresh, directory: Path) -> None:
    with contextlib.closing(fresh.opened_in(directory)) as store:
        found = store.search_experiments(ViewType.ALL)
        for run in store.search_runs([item.experiment_id for item in found], run_view_type=ViewType.ALL):
            store.get_run(run.info.run_id)
            store.get_metric_history(run.info.run_id, "m")


# -- what is secret ----------------------------------------------------------------------------------------------


@check("secret.location-password", rests_on=("experiment.create",))
def a_location_holds_no_password(store: TrackingStore, fresh: Fresh) -> None:
    """Locations with a password are refused."""
    for location in _with_password(fresh.name("secret")):
        with refused(INVALID):
            store.create_experiment(fresh.name(), location, [])


@check("secret.location-password", uses=ROOT)
def a_root_holds_no_password(store: TrackingStore, fresh: Fresh) -> None:
    """An artifact root with a password is refused, or cannot be set at all."""
    before = None
    with unless_refused(ErrorCode.NOT_IMPLEMENTED, ErrorCode.ENDPOINT_NOT_FOUND):
        before = store.get_artifact_root()
    try:
        with refused(INVALID, ErrorCode.NOT_IMPLEMENTED, ErrorCode.ENDPOINT_NOT_FOUND):
            store.set_artifact_root(_with_password(fresh.name("secret"))[0])
    except Unexpected:
        if before is not None:
            store.set_artifact_root(before)
        raise


@check("secret.not-repeated", rests_on=("secret.location-password",))
def a_password_is_not_repeated(store: TrackingStore, fresh: Fresh) -> None:
    """Neither the error that refuses a location nor the log has its password."""
    secret = fresh.name("secret")
    for location in _with_password(secret):
        with logged() as lines:
            told = told_by(lambda: store.create_experiment(fresh.name(), location, []))  # noqa: B023 - called at once

        require_hidden(secret, told, "the error")
        require_hidden(secret, lines, "the log")


def _with_password(secret: str) -> tuple[str, ...]:
    return (
        f"s3://user:{secret}@bucket/path",
        f"ftp://user:{secret}@host/path",
        f"https://:{secret}@host:443/path?version=1",
    )


@check("secret.temporary-private", rests_on=("run.create",), uses="environment")
def temporary_files_are_private(store: TrackingStore, fresh: Fresh) -> None:
    """What calls leave in the folder for temporary files is the user's only, though the mask forbids nothing."""
    with temporary_files() as directory:
        run_id = store.create_run(fresh.shared_experiment(), "", 0, [], None).info.run_id
        store.log_batch(
            run_id,
            [Metric("m", 1.0, 0, step) for step in range(900)],
            [Param(f"p{number}", "v" * 6000) for number in range(100)],
            [],
        )
        store.search_runs([fresh.shared_experiment()], "params.p1 != ''", order_by=["metrics.m"])
        store.get_metric_history(run_id, "m")
        open_to_others = [
            str(path.relative_to(directory))
            for path in Path(directory).rglob("*")
            if stat.S_IMODE(path.lstat().st_mode) & 0o077 and not path.is_symlink()
        ]

    expect_equal([], open_to_others, "temporary files that others may use")
