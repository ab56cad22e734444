"""The file store writes what the chapter on its layout shows, and reads what the chapter says may be there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from zlib import crc32

import pytest

import trackspec
from tests.documents import ROOT, Block, blocks_of
from trackspec.entities import RunTag
from trackspec_reference.tracking.file_layout import run_ids, runs
from trackspec_reference.tracking.file_store import FileStore

CHAPTER = ROOT / "spec" / "file-store.md"
BLOCKS = blocks_of(CHAPTER)
SHOWN = {block.marks["file"]: block for block in BLOCKS if "file" in block.marks}

EXPERIMENT = "271828182845"
TIME = 1_700_000_000_000


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the chapter's example leaves, at the chapter's times and with its ids."""
    directory = tmp_path_factory.mktemp("store")
    (example,) = (block for block in BLOCKS if block.language == "python")
    tails = iter(["c0ffee0001", "c0ffee0002"])
    names = {name: getattr(trackspec, name) for name in trackspec.__all__}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_ids.secrets, "randbelow", lambda _: int(EXPERIMENT) - 10**11)
        patch.setattr(run_ids.secrets, "token_hex", lambda _: next(tails))
        patch.setattr(FileStore, "_now", lambda _: TIME)
        with FileStore(f"file:{directory}") as store:
            exec(compile(example.source, CHAPTER, "exec"), names | {"store": store})
    return directory


def files(directory: Path) -> set[str]:
    """The files of a store beside the default experiment's."""
    paths = (path for path in directory.rglob("*") if path.is_file())
    names = {str(path.relative_to(directory)) for path in paths if path.read_bytes() != b"0\n"}
    return {name for name in names if not name.startswith("experiments/0/")}


def test_the_directory_is_as_shown(directory: Path) -> None:
    """The chapter lists each file, and no other."""
    (listing,) = (block for block in BLOCKS if block.language == "text" and "trackspec.lock" in block.text)

    assert {line.split()[0] for line in listing.text.splitlines() if not line.startswith(" ")} == files(directory)


@pytest.mark.parametrize("block", SHOWN.values(), ids=SHOWN.keys())
def test_a_file_is_as_shown(block: Block, directory: Path) -> None:
    """The chapter shows it byte by byte."""
    assert (directory / block.marks["file"]).read_text() == block.text


def test_every_kind_of_file_is_shown(directory: Path) -> None:
    """All but the lock and the reservation."""
    assert {name for name in files(directory) if not name.startswith("names/")} == {*SHOWN, "trackspec.lock"}


def test_a_reader_that_knows_the_chapter_reads_each_log(directory: Path) -> None:
    """A header with the mark, then lines of checksum, length and JSON, as the chapter describes them."""
    for path in directory.rglob("*.log"):
        header, *lines = path.read_bytes().split(b"\n")
        assert header == b"trackspec log 1 %015d" % path.stat().st_size
        assert lines.pop() == b""
        for line in lines:
            text = line[17:]
            assert line[8:16] == b"%08x" % len(text)
            assert line[:8] == b"%08x" % crc32(line[8:16] + text)
            assert line[16:17] in (b" ", b"+")
            assert json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":")).encode() == text


def test_every_field_of_a_record_is_told(directory: Path) -> None:
    """The chapter's tables name each field that a record has."""
    told = set(
        re.findall(r"`(\w+)`", "\n".join(re.findall(r"(?m)^\| (`.+?) \|", CHAPTER.read_text(encoding="utf-8"))))
    )
    used = {
        field
        for path in directory.rglob("*.log")
        for line in path.read_bytes().splitlines()[1:]
        for field in json.loads(line[17:])
    }

    assert used - {"datasets"} <= told


def test_what_the_store_keeps_is_as_told() -> None:
    """The chapter's numbers of open files and of kept bytes are the store's."""
    told = CHAPTER.read_text(encoding="utf-8")

    assert f"at most {runs._KEPT_LOGS + runs._KEPT_REGISTERS} files open" in told
    assert f"up to {(runs._PACKED_ALLOWANCE + runs._UNPACKED_ALLOWANCE) >> 20} MiB" in told


def test_a_copy_is_a_store(directory: Path, tmp_path: Path) -> None:
    """A copy opens as what it was copied from, and goes its own way."""
    copy = tmp_path / "copy"
    for name in files(directory):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes((directory / name).read_bytes())
    with FileStore(f"file:{directory}") as store, FileStore(f"file:{copy}") as copied:
        found = store.search_runs([EXPERIMENT])
        assert repr(copied.search_runs([EXPERIMENT])) == repr(found)
        for run in found:
            copied.set_tag(run.info.run_id, RunTag("copied", "yes"))
            copied.create_run(EXPERIMENT, "", TIME, [], None)
        assert repr(store.search_runs([EXPERIMENT])) == repr(found)
        assert len(copied.search_runs([EXPERIMENT], "tags.copied = 'yes'")) == len(found) == 2
