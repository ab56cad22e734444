"""Credentials of a Databricks workspace, found and renewed by Databricks' own SDK."""

from __future__ import annotations

import configparser
import functools
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from databricks.sdk.config import Config

from trackspec.errors import ErrorCode, TrackspecError, invalid
from trackspec_reference.credentials.host_creds import HostCreds

T = TypeVar("T")

PATIENCE = 30.0
"""Seconds that finding credentials may take, and renewing them."""

_BOUNDS: Mapping[str, Any] = {"http_timeout_seconds": 5, "retry_timeout_seconds": 5}
"""The SDK asks the workspace about itself first; with a token it goes on without an answer, if not for minutes."""
_ADVICE = "Set DATABRICKS_HOST and DATABRICKS_TOKEN, or write a profile with both into ~/.databrickscfg."
_UNCHANGING = ("pat", "basic")


@functools.cache
def get_databricks_host_creds(profile: str | None = None) -> HostCreds:
    """How to talk to the workspace of a profile.

    It is found out once for each profile and process: ``cache_info()`` tells how often, after ``cache_clear()``
    it is found out anew. What expires is renewed all the same.

    :param profile: a section of the configuration file, which is that of ``DATABRICKS_CONFIG_FILE`` or
        ``~/.databrickscfg``; its values count, whatever the environment says. None is what the SDK finds by
        itself: first in the environment, then in the profile of ``DATABRICKS_CONFIG_PROFILE`` or ``DEFAULT``.
    :raises TrackspecError: INVALID_PARAMETER_VALUE if there is no such profile, or it does not say enough;
        TEMPORARILY_UNAVAILABLE if it takes too long.
    """
    asked = f"the profile {profile!r}" if profile else "the environment and the default profile"
    try:
        config = _in_time(lambda: _ProfileConfig(profile) if profile else Config(**_BOUNDS))
    except ValueError:  # whose text shows paths, and more
        raise invalid(
            f"Databricks' SDK finds no credentials in {asked}, or not the workspace that they are for. {_ADVICE}"
        ) from None
    if not config.host or "@" in config.host:
        raise invalid(f"Databricks' SDK finds no host without credentials in {asked}. {_ADVICE}")
    return HostCreds(
        config.host.rstrip("/"), functools.partial(_headers, config), not config.skip_verify, advice=_ADVICE
    )


if hasattr(os, "register_at_fork"):  # a lock of the SDK that is held then is held for ever in the child
    os.register_at_fork(after_in_child=get_databricks_host_creds.cache_clear)


class _ProfileConfig(Config):
    """The configuration of one profile. By itself, the SDK would let the environment win over it."""

    def __init__(self, profile: str) -> None:
        file = os.environ.get("DATABRICKS_CONFIG_FILE") or "~/.databrickscfg"
        parser = configparser.ConfigParser(default_section="", interpolation=None)
        try:
            parser.read(Path(file).expanduser(), encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError, OSError):
            raise invalid("The configuration file of Databricks cannot be read.") from None
        if not parser.has_section(profile):
            raise invalid(f"There is no profile {profile!r} in the configuration file of Databricks.")
        values = dict(parser.items(profile))
        if not values.get("host"):
            raise invalid(f"The profile {profile!r} names no host.")
        Config.attributes()  # the SDK looks for them in the class that it is asked of first, and not in its bases
        super().__init__(**{**values, **_BOUNDS, "profile": profile, "config_file": file})

    def _load_from_env(self) -> None:
        return


def _headers(config: Config) -> Mapping[str, str]:
    """The header fields that say who asks, renewed where they have expired."""
    try:
        headers = config.authenticate() if config.auth_type in _UNCHANGING else _in_time(config.authenticate)
    except TrackspecError:
        raise
    except Exception:  # whatever the SDK and its libraries raise, with texts that may tell secrets
        raise TrackspecError(
            f"Databricks' SDK cannot renew the credentials. {_ADVICE}", ErrorCode.UNAUTHENTICATED
        ) from None
    if config.workspace_id:
        return {**headers, "X-Databricks-Org-Id": config.workspace_id}
    return headers


def _in_time(call: Callable[[], T]) -> T:
    """What a call returns or raises; the SDK's own calls may wait without end.

    :raises TrackspecError: TEMPORARILY_UNAVAILABLE if it takes longer than :data:`PATIENCE`.
    """
    ended: list[tuple[T | None, Exception | None]] = []

    def run() -> None:
        try:
            ended.append((call(), None))
        except Exception as error:
            ended.append((None, error))

    thread = threading.Thread(target=run, name="databricks-credentials", daemon=True)
    thread.start()
    thread.join(PATIENCE)
    if not ended:
        raise TrackspecError(
            "Databricks' SDK takes too long to get the credentials.", ErrorCode.TEMPORARILY_UNAVAILABLE
        )
    result, error = ended[0]
    if error is not None:
        raise error
    return result  # type: ignore[return-value]  # None only if the call returned it
