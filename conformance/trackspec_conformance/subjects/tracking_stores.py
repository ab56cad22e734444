"""Tracking stores as subjects."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import trackspec
from trackspec import TrackingStore, TrackspecError
from trackspec.opening import STORES
from trackspec_conformance.subjects.errors import SubjectError
from trackspec_conformance.subjects.opener import Opener
from trackspec_conformance.subjects.servers import PROFILE, is_plain, is_server, server_subject, url_of
from trackspec_conformance.subjects.subject import Subject
from trackspec_conformance.wire.client import Wire
from trackspec_conformance.wire.store import WireStore

MLFLOW_PROFILES = frozenset({"core", "search", "history", "inputs"})
"""What an MLflow store claims, and a Databricks workspace: no call reads or sets its artifact root."""


def _by_uri(uri: str) -> Subject:
    if is_plain(uri):
        return server_subject(url_of(uri), lambda url: WireStore(Wire.from_environment(url)))
    if is_server(uri):
        return server_subject(uri, _open)
    if re.match(r"databricks(:|\?|$)", uri, re.IGNORECASE):
        return Subject(lambda: _open(uri), profiles=MLFLOW_PROFILES)
    return Subject(lambda: _open(uri), reopenable=uri != "memory:", placed=_placed(uri))


def _placed(uri: str, prefix: str = "") -> Callable[[str], str] | None:
    """What puts a store of the URI's kind, with its options, into a directory."""
    scheme = uri.partition(":")[0].partition("+")[0] if ":" in uri else "file"
    _, mark, options = uri.partition("?")
    forms = {"file": "file:{}/store", "sqlite": "sqlite:///{}/store.db"}
    if scheme not in forms:
        return None
    return lambda directory: prefix + forms[scheme].format(directory) + mark + options


def _open(uri: str) -> TrackingStore:
    try:
        return trackspec.open_store(uri)
    except TrackspecError as error:
        raise SubjectError(error.message) from error


def _by_mlflow(uri: str) -> Subject:
    from trackspec_conformance.subjects.mlflow_subject import mlflow_subject  # noqa: PLC0415 - needs MLflow

    subject = replace(mlflow_subject(uri), profiles=MLFLOW_PROFILES, placed=_placed(uri, "mlflow+"))
    if is_server(uri):
        return replace(
            subject,
            profiles=MLFLOW_PROFILES | {PROFILE},
            url=Wire.from_environment(uri).url,
            through=lambda url: mlflow_subject(url).open(),
        )
    return subject


def _adapted(store: Any) -> TrackingStore:
    from trackspec_conformance.subjects.mlflow_store import MlflowTrackingStore  # noqa: PLC0415 - needs MLflow

    return MlflowTrackingStore(store)


TRACKING_STORES = Opener(
    interface="tracking",
    noun="tracking store",
    contract=TrackingStore,
    schemes=STORES.schemes,
    by_uri=_by_uri,
    by_mlflow=_by_mlflow,
    mlflow_class=("mlflow.store.tracking.abstract_store", "AbstractStore"),
    adapter=_adapted,
    adapted_profiles=MLFLOW_PROFILES,
)
