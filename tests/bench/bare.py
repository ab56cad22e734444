"""What nothing of ours can be faster than: a server that does nothing, and ``requests`` calling it.

Runs under uvicorn as our own server does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

BODY = b'{"run_id":"%s","key":"m","value":0.5,"timestamp":1700000000000,"step":1}' % (b"0" * 32)


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Answer an empty object, whatever is asked for."""
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-type", b"application/json"), (b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"{}"})


def bare_requests(url: str) -> Callable[[], Any]:
    """One call by ``requests``, as anybody would write it."""
    import requests  # noqa: PLC0415 - the other side's environment need not have it

    session = requests.Session()

    def call() -> None:
        answer = session.post(
            f"{url}/api/2.0/mlflow/runs/log-metric", data=BODY, headers={"Content-Type": "application/json"}
        )
        assert answer.json() == {}

    return call
