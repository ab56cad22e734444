"""What decides whether something got out: secrets, and what is written down of them."""

from __future__ import annotations

import base64
import contextlib
import logging
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping

from trackspec_conformance.expectations import expect

_TOKEN = "MLFLOW_TRACKING_TOKEN"
_USER, _PASSWORD = "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"


def credentials(secret: str) -> Iterator[Mapping[str, str]]:
    """The ways to give a client a secret, each as variables of its environment."""
    yield {_TOKEN: secret}
    yield {_USER: "canary", _PASSWORD: secret}


@contextlib.contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Have these credentials in the environment, and no others, as long as the block lasts."""
    names = (_TOKEN, _USER, _PASSWORD)
    before = {name: os.environ.pop(name, None) for name in names}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


@contextlib.contextmanager
def logged() -> Iterator[list[str]]:
    """All that is logged meanwhile, at every level."""
    lines: list[str] = []

    class Keeper(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    root, keeper = logging.getLogger(), Keeper(logging.NOTSET)
    before = root.level
    root.addHandler(keeper)
    root.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        root.setLevel(before)
        root.removeHandler(keeper)


@contextlib.contextmanager
def temporary_files() -> Iterator[str]:
    """A folder for temporary files of this process's own, while its mask forbids nothing."""
    with tempfile.TemporaryDirectory(prefix="trackspec-") as directory:
        before, variable, mask = tempfile.tempdir, os.environ.get("TMPDIR"), os.umask(0)
        tempfile.tempdir = os.environ["TMPDIR"] = directory
        try:
            yield directory
        finally:
            os.umask(mask)
            tempfile.tempdir = before
            os.environ.pop("TMPDIR")
            if variable is not None:
                os.environ["TMPDIR"] = variable


def require_hidden(secret: str, texts: list[str], where: str) -> None:
    """Require that a secret is in none of these texts, as it is or as a header has it."""
    forms = [secret, *(base64.b64encode(f"{prefix}{secret}".encode()).decode() for prefix in ("", "canary:"))]
    found = [text for text in texts if any(form in text for form in forms)]
    expect(not found, f"no secret in {where}", found[0].replace(secret, "(the secret)")[:300] if found else "")


def told_by(call: Callable[[], object]) -> list[str]:
    """What a call says: its answer, or its error with all that it came from."""
    try:
        return [repr(call())]
    except Exception as error:
        return list(_chain(error))


def _chain(error: BaseException | None) -> Iterator[str]:
    while error is not None:
        yield f"{error} {error!r} {getattr(error, 'message', '')}"
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
