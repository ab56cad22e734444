"""The checks of the chapter on transfers: what is lost, cut, repeated or late on the way."""

from __future__ import annotations

import threading
import time
from functools import partial
from pathlib import Path

from trackspec import ArtifactRepository
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect, expect_equal, expect_one_of
from trackspec_conformance.fresh_artifacts import FreshArtifacts
from trackspec_conformance.local_files import Noise, digest_of
from trackspec_conformance.losing_proxy import Fate, LosingProxy, answers_of, until_answered
from trackspec_conformance.suites.artifacts.interrupted import kept

NAME = "a.bin"
"""How the paths end of the requests that are lost."""
OLD, NEW = Noise(90_000, 41), Noise(140_001, 42)
FILES = 60
PATIENCE = 60.0
"""Seconds that a call may take, with all that it makes again."""
TIMEOUT = 120.0
ANSWERS = (Fate.ANSWER_LOST, Fate.ANSWER_CUT, Fate.REQUEST_LOST)


def _require_suffered(proxy: LosingProxy, what: str) -> None:
    expect(proxy.suffered > 0, f"a request of {what} to pass the proxy", "none")


@check("lossy.upload", rests_on=("artifact.kept",), timeout=TIMEOUT)
def a_file_is_stored_in_the_end(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """A file that is logged until the call returns is there, whole."""
    file = fresh.file(NAME, NEW)
    for fate in Fate:
        folder = fresh.folder()
        with fresh.losing() as (proxy, client):
            proxy.doom(NAME, fate, fate)

            until_answered(partial(client.log_artifact, file, folder))
            proxy.deliver()

        _require_suffered(proxy, "an upload")
        found = kept(repository, fresh, f"{folder}/{NAME}")
        expect_equal(digest_of(NEW), found, f"size and digest where {fate.value}")


@check("lossy.upload-whole", rests_on=("artifact.kept", "upload.overwrite"), timeout=TIMEOUT)
def half_an_upload_is_none(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """While the requests of an upload are cut, there is what was there before: nothing, or the former file."""
    old, new = fresh.file(NAME, OLD), fresh.file(NAME, NEW)
    for before in (None, OLD):
        folder = fresh.folder()
        if before is not None:
            repository.log_artifact(old, folder)
        with fresh.losing() as (proxy, client):
            proxy.doom(NAME, *[Fate.REQUEST_CUT] * 100)
            upload = threading.Thread(
                target=answers_of, args=(partial(client.log_artifact, new, folder),), daemon=True
            )

            upload.start()
            _await_cut(proxy, upload)
            found = [kept(repository, fresh, f"{folder}/{NAME}") for _ in range(5)]

            proxy.spare()
            upload.join(PATIENCE)
        expected = None if before is None else digest_of(before)
        expect_equal([expected] * 5, found, "size and digest each time")
        expect_one_of([expected, digest_of(NEW)], kept(repository, fresh, f"{folder}/{NAME}"), "those afterwards")


def _await_cut(proxy: LosingProxy, upload: threading.Thread) -> None:
    deadline = time.monotonic() + PATIENCE
    while proxy.suffered < 1 and upload.is_alive() and time.monotonic() < deadline:
        time.sleep(0.01)
    _require_suffered(proxy, "an upload")
    time.sleep(0.1)  # so that the server has seen the end of the connection


@check("lossy.acknowledged", rests_on=("artifact.kept",), timeout=TIMEOUT)
def an_upload_that_returns_has_happened(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """A file whose upload returns is there, whichever of its requests and answers were lost."""
    file = fresh.file(NAME, NEW)
    for fate in (*ANSWERS, Fate.REQUEST_CUT):
        folder = fresh.folder()
        with fresh.losing() as (proxy, client):
            proxy.doom(NAME, fate)
            returned = answers_of(partial(client.log_artifact, file, folder))
        _require_suffered(proxy, "an upload")
        if returned:
            found = kept(repository, fresh, f"{folder}/{NAME}")
            expect_equal(digest_of(NEW), found, f"size and digest of what was acknowledged where {fate.value}")


@check("lossy.download", rests_on=("artifact.kept", "download.file"), timeout=TIMEOUT)
def a_part_is_no_file(fresh: FreshArtifacts) -> None:
    """A download whose answer is lost or cut leaves the whole file under its name, or none."""
    folder = fresh.logged({NAME: NEW})
    for fate in ANSWERS:
        destination = fresh.destination()
        with fresh.losing() as (proxy, client):
            proxy.doom(NAME, fate)
            returned = answers_of(partial(client.download_artifacts, f"{folder}/{NAME}", destination))
        _require_suffered(proxy, "a download")
        place = Path(destination, folder, NAME)
        found = digest_of(place) if place.exists() else None
        permitted = [digest_of(NEW)] if returned else [digest_of(NEW), None]
        expect_one_of(permitted, found, f"size and digest of the local file where {fate.value}")


@check("lossy.listing", rests_on=("listing.direct",), timeout=TIMEOUT)
def a_part_is_no_listing(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """A listing whose answer is lost or cut has every file of the folder, or fails."""
    folder = fresh.logged({f"{number}.txt": b"x" * number for number in range(FILES)})
    whole = repository.list_artifacts(folder)
    for fate in ANSWERS:
        with fresh.losing() as (proxy, client):
            proxy.doom("", fate)
            answers = answers_of(partial(client.list_artifacts, folder))
        _require_suffered(proxy, "a listing")
        for answer in answers:
            expect_equal(whole, answer, f"the listing where {fate.value}")
