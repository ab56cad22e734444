"""The least that a client of our server can do: requests in one piece, and answers that are not read."""

from __future__ import annotations

import itertools
import json
import re
import socket
import time
from collections.abc import Callable
from typing import Any

from operations import FILTER, ORDER, START

BASE = "/api/2.0/mlflow"
_LENGTH = re.compile(rb"content-length: ([0-9]+)", re.IGNORECASE)
_PIECE = 1 << 20


class RawWire:
    """The operations as bare requests.

    :param port: of our server, on the loopback interface.
    :param populated: the id of the experiment with many runs.
    """

    def __init__(self, port: int, populated: str) -> None:
        self._port, self._populated = port, populated
        self._connection = self._connected()
        self._numbers = itertools.count()
        made = self._post("experiments/create", {"name": f"wire-{time.time_ns()}"})
        self._experiment = json.loads(made)["experiment_id"]
        self._run, self._read = (json.loads(self.create_run())["run"]["info"]["run_id"] for _ in range(2))
        points = [{"key": f"m{i}", "value": i / 7, "timestamp": START, "step": 0} for i in range(5)]
        params = [{"key": f"p{i}", "value": str(i)} for i in range(5)]
        tags = [{"key": f"t{i}", "value": "v"} for i in range(3)]
        self._post("runs/log-batch", {"run_id": self._read, "metrics": points, "params": params, "tags": tags})

    def _connected(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self._port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def named(self, operation: str) -> Callable[[], Any]:
        """An operation by name, over a connection of its own: the last one may have been idle for too long."""
        self._connection.close()
        self._connection = self._connected()
        found: Callable[[], Any] = getattr(self, operation)
        return found

    def _answered(self, request: bytes) -> bytes:
        """The body of the answer to a request."""
        self._connection.sendall(request)
        head, _, body = self._connection.recv(_PIECE).partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        assert head.startswith(b"HTTP/1.1 200 "), head + body
        assert length is not None, head
        pieces, missing = [body], int(length[1]) - len(body)
        while missing:
            pieces.append(self._connection.recv(_PIECE))
            assert pieces[-1], "the answer ends too early"
            missing -= len(pieces[-1])
        return b"".join(pieces)

    def _post(self, path: str, fields: dict[str, Any]) -> bytes:
        body = json.dumps(fields).encode()
        head = (
            f"POST {BASE}/{path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return self._answered(head.encode() + body)

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
        """A run of 5 metrics, 5 params and 3 tags."""
        line = f"GET {BASE}/runs/get?run_id={self._read} HTTP/1.1\r\n"
        return self._answered(line.encode() + b"Host: 127.0.0.1\r\n\r\n")

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
