"""A benchmark that is ended takes with it what it has started and written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).parent.parent


def test_a_benchmark_ends_with_its_servers_and_files(tmp_path: Path) -> None:
    """On SIGTERM, in the middle of a transfer."""
    options = ["--mlflow-python", "", "--store", "artifacts", "--service", "proxy"]
    sizes = ["--large", "1", "--files", "3000", "--out", str(tmp_path / "bench.json")]
    written = tmp_path / "written"
    written.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench", *options, *sizes],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(written)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        bench, deadline = psutil.Process(process.pid), time.monotonic() + 120
        while not list(written.glob("*/proxy/ours-kept/ours/large/file")):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        started = bench.children(recursive=True)

        process.send_signal(signal.SIGTERM)

        assert process.wait(60) == 128 + signal.SIGTERM
        assert len(started) >= 3, "a server and two workers"
        assert not psutil.wait_procs(started, timeout=10)[1]
        assert not list(written.iterdir())
    finally:
        process.kill()
        process.wait()
