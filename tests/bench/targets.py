"""The ratios to reach, for each store, operation and durability."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """The least ratio to MLflow's rate, and to the raw one."""

    mlflow: float | None = None
    raw: float | None = None


SINGLE_WRITES = ("log_metric", "log_param", "set_tag", "create_run")
_READS = {
    "sqlite": {"get_run": 5, "search_runs": 10, "read_all": 10},
    "file": {"get_run": 20, "search_runs": 50, "read_all": 20},
}

TARGETS: dict[tuple[str, str, str], Target] = {
    ("sqlite", operation, "power"): Target(mlflow=5, raw=0.5) for operation in SINGLE_WRITES
}
TARGETS |= {("sqlite", operation, "process"): Target(mlflow=40) for operation in SINGLE_WRITES}
TARGETS |= {("file", operation, "power"): Target(raw=0.5) for operation in SINGLE_WRITES}
TARGETS |= {("file", operation, "process"): Target(mlflow=10) for operation in SINGLE_WRITES}
TARGETS |= {
    (store, "log_batch_1000", durability): Target(mlflow=15)
    for store in ("sqlite", "file")
    for durability in ("power", "process")
}
TARGETS |= {
    (store, operation, durability): Target(mlflow=ratio)
    for store, ratios in _READS.items()
    for operation, ratio in ratios.items()
    for durability in ("power", "process")
}

LEAST_RATE_AMONG_MANY = 0.7
"""How much of its rate among few runs a write has at least among many: its cost does not grow, but for noise."""

MOST_MEMORY_OF_A_SEARCH_MB = 300
"""What a process takes at most that opens a store of 100,000 runs and reads a page of a search."""

SINGLE_CALLS = (*SINGLE_WRITES, "get_run")
SERVING_TARGETS: dict[tuple[str, int], float] = {(operation, 1): 20 for operation in SINGLE_CALLS}
SERVING_TARGETS |= {(operation, 16): 8 for operation in SINGLE_CALLS}
SERVING_TARGETS |= {("log_batch_1000", 1): 8, ("log_batch_1000", 16): 8, ("search_runs", 1): 8, ("read_all", 1): 8}
"""The least ratio of our server to MLflow's, by operation and number of clients."""

MAX_SPREAD = 10
"""The 99th percentile of our server's answers under many clients, in medians, at most."""

MAX_WORKER_MEBIBYTES = 120
"""The memory of a worker of our server, at most."""

_MANY = {"local": 1, "s3": 5, "gcs": 3, "azure": 3, "proxy": 5}
ARTIFACT_TARGETS: dict[tuple[str, str], Target] = {
    (service, f"{way}_large"): Target(mlflow=1, raw=0.9) for service in _MANY for way in ("upload", "download")
}
ARTIFACT_TARGETS |= {
    (service, f"{way}_many"): Target(mlflow=ratio)
    for service, ratio in _MANY.items()
    for way in ("upload", "download")
}
"""The least ratios of our artifact repositories, by service and operation."""

MOST_MEMORY_OF_A_TRANSFER_MB = 200
"""What a process takes at most that uploads and downloads a large file."""
