"""A bar on a terminal, for what takes long, and nothing anywhere else."""

from __future__ import annotations

import io
import sys
import time

import pytest

from trackspec import progress
from trackspec.progress import VARIABLE


class Terminal(io.StringIO):
    """Standard error, as a person sees it."""

    def isatty(self) -> bool:
        return True


def printed(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, patience: float = 0.0) -> str:
    """What two transfers show there."""
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(progress, "PATIENCE", patience)
    with progress.progress("uploading", 2) as ended:
        ended()
        ended()
        deadline = time.monotonic() + (0 if patience else 10)
        while "2/2" not in stream.getvalue() and stream.isatty() and time.monotonic() < deadline:
            time.sleep(0.01)
    return stream.getvalue()


def test_a_terminal_has_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what is done, and how much of it."""
    monkeypatch.delenv(VARIABLE, raising=False)

    shown = printed(monkeypatch, Terminal())

    assert "uploading" in shown
    assert "2/2" in shown


def test_what_is_no_terminal_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log stays clean."""
    assert printed(monkeypatch, io.StringIO()) == ""


def test_who_wants_none_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the variable that MLflow's clients read."""
    monkeypatch.setenv(VARIABLE, "false")

    assert printed(monkeypatch, Terminal(), patience=0.01) == ""


def test_what_is_done_soon_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody sees a bar come and go."""
    monkeypatch.delenv(VARIABLE, raising=False)

    assert "uploading" not in printed(monkeypatch, Terminal(), patience=60)
