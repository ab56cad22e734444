"""The command ``trackspec check``: verdicts, exit status, and subjects that misbehave."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import jsonschema
import pytest

from trackspec import catalogue
from trackspec_conformance.report.machine_readable import schema
from trackspec_conformance.subjects.subject import default_profiles

TRACKSPEC = str(Path(sys.executable).with_name("trackspec"))
HERE = Path(__file__).parent.parent


def check(*arguments: str, interface: str = "tracking", timeout: float = 240) -> subprocess.CompletedProcess[str]:
    """Run ``trackspec check`` as a user does."""
    return subprocess.run(
        [TRACKSPEC, "check", interface, *arguments],
        cwd=HERE,
        text=True,
        capture_output=True,
        timeout=timeout,
        check=False,
    )


def report_on(tmp_path: Path, *arguments: str, interface: str = "tracking") -> dict[str, Any]:
    """The JSON report of a run."""
    file = tmp_path / "report.json"
    done = check(*arguments, "--json", str(file), interface=interface)
    assert file.exists(), done.stderr
    report: dict[str, Any] = json.loads(file.read_text())
    jsonschema.validate(report, schema())
    return report


def outcomes(report: dict[str, Any]) -> dict[str, str]:
    """The outcome of each reported requirement."""
    return {item["id"]: item["outcome"] for item in report["requirements"]}


def test_the_model_conforms() -> None:
    """The model conforms to every profile, and the run says so and exits with 0."""
    done = check("memory:", "-n", "2")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Conforms to every claimed profile" in done.stdout
    assert "trackspec.memory_store.MemoryStore" in done.stdout


def test_every_requirement_is_reported_once(tmp_path: Path) -> None:
    """The report holds each requirement of tracking stores exactly once, and the counts add up."""
    report = report_on(tmp_path, "memory:")

    assert [item["id"] for item in report["requirements"]] == list(catalogue.requirements_of("tracking"))
    for name, profile in report["profiles"].items():
        mine = [item for item in report["requirements"] if item["profile"] == name]
        assert profile["counts"]["total"] == len(mine) > 0
        assert sum(profile["counts"].values()) == 2 * len(mine)


def test_a_subject_that_aborts_is_a_finding_that_names_the_call(tmp_path: Path) -> None:
    """A store that takes its process down fails the check that it did so in, and the run goes on."""
    report = report_on(tmp_path, "tests.misbehaving:AbortsOnDeleteTag", "-k", "tag.")

    failed = [item for item in report["requirements"] if item["outcome"] == "fail"]
    assert failed
    assert all("delete_tag(" in item["message"] and "SIGABRT" in item["message"] for item in failed)
    assert all("did not return" in item["script"] for item in failed)
    assert "pass" in outcomes(report).values()


def test_a_subject_that_hangs_is_a_finding_that_names_the_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call that is not answered in time fails its check, and the run goes on."""
    monkeypatch.setenv("TRACKSPEC_CALL_TIMEOUT", "3")

    report = report_on(tmp_path, "tests.misbehaving:HangsOnDeleteTag", "-n", "2", "-k", "tags.")

    failed = [item for item in report["requirements"] if item["outcome"] == "fail"]
    assert failed
    assert all("delete_tag(" in item["message"] and "no answer within" in item["message"] for item in failed)
    assert "pass" in outcomes(report).values()


def test_a_subject_that_goes_away_ends_the_run(tmp_path: Path) -> None:
    """Once nothing answers any more, one check fails, and what is left is blocked rather than failed."""
    report = report_on(tmp_path, "tests.misbehaving:Vanishes")

    failed = [item for item in report["requirements"] if item["outcome"] == "fail"]
    blocked = [item for item in report["requirements"] if item["outcome"] == "blocked"]
    assert len({tuple(item["checks"]) for item in failed}) < 5
    assert len(blocked) > 50
    assert any("the subject went away" in item["message"] for item in blocked)


def test_what_a_subject_prints_disturbs_nothing(tmp_path: Path) -> None:
    """A store may print to standard output and error."""
    report = report_on(tmp_path, "tests.misbehaving:Chatters", "-k", "param.")

    assert set(outcomes(report).values()) <= {"pass", "not applicable"}


def test_an_undeclared_gap_is_found(tmp_path: Path) -> None:
    """A store that accepts every filter and ignores it does not conform."""
    done = check("tests.misbehaving:IgnoresFilters", "--profile", "search")

    assert done.returncode == 1
    assert "does not conform" in done.stdout


def test_a_profile_of_which_no_check_applies_is_not_conformed_to() -> None:
    """A store that lives in one object has no writer process to kill: that is no verdict, and no success."""
    alone = check("memory:", "--profile", "durability")
    among_others = check("memory:", "--profile", "durability", "--profile", "configuration")

    assert alone.returncode == 2
    assert "No verdict" in alone.stdout
    assert among_others.returncode == 0
    assert "not judged" in among_others.stdout
    assert "no check of durability applies" in among_others.stdout


def test_many_failures_are_named_at_a_glance() -> None:
    """Where the bug reports fill more than a screen, a line names all that failed."""
    done = check("tests.misbehaving:IgnoresFilters", "--profile", "search")

    assert re.search(r"^MUST \d+ failed: ", done.stdout, re.MULTILINE)


def test_an_answer_of_the_wrong_type_is_a_failure_of_the_subject(tmp_path: Path) -> None:
    """A store that answers None for a run is at fault; the suite is not."""
    report = report_on(tmp_path, "tests.misbehaving:ReturnsNone", "-k", "param.")

    assert "fail" in outcomes(report).values()
    assert "error" not in outcomes(report).values()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_field_of_another_type_is_one_failure(tmp_path: Path, workers: str) -> None:
    """The requirement on the fields fails, in whatever order checks end; what met the same field is blocked."""
    report = report_on(tmp_path, "tests.misbehaving:TellsTimesAsText", "-n", workers, "-k", "run")

    found = {item["id"]: item for item in report["requirements"]}
    failed = {id_ for id_, outcome in outcomes(report).items() if outcome == "fail"}
    blocked = [item for item in found.values() if item["outcome"] == "blocked"]
    assert "entity.run-fields" in failed
    assert not [id_ for id_ in failed - {"entity.run-fields"} if "start_time: an integer" in found[id_]["message"]]
    assert len([item for item in blocked if item["message"] == "entity.run-fields does not hold"]) > 5


def test_the_script_of_a_failure_runs(tmp_path: Path) -> None:
    """Each failure's script runs as it stands and shows what came."""
    report = report_on(tmp_path, "tests.misbehaving:ReturnsNone", "-k", "param.")
    scripts = {item["script"] for item in report["requirements"] if item["outcome"] == "fail"}

    assert scripts
    for script in sorted(scripts)[:5]:
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=HERE, text=True, capture_output=True, check=False
        )
        assert (done.returncode, done.stdout.strip()) == (0, "None"), script + done.stderr


def test_the_head_of_a_finding_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """A narrow terminal breaks the sentence, and not what names the requirement and its place."""
    monkeypatch.setenv("COLUMNS", "40")

    done = check("tests.misbehaving:ReturnsNone", "-k", "param.other-value-refused")

    (head,) = [line for line in done.stdout.splitlines() if line.startswith("FAIL")]
    assert catalogue.requirements()["param.other-value-refused"].place in head


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("tests.misbehaving:raises",), "no such luck"),
        (("tests.misbehaving:nowhere",), "cannot import"),
        (("tests.misbehaving:not_a_store",), "no tracking store"),
        (("tests.misbehaving:aborts",), "SIGABRT"),
        (("gopher://example.invalid",), "gopher"),
        (("memory:", "--profile", "nonsense"), "configuration"),
        (("memory:", "--spec-version", "0.9"), "1.0"),
        (("memory:", "-k", "no such text"), "no such text"),
        (("memory:", "--known", "nowhere.toml"), "nowhere.toml"),
        (("memory:", "--json", "nowhere/report.json"), "no such directory"),
        (("memory:", "-n", "0"), "1 to 64"),
        (("memory:", "--seed", "x"), "--seed"),
    ],
)
def test_what_cannot_be_judged_exits_with_2_and_says_what_to_do(arguments: tuple[str, ...], says: str) -> None:
    """Bad usage and subjects that cannot be had give one line, and status 2."""
    done = check(*arguments)

    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_known_failure_does_not_fail_the_run(tmp_path: Path) -> None:
    """What is listed as known is reported as known; once it passes, the list is stale and the run fails."""
    known = tmp_path / "known.toml"
    first = report_on(tmp_path, "tests.misbehaving:ReturnsNone", "-k", "param.other-value-refused")
    assert outcomes(first)["param.other-value-refused"] == "fail"
    known.write_text('[[known]]\nid = "param.other-value-refused"\nreason = "we know"\n')

    listed = check("tests.misbehaving:ReturnsNone", "-k", "param.other-value-refused", "--known", str(known))
    stale = check("memory:", "-k", "param.other-value-refused", "--known", str(known))

    assert listed.returncode == 0, listed.stdout
    assert stale.returncode == 1
    assert "STALE" in stale.stdout


def test_the_same_seed_makes_the_same_calls(tmp_path: Path) -> None:
    """A run that is repeated with its seed reports the same findings."""
    reports = [
        report_on(tmp_path, "tests.misbehaving:IgnoresFilters", "-k", "search", "--seed", "7") for _ in "12"
    ]

    assert outcomes(reports[0]) == outcomes(reports[1])
    assert reports[0]["seed"] == 7


def test_junit_counts_what_json_counts(tmp_path: Path) -> None:
    """The JUnit file has a test case for each requirement."""
    file = tmp_path / "junit.xml"

    check("memory:", "-k", "param.", "--junit", str(file))

    cases = list(Xml.parse(file).getroot().iter("testcase"))
    assert len(cases) > 5
    assert not [case for case in cases if case.find("failure") is not None]


def test_json_to_standard_output_is_all_there_is_on_it() -> None:
    """With ``--json -`` the report is machine-readable from a pipe."""
    done = check("memory:", "-k", "param.", "--json", "-")

    jsonschema.validate(json.loads(done.stdout), schema())
    assert "Nothing failed" in done.stderr


def test_a_password_is_not_shown() -> None:
    """The password of a subject's URI reaches neither the output nor the report."""
    done = check("postgresql+psycopg://someone:hunter2@127.0.0.1:1/nothing")

    assert done.returncode == 2
    assert "hunter2" not in done.stdout + done.stderr


# -- artifact repositories ---------------------------------------------------------------------------------------


def test_a_temporary_folder_is_judged_where_no_repository_is_given(tmp_path: Path) -> None:
    """Without a subject, the reference's local repository is judged, and conforms to every profile it claims."""
    report = report_on(tmp_path, "-n", "2", interface="artifacts")

    assert report["interface"] == "artifacts"
    assert report["subject"]["locator"] == "file:artifacts"
    assert report["subject"]["class"] == "LocalArtifactRepository"
    assert [item["id"] for item in report["requirements"]] == list(catalogue.requirements_of("artifacts"))
    verdicts = {name: profile["conforms"] for name, profile in report["profiles"].items()}
    assert {name for name, conforms in verdicts.items() if conforms} == default_profiles("artifacts")
    assert False not in verdicts.values()


@pytest.mark.parametrize(
    ("fault", "requirement", "prints"),
    [
        ("LineBreaksAreFolded", "artifact.exact", "/"),
        ("SlashesPartRepositories", "artifact.below", "FileInfo("),
        ("AListingIsOnePage", "crowd.files", "FileInfo("),
        ("LargeFilesAreCut", "large.exact", "FileInfo("),
        ("UploadsGrow", "interrupted.upload", "/a.bin': ("),
        ("DownloadsGrow", "interrupted.download", ".bin': ("),
        ("NamesAreListedAsTheyCome", "hostile.listed-names", "FileInfo("),
    ],
)
def test_the_script_of_a_failure_with_files_runs(
    tmp_path: Path, fault: str, requirement: str, prints: str
) -> None:
    """The script of a failure makes the files, folders and servers that the check had, and shows what came."""
    subject = f"tests.misbehaving.artifacts:{fault}"
    every_profile = [option for name in catalogue.profiles_of("artifacts") for option in ("--profile", name)]
    report = report_on(tmp_path, subject, *every_profile, "-k", requirement, interface="artifacts")
    (script,) = {item["script"] for item in report["requirements"] if item["id"] == requirement}

    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=HERE,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        text=True,
        capture_output=True,
        check=False,
    )

    assert done.returncode == 0, script + done.stderr
    assert prints in done.stdout


def test_what_one_check_has_broken_is_no_matter_to_others(tmp_path: Path) -> None:
    """An object that a mistake leaves broken fails where it does not refuse the mistake, and only there."""
    subject = "tests.misbehaving.artifacts:breaks_by_a_mistake"
    found = outcomes(report_on(tmp_path, subject, "-k", "upload.", interface="artifacts"))

    assert found["upload.missing-refused"] == "fail"
    assert found["upload.together"] == found["upload.read-while-replaced"] == found["upload.path-like"] == "pass"


def test_an_operation_that_is_lacking_is_declined(tmp_path: Path) -> None:
    """A repository that says that it cannot delete, and refuses it as specified, fails nothing by it."""
    report = report_on(
        tmp_path, "tests.misbehaving.artifacts:without_deleting", "-k", "delete.", interface="artifacts"
    )

    assert set(outcomes(report).values()) == {"declined"}


@pytest.mark.parametrize(
    ("subject", "says"),
    [
        ("tests.misbehaving:not_a_store", "no artifact repository: it lacks delete_artifacts"),
        ("gopher://example.invalid", "gopher"),
        ("s3:", "s3"),
        ("memory:a?b", "no query"),
    ],
)
def test_what_is_no_repository_exits_with_2_and_says_why(subject: str, says: str) -> None:
    """A subject that cannot be had gives one line."""
    done = check(subject, interface="artifacts")

    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
