"""The checks of the chapter on transfers: what many clients at once may count on."""

from __future__ import annotations

from trackspec import ArtifactRepository
from trackspec_conformance.artifact_trees import files_below
from trackspec_conformance.checks import check
from trackspec_conformance.crowds import CLIENTS, Crowd, any_transfers, crowds, processes, require_order, threads
from trackspec_conformance.expectations import expect, expect_equal
from trackspec_conformance.fresh_artifacts import FreshArtifacts
from trackspec_conformance.histories.models import FileModel
from trackspec_conformance.histories.operation import End, Operation
from trackspec_conformance.histories.performing import Order
from trackspec_conformance.histories.transferring import content_of

ROUNDS = 3
UPLOADS = 10
TIMEOUT = 120.0


def _require_order(crowd: Crowd, fresh: FreshArtifacts) -> None:
    for _ in range(ROUNDS):
        path = f"{fresh.folder()}/a.bin"
        history = crowd.make([any_transfers(fresh.random, client, path) for client in range(CLIENTS)])
        require_order(history, FileModel())


@check("many.order", rests_on=("artifact.kept", "upload.overwrite"), timeout=TIMEOUT)
def an_order_explains_what_threads_see(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Whatever threads do to one path at once, some order of their calls explains every answer."""
    _require_order(threads(repository, fresh), fresh)


@check("many.order-processes", rests_on=("artifact.kept", "upload.overwrite"), timeout=TIMEOUT)
def an_order_explains_what_processes_see(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Whatever processes do to one path at once, some order of their calls explains every answer."""
    _require_order(processes(repository, fresh), fresh)


@check("many.files-kept", rests_on=("artifact.kept",), timeout=TIMEOUT)
def no_file_is_lost(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Of the files that clients log to one new folder at once, every one is there that was acknowledged."""
    for crowd in crowds(repository, fresh):
        folder = fresh.folder()
        orders = [
            [
                Order("upload", _path(folder, f"{client}-{number}"), f"{client}-{number}")
                for number in range(UPLOADS)
            ]
            for client in range(CLIENTS)
        ]

        history = crowd.make(orders)

        told = {item.subject: len(content_of(item.given)) for item in history if item.end is End.ANSWERED}
        expect(2 * len(told) >= len(history), f"most uploads of {crowd.kind} to be acknowledged", len(told))
        found = files_below(repository, folder)
        lost = {path: found.get(path) for path, size in told.items() if found.get(path) != size}
        expect_equal({}, lost, f"acknowledged files of {crowd.kind} that are missing, or of another size")


def _path(folder: str, which: str) -> str:
    """Where a file is logged: every second one in a folder that others make too."""
    return f"{folder}/{which}" if which[-1] in "02468" else f"{folder}/new/{which[-1]}/{which}"


@check("many.listing", rests_on=("artifact.kept", "listing.sizes"), timeout=TIMEOUT)
def a_listing_has_whole_files(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """A listing has each file that was there before once, and no file with a size that nobody has logged."""
    for crowd in crowds(repository, fresh):
        folder = fresh.logged({f"{number}.bin": content_of(f"9-{number}") for number in range(20)})
        uploads = [
            [Order("upload", f"{folder}/{client}.new", f"{client}-{number}") for number in range(UPLOADS)]
            for client in range(CLIENTS)
        ]
        looked_at = [*(f"{folder}/{client}.new" for client in range(CLIENTS)), f"{folder}/7.bin"]
        *writers, own = uploads
        lists = [Order("list", path) for path in looked_at]

        history = crowd.make([*writers, [order for upload in own for order in (upload, *lists)]])

        listed = [item for item in history if item.kind == "list" and item.end is End.ANSWERED]
        expect(len(listed) >= UPLOADS, f"most listings of {crowd.kind} to be answered", len(listed))
        amiss = [str(item) for item in listed if item.answer not in _permitted(item)]
        expect_equal([], amiss, f"listings of {crowd.kind} with what was not logged")


def _permitted(listing: Operation) -> list[str | None]:
    """Which files a listing may have at its path."""
    name = listing.subject.rpartition("/")[2]
    if name.endswith(".bin"):
        return [f"9-{name.removesuffix('.bin')}"]
    return [None, *(f"{name.removesuffix('.new')}-{number}" for number in range(UPLOADS))]
