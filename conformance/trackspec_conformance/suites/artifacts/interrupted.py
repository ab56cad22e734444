"""The checks of the chapter on transfers: transfers that are cut."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from trackspec import ArtifactRepository
from trackspec_conformance.artifact_trees import files_below
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import NotApplicable, expect, expect_equal, expect_one_of
from trackspec_conformance.fresh_artifacts import FreshArtifacts
from trackspec_conformance.interrupting import Cut, cut, end_a_process, seconds_in_a_process, spread
from trackspec_conformance.local_files import Noise, digest_of, tree_of

OLD, NEW, LARGE = Noise(150_000, 1), Noise(200_001, 2), Noise(16 * 1024 * 1024, 3)
TREE = {f"{number}.bin": bytes([65 + number]) * 40_000 for number in range(6)} | {"deep/er/x": b"x" * 40_000}
FEWEST, MOST = 16, 24
LOGGED = ("upload.overwrite",)


def cuts(
    fresh: FreshArtifacts, make: Callable[[ArtifactRepository], Callable[[], object]]
) -> Iterator[tuple[Callable[[], object], Cut]]:
    """Make a call again and again, cut at points spread over its lines; give the call and what became of it.

    Each is made on a repository that was opened for it: what a cut has broken there is no matter to the others.

    :param make: arranges what the next call finds, and returns the call on the repository that it is given.
    :raises NotApplicable: if no line of Python is run by the call.
    """
    opened = fresh.own()
    whole = cut(make(opened), None)
    fresh.give_back(opened)
    if whole.lines == 0:
        raise NotApplicable("the call runs no Python, which alone can be cut")
    deadline = fresh.deadline()
    for number, line in enumerate(spread(whole.lines, fresh.random)):
        if number >= FEWEST and time.monotonic() > deadline:
            return
        start = fresh.transcript.mark()
        opened = fresh.own()
        call = make(opened)
        made = fresh.transcript.mark()
        became = cut(call, line)
        fresh.transcript.within(made, f"cut(lambda: {{}}, {line})")
        yield call, became
        fresh.give_back(opened)
        fresh.transcript.rewind(start)


def kills(
    fresh: FreshArtifacts, arrange: Callable[[], str], call: Callable[[ArtifactRepository], object]
) -> Iterator[None]:
    """Make a call in a process of its own, again and again, and end the process at any moment of the call.

    :param arrange: arranges what the next call finds, and gives the call as a script tells it.
    """

    def opened() -> Callable[[], object]:
        fresh.transcript.on_call = None  # this is the process that is ended, and talks to nobody
        again = fresh.reopened()
        again.list_artifacts(fresh.folder())
        return lambda: call(again)

    start = fresh.transcript.mark()
    arrange()
    seconds, deadline = seconds_in_a_process(opened), fresh.deadline()
    for number in range(MOST):
        if number >= FEWEST and time.monotonic() > deadline:
            break
        fresh.transcript.rewind(start)
        told, after = arrange(), seconds * fresh.random.random()
        if end_a_process(opened, after):
            seconds = after  # the call takes less time than it did
        fresh.transcript.did(f"end_a_process(lambda: lambda: {told}, {after:.4f})")
        yield
    fresh.transcript.rewind(start)


def kept(repository: ArtifactRepository, fresh: FreshArtifacts, path: str) -> tuple[int, str] | None:
    """The size and digest of a file, None where it is not there."""
    if path not in files_below(repository, path.rpartition("/")[0]):
        return None
    return digest_of(Path(repository.download_artifacts(path, fresh.destination())))


@check("interrupted.upload", rests_on=LOGGED)
def a_cut_upload_leaves_nothing(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """An upload that is cut anywhere leaves the whole file under its new path, or nothing."""
    file, folder = fresh.file("a.bin", NEW), ""

    def upload(opened: ArtifactRepository) -> Callable[[], object]:
        nonlocal folder
        folder = fresh.folder()
        return lambda: opened.log_artifact(file, folder)

    for _ in cuts(fresh, upload):
        path = f"{folder}/a.bin"
        expect_one_of([None, digest_of(NEW)], kept(repository, fresh, path), f"size and digest of {path}")


@check("interrupted.upload", rests_on=LOGGED)
def a_cut_replacement_leaves_the_old_or_the_new(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """An upload that replaces a file leaves the whole of the one or of the other, wherever it is cut."""
    old, new, folder = fresh.file("a.bin", OLD), fresh.file("a.bin", NEW), ""

    def replacement(opened: ArtifactRepository) -> Callable[[], object]:
        nonlocal folder
        folder = fresh.folder()
        repository.log_artifact(old, folder)
        return lambda: opened.log_artifact(new, folder)

    for _ in cuts(fresh, replacement):
        expected = [digest_of(OLD), digest_of(NEW)]
        path = f"{folder}/a.bin"
        expect_one_of(expected, kept(repository, fresh, path), f"size and digest of {path}")


@check("interrupted.folder", rests_on=("upload.folder",))
def each_file_of_a_cut_folder_is_whole(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """When a folder's upload is cut anywhere, each file of it is there whole, or not at all."""
    tree, folder = fresh.tree(TREE), ""

    def upload(opened: ArtifactRepository) -> Callable[[], object]:
        nonlocal folder
        folder = fresh.folder()
        return lambda: opened.log_artifacts(tree, folder)

    for _ in cuts(fresh, upload):
        for path in files_below(repository, folder):
            content = TREE.get(path.removeprefix(f"{folder}/"))
            if content is not None:  # what lies there besides is another requirement's
                expect_equal(digest_of(content), kept(repository, fresh, path), f"size and digest of {path}")


@check("interrupted.not-listed", rests_on=("upload.folder",))
def what_is_left_of_a_cut_upload_is_hidden(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """After uploads that were cut, the files of the folder are listed and downloaded, and nothing else."""
    tree, folder = fresh.tree(TREE), ""

    def upload(opened: ArtifactRepository) -> Callable[[], object]:
        nonlocal folder
        folder = fresh.logged({"0.bin": b"before"})
        return lambda: opened.log_artifacts(tree, folder)

    for _ in cuts(fresh, upload):
        listed = {path.removeprefix(f"{folder}/") for path in files_below(repository, folder)}
        downloaded = {*tree_of(repository.download_artifacts(folder, fresh.destination()))}
        expect_equal([], sorted((listed | downloaded) - TREE.keys()), "files that were not logged")


@check("interrupted.download", rests_on=("download.folder",))
def a_cut_download_leaves_whole_files(fresh: FreshArtifacts) -> None:
    """When a download is cut anywhere, each file that has its name in the destination is whole."""
    folder, destination = fresh.logged(TREE), ""

    def download(opened: ArtifactRepository) -> Callable[[], object]:
        nonlocal destination
        destination = fresh.destination()
        return lambda: opened.download_artifacts(folder, destination)

    for _ in cuts(fresh, download):
        for path, content in TREE.items():
            place = Path(destination, folder, path)
            if place.exists():
                expect_equal(digest_of(content), digest_of(place), f"size and digest of {path}")


@check("interrupted.acknowledged", rests_on=LOGGED)
def a_call_that_returns_has_done_its_work(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """A cut upload, and a cut download, that return all the same have transferred everything."""
    tree, folder, destination = fresh.tree(TREE), "", ""
    whole = fresh.logged(TREE)

    def upload(opened: ArtifactRepository) -> Callable[[], object]:
        nonlocal folder
        folder = fresh.folder()
        return lambda: opened.log_artifacts(tree, folder)

    def download(opened: ArtifactRepository) -> Callable[[], object]:
        nonlocal destination
        destination = fresh.destination()
        return lambda: opened.download_artifacts(whole, destination)

    for _, became in cuts(fresh, upload):
        if became.returned:
            expected = {f"{folder}/{path}": len(content) for path, content in TREE.items()}
            expect_equal(expected, files_below(repository, folder), "the files, since the call returned")
    for _, became in cuts(fresh, download):
        if became.returned:
            expect_equal(TREE, tree_of(str(Path(destination, whole))), "the files, since the call returned")


@check("interrupted.again", rests_on=("upload.folder", "download.folder"))
def a_cut_call_is_made_again(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """An upload and a download that were cut succeed when they are made again."""
    tree, folder, destination = fresh.tree(TREE), "", ""

    def upload(opened: ArtifactRepository) -> Callable[[], object]:
        nonlocal folder
        folder = fresh.folder()
        return lambda: opened.log_artifacts(tree, folder)

    def download(opened: ArtifactRepository) -> Callable[[], object]:
        nonlocal destination
        destination = fresh.destination()
        return lambda: opened.download_artifacts(folder, destination)

    for call, _ in cuts(fresh, upload):
        call()
        expected = {f"{folder}/{path}": len(content) for path, content in TREE.items()}
        expect_equal(expected, files_below(repository, folder), "the files, once the call was made again")
    for call, _ in cuts(fresh, download):
        call()
        downloaded = tree_of(str(Path(destination, folder)))
        expect_equal(TREE, {path: downloaded.get(path) for path in TREE}, "the files, likewise")


@check("interrupted.download", rests_on=("artifact.kept", "download.file"), timeout=120)
def a_process_ends_in_the_middle_of_a_download(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """When the process is ended in the middle of a download, the file is not there under its name, or whole."""
    folder, destination = fresh.folder(), ""
    repository.log_artifact(fresh.file("a.bin", LARGE), folder)
    told = fresh.transcript.source_of

    def arrange() -> str:
        nonlocal destination
        destination = fresh.destination()
        return f"repository.download_artifacts({told(folder + '/a.bin')}, {told(destination)})"

    def download(opened: ArtifactRepository) -> object:
        return opened.download_artifacts(f"{folder}/a.bin", destination)

    for _ in kills(fresh, arrange, download):
        place = Path(destination, folder, "a.bin")
        if place.exists():
            expect_equal(digest_of(LARGE), digest_of(place), "size and digest of a.bin in the destination")


@check("interrupted.process-ended", rests_on=("artifact.kept",), timeout=120)
def a_process_ends_in_the_middle(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """When the process is ended in the middle of uploads, each file is whole, or as it was before."""
    old, new, tree = fresh.file("a.bin", OLD), fresh.file("a.bin", LARGE), fresh.tree({"a.bin": LARGE})
    folder, method, local, told = "", "log_artifact", new, fresh.transcript.source_of

    def arrange() -> str:
        nonlocal folder
        folder = fresh.folder()
        repository.log_artifact(old, folder)
        return f"repository.{method}({told(local)}, {told(folder)})"

    def upload(opened: ArtifactRepository) -> object:
        return getattr(opened, method)(local, folder)

    def require_whole() -> None:
        found = kept(repository, fresh, f"{folder}/a.bin")
        whole = f"{folder}/a.bin with the {OLD.size} bytes from before, or the {LARGE.size} that were logged"
        shown = f"{found[0]} bytes, SHA-256 digest {found[1]}" if found else "no file"
        expect(found in (digest_of(OLD), digest_of(LARGE)), whole, shown)

    for _ in kills(fresh, arrange, upload):
        require_whole()
    method, local = "log_artifacts", tree
    for _ in kills(fresh, arrange, upload):
        require_whole()
