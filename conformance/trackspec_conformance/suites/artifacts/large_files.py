"""The checks of the chapter on transfers: files that are cut into parts."""

from __future__ import annotations

from pathlib import Path

from trackspec import ArtifactRepository, FileInfo
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import expect_equal
from trackspec_conformance.fresh_artifacts import FreshArtifacts
from trackspec_conformance.local_files import Noise, digest_of

MEBIBYTE = 1024 * 1024
LARGE = 100 * MEBIBYTE + 3
PARTS = (1, 4, 5, 8, 10, 16)
"""Mebibytes that transfers are commonly cut into."""


def require_kept(repository: ArtifactRepository, fresh: FreshArtifacts, path: str, content: Noise) -> None:
    """Require that a file is listed with the size of this content, and downloaded with all of its bytes."""
    folder = path.rpartition("/")[0]
    listed = [info for info in repository.list_artifacts(folder) if info.path == path]
    expect_equal([FileInfo(path, False, content.size)], listed, "what is listed")
    downloaded = Path(repository.download_artifacts(path, fresh.destination()))
    expect_equal(digest_of(content), digest_of(downloaded), "size and SHA-256 digest of what is downloaded")


@check("large.exact", rests_on=("upload.file",), timeout=240)
def a_large_file_is_kept(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """A file of a hundred mebibytes and three bytes is listed and downloaded as it was logged."""
    folder, content = fresh.folder(), Noise(LARGE, 1)

    repository.log_artifact(fresh.file("large.bin", content), folder)

    require_kept(repository, fresh, f"{folder}/large.bin", content)


@check("large.part-edges", rests_on=("upload.file",), timeout=240)
def files_at_the_edges_of_parts_are_kept(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Files a byte shorter and a byte longer than common parts, and just as long, are kept."""
    folder = fresh.folder()
    contents = {
        f"{mebibytes}{difference:+}.bin": Noise(mebibytes * MEBIBYTE + difference, mebibytes)
        for mebibytes in PARTS
        for difference in (-1, 0, 1)
    }

    for name, content in contents.items():
        repository.log_artifact(fresh.file(name, content), folder)

    for name, content in contents.items():
        require_kept(repository, fresh, f"{folder}/{name}", content)


@check("large.overwrite", rests_on=("large.part-edges",), timeout=240)
def large_and_small_replace_each_other(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """A file of forty mebibytes is replaced by one of ten bytes, and that by one of twenty mebibytes."""
    folder = fresh.folder()

    for content in (Noise(40 * MEBIBYTE + 1, 1), Noise(10, 2), Noise(20 * MEBIBYTE - 1, 3)):
        repository.log_artifact(fresh.file("a.bin", content), folder)

        require_kept(repository, fresh, f"{folder}/a.bin", content)
