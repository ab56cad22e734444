"""The check that a repository does what the model does: random sequences of calls, made on both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from trackspec import ArtifactRepository, ErrorCode
from trackspec.memory_repository import MemoryArtifactRepository
from trackspec_conformance.artifact_trees import files_below
from trackspec_conformance.checks import check
from trackspec_conformance.expectations import Unexpected, error_code, same, shown
from trackspec_conformance.exploring import explore
from trackspec_conformance.fresh_artifacts import FreshArtifacts
from trackspec_conformance.local_files import tree_of

_PATHS = ("a", "A", "a b", "a/b", "ab/a", "é/a")
_FOLDERS = ("", "a", "a/b", "ab", "x/y", "a b", "é")
_CONTENTS = (b"", b"1", b"22\r\n", b"x" * 3000)
_CODES = {code.value for code in (ErrorCode.INVALID_PARAMETER_VALUE, ErrorCode.RESOURCE_DOES_NOT_EXIST)}

REFUSED = ("refused",)


@dataclass(frozen=True)
class Step:
    """One call: its name, and its arguments."""

    call: str
    arguments: tuple[Any, ...]


@dataclass
class Side:
    """One of the two repositories, and the folder in which the sequence happens."""

    repository: ArtifactRepository
    folder: str
    fresh: FreshArtifacts

    def answer(self, step: Step) -> Any:
        """What the repository answers to a step; a refusal as one, whatever it is for."""
        try:
            return getattr(self, step.call)(*step.arguments)
        except Exception as error:
            code = error_code(error)
            if code is None:
                raise
            return REFUSED if code in _CODES else ("refused", code)

    def log_artifact(self, path: str, content: bytes) -> None:
        folder, _, name = self._below(path).rpartition("/")
        self.repository.log_artifact(self.fresh.file(name, content), folder)

    def log_artifacts(self, folder: str, files: dict[str, bytes]) -> None:
        self.repository.log_artifacts(self.fresh.tree(files), self._below(folder))

    def list_artifacts(self, folder: str) -> Any:
        listed = self.repository.list_artifacts(self._below(folder))
        return [(info.path.removeprefix(self.folder), info.file_size) for info in listed if not info.is_dir]

    def download_artifacts(self, path: str) -> Any:
        return tree_of(self.repository.download_artifacts(self._below(path), self.fresh.destination()))

    def everything(self) -> Any:
        """Every file with its size; folders without files are left open."""
        found = files_below(self.repository, self.folder)
        return {path.removeprefix(self.folder): size for path, size in found.items()}

    def _below(self, path: str) -> str:
        return f"{self.folder}/{path}" if path else self.folder


@check("repository.agreement", rests_on=("artifact.file-or-folder", "upload.folder"), timeout=60.0)
def a_sequence_of_calls_is_answered_as_by_the_model(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Random sequences of logging, listing and downloading get the answers that the model gives."""
    keeps_both = _keeps_files_and_folders_of_one_path(repository, fresh)

    # A folder that cannot be downloaded and one that is downloaded without files are the same: such folders are
    # left open. So is how far a folder was logged of which one file is refused for what is there already.
    def agrees(sequence: list[Step]) -> None:
        tried = Side(repository, fresh.folder(), fresh)
        model = Side(MemoryArtifactRepository(f"memory:model/{tried.folder}"), "model", fresh)
        for step in [*sequence, Step("everything", ())]:
            expected = model.answer(step)
            if expected == REFUSED and keeps_both and step.call.startswith("log"):
                return
            got = tried.answer(step)
            if not same(expected, got) and (expected, got) != (REFUSED, {}):
                raise Unexpected(f"what the model answers to {step.call}: {shown(expected)}", shown(got))
            if expected == REFUSED and step.call == "log_artifacts":
                return

    explore(fresh, st.lists(_steps(), min_size=12, max_size=30), agrees, examples=40)


def _keeps_files_and_folders_of_one_path(repository: ArtifactRepository, fresh: FreshArtifacts) -> bool:
    """Whether the repository takes a file and a folder of one path, which is left open; the model does not."""
    folder = fresh.logged({"a": b"1"})
    try:
        repository.log_artifact(fresh.file("b"), f"{folder}/a")
    except Exception:
        return False
    return True


def _steps() -> SearchStrategy[Step]:
    paths, folders, contents = st.sampled_from(_PATHS), st.sampled_from(_FOLDERS), st.sampled_from(_CONTENTS)
    trees = st.dictionaries(st.sampled_from(("a", "b/c", "a b", "é/a")), contents, max_size=3)
    logs = st.builds(Step, st.just("log_artifact"), st.tuples(paths, contents))
    return st.one_of(
        logs,
        logs,
        st.builds(Step, st.just("log_artifacts"), st.tuples(folders, trees)),
        st.builds(Step, st.just("list_artifacts"), st.tuples(folders)),
        st.builds(Step, st.just("download_artifacts"), st.tuples(paths)),
        st.builds(Step, st.just("everything"), st.just(())),
    )
