"""The specification is whole: each requirement is judged, each check judges one, each divergence is decided."""

from __future__ import annotations

import re
import sys

import pytest

from tests import spec_pages
from trackspec import catalogue
from trackspec.catalogue import CatalogueError, Level, Requirement
from trackspec_conformance.checks import Check, checks_of
from trackspec_conformance.interfaces import INTERFACES
from trackspec_conformance.interfaces.interface import Refusal

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

CHECKS = [check for interface in INTERFACES for check in checks_of(interface).values()]
REFUSALS = [refusal for interface in INTERFACES.values() for refusal in interface.refusals]

HEAD = "- **`param.log`** MUST · core · 1.0"


# -- requirements and checks -------------------------------------------------------------------------------------


@pytest.mark.parametrize("id_", catalogue.requirements())
def test_a_requirement_is_judged_or_says_why_it_cannot_be(id_: str) -> None:
    """A MUST or SHOULD has a check or a reason why none is possible, and not both."""
    requirement = catalogue.requirements()[id_]
    judged = any(id_ in check.verifies for check in CHECKS)

    if requirement.not_testable:
        assert not judged
    elif requirement.level is not Level.MAY:
        assert judged


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_a_check_names_requirements_that_exist(check: Check) -> None:
    """What a check verifies, and what it rests on, is in the catalogue, and of the check's own interface."""
    assert check.verifies
    assert {*check.verifies, *check.rests_on} <= catalogue.requirements_of(check.interface).keys()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_a_check_is_told_in_one_present_sentence(check: Check) -> None:
    """A summary is one sentence that says what holds."""
    summary = check.summary

    assert re.fullmatch(r"([^a-z]|[a-z]+_).*[^.]\.", summary)
    assert not re.search(r"[.!?] [A-Z]", summary)
    assert not re.search(r"\b(should|shall|must|tests? that|checks? that|verif(y|ies))\b", summary, re.I)


def test_ids_are_lower_case_words() -> None:
    """An id is an area and what holds, both in words."""
    odd = [id_ for id_ in catalogue.requirements() if not re.fullmatch(r"[a-z-]+\.[a-z0-9-]+", id_)]

    assert odd == []


def test_no_two_requirements_of_an_area_say_the_same() -> None:
    """Each sentence is there once."""
    said = [(id_.partition(".")[0], item.text) for id_, item in catalogue.requirements().items()]

    assert sorted(pair for pair in set(said) if said.count(pair) > 1) == []


def test_the_first_version_has_them_all() -> None:
    """No requirement is of a version that the suite does not judge by."""
    assert {item.since for item in catalogue.requirements().values()} <= set(catalogue.SPEC_VERSIONS)


@pytest.mark.parametrize("profile", catalogue.profiles())
def test_a_profile_holds_requirements(profile: str) -> None:
    """No profile of the reading guide is empty, so that none is kept for nothing."""
    musts = [
        item for item in catalogue.requirements().values() if item.profile == profile and item.level == "MUST"
    ]

    assert musts


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.operation)
def test_an_optional_operation_has_requirements(refusal: Refusal) -> None:
    """What a subject may decline is named by the ids that begin so."""
    for prefix in refusal.prefixes:
        assert any(id_.startswith(prefix) for id_ in catalogue.requirements())


# -- published weaknesses ----------------------------------------------------------------------------------------

WEAKNESSES = spec_pages.weaknesses()


def test_every_published_weakness_has_a_row() -> None:
    """The table names each advisory once."""
    named = [advisory for row in WEAKNESSES for advisory in row.advisories]

    assert len(named) == len(set(named)) > 70
    assert [
        name for name in named if not re.fullmatch(r"(CVE-\d{4}-\d{4,6}|PYSEC-\d{4}-\d+|GHSA(-\w{4}){3})", name)
    ] == []


@pytest.mark.parametrize("row", WEAKNESSES, ids=lambda row: row.advisories[0])
def test_a_weakness_is_ruled_out_or_says_why_it_does_not_apply(row: spec_pages.Weakness) -> None:
    """The requirements that a row names exist, and there are some unless it says why not."""
    assert set(row.requirements) <= catalogue.requirements().keys()
    assert row.requirements or row.ruled_out_by.startswith("not applicable: ")


def test_every_requirement_that_the_chapter_on_security_names_exists() -> None:
    """No id in its tables is misspelt."""
    named = re.findall(r"`([a-z-]+\.[a-z0-9-]+)`", catalogue.chapters()["security.md"])

    assert set(named) - catalogue.requirements().keys() == set()


# -- divergences -------------------------------------------------------------------------------------------------


def test_every_divergence_is_there() -> None:
    """The list of observed divergences is whole, and none is there twice."""
    rows = spec_pages.divergence_rows()

    assert (len(rows), len(set(rows))) == (105, 105)


@pytest.mark.parametrize("row", spec_pages.divergence_rows())
def test_a_divergence_is_decided(row: str) -> None:
    """Some requirement settles it."""
    assert spec_pages.decided(catalogue.requirements()).get(row)


def test_no_other_divergence_is_decided() -> None:
    """No chapter names a divergence that was not observed."""
    known = set(spec_pages.divergence_rows())

    assert spec_pages.decided(catalogue.requirements()).keys() <= known


# -- the pages that are drawn up, and the packaged chapters ------------------------------------------------------


@pytest.mark.parametrize("name", spec_pages.pages())
def test_a_generated_page_is_fresh(name: str) -> None:
    """The page in the repository is what the chapters say; `make spec` writes it."""
    written = (spec_pages.SPEC / name).read_text(encoding="utf-8")

    assert spec_pages.pages()[name] == written, f"spec/{name} is out of date: run `make spec`"


def test_every_chapter_travels_with_the_package() -> None:
    """The wheel holds each chapter, and no other file in their place."""
    pyproject = tomllib.loads((spec_pages.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    included = pyproject["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]

    assert {f"spec/{name}": f"trackspec/chapters/{name}" for name in catalogue.chapters()} == included


# -- reading chapters --------------------------------------------------------------------------------------------


def test_a_requirement_is_read_from_its_item() -> None:
    """Head, sentence and decisions are told apart, wrapped lines joined, and the place kept."""
    text = f"""# Title

{HEAD} · not testable: no call shows it

  A param that was logged
  is read.

  It is not interpreted.

  *Decided:* D-01, D-08a: one store
  forgets it.

- an item of another kind
"""

    (requirement,) = catalogue.parse_chapter("params.md", text)

    assert requirement == Requirement(
        "param.log",
        Level.MUST,
        "core",
        "1.0",
        "A param that was logged is read.",
        (catalogue.Decision(("D-01", "D-08a"), "one store forgets it."),),
        "no call shows it",
        "params.md",
        3,
    )
    assert requirement.place == "spec/params.md:3"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("- **`param.log`** MUST core 1.0\n\n  Text.", "malformed requirement head"),
        ("- **`Param.log`** MUST · core · 1.0\n\n  Text.", "malformed requirement head"),
        ("- **`param.log`** WOULD · core · 1.0\n\n  Text.", "malformed requirement head"),
        (HEAD, "has no sentence"),
        (f"{HEAD}\n\n  *Decided:* D-01: reason.", "has no sentence"),
        (f"{HEAD}\n\nText outside of the item.", "has no sentence"),
        (f"{HEAD}\n\n  Text.\n\n  *Decided:* no row.", "malformed decision"),
    ],
)
def test_a_malformed_item_is_an_error(text: str, complaint: str) -> None:
    """What begins like a requirement is one, or stops the build, with its place."""
    with pytest.raises(CatalogueError, match=rf"spec/params\.md:1: .*{complaint}"):
        catalogue.parse_chapter("params.md", text)
