"""Tries inputs on one surface, in a process of its own, and writes down what came of them.

``python -m tests.fuzz.trying SURFACE ENGINE FILE --inputs N --seconds S --seed N``
"""

from __future__ import annotations

import argparse
import itertools
import json
import logging
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from tests.fuzz.surface import Surface

MOST_EXAMPLES = 10
LONGEST = 25
"""Seconds that one input may take."""


@dataclass
class Tried:
    """What came of the inputs of a surface.

    :ivar engine: ``hypothesis`` or ``atheris``.
    :ivar found: how often each kind of what may not be: ``escape``, ``crash``, ``5xx``, ``hang``.
    :ivar examples: some inputs that did it, each with what came of it.
    """

    surface: str
    engine: str
    inputs: int = 0
    seconds: float = 0.0
    found: dict[str, int] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)

    def note(self, kind: str, example: str) -> None:
        """Count what may not be."""
        self.found[kind] = self.found.get(kind, 0) + 1
        if len(self.examples) < MOST_EXAMPLES:
            self.examples.append(example)


class _Trying:
    """Hands inputs to a surface until there were enough of them, or the time is over."""

    def __init__(self, surface: Surface, tried: Tried, file: Path, inputs: int, seconds: float) -> None:
        self._surface, self._tried, self._file = surface, tried, file
        self._inputs, self._started, self._seconds = inputs, time.monotonic(), seconds

    @property
    def is_over(self) -> bool:
        """Whether it is enough."""
        return self._tried.inputs >= self._inputs or time.monotonic() - self._started >= self._seconds

    def one(self, data: bytes) -> None:
        """Try an input."""
        from tests.fuzz.surface import Found  # noqa: PLC0415 - atheris instruments what is imported here

        self._tried.inputs += 1
        try:
            self._surface.attempt(data)
        except Found as found:
            self._tried.note(found.kind, f"{found} for {data[:200]!r}")
        if self._tried.inputs % 100 == 0 or self.is_over:
            self.write()

    def write(self) -> None:
        """Write down what came of the inputs so far."""
        self._tried.seconds = round(time.monotonic() - self._started, 1)
        unfinished = self._file.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(asdict(self._tried)))
        unfinished.replace(self._file)


def by_hypothesis(trying: _Trying, surface: Surface, seed: int) -> None:
    """Try what strategies make that know the grammar."""
    from hypothesis import HealthCheck, Phase, given, settings  # noqa: PLC0415
    from hypothesis import seed as seeded  # noqa: PLC0415

    def bounded(data: bytes) -> None:
        if not trying.is_over:
            trying.one(data)

    quiet = settings(
        max_examples=500,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    for data in surface.seeds:
        bounded(data)
    for batch in itertools.count():
        if trying.is_over:
            return
        seeded(seed + batch)(quiet(given(surface.inputs())(bounded)))()


def by_atheris(trying: _Trying, surface: Surface, seed: int) -> NoReturn:
    """Try what leads to code that no input has reached before."""
    import atheris  # noqa: PLC0415 - it may not be installed

    def bounded(data: bytes) -> None:
        trying.one(data)
        if trying.is_over:
            surface.__exit__(None, None, None)
            shutil.rmtree(corpus)
            os._exit(0)  # libFuzzer has no other end

    corpus = tempfile.mkdtemp(prefix="trackspec-")
    for number, data in enumerate(surface.seeds):
        Path(corpus, str(number)).write_bytes(data)
    options = [f"-seed={seed}", f"-timeout={LONGEST}", "-max_len=4096", "-rss_limit_mb=4096", "-verbosity=0"]
    artifacts = f"-artifact_prefix={corpus}/"
    atheris.Setup([sys.argv[0], *options, artifacts, corpus], bounded)
    atheris.Fuzz()
    raise AssertionError("libFuzzer has ended by itself")


@contextmanager
def _instrumented(engine: str) -> Iterator[None]:
    """Have what is imported in the block tell which of its branches are taken, if anybody asks."""
    if engine != "atheris":
        yield
        return
    import atheris  # noqa: PLC0415 - it may not be installed

    with atheris.instrument_imports(include=["trackspec", "trackspec_reference"], enable_loader_override=False):
        yield


def main() -> None:
    """Try one surface."""
    parser = argparse.ArgumentParser()
    parser.add_argument("surface")
    parser.add_argument("engine", choices=("hypothesis", "atheris"))
    parser.add_argument("file", type=Path)
    parser.add_argument("--inputs", type=int, default=10**9)
    parser.add_argument("--seconds", type=float, default=10**9)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    with _instrumented(options.engine):
        from tests.fuzz.surfaces import SURFACES  # noqa: PLC0415 - atheris instruments what is imported here
    tried = Tried(options.surface, options.engine)
    with SURFACES[options.surface]() as surface:
        trying = _Trying(surface, tried, options.file, options.inputs, options.seconds)
        (by_atheris if options.engine == "atheris" else by_hypothesis)(trying, surface, options.seed)
        trying.write()


if __name__ == "__main__":
    main()
