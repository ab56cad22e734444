"""What is done to an artifact repository in one round, and what must hold afterwards."""

from __future__ import annotations

import contextlib
import random
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from trackspec import ArtifactRepository
from trackspec_conformance.artifact_trees import files_below
from trackspec_conformance.crowds import CLIENTS, any_transfers, some_crowd
from trackspec_conformance.expectations import shown_error
from trackspec_conformance.fresh_artifacts import FreshArtifacts
from trackspec_conformance.histories.models import FileModel
from trackspec_conformance.histories.operation import End, Operation
from trackspec_conformance.histories.performing import Order
from trackspec_conformance.histories.transferring import content_of, which_of
from trackspec_conformance.killing import killed_together, writers_of_a_kill
from trackspec_conformance.losing_proxy import Fate, LosingProxy, until_answered
from trackspec_conformance.surviving.found import Found, Scenario, unexplained
from trackspec_conformance.wire.client import tls_context

WRITERS = 8
UPLOADS = 12
LARGEST = 2000
"""The number of the largest file, which has as many thousand bytes."""


def kill(repository: ArtifactRepository, fresh: FreshArtifacts) -> Found:
    """Processes that log files, and replace one, are killed; everything acknowledged is looked for."""
    folders = [fresh.folder() for _ in range(writers_of_a_kill(fresh))]
    try:
        orders = [list(_uploads(fresh.random, folder)) for folder in folders]
        histories = killed_together(repository, fresh, orders)
        again = fresh.reopened()
        try:
            anomalies = [
                anomaly
                for history, folder in zip(histories, folders, strict=True)
                for anomaly in _after_a_kill(again, history, folder)
            ]
            return Found(sum(map(len, histories)), len(histories), anomalies)
        finally:
            again.close()
    finally:
        for folder in folders:
            _clear(repository, folder)


def _uploads(chance: random.Random, folder: str) -> Iterator[Order]:
    """Uploads of small and large files, to new paths, to new folders, and to one path again and again."""
    for _ in range(UPLOADS):
        number = chance.choice([chance.randrange(100), chance.randrange(LARGEST)])
        path = chance.choice([f"{folder}/same.bin", f"{folder}/{number}.bin", f"{folder}/{number}/deep/er.bin"])
        yield Order("upload", path, f"1-{number}")


def _after_a_kill(
    again: ArtifactRepository, history: Sequence[Operation], folder: str
) -> Iterator[tuple[str, str, int]]:
    try:
        listed = files_below(again, folder)
    except Exception as error:
        yield "listing fails", shown_error(error), 1
        return
    for path in sorted({item.subject for item in history}):
        told = [item.given for item in history if item.subject == path and item.end is End.ANSWERED]
        under_way = [item.given for item in history if item.subject == path and item.end is End.UNKNOWN]
        if path not in listed:
            if told:
                yield "acknowledged file lost", path, 1
            continue
        try:
            found = _read(again, path)
        except Exception as error:
            yield "file unreadable", shown_error(error), 1
            continue
        if found not in [*told[-1:], *under_way]:
            stale = found in told
            yield ("acknowledged file lost" if stale else "file torn"), f"{path} is {found}, after {told[-1:]}", 1
    strangers = sorted(listed.keys() - {item.subject for item in history})
    if strangers:
        yield "part of an upload listed", ", ".join(strangers[:5]), len(strangers)


def _read(repository: ArtifactRepository, path: str) -> str:
    with tempfile.TemporaryDirectory(prefix="trackspec-") as directory:
        return which_of(Path(repository.download_artifacts(path, directory)).read_bytes())


def crowd(repository: ArtifactRepository, fresh: FreshArtifacts) -> Found:
    """Clients make calls of all kinds on one path at once; some order of them explains every answer."""
    folder = fresh.folder()
    clients = some_crowd(repository, fresh)
    path = f"{folder}/a.bin"
    try:
        history = clients.make([any_transfers(fresh.random, client, path) for client in range(CLIENTS)])
        return Found(len(history), 0, unexplained(history, FileModel()))
    finally:
        _clear(repository, folder)


def write(repository: ArtifactRepository, fresh: FreshArtifacts) -> Found:
    """Clients log to one new folder, and to new folders in it, at once; every file is there whole."""
    folder = fresh.folder()
    clients = some_crowd(repository, fresh, WRITERS)
    orders = [
        [
            Order("upload", f"{folder}/new/{number % 2}/{client}-{number}", f"{client}-{number}")
            for number in range(4)
        ]
        for client in range(WRITERS)
    ]
    try:
        history = clients.make(orders)
        told = {item.subject: len(content_of(item.given)) for item in history if item.end is End.ANSWERED}
        found = files_below(repository, folder)
        lost = sorted(path for path, size in told.items() if found.get(path) != size)
        anomalies = [("acknowledged file lost", ", ".join(lost[:5]), len(lost))] if lost else []
        if len(told) < len(history):
            failed = [item for item in history if item.end is not End.ANSWERED]
            anomalies.append(("upload fails", str(failed[0]), len(failed)))
        return Found(len(history), 0, anomalies)
    finally:
        _clear(repository, folder)


def lose(repository: ArtifactRepository, fresh: FreshArtifacts) -> Found:
    """A request or an answer is lost or cut on the way, and the call made again until it is answered."""
    client, proxy = fresh.kept("client that loses answers", partial(_client, fresh))
    folder, which = fresh.folder(), f"1-{fresh.random.randrange(LARGEST)}"
    path, fate = f"{folder}/a.bin", fresh.random.choice(list(Fate))
    what = fresh.random.choice(sorted(_LOSING))
    call = _LOSING[what](client, fresh, path, which)
    proxy.doom("a.bin", fate)
    try:
        answer = until_answered(call)
        proxy.deliver()
        found = _read(repository, path)
    except Exception as error:
        return Found(2, 1, [(f"{what} fails where {fate.value}", shown_error(error), 1)])
    finally:
        proxy.spare()
        _clear(repository, folder)
    if answer not in (None, which) or found != which:
        told = f"{path} is {found}, and the call gave {answer}, in place of {which}"
        return Found(2, 1, [(f"{what} is not whole where {fate.value}", told, 1)])
    return Found(2, 1, [])


def _client(fresh: FreshArtifacts) -> tuple[ArtifactRepository, LosingProxy]:
    url, open_at = fresh.reached()
    proxy = fresh.keep(LosingProxy(url, tls_context()))
    return open_at(proxy.url), proxy


def _upload(client: ArtifactRepository, fresh: FreshArtifacts, path: str, which: str) -> Callable[[], Any]:
    file = fresh.file("a.bin", content_of(which))
    return lambda: client.log_artifact(file, path.rpartition("/")[0])


def _download(client: ArtifactRepository, fresh: FreshArtifacts, path: str, which: str) -> Callable[[], Any]:
    fresh.logged({"a.bin": content_of(which)}, path.rpartition("/")[0])
    return lambda: _read(client, path)


_LOSING = {"an upload": _upload, "a download": _download}


def _clear(repository: ArtifactRepository, folder: str) -> None:
    """Delete what a round has logged, so that a long soak fills up no storage; whoever cannot delete keeps it."""
    with contextlib.suppress(Exception):
        repository.delete_artifacts(folder)


TRANSFER_SCENARIOS: dict[str, Scenario] = {"kills": kill, "crowds": crowd, "writers": write, "lost-answers": lose}
