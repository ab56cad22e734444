"""A report as JSON, with its schema, and as JUnit XML."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any
from xml.etree import ElementTree as Xml

from trackspec_conformance.outcomes import Outcome
from trackspec_conformance.report.verdict import Report, RequirementVerdict


def schema() -> dict[str, Any]:
    """The JSON Schema of a report."""
    text = resources.files(__package__).joinpath("report.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def as_json(report: Report) -> str:
    """The report as JSON that :func:`schema` describes."""
    return json.dumps(as_dict(report), indent=2, ensure_ascii=False) + "\n"


def as_dict(report: Report) -> dict[str, Any]:
    """The report as plain data that :func:`schema` describes."""
    return {
        "interface": report.interface,
        "spec_version": report.spec_version,
        "suite_version": report.suite_version,
        "seed": report.seed,
        "seconds": report.seconds,
        "partial": report.partial,
        "subject": {
            "locator": report.subject,
            "class": report.identity.class_name,
            "module": report.identity.module,
            "distribution": report.identity.distribution,
        },
        "profiles": {
            profile.name: {
                "claimed": profile.claimed,
                "conforms": profile.conforms,
                "counts": {
                    **{outcome.value: number for outcome, number in profile.counts.items()},
                    "total": sum(profile.counts.values()),
                },
            }
            for profile in report.profiles
        },
        "requirements": [_requirement(item) for item in report.requirements],
        "stale_known_failures": [entry.id for entry in report.stale],
    }


def _requirement(item: RequirementVerdict) -> dict[str, Any]:
    decisive = item.decisive
    return {
        "id": item.requirement.id,
        "level": item.requirement.level.value,
        "profile": item.requirement.profile,
        "outcome": item.outcome.value,
        "checks": list(item.checks),
        "message": item.message,
        "expected": (decisive.expected or None) if decisive and decisive.script else None,
        "got": (decisive.got or None) if decisive and decisive.script else None,
        "script": (decisive.script or None) if decisive else None,
        "place": item.requirement.place,
        "preview": item.preview,
    }


def as_junit(report: Report) -> str:
    """The report as JUnit XML: a test suite for each profile, a test case for each requirement."""
    root = Xml.Element("testsuites", name="trackspec")
    for profile in report.profiles:
        items = [item for item in report.requirements if item.requirement.profile == profile.name]
        failed = sum(_element(item) == "failure" for item in items)
        errors = sum(_element(item) == "error" for item in items)
        skipped = sum(_element(item) == "skipped" for item in items)
        suite = Xml.SubElement(
            root,
            "testsuite",
            name=f"trackspec {report.spec_version} {profile.name}",
            tests=str(len(items)),
            failures=str(failed),
            errors=str(errors),
            skipped=str(skipped),
        )
        for item in items:
            case = Xml.SubElement(suite, "testcase", classname=profile.name, name=item.requirement.id)
            if kind := _element(item):
                element = Xml.SubElement(case, kind, message=_xml_text(f"{item.outcome}: {item.message}"))
                if item.decisive and item.decisive.script:
                    element.text = _xml_text(f"{item.requirement.text}\n\n{item.decisive.script}")
    Xml.indent(root)
    return Xml.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _element(item: RequirementVerdict) -> str | None:
    if item.outcome is Outcome.PASS:
        return None
    if item.preview:
        return "skipped"
    if item.outcome is Outcome.ERROR:
        return "error"
    judged_against = item.outcome in (Outcome.FAIL, Outcome.BLOCKED)
    return "failure" if judged_against and item.requirement.level.value == "MUST" else "skipped"


def _xml_text(text: str) -> str:
    """Text with what XML 1.0 cannot hold shown as an escape."""
    return "".join(
        character
        if character in "\t\n"
        or "\x20" <= character < "\ud800"
        or "\ue000" <= character < "\ufffe"
        or character > "\uffff"
        else f"\\u{ord(character):04x}"
        for character in text
    )
