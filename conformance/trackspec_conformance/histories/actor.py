"""A client in a process of its own: opens a subject, makes calls as it is told to, and says what came of each.

Each answer is written before the next call is made, so that whoever reads knows what was acknowledged when the
process was killed.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict

from trackspec_conformance.expectations import shown_error
from trackspec_conformance.histories.performing import Order, perform
from trackspec_conformance.subjects import open_subject


def main() -> None:
    """Serve the process that started this one: orders on standard input, answers to the descriptor in argv."""
    descriptor, locator, name = sys.argv[1:]
    with os.fdopen(int(descriptor), "w", encoding="ascii") as messages:

        def say(**fields: object) -> None:
            messages.write(json.dumps(fields) + "\n")
            messages.flush()

        try:
            store = open_subject(locator).open()
        except Exception as error:
            say(opened=shown_error(error))
            return
        say(opened=True)
        for line in sys.stdin:
            say(**asdict(perform(store, Order(**json.loads(line)), name)))


if __name__ == "__main__":
    main()
