"""How a Hadoop file system is reached, and by whom, as Hadoop's own tools find it out."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from trackspec.errors import invalid
from trackspec_reference.credentials.process import user_of_process

CONFIGURATION = "HADOOP_CONF_DIR"
USER = "HADOOP_USER_NAME"
ENDPOINT = "TRACKSPEC_WEBHDFS_URL"

_PORTS = {"http": 9870, "https": 9871}
_URL = re.compile(r"https?://[A-Za-z0-9.:_\[\]-]+(?:/[A-Za-z0-9._/-]*)?")


@dataclass(frozen=True)
class Hadoop:
    """A Hadoop file system.

    :ivar endpoints: the URLs of its NameNodes, of which one is active.
    :ivar user: who asks, where nobody proves it.
    :ivar kerberos: whether a ticket proves who asks.
    """

    endpoints: tuple[str, ...]
    user: str
    kerberos: bool


def find_hadoop(authority: str) -> Hadoop:
    """How the file system of a URI is reached.

    ``TRACKSPEC_WEBHDFS_URL`` names the endpoint. Without it, the files of ``HADOOP_CONF_DIR`` do; what they do not
    say is Hadoop's own default, the port 9870 of the host. ``HADOOP_USER_NAME`` says who asks, else it is the user
    of this process.

    :param authority: host and port of the file system, or the name of a nameservice; empty for the default one.
    :raises TrackspecError: INVALID_PARAMETER_VALUE if the configuration cannot be used, or says nothing of a
        default.
    """
    settings = _settings()
    authority = authority or re.sub(r"^hdfs://|/.*$", "", settings.get("fs.defaultFS", ""))
    if not authority:
        raise invalid(f"The URI names no host, and {CONFIGURATION} no folder with a core-site.xml that does.")
    user = os.environ.get(USER) or user_of_process()
    if user is None:
        raise invalid(f"Who runs this process has no name; set {USER}.")
    return Hadoop(
        _endpoints(authority, settings),
        user,
        settings.get("hadoop.security.authentication", "simple").lower() == "kerberos",
    )


def _endpoints(authority: str, settings: Mapping[str, str]) -> tuple[str, ...]:
    if named := os.environ.get(ENDPOINT):
        if not _URL.fullmatch(named):
            raise invalid(f"{ENDPOINT} is 'http://HOST:PORT' or 'https://HOST:PORT'.")
        return (named.rstrip("/"),)
    scheme = "https" if settings.get("dfs.http.policy") == "HTTPS_ONLY" else "http"
    setting = f"dfs.namenode.{scheme}-address"
    nodes = [node.strip() for node in settings.get(f"dfs.ha.namenodes.{authority}", "").split(",") if node.strip()]
    addresses = [settings.get(f"{setting}.{authority}.{node}", "") for node in nodes] or [
        settings.get(setting, "")
    ]
    host = authority.rpartition(":")[0] if re.search(r":[0-9]+$", authority) else authority
    return tuple(f"{scheme}://{_reachable(address, host, _PORTS[scheme])}" for address in addresses)


def _reachable(address: str, host: str, port: int) -> str:
    """An address of the configuration, which may say no host, as one to connect to."""
    if not address:
        return f"{host}:{port}"
    return re.sub(r"^0\.0\.0\.0(?=:)", lambda _: host, address)


def _settings() -> dict[str, str]:
    folder = os.environ.get(CONFIGURATION)
    found: dict[str, str] = {}
    for name in ("core-site.xml", "hdfs-site.xml") if folder else ():
        file = Path(folder or "", name)
        try:
            for item in ElementTree.parse(file).getroot().iter("property") if file.exists() else ():
                found[(item.findtext("name") or "").strip()] = (item.findtext("value") or "").strip()
        except (ElementTree.ParseError, OSError):
            raise invalid(f"The {name} of {CONFIGURATION} cannot be read.") from None
    return found
