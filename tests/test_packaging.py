"""What is installed: what importing it pulls in, which package imports which, and what the wheel holds."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from trackspec import catalogue

ROOT = Path(__file__).parent.parent

PACKAGES = {
    "trackspec": ROOT / "spec" / "trackspec",
    "trackspec_reference": ROOT / "reference_impl" / "trackspec_reference",
    "trackspec_conformance": ROOT / "conformance" / "trackspec_conformance",
}
MAY_IMPORT = {
    "trackspec": set(),
    "trackspec_reference": {"trackspec"},
    "trackspec_conformance": {"trackspec"},
}


def imported_by(path: Path) -> set[str]:
    """The top-level packages that a module imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            assert node.module
            found.add(node.module.partition(".")[0])
    return found


def third_party(*imports: str) -> set[str]:
    """The packages from outside the standard library that these imports bring into a fresh interpreter."""
    before = "import sys, json; before = set(sys.modules)"  # an editable installation loads something at the start
    after = "print(json.dumps(sorted(set(sys.modules) - before)))"
    program = f"{before}\nimport {', '.join(imports)}\n{after}"
    printed = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    return {name.partition(".")[0] for name in json.loads(printed)} - sys.stdlib_module_names


# -- what importing pulls in -------------------------------------------------------------------------------------


def test_the_contract_pulls_in_a_parser_and_nothing_else() -> None:
    """Importing the specification, its model and its catalogue needs no database, web or test library."""
    modules = [
        ".".join(path.relative_to(ROOT / "spec").with_suffix("").parts).removesuffix(".__init__")
        for path in PACKAGES["trackspec"].rglob("*.py")
    ]

    assert "trackspec.memory_store" in modules
    assert third_party(*modules) == {"trackspec", "lark"}


def test_the_pytest_plugin_pulls_in_nothing_of_the_suite() -> None:
    """The plugin that every pytest run loads costs those runs nothing."""
    program = (
        "import sys, pytest; before = set(sys.modules); import trackspec_conformance.pytest_plugin; "
        "print(sorted(set(sys.modules) - before))"
    )
    printed = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout

    assert ast.literal_eval(printed) == ["trackspec_conformance", "trackspec_conformance.pytest_plugin"]


def test_the_command_line_pulls_in_no_database_and_no_mlflow() -> None:
    """Judging somebody else's backend needs none of the reference stores' libraries."""
    loaded = third_party("trackspec_conformance.cli", "trackspec_conformance.checking")

    assert loaded.isdisjoint({"sqlalchemy", "alembic", "psycopg", "pymysql", "mlflow", "trackspec_reference"})


def test_a_client_of_a_server_pulls_in_no_server_and_no_database() -> None:
    """Whoever asks a server installs nothing of what it is made of."""
    loaded = third_party("trackspec_reference.tracking.rest_store")

    assert {"requests", "urllib3"} <= loaded
    assert loaded.isdisjoint({"sqlalchemy", "alembic", "uvicorn", "databricks", "mlflow"})


# -- which package imports which ---------------------------------------------------------------------------------


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_run_one_way(package: str) -> None:
    """The contract imports nothing of ours; stores and suite import the contract, and never each other."""
    modules = sorted(PACKAGES[package].rglob("*.py"))
    forbidden = {"tests", *PACKAGES} - {package} - MAY_IMPORT[package]

    assert modules
    assert {path.name: wrong for path in modules if (wrong := imported_by(path) & forbidden)} == {}


def test_the_contract_imports_the_standard_library_and_a_parser() -> None:
    """Not even a function of it imports anything else."""
    imported = set().union(*map(imported_by, PACKAGES["trackspec"].rglob("*.py")))

    assert imported - sys.stdlib_module_names == {"trackspec", "lark"}


# -- what the wheel holds ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel of this checkout."""
    directory = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(directory)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (file,) = directory.glob("*.whl")
    return zipfile.ZipFile(file)


def test_the_wheel_holds_each_module_and_what_they_read(wheel: zipfile.ZipFile) -> None:
    """Every file of the three packages travels: the modules, the grammar, the report's schema, the migrations."""
    files = {
        str(path.relative_to(directory.parent))
        for directory in PACKAGES.values()
        for path in directory.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    expected = {
        "trackspec/py.typed",
        "trackspec/search/filter.lark",
        "trackspec_conformance/py.typed",
        "trackspec_conformance/report/report.schema.json",
        "trackspec_reference/py.typed",
    }

    assert expected <= files
    assert files <= set(wheel.namelist())
    assert any("/migrations/" in name for name in wheel.namelist())


def test_the_wheel_holds_nothing_else(wheel: zipfile.ZipFile) -> None:
    """No test and no stray file is installed at anybody's."""
    tops = {name.partition("/")[0] for name in wheel.namelist()}

    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGES)


def test_the_unpacked_wheel_reads_its_own_chapters(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    """The catalogue is whole where there is no checkout."""
    wheel.extractall(tmp_path)
    program = (
        "from trackspec import catalogue; "
        "print(catalogue.chapters_directory(), len(catalogue.chapters()), len(catalogue.requirements()))"
    )

    printed = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        check=True,
        capture_output=True,
        text=True,
    ).stdout

    directory = tmp_path / "trackspec" / "chapters"
    assert printed.split() == [
        str(directory),
        str(len(catalogue.chapters())),
        str(len(catalogue.requirements())),
    ]
