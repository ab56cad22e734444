"""Artifact repositories as the suite knows them."""

from __future__ import annotations

import ast
from typing import Any

from trackspec import ArtifactRepository, ErrorCode, FileInfo, uris
from trackspec.protocol.artifact_endpoints import ARTIFACTS as ARTIFACTS_PATH
from trackspec_conformance.answers import Many, one
from trackspec_conformance.calls import Call
from trackspec_conformance.expectations import NotApplicable, expect_equal, refused
from trackspec_conformance.fresh_artifacts import FreshArtifacts
from trackspec_conformance.interfaces.interface import Interface, Refusal
from trackspec_conformance.started_server import PORT


def delete_artifacts(repository: ArtifactRepository, fresh: FreshArtifacts) -> None:
    """Deleting an artifact is refused with NOT_IMPLEMENTED, and leaves it where it is."""
    folder = fresh.logged({"a.txt": b"1"})

    with refused(ErrorCode.NOT_IMPLEMENTED):
        repository.delete_artifacts(f"{folder}/a.txt")

    kept = FileInfo(f"{folder}/a.txt", False, 1)
    expect_equal([kept], repository.list_artifacts(folder), "the listing")


def _read(repository: ArtifactRepository, name: str) -> object:
    return repository.list_artifacts(name)


def open_below(repository: Any, folder: str) -> Any:
    """A repository of the same class whose root is a folder of this one's.

    :raises NotApplicable: if this one does not tell its URI.
    """
    if opened := getattr(repository, "opened_below", None):
        return opened(folder)
    uri = getattr(repository, "artifact_uri", None)
    if not isinstance(uri, str):
        raise NotApplicable("the subject does not tell its URI, and cannot be opened below it")
    return type(repository)(uris.join(uri, folder))


def open_at(repository: Any, uri: str) -> Any:
    """A repository of the same class at an ``http:`` URI.

    :raises NotApplicable: if this one has another kind of URI.
    """
    mine = getattr(repository, "artifact_uri", None)
    if not isinstance(mine, str) or not mine.startswith(("http:", "https:")):
        raise NotApplicable("the subject is no client of a server: it has no http: URI")
    opened = getattr(repository, "opened_at", type(repository))
    return opened(uri)


def told(call: Call) -> str:
    """What came of a call: of a download the files, since its answer only says where they are."""
    for node in ast.walk(ast.parse(call.source)):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", None) == "download_artifacts":
            return f"contents_of({ast.unparse(node.args[1]) if len(node.args) > 1 else call.name})"
    return call.name


ARTIFACTS = Interface(
    name="artifacts",
    noun="an artifact repository",
    parameter="repository",
    arrangement=FreshArtifacts,
    shapes={
        "list_artifacts": Many(FileInfo),
        "download_artifacts": one(str),
        "log_artifact": one(type(None)),
        "log_artifacts": one(type(None)),
        "delete_artifacts": one(type(None)),
    },
    refusals=(Refusal("delete_artifacts", ("delete.",), delete_artifacts),),
    probe=_read,
    open_below=open_below,
    open_at=open_at,
    served=f"http://127.0.0.1:{PORT}{ARTIFACTS_PATH}",
    told=told,
    temporary="file:DIRECTORY/artifacts",
    subjects={
        "file:PATH, ...": "a repository that trackspec opens by its URI",
        "mlflow+URI": "whatever the installed MLflow opens for the URI, plugins included",
        "module:factory": "a Python callable that returns a repository",
        "(none)": "a temporary local folder, through the reference implementation",
    },
)
