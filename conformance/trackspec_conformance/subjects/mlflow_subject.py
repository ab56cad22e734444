"""Whatever tracking store the installed MLflow, plugins included, opens for a URI."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from trackspec import TrackingStore
from trackspec_conformance.subjects.errors import SubjectError
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
    if find_spec("mlflow") is None:
        raise SubjectError("MLflow is not installed here: pip install 'trackspec[mlflow]'")
    _configure()
    try:
        service = import_module("mlflow.tracking._tracking_service.utils")
        scheme = uri if uri == "databricks" else import_module("mlflow.utils.uri").get_uri_scheme(uri)
        from trackspec_conformance.subjects.mlflow_store import CLAIMED_PROFILES  # noqa: PLC0415 - needs MLflow
    except Exception as error:
        raise SubjectError(f"MLflow cannot be imported{_because_of(error)}: {_one_line(error)}") from error
    plugin = _plugin(scheme)
    builder = service._tracking_store_registry._registry.get(scheme)
    if builder is None:
        raise SubjectError(
            f"no store of the installed MLflow claims the scheme {scheme!r} of {_without_password(uri)}; "
            "is its plugin installed here?"
        )
    if plugin and builder is not plugin.load():
        raise SubjectError(f"MLflow opens something else than the plugin {_named(plugin)} for {scheme!r}")
    return Subject(
        lambda: _open(uri, scheme, builder, plugin),
        profiles=CLAIMED_PROFILES,
        reopenable=not re.fullmatch(r"sqlite(\+\w+)?:(//)?(/?:memory:)?", uri),
        identity=_of_server(uri, builder) if scheme in _HTTP and plugin is None else None,
    )


def _configure() -> None:
    """Set what MLflow reads from the environment: file stores open, and each call is made once."""
    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
    # A retry would make a call twice, and hides the answer for minutes.
    os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")


def _plugin(scheme: str) -> EntryPoint | None:
    """The installed plugin that claims a scheme, loaded; MLflow itself only warns of one that fails to load."""
    claims = list(entry_points(group=_GROUP, name=scheme)) if scheme else []
    if len({claim.value for claim in claims}) > 1:
        raise SubjectError(f"several plugins claim {scheme!r}: {', '.join(map(_named, claims))}")
    if not claims:
        return None
    if error := _error_of(claims[0]):
        raise SubjectError(f"the plugin {_named(claims[0])} cannot be loaded: {error}")
    return claims[0]


def _because_of(error: Exception) -> str:
    """The plugin that raises this error, and takes the import of MLflow down with it, if it is one."""
    for plugin in entry_points(group=_GROUP):
        if _one_line(error) == _error_of(plugin):
            return f", because of the plugin {_named(plugin)}"
    return ""


def _error_of(plugin: EntryPoint) -> str | None:
    try:
        plugin.load()
    except Exception as error:
        return _one_line(error)
    return None


def _open(uri: str, scheme: str, builder: Callable[..., Any], plugin: EntryPoint | None) -> TrackingStore:
    from trackspec_conformance.subjects.mlflow_store import MlflowTrackingStore  # noqa: PLC0415 - needs MLflow

    if plugin is None and scheme not in ("", "file", "databricks", *_HTTP):
        _require_database(uri)
    try:
        # Not the registry's own get_store, which would return the same object when it is asked again.
        store = builder(store_uri=uri, artifact_uri=None)
    except Exception as error:
        raise SubjectError(f"MLflow cannot open {_without_password(uri)}: {_one_line(error)}") from error
    if plugin:
        _require_plugins_own(store, plugin)
    return MlflowTrackingStore(store)


def _require_plugins_own(store: object, plugin: EntryPoint) -> None:
    """Require that a plugin did not put one of MLflow's own stores in its place."""
    if type(store).__module__.partition(".")[0] == "mlflow":
        raise SubjectError(
            f"the plugin {_named(plugin)} returns MLflow's own {type(store).__name__}: "
            "there is no store of its own to judge"
        )


def _require_database(uri: str) -> None:
    """Connect once, since MLflow tries again for minutes."""
    try:
        engine = import_module("sqlalchemy").create_engine(uri)
        if engine.url.get_backend_name() == "sqlite" and engine.url.database:
            Path(engine.url.database).parent.mkdir(parents=True, exist_ok=True)  # as MLflow does
    except Exception as error:
        raise SubjectError(f"cannot use {_without_password(uri)}: {_one_line(error)}") from error
    try:
        engine.connect().close()
    except Exception as error:
        raise SubjectError(
            f"cannot connect to {_without_password(uri)}: {_one_line(getattr(error, 'orig', error))}"
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
            raise SubjectError(f"nothing listens at {_without_password(uri)}") from error
        raise SubjectError(f"cannot reach {_without_password(uri)}: {_one_line(cause)}") from error
    if response.status_code in (401, 403):
        raise SubjectError(
            f"{_without_password(uri)} answers {response.status_code}: set MLFLOW_TRACKING_USERNAME and "
            "MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
        )
    client = Identity.of(store)
    told = response.text.strip() if response.status_code == 200 else ""
    server = f"a server of version {told}" if re.fullmatch(r"\d[\w.+-]{0,30}", told) else "a server"
    return replace(client, distribution=f"{client.distribution}, talking to {server}")


def _without_password(uri: str) -> str:
    password = urlsplit(uri).password
    return uri.replace(f":{password}@", ":***@") if password else uri


def _one_line(error: object) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:300]}"


def _named(plugin: EntryPoint) -> str:
    distribution = f" of {plugin.dist.name} {plugin.dist.version}" if plugin.dist else ""
    return f"{plugin.value}{distribution}"
