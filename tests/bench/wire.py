"""The least that a client of our server can do: requests made up beforehand, and answers that are not read."""

from __future__ import annotations

import http.client
import itertools
import json
import time
from collections.abc import Callable
from typing import Any

from operations import FILTER, ORDER, START

BASE = "/api/2.0/mlflow"
_POST = {"Content-Type": "application/json"}


class RawWire:
    """The operations as bare requests.

    :param port: of our server, on the loopback interface.
    :param populated: the id of the experiment with many runs.
    """

    def __init__(self, port: int, populated: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port)
        self._populated = populated
        self._numbers = itertools.count()
        made = self._post("experiments/create", {"name": f"wire-{time.time_ns()}"})
        self._experiment = json.loads(made)["experiment_id"]
        self._run = json.loads(self.create_run())["run"]["info"]["run_id"]

    def named(self, operation: str) -> Callable[[], Any]:
        """An operation by name, over a connection of its own: the last one may have been idle for too long."""
        self._connection.close()
        found: Callable[[], Any] = getattr(self, operation)
        return found

    def _answer(self) -> bytes:
        answer = self._connection.getresponse()
        body = answer.read()
        assert answer.status == 200, body
        return body

    def _post(self, path: str, fields: dict[str, Any]) -> bytes:
        self._connection.request("POST", f"{BASE}/{path}", json.dumps(fields).encode(), _POST)
        return self._answer()

    def create_run(self) -> bytes:
        """One run without tags."""
        return self._post(
            "runs/create", {"experiment_id": self._experiment, "user_id": "user", "start_time": START}
        )

    def log_metric(self) -> bytes:
        """One point of one metric."""
        point = {"key": "m", "value": 0.5, "timestamp": START, "step": next(self._numbers)}
        return self._post("runs/log-metric", {"run_id": self._run, **point})

    def log_param(self) -> bytes:
        """One param."""
        param = {"key": f"p{next(self._numbers)}", "value": "value"}
        return self._post("runs/log-parameter", {"run_id": self._run, **param})

    def set_tag(self) -> bytes:
        """One tag, overwritten."""
        return self._post("runs/set-tag", {"run_id": self._run, "key": "t", "value": str(next(self._numbers))})

    def log_batch_1000(self) -> bytes:
        """A thousand points of ten metrics."""
        first = next(self._numbers) * 1000
        points = [
            {"key": f"b{i % 10}", "value": i / 7, "timestamp": START, "step": first + i} for i in range(1000)
        ]
        return self._post("runs/log-batch", {"run_id": self._run, "metrics": points})

    def get_run(self) -> bytes:
        """A run."""
        self._connection.request("GET", f"{BASE}/runs/get?run_id={self._run}")
        return self._answer()

    def search_runs(self) -> bytes:
        """The first 100 runs of a filtered and ordered search."""
        search = {"experiment_ids": [self._populated], "filter": FILTER, "order_by": ORDER, "max_results": 100}
        return self._post("runs/search", search)

    def read_all(self) -> None:
        """Every run of the populated experiment, in pages of 1,000."""
        fields: dict[str, Any] = {"experiment_ids": [self._populated], "max_results": 1000}
        while True:
            page = self._post("runs/search", fields)
            _, found, token = page[-400:].partition(b'"next_page_token":"')
            if not found:
                break
            fields["page_token"] = token.partition(b'"')[0].decode()
