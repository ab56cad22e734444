"""The MLflow that is installed here: which of its plugins claims a scheme, and how it is told about."""

from __future__ import annotations

import os
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from urllib.parse import urlsplit

from trackspec_conformance.subjects.errors import SubjectError


def require_mlflow() -> None:
    """Require that MLflow is installed, and set what it reads from the environment.

    File stores open, each request is made once, and no progress is shown.

    :raises SubjectError: if it is not.
    """
    if find_spec("mlflow") is None:
        raise SubjectError("MLflow is not installed here: pip install 'trackspec[mlflow]'")
    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
    # A retry would make a call twice, and hides the answer for minutes.
    os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"
    os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")


def claiming_plugin(group: str, scheme: str) -> EntryPoint | None:
    """The installed plugin that claims a scheme, loaded; MLflow itself only warns of one that fails to load.

    :raises SubjectError: if several claim it, or if it cannot be loaded.
    """
    claims = list(entry_points(group=group, name=scheme)) if scheme else []
    if len({claim.value for claim in claims}) > 1:
        raise SubjectError(f"several plugins claim {scheme!r}: {', '.join(map(named, claims))}")
    if not claims:
        return None
    if error := _error_of(claims[0]):
        raise SubjectError(f"the plugin {named(claims[0])} cannot be loaded: {error}")
    return claims[0]


def because_of(group: str, error: Exception) -> str:
    """The plugin that raises this error, and takes the import of MLflow down with it, if it is one."""
    for plugin in entry_points(group=group):
        if one_line(error) == _error_of(plugin):
            return f", because of the plugin {named(plugin)}"
    return ""


def _error_of(plugin: EntryPoint) -> str | None:
    try:
        plugin.load()
    except Exception as error:
        return one_line(error)
    return None


def without_password(uri: str) -> str:
    """A URI without the password that it may carry."""
    password = urlsplit(uri).password
    return uri.replace(f":{password}@", ":***@") if password else uri


def one_line(error: object) -> str:
    """An error in one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:300]}"


def named(plugin: EntryPoint) -> str:
    """A plugin and the package that it comes from."""
    distribution = f" of {plugin.dist.name} {plugin.dist.version}" if plugin.dist else ""
    return f"{plugin.value}{distribution}"
