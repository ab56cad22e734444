"""Prints how many megabytes a process takes at most that opens a populated store and reads pages of searches.

``python memory.py STORE DIRECTORY``, the two as for ``worker.py``, which has populated the store there.
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from operations import FILTER, ORDER
from worker import ours

STORE, DIRECTORY = sys.argv[1:]

store, _ = ours(STORE, "process", DIRECTORY)
(populated,) = store.search_experiments(filter_string="name LIKE 'populated-%'")
for filter_string, order_by in ((FILTER, ORDER), (None, ORDER), (FILTER, None), (None, None)):
    assert store.search_runs([populated.experiment_id], filter_string, max_results=100, order_by=order_by)
unit = 1 if sys.platform == "darwin" else 1024
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6)
