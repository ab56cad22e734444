"""Database servers in containers, where a Docker engine answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache

from tests.servers import Unavailable, wait_until_ready


@cache
def engine_answers() -> bool:
    """Whether there is a Docker engine; a command line client alone is none."""
    try:
        import docker  # noqa: PLC0415 - not everybody has it

        docker.from_env(timeout=3).ping()
    except Exception:
        return False
    return True


@contextmanager
def running(
    image: str,
    port: int,
    environment: Mapping[str, str],
    command: list[str],
    uri: Callable[[str], str],
    connect: Callable[[str], object],
) -> Iterator[str]:
    """A container, as the URI of its server, until the end.

    :param uri: makes the URI from ``host:port``.
    :param connect: takes the URI, and raises as long as the server is not ready.
    :raises Unavailable: if it does not start, for one because its image cannot be fetched.
    """
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415 - not everybody has it

    container = DockerContainer(image).with_exposed_ports(port).with_command(command)
    for name, value in environment.items():
        container.with_env(name, value)
    try:
        container.start()
    except Exception as error:
        raise Unavailable(f"the container of {image} does not start: {type(error).__name__}") from error
    try:
        address = uri(f"{container.get_container_host_ip()}:{container.get_exposed_port(port)}")
        wait_until_ready(lambda: connect(address), seconds=120)
        yield address
    finally:
        container.stop()
