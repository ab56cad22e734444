"""A run of the whole suite over an artifact repository, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.servers.object_stores import ObjectStore
from trackspec import catalogue
from trackspec_conformance.checks import checks_of
from trackspec_conformance.subjects.subject import default_profiles

TRACKSPEC = str(Path(sys.executable).with_name("trackspec"))
LONG_ENOUGH = 1200
"""Seconds that a run may take, however it ends. The suite is bounded too, and ends far earlier."""

PATIENCE = 120
"""Seconds that one call may take, on a machine on which other tests run, and the server too."""


def require_passed(store: ObjectStore, file: Path) -> None:
    """Require that every requirement which a check verifies has passed below a root of the server's.

    :param file: where the report is written.
    """
    done = subprocess.run(
        [TRACKSPEC, "check", "artifacts", f"{store.root}/some/root", "--json", str(file)],
        text=True,
        capture_output=True,
        timeout=LONG_ENOUGH,
        check=False,
        env=store.environment() | {"TRACKSPEC_CALL_TIMEOUT": str(PATIENCE)},
    )

    assert file.exists(), done.stderr
    report = json.loads(file.read_text())
    found = {item["id"]: (item["outcome"], item["message"]) for item in report["requirements"]}
    claimed = {
        id_
        for id_, item in catalogue.requirements_of("artifacts").items()
        if item.profile in default_profiles("artifacts")
    }
    judged = {id_ for check in checks_of("artifacts").values() for id_ in check.verifies}
    assert claimed <= found.keys()
    amiss = {
        id_: found[id_] for id_ in claimed if found[id_][0] != ("pass" if id_ in judged else "not applicable")
    }
    assert amiss == {}, amiss
    assert done.returncode == 0, done.stdout
