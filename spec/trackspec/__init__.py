"""The specification of experiment tracking stores and artifact repositories, in Python.

Importing it pulls in no database, web or test library.
"""

from trackspec._version import __version__
from trackspec.artifact_repository import ArtifactRepository
from trackspec.entities import (
    Dataset,
    DatasetInput,
    Experiment,
    ExperimentTag,
    FileInfo,
    InputTag,
    LifecycleStage,
    Metric,
    PagedList,
    Param,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunStatus,
    RunTag,
    ViewType,
)
from trackspec.errors import ErrorCode, TrackspecError
from trackspec.opening import open_store
from trackspec.store import TrackingStore

__all__ = [
    "ArtifactRepository",
    "Dataset",
    "DatasetInput",
    "ErrorCode",
    "Experiment",
    "ExperimentTag",
    "FileInfo",
    "InputTag",
    "LifecycleStage",
    "Metric",
    "PagedList",
    "Param",
    "Run",
    "RunData",
    "RunInfo",
    "RunInputs",
    "RunStatus",
    "RunTag",
    "TrackingStore",
    "TrackspecError",
    "ViewType",
    "__version__",
    "open_store",
]
