"""Plugins of MLflow: what is judged is the plugin's own store, and nothing in its place."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("mlflow", reason="MLflow is not installed: it lives in an environment of its own")

OVER_FILES = """
from mlflow.store.tracking.file_store import FileStore

class Store(FileStore):
    def __init__(self, store_uri, artifact_uri):
        super().__init__(store_uri.split(":", 1)[1])
"""
"""A plugin that works."""

OF_ITS_OWN = """
from mlflow.store.tracking.abstract_store import AbstractStore
from mlflow.store.tracking.file_store import FileStore

def delegated(name):
    return lambda self, *args, **kwargs: getattr(self.files, name)(*args, **kwargs)

class Store(AbstractStore):
    for name, method in vars(AbstractStore).items():
        if hasattr(method, "__isabstractmethod__"):
            locals()[name] = delegated(name)

    def __init__(self, store_uri, artifact_uri):
        super().__init__()
        self.files = FileStore(store_uri.split(":", 1)[1])

    def log_inputs(self, run_id, datasets=None, models=None):
        raise NotImplementedError("datasets are not kept")
"""
"""One that says it keeps no inputs, and lacks ``delete_tag``, which MLflow's abstract class does not declare."""

BUILT_BY = """
def Store(store_uri, artifact_uri):
    from mlflow.store.tracking.file_store import FileStore
    return FileStore(store_uri.split(":", 1)[1])
"""
"""One that returns a store of MLflow's."""

PLUGIN = "the plugin mlflow_shelf:Store of mlflow-shelf 1.2"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory from which processes started by the test import plugins."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


def install(directory: Path, text: str, *, scheme: str = "shelf", name: str = "mlflow-shelf") -> None:
    """Install a distribution whose module claims a scheme with its ``Store``."""
    module = name.replace("-", "_")
    (directory / f"{module}.py").write_text(text, encoding="utf-8")
    metadata = directory / f"{module}-1.2.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n", encoding="utf-8")
    (metadata / "top_level.txt").write_text(f"{module}\n", encoding="utf-8")
    entry_points = f"[mlflow.tracking_store]\n{scheme} = {module}:Store\n"
    (metadata / "entry_points.txt").write_text(entry_points, encoding="utf-8")


def check(subject: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run ``trackspec check tracking`` as a user does."""
    return subprocess.run(
        [Path(sys.executable).with_name("trackspec"), "check", "tracking", subject, *options],
        env=os.environ | {"NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def report(subject: str, *options: str) -> dict[str, Any]:
    """The JSON report of a run."""
    done = check(subject, "--json", "-", *options)
    assert done.stdout, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def outcomes(found: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Outcome and message of each requirement."""
    return {item["id"]: (item["outcome"], item["message"]) for item in found["requirements"]}


def test_a_plugin_that_works_is_judged(installed: Path) -> None:
    """The report names its class, its module and its distribution, and the verdicts are those of its store."""
    install(installed, OVER_FILES)

    found = report(f"mlflow+shelf:{installed / 'runs'}", "-k", "param.")

    assert found["subject"]["class"] == "Store"
    assert found["subject"]["module"] == "mlflow_shelf"
    assert found["subject"]["distribution"] == "mlflow-shelf 1.2"
    assert outcomes(found)["param.log"] == ("pass", "")
    assert outcomes(found)["param.prefix-keys"][0] == "fail"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import nowhere", f"{PLUGIN} cannot be loaded: ModuleNotFoundError"),
        ("Stare = 1", f"{PLUGIN} cannot be loaded: AttributeError"),
        ("raise RuntimeError('broken')", f"MLflow cannot be imported, because of {PLUGIN}: RuntimeError: broken"),
        (BUILT_BY, f"{PLUGIN} returns MLflow's own FileStore"),
        ("def Store(store_uri, artifact_uri):\n    raise OSError('no shelf')", "OSError: no shelf"),
    ],
)
@pytest.mark.parametrize("scheme", ["shelf", "file"])
def test_a_plugin_that_fails_leaves_nothing_in_its_place(
    installed: Path, text: str, said: str, scheme: str
) -> None:
    """It is one line and no judgement, whether or not MLflow has a store of its own for the scheme."""
    install(installed, text, scheme=scheme)

    done = check(f"mlflow+{scheme}:{installed / 'runs'}", "-k", "param.log")

    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.startswith("trackspec: ")
    assert done.stderr.count("\n") == 1
    assert not done.stdout


def test_two_plugins_of_one_scheme_are_told(installed: Path) -> None:
    """MLflow takes whichever comes last; nobody knows which one was meant."""
    for name in ("mlflow-shelf", "mlflow-board"):
        install(installed, OVER_FILES, name=name)

    done = check(f"mlflow+shelf:{installed / 'runs'}", "-k", "param.log")

    assert done.returncode == 2
    assert "several plugins claim 'shelf'" in done.stderr


def test_a_method_that_a_plugin_lacks_fails_what_needs_it(installed: Path) -> None:
    """Its other requirements are judged, and the message names the class and the method."""
    install(installed, OF_ITS_OWN)

    found = outcomes(report(f"mlflow+shelf:{installed / 'runs'}", "-k", "tag."))

    assert found["tag.set"] == ("pass", "")
    assert found["tag.delete"][0] == "fail"
    assert "NOT_IMPLEMENTED: Store has no delete_tag." in found["tag.delete"][1]


def test_an_operation_that_a_plugin_lacks_fails_unless_it_is_declined(installed: Path) -> None:
    """NotImplementedError is MLflow's way of saying so; a factory declares it, and the refusal is judged."""
    install(installed, OF_ITS_OWN)
    uri = f"mlflow+shelf:{installed / 'runs'}"
    (installed / "declining.py").write_text(
        "from dataclasses import replace\n"
        "from trackspec_conformance.subjects import open_subject\n"
        "def shelf():\n"
        f"    return replace(open_subject({uri!r}), declines=frozenset({{'log_inputs'}}))\n",
        encoding="utf-8",
    )

    undeclared = outcomes(report(uri, "-k", "input.log"))
    declined = report("declining:shelf", "-k", "input.")

    assert undeclared["input.log"][0] == "fail"
    assert "NOT_IMPLEMENTED: datasets are not kept" in undeclared["input.log"][1]
    assert {outcome for outcome, _ in outcomes(declined).values()} <= {"declined", "not applicable"}
    assert declined["subject"]["distribution"] == "mlflow-shelf 1.2"
