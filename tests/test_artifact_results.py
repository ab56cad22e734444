"""What is written down of MLflow's artifact repositories holds nothing that is to stay out."""

from __future__ import annotations

from tests.artifact_results_page import SUBJECTS, is_shown, page
from trackspec import catalogue


def report(**outcomes: str) -> dict[str, object]:
    """A report in which all is kept but for what is told."""
    requirements = [
        {"id": id_, "outcome": outcomes.get(id_.replace(".", "_").replace("-", "_"), "pass")}
        | {"calls": ["repository.list_artifacts()"], "expected": "this", "got": "that", "message": ""}
        for id_ in catalogue.requirements_of("artifacts")
        if is_shown(id_)
    ]
    subject = {"module": "mlflow.x", "class": "X", "distribution": "mlflow 1"}
    return {"suite_version": "1", "spec_version": "1.0", "subject": subject, "requirements": requirements}


def test_paths_names_and_hostile_servers_stay_out() -> None:
    """Neither a profile nor a requirement of theirs is shown."""
    shown = [item for id_, item in catalogue.requirements_of("artifacts").items() if is_shown(id_)]

    assert shown
    assert {"artifacts", "artifact-delete", "artifact-large"} <= {item.profile for item in shown}
    assert not {item.profile for item in shown} & {
        "artifact-names",
        "artifact-hostile-server",
        "artifact-proxy",
        "artifact-security",
    }
    assert not [item.id for item in shown if item.id.startswith(("path.", "names.", "hostile.", "proxy."))]
    assert not [
        item.id for item in shown if "link" in item.id or item.id.endswith(("path-refused", "name-refused"))
    ]


def test_the_page_tells_what_fails_and_where() -> None:
    """A failure of one subject is a dot for the other."""
    drawn = page("1.2.3", {"local": report(listing_sizes="fail"), "s3": report()})

    (line,) = [line for line in drawn.splitlines() if line.startswith("| [`listing.sizes`]")]
    assert line.endswith("| MUST | [**fails**](#listingsizes) | · |")
    assert f"- {SUBJECTS['local']}: <br>`repository.list_artifacts()`<br>expected `this`<br>got `that`" in drawn
    assert "1 MUST failed" in drawn
