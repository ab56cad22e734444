"""Whatever tracking store the installed MLflow, plugins included, opens for a URI."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

from trackspec import TrackingStore
from trackspec_conformance.subjects.errors import SubjectError
from trackspec_conformance.subjects.mlflow_installed import (
    because_of,
    claiming_plugin,
    named,
    one_line,
    require_mlflow,
    without_password,
)
from trackspec_conformance.subjects.subject import Identity, Subject

_GROUP = "mlflow.tracking_store"
_HTTP = ("http", "https")


def mlflow_subject(uri: str) -> Subject:
    """The store that MLflow opens for a tracking URI.

    :raises SubjectError: if MLflow is not installed, no store of it claims the URI, or the plugin that does cannot
        be loaded.
    """
    if not uri:
        raise SubjectError("mlflow+ is followed by a tracking URI, such as mlflow+sqlite:///mlflow.db")
    require_mlflow()
    try:
        service = import_module("mlflow.tracking._tracking_service.utils")
        scheme = uri if uri == "databricks" else import_module("mlflow.utils.uri").get_uri_scheme(uri)
    except Exception as error:
        raise SubjectError(f"MLflow cannot be imported{because_of(_GROUP, error)}: {one_line(error)}") from error
    plugin = claiming_plugin(_GROUP, scheme)
    builder = service._tracking_store_registry._registry.get(scheme)
    if builder is None:
        raise SubjectError(
            f"no store of the installed MLflow claims the scheme {scheme!r} of {without_password(uri)}; "
            "is its plugin installed here?"
        )
    if plugin and builder is not plugin.load():
        raise SubjectError(f"MLflow opens something else than the plugin {named(plugin)} for {scheme!r}")
    return Subject(
        lambda: _open(uri, scheme, builder, plugin),
        reopenable=not re.fullmatch(r"sqlite(\+\w+)?:(//)?(/?:memory:)?", uri),
        identity=_of_server(uri, builder) if scheme in _HTTP and plugin is None else None,
    )


def _open(uri: str, scheme: str, builder: Callable[..., Any], plugin: EntryPoint | None) -> TrackingStore:
    from trackspec_conformance.subjects.mlflow_store import MlflowTrackingStore  # noqa: PLC0415 - needs MLflow

    if plugin is None and scheme not in ("", "file", "databricks", *_HTTP):
        _require_database(uri)
    try:
        # Not the registry's own get_store, which would return the same object when it is asked again.
        store = builder(store_uri=uri, artifact_uri=None)
    except Exception as error:
        raise SubjectError(f"MLflow cannot open {without_password(uri)}: {one_line(error)}") from error
    if plugin:
        _require_plugins_own(store, plugin)
    return MlflowTrackingStore(store, uri, lambda other: _open(other, scheme, builder, plugin))


def _require_plugins_own(store: object, plugin: EntryPoint) -> None:
    """Require that a plugin did not put one of MLflow's own stores in its place."""
    if type(store).__module__.partition(".")[0] == "mlflow":
        raise SubjectError(
            f"the plugin {named(plugin)} returns MLflow's own {type(store).__name__}: "
            "there is no store of its own to judge"
        )


def _require_database(uri: str) -> None:
    """Connect once, since MLflow tries again for minutes."""
    try:
        engine = import_module("sqlalchemy").create_engine(uri)
        if engine.url.get_backend_name() == "sqlite" and engine.url.database:
            Path(engine.url.database).parent.mkdir(parents=True, exist_ok=True)  # as MLflow does
    except Exception as error:
        raise SubjectError(f"cannot use {without_password(uri)}: {one_line(error)}") from error
    try:
        engine.connect().close()
    except Exception as error:
        raise SubjectError(
            f"cannot connect to {without_password(uri)}: {one_line(getattr(error, 'orig', error))}"
        ) from error
    finally:
        engine.dispose()


def _of_server(uri: str, builder: Callable[..., Any]) -> Identity:
    """The identity of MLflow's client, and the version that the server says it has.

    The request is made with MLflow's own client, so that its proxy, TLS and login settings apply.
    """
    http_request = import_module("mlflow.utils.rest_utils").http_request
    try:
        store = builder(store_uri=uri, artifact_uri=None)
        response = http_request(store.get_host_creds(), "/version", "GET", raise_on_status=False)
    except Exception as error:
        cause = error.__cause__ or error.__context__ or error
        if type(cause).__name__ == "ConnectionError":
            raise SubjectError(f"nothing listens at {without_password(uri)}") from error
        raise SubjectError(f"cannot reach {without_password(uri)}: {one_line(cause)}") from error
    if response.status_code in (401, 403):
        raise SubjectError(
            f"{without_password(uri)} answers {response.status_code}: set MLFLOW_TRACKING_USERNAME and "
            "MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
        )
    client = Identity.of(store)
    told = response.text.strip() if response.status_code == 200 else ""
    server = f"a server of version {told}" if re.fullmatch(r"\d[\w.+-]{0,30}", told) else "a server"
    return replace(client, distribution=f"{client.distribution}, talking to {server}")
