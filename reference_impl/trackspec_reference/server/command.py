"""``trackspec serve``: serves a tracking store over the REST protocol."""

from __future__ import annotations

import argparse
import ipaddress
import logging
import os
import re
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from trackspec import __version__
from trackspec.artifact_repository import ArtifactRepository
from trackspec.errors import TrackspecError, invalid
from trackspec.opening import open_store
from trackspec.store import TrackingStore
from trackspec.validated_store import ARTIFACT_ROOT_VARIABLE
from trackspec_reference.server.authentication import CREDENTIALS_VARIABLE, Credentials
from trackspec_reference.server.limits import Limits
from trackspec_reference.server.origins import Origins

if TYPE_CHECKING:
    from trackspec_reference.server.serving import Settings

DEFAULT_STORE = "sqlite:///trackspec.db"

PROXIED = "mlflow-artifacts:/"
"""The artifact root of runs whose artifacts a server hands on."""

COULD_NOT_START = 2


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to those of the command line."""
    serve = commands.add_parser(
        "serve",
        help="serve a tracking store",
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Serve a tracking store over the REST protocol, until SIGINT or SIGTERM.",
        epilog=(
            f"credentials: a file, or the variable {CREDENTIALS_VARIABLE}, with a line for each:\n"
            "  basic USER:PASSWORD\n"
            "  bearer TOKEN\n\n"
            "exit status: 0 stopped, and all that was in hand is answered; 1 stopped with calls in hand;\n"
            "2 could not start"
        ),
    )
    serve.add_argument(
        "store", nargs="?", default=DEFAULT_STORE, metavar="STORE_URI", help=f"the store ({DEFAULT_STORE})"
    )
    serve.add_argument("--host", default="127.0.0.1", help="the address to listen at (127.0.0.1)")
    serve.add_argument("--port", type=_port, default=5000, help="the port; 0 for a free one (5000)")
    serve.add_argument("--workers", type=_workers, default=1, metavar="N", help="processes (1)")
    serve.add_argument("--artifact-root", metavar="URI", help="set the artifact root of the store")
    serve.add_argument(
        "--artifacts-destination",
        metavar="URI",
        help="hand artifacts on to and from this repository, so that clients need no credentials for it",
    )
    serve.add_argument(
        "--allowed-hosts",
        type=_names,
        default=(),
        metavar="NAME,...",
        help="answer under these names too, as a proxy gives them",
    )
    serve.add_argument(
        "--allowed-origins",
        type=_names,
        default=(),
        metavar="ORIGIN,...",
        help="let pages of these sites call, each as https://NAME",
    )
    serve.add_argument(
        "--auth-file", type=Path, metavar="FILE", help="ask for one of the credentials in this file"
    )
    serve.add_argument(
        "--public-health", action="store_true", help="ask for no credentials for /health and /version"
    )
    serve.add_argument(
        "--max-body", type=_size, default=Limits().body, metavar="BYTES", help="the largest body (64 MiB)"
    )
    serve.set_defaults(run=_serve)


def _serve(options: argparse.Namespace) -> int:
    try:
        from trackspec_reference.server.serving import Settings, serve  # noqa: PLC0415 - need the server extra
        from trackspec_reference.server.workers import Workers  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("uvicorn", "httptools"):
            raise
        return _failed(f"{error.name} is missing: pip install 'trackspec[server]'")
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING)
    try:
        settings = _settings(options, Settings)
        listening = _listen(options.host, options.port)
        artifacts = _artifacts(options, settings)
        store = _open(options)
    except TrackspecError as error:
        return _failed(error.message)
    _tell_start(options, listening, settings)
    if options.workers == 1:
        return serve(store, artifacts, listening, settings)
    store.close()
    if artifacts:
        artifacts.close()
    return Workers(options.store, listening, settings, options.workers).serve()


def _settings(options: argparse.Namespace, build: type[Settings]) -> Settings:
    """How to serve, by the options and the environment."""
    credentials = None
    if options.auth_file is not None:
        credentials = Credentials.of_file(options.auth_file)
    elif CREDENTIALS_VARIABLE in os.environ:
        credentials = Credentials.parse(os.environ[CREDENTIALS_VARIABLE])
    Origins(options.allowed_origins)  # a malformed one is refused now
    return build(
        options.allowed_hosts,
        options.allowed_origins,
        credentials,
        options.public_health,
        Limits(body=options.max_body),
        options.artifacts_destination,
    )


def _listen(host: str, port: int) -> socket.socket:
    """A socket that listens.

    :raises TrackspecError: INVALID_PARAMETER_VALUE if the address is unknown or not of this machine, or the port
        is in use or not permitted.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=2048)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else "no such address"
        raise invalid(f"cannot listen at {_authority(host, port)}: {reason}") from None


def _artifacts(options: argparse.Namespace, settings: Settings) -> ArtifactRepository | None:
    """The repository that is handed on, which is the artifact root where neither store nor environment has one."""
    if not options.artifacts_destination:
        return None
    if options.workers > 1 and options.artifacts_destination.lower().startswith("memory:"):
        raise invalid("A repository in memory is of one process: it cannot have several workers.")
    os.environ.setdefault(ARTIFACT_ROOT_VARIABLE, PROXIED)
    return settings.artifacts()


def _open(options: argparse.Namespace) -> TrackingStore:
    """The store, with the artifact root that the options name."""
    if options.workers > 1 and options.store.startswith("memory:"):
        raise invalid("A store in memory is of one process: it cannot have several workers.")
    if options.artifact_root:
        os.environ[ARTIFACT_ROOT_VARIABLE] = (
            options.artifact_root
        )  # a new store's first experiment is below it too
    store = open_store(options.store)
    if options.artifact_root:
        store.set_artifact_root(options.artifact_root)
    return store


def _tell_start(options: argparse.Namespace, listening: socket.socket, settings: Settings) -> None:
    host, port = listening.getsockname()[:2]
    workers = "1 worker" if options.workers == 1 else f"{options.workers} workers"
    print(
        f"trackspec {__version__} serves {masked(options.store)} at http://{_authority(host, port)} ({workers})",
        flush=True,
    )
    if settings.credentials is None and not ipaddress.ip_address(host).is_loopback:
        print("trackspec: no credentials are asked for, and other machines may call", file=sys.stderr, flush=True)


def masked(store_uri: str) -> str:
    """A store's URI without password and options, which may hold one."""
    uri = re.sub(r"\?.*", "", store_uri, flags=re.DOTALL)
    return re.sub(r"^([A-Za-z][\w+.-]*://[^/@:]*):[^/]*@", r"\1:***@", uri)


def _authority(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _failed(message: str) -> int:
    print(f"trackspec: {message}", file=sys.stderr)
    return COULD_NOT_START


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for name in map(str.strip, text.split(",")) if name)


def _port(text: str) -> int:
    return _number(text, 0, 65_535)


def _workers(text: str) -> int:
    return _number(text, 1, 64)


def _size(text: str) -> int:
    return _number(text, 1024, 2**30)


def _number(text: str, least: int, most: int) -> int:
    try:
        number = int(text)
    except ValueError:
        number = least - 1
    if not least <= number <= most:
        raise argparse.ArgumentTypeError(f"must be {least} to {most}")
    return number
