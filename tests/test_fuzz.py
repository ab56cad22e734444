"""Each surface takes some hundreds of inputs without a crash, a 5xx, a hang or a way out."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from importlib.util import find_spec

import pytest
from hypothesis import HealthCheck, given, settings

from tests.fuzz.__main__ import tried
from tests.fuzz.surface import SECRET, Found, Surface
from tests.fuzz.surfaces import SURFACES

EXAMPLES = 150
GUIDED = 300
"""Inputs that are tried here."""


@pytest.fixture(params=SURFACES)
def surface(request: pytest.FixtureRequest) -> Iterator[Surface]:
    """Each surface in turn, ready to be tried; what it logs of damaged records is of no interest."""
    logging.disable(logging.CRITICAL)
    with SURFACES[request.param]() as opened:
        yield opened
    logging.disable(logging.NOTSET)


def test_inputs_of_the_grammar_bring_nothing_about(surface: Surface) -> None:
    """Neither the seeds nor what is made after the grammar, and against it, does what it may not."""
    for data in surface.seeds:
        surface.attempt(data)

    quiet = settings(max_examples=EXAMPLES, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    quiet(given(surface.inputs())(surface.attempt))()


@pytest.mark.skipif(find_spec("atheris") is None, reason="atheris is not installed on this Python")
@pytest.mark.parametrize("name", SURFACES)
def test_inputs_that_are_led_by_the_code_bring_nothing_about(name: str) -> None:
    """Nor does what a coverage-guided fuzzer makes."""
    found = tried(name, "atheris", seed=1, inputs=GUIDED)

    assert (found.found, found.examples) == ({}, [])
    assert found.inputs >= GUIDED


# -- what is found -----------------------------------------------------------------------------------------------


def test_what_may_not_be_is_found(surface: Surface, monkeypatch: pytest.MonkeyPatch) -> None:
    """A surface that tells what lies outside, changes it, or fails, is caught by each of them."""

    def changes(data: bytes) -> None:
        (surface.directory / "outside" / "new").touch()

    def fails(data: bytes) -> None:
        raise KeyError(data)

    for take, kind in ((lambda data: [SECRET], "escape"), (fails, "crash"), (changes, "escape")):
        monkeypatch.setattr(surface, "take", take)
        with pytest.raises(Found) as found:
            surface.attempt(b"")
        assert found.value.kind == kind
