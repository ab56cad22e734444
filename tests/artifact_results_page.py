"""The page on MLflow's artifact repositories, drawn up from their reports."""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.results_page import Findings, Report, answer_told, cells, linked, mark, rule, tally
from trackspec import catalogue
from trackspec.catalogue import Requirement
from trackspec_conformance.subjects.subject import default_profiles

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SUBJECTS = {
    "local": "`LocalArtifactRepository`",
    "s3": "`S3ArtifactRepository`, SeaweedFS",
    "gcs": "`GCSArtifactRepository`, fake-gcs-server",
    "azure": "`AzureBlobArtifactRepository`, Azurite",
    "ftp": "`FTPArtifactRepository`, pyftpdlib",
    "sftp": "`SFTPArtifactRepository`, OpenSSH",
    "http": "`HttpArtifactRepository`, `mlflow server`",
    "mlflow-artifacts": "`MlflowArtifactsRepository`, `mlflow server`",
}
_LEFT_OUT = "artifact-names"
PROFILES = tuple(name for name in sorted(default_profiles("artifacts")) if name != _LEFT_OUT)
"""The profiles that are judged."""
_UNSHOWN = (
    "path.",
    "artifact.links-",
    "delete.exact-name",
    "delete.path-refused",
    "download.link-",
    "download.temporary-private",
    "repository.agreement",
    "upload.circle-",
    "upload.folder-judged-first",
    "upload.link-",
    "upload.name-refused",
    "upload.no-file-",
    "location.",
)
"""How the ids begin of what is left out of the other profiles."""

_INTRODUCTION = """\
What the suite, version {suite}, finds in the artifact repositories that MLflow {mlflow} ships, judged by version
{spec} of the [specification](../../spec/README.md). `make results` writes this page, and the reports in JSON
beside it.

MLflow does not promise what the specification asks for. *Fails* means that a repository does not do what one
sentence of the specification says, and no more than that. Which paths and names are taken, links, and servers that
lie are no part of this page: what the suite finds there is first the business of those who make the software.

| | class | of |
| --- | --- | --- |
{judged}

The services are those that the tests start on this machine; emulators are not the services that they stand for.
MLflow's HTTP client repeats a request once, with `MLFLOW_HTTP_REQUEST_MAX_RETRIES=1`. A finding is repeated, and
its calls are printed as a script, by

    make check INTERFACE=artifacts SUBJECT='mlflow+file:judged'

In the calls below, `cut(call, n)` makes a call and interrupts it before its n-th line, and
`end_a_process(call, seconds)` makes it in a process that is killed meanwhile; `local_file` and `local_folder`
make what is logged, and without arguments the folder that is downloaded into. What is left by a race or an
interruption is of one run: another may leave other sizes, or show nothing."""


def is_shown(requirement_id: str) -> bool:
    """Whether the page tells what became of a requirement: one that is judged, and not to stay out."""
    item = requirement(requirement_id)
    return item.profile in PROFILES and not item.not_testable and not requirement_id.startswith(_UNSHOWN)


@functools.cache
def causes() -> Mapping[tuple[str, str], str]:
    """Why a repository does not keep a requirement, by requirement and subject."""
    file = Path(__file__).parent / "data" / "mlflow_artifact_causes.toml"
    groups = tomllib.loads(file.read_text(encoding="utf-8"))["cause"]
    return {
        (id_, subject): group["text"]
        for group in groups
        for id_ in group["requirements"]
        for subject in group["repositories"]
    }


def requirement(id_: str) -> Requirement:
    """A requirement by its id."""
    return catalogue.requirements()[id_]


def page(mlflow_version: str, reports: Mapping[str, Report]) -> str:
    """The page as Markdown."""
    found = Findings(reports)
    first = next(iter(reports.values()))
    introduction = _INTRODUCTION.format(
        suite=first["suite_version"],
        mlflow=mlflow_version,
        spec=first["spec_version"],
        judged="\n".join(
            cells(
                SUBJECTS[subject],
                f"`{told['subject']['module']}.{told['subject']['class']}`",
                told["subject"]["distribution"],
            )
            for subject, told in reports.items()
        ),
    )
    parts = [
        f"# MLflow {mlflow_version}'s artifact repositories",
        introduction,
        "## What is kept",
        "*Blocked* is what rests on a requirement that fails, and was not judged.",
        *_counts(reports),
        "## What fails",
        "Every requirement that some repository does not keep. The id leads to its sentence in the specification, "
        "*fails* to what the repository answered. A dot is a pass.",
        *_failures(found),
        "## Findings",
        *_findings(found),
    ]
    return "\n\n".join(parts) + "\n"


def _counts(reports: Mapping[str, Report]) -> Iterator[str]:
    lines = [cells("profile", *(SUBJECTS[subject] for subject in reports)), rule(len(reports) + 1)]
    lines += [cells(f"`{name}`", *(tally(report, name) for report in reports.values())) for name in PROFILES]
    yield "\n".join(lines)


def _failures(found: Findings) -> Iterator[str]:
    lines = [cells("requirement", "", *(SUBJECTS[name] for name in found.subjects)), rule(len(found.subjects) + 2)]
    for item in found.unkept():
        marks = [mark(found.outcome(subject, item), item) for subject in found.subjects]
        lines.append(cells(linked(item), item.level, *marks))
    yield "\n".join(lines)


def _findings(found: Findings) -> Iterator[str]:
    for item in found.unkept():
        yield f"### {item.id}"
        yield f"{item.level} of `{item.profile}`, {linked(item, f'spec/{item.chapter}')}: {item.text}"
        answers: dict[str, dict[str, list[str]]] = {}
        for subject in found.subjects:
            if found.outcome(subject, item) in ("fail", "blocked", "error"):
                told = answers.setdefault(causes().get((item.id, subject), ""), {})
                told.setdefault(answer_told(found.told(subject, item)), []).append(SUBJECTS[subject])
        for cause, told in answers.items():
            if cause:
                yield f"*Cause:* {cause}"
            yield "\n".join(f"- {'; '.join(subjects)}: {answer}" for answer, subjects in told.items())
