"""What the documents show is true: examples run, commands end as told, links lead somewhere, words exist."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import trackspec
from tests.documents import (
    CHAPTERS,
    DOCUMENTS,
    GUIDES,
    ROOT,
    Block,
    anchors_of,
    blocks_of,
    links_of,
    prose_of,
)
from tests.servers.tracking import in_process
from trackspec import ArtifactRepository, TrackingStore, catalogue
from trackspec.validated_repository import ValidatedRepository
from trackspec.validated_store import ValidatedStore
from trackspec_conformance import cli
from trackspec_conformance.interfaces import INTERFACES
from trackspec_conformance.outcomes import Outcome
from trackspec_conformance.report.machine_readable import schema

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SHOWN_ADDRESS = "127.0.0.1:5000"
"""Where a guide shows a server."""

COMMAND_TIMEOUT = 240
"""Seconds; a command of a guide takes some, on a busy machine many."""

EXAMPLES = [path for path in CHAPTERS if any(block.language == "python" for block in blocks_of(path))]
OF_ARTIFACTS = [path for path in EXAMPLES if path.name.startswith("artifact")]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def named(paths: list[Path]) -> list[Any]:
    """Documents as parameters, by their path."""
    return [pytest.param(path, id=str(path.relative_to(ROOT))) for path in paths]


def run_python(block: Block, names: dict[str, Any]) -> None:
    """Run a block, so that what fails is seen at its place in the document."""
    exec(compile(block.source, block.path, "exec"), names)


# -- the chapters' examples, on each store and repository --------------------------------------------------------


@pytest.fixture(params=["memory", "file", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TrackingStore]:
    """A new store of each kind."""
    uris = {
        "memory": "memory:",
        "file": f"file:{tmp_path}/store",
        "sqlite": f"sqlite:///{tmp_path}/store.db",
    }
    with trackspec.open_store(uris[request.param]) as opened:
        yield opened


@pytest.fixture(params=["memory", "local"])
def repository(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ArtifactRepository]:
    """A new artifact repository of each kind."""
    uris = {"memory": f"memory:{tmp_path}", "local": f"file:{tmp_path}/artifacts"}
    with ArtifactRepository.from_artifact_uri(uris[request.param]) as opened:
        yield opened


def examples_hold(chapter: Path, **given: Any) -> None:
    """Run the blocks of a chapter in order, with the names of the contract, and what is given, at hand."""
    names = {name: getattr(trackspec, name) for name in trackspec.__all__} | given
    for block in blocks_of(chapter):
        if block.language == "python":
            run_python(block, names)


@pytest.mark.parametrize("chapter", named([path for path in EXAMPLES if path not in OF_ARTIFACTS]))
def test_the_examples_of_a_chapter_hold(chapter: Path, store: TrackingStore) -> None:
    """What a chapter on stores shows holds on an empty store of each kind."""
    examples_hold(chapter, store=store)


@pytest.mark.parametrize("chapter", named(OF_ARTIFACTS))
def test_the_examples_of_a_chapter_on_artifacts_hold(
    chapter: Path, repository: ArtifactRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a chapter on artifacts shows holds on an empty repository of each kind."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    examples_hold(chapter, repository=repository)


# -- the guides' examples and commands ---------------------------------------------------------------------------


def environment() -> dict[str, str]:
    """That of a command of a guide."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return variables | {"PATH": path, "COLUMNS": "100"}


def assert_prints(printed: str, output: str, place: str) -> None:
    """What a command prints is what is shown, ``...`` standing for anything."""
    pattern = re.escape(output.strip()).replace(re.escape("..."), ".*?")
    lines = "\n".join(line.rstrip() for line in printed.splitlines()).strip()
    assert re.fullmatch(pattern, lines, re.S), f"{place} prints:\n{printed[-3000:]}"


def commands_run_in(directory: Path, block: Block) -> None:
    """Run a block's commands in a directory, and compare what they print."""
    for command, output in block.commands:
        ended = subprocess.run(
            ["bash", "-c", command],
            cwd=directory,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=COMMAND_TIMEOUT,
            check=False,
        )
        told = f"{block.place} prints:\n{ended.stdout[-3000:]}"
        assert str(ended.returncode) == block.marks.get("exit status", "0"), told
        if output:
            assert_prints(ended.stdout, output, block.place)


@contextmanager
def served_in(directory: Path, block: Block) -> Iterator[str]:
    """Run a command that serves, until the end; yield the address that it has instead of the one shown."""
    ((command, output),) = block.commands
    with in_process(*shlex.split(command)[2:], directory=directory) as server:
        address = f"127.0.0.1:{server.port}"
        assert_prints(server.started.replace(address, SHOWN_ADDRESS), output, block.place)
        yield address


@pytest.mark.parametrize("guide", named(GUIDES))
def test_what_a_guide_shows_happens(guide: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The blocks of a guide run in order, in a directory of their own."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    address = SHOWN_ADDRESS
    with ExitStack() as stack:
        for shown in blocks_of(guide):
            block = replace(shown, text=shown.text.replace(SHOWN_ADDRESS, address))
            if "not run" in block.marks:
                continue
            if "file" in block.marks:
                (tmp_path / block.marks["file"]).write_text(block.text, encoding="utf-8")
            elif "served" in block.marks:
                address = stack.enter_context(served_in(tmp_path, block))
            elif block.language == "python":
                run_python(block, names)
            elif block.language == "console":
                commands_run_in(tmp_path, block)


def not_run() -> list[Any]:
    """The commands that are shown and not run."""
    return [
        pytest.param(command, id=f"{block.place}: {command}")
        for guide in GUIDES
        for block in blocks_of(guide)
        if block.language == "console" and "not run" in block.marks
        for command, _ in block.commands
    ]


@pytest.mark.parametrize("command", not_run())
def test_a_command_that_is_not_run_exists(command: str) -> None:
    """Its program is one of ours, or one that everybody has, and takes these options."""
    words = [word for word in shlex.split(command, comments=True) if not re.fullmatch(r"[A-Z_]+=.*", word)]
    program = Path(words[0]).name

    if program == "trackspec":
        cli._parser().parse_args(words[1:])  # exits where it makes no sense
    elif program == "make":
        assert all(f"\n{target}:" in MAKEFILE for target in words[1:])
    elif program in ("pip", "python", "python3"):
        extras = {extra for word in words for extra in re.findall(r"trackspec\[(.+?)\]", word)}
        assert {name for extra in extras for name in extra.split(",")} <= set(
            PYPROJECT["project"]["optional-dependencies"]
        )
    else:
        assert program in ("git", "cd", "pytest", "mlflow")


@pytest.mark.parametrize("document", named(GUIDES))
def test_blocks_are_of_a_known_kind(document: Path) -> None:
    """No command and no example escapes by being marked as something else."""
    languages = {block.language for block in blocks_of(document)}

    assert languages <= {"python", "console", "text", "toml", "json", "yaml", "markdown"}


# -- links and words ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("document", named(DOCUMENTS))
def test_links_lead_somewhere(document: Path) -> None:
    """A link names a file that is there, and a heading that it has."""
    for link in links_of(document):
        target, _, fragment = link.partition("#")
        path = (document.parent / target).resolve() if target else document
        assert path.exists(), link
        assert path.is_relative_to(ROOT), link
        assert not fragment or fragment in anchors_of(path), link


@pytest.mark.parametrize("document", named(DOCUMENTS))
def test_requirements_that_are_named_exist(document: Path) -> None:
    """What looks like a requirement's id is one."""
    areas = {id_.partition(".")[0] for id_ in catalogue.requirements()}
    words = re.findall(r"`([a-z-]+)\.([a-z0-9-]+)`", prose_of(document))
    named_ids = {f"{area}.{rest}" for area, rest in words if area in areas and rest not in ("py", "md", "json")}

    assert named_ids <= catalogue.requirements().keys()


@pytest.mark.parametrize("document", named(DOCUMENTS))
def test_make_targets_that_are_named_exist(document: Path) -> None:
    """What the documents ask to make can be made."""
    targets = set(re.findall(r"`make ([a-z]+)", prose_of(document)))

    assert {target for target in targets if f"\n{target}:" not in MAKEFILE} == set()


@pytest.mark.parametrize("interface", INTERFACES)
def test_every_option_is_told(interface: str) -> None:
    """The guide to testing a backend names each option of the command."""
    told = (ROOT / "docs" / "test-your-backend.md").read_text(encoding="utf-8")
    options = subprocess.run(
        [Path(sys.executable).with_name("trackspec"), "check", interface, "--help"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    listed = set(re.findall(r"^  (--?[a-z-]+)", options, re.M))
    assert {"-h", "--json"} <= listed
    assert {option for option in listed if f"`{option}" not in told} <= {"-h"}


def test_every_outcome_and_field_is_told() -> None:
    """The guide to reading a report explains each outcome and each field of the JSON report."""
    told = (ROOT / "docs" / "read-a-report.md").read_text(encoding="utf-8")
    fields = {*schema()["properties"], *schema()["properties"]["requirements"]["items"]["properties"]}

    assert {outcome.value for outcome in Outcome if f"| {outcome.value} |" not in told} == set()
    assert {field for field in fields if f"`{field}`" not in told} == set()


def test_every_primitive_is_told() -> None:
    """The guides to writing a store and a repository name each primitive, and no other."""
    for guide, validated in (("backend", ValidatedStore), ("repository", ValidatedRepository)):
        told = (ROOT / "docs" / f"write-a-{guide}.md").read_text(encoding="utf-8")
        rows = re.findall(r"^\| (`_.+?) \|", told, re.M)

        assert set(re.findall(r"`(_\w+)", " ".join(rows))) == validated.__abstractmethods__


def test_the_sample_in_the_readme_counts_right() -> None:
    """The report in the README has as many requirements in each default profile as the specification."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = {name: int(count) for name, count in re.findall(r"^(\w+) +conforms +(\d+)", readme, re.M)}
    profiles = [item.profile for item in catalogue.requirements_of("tracking").values()]

    default = [name for name, profile in catalogue.profiles_of("tracking").items() if profile.default]
    assert {name: profiles.count(name) for name in default} == shown
