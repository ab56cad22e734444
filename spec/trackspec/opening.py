"""Opening a tracking store by its URI. The scheme decides, through entry points, ours and third parties' alike."""

from __future__ import annotations

import re
from importlib.metadata import EntryPoint, entry_points

from trackspec.errors import invalid
from trackspec.store import TrackingStore

GROUP = "trackspec.tracking_stores"
"""The entry point group: the name is a URI scheme, without a ``+driver``; the object takes the URI."""

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9.-]+)(?:\+[A-Za-z0-9_.-]+)?:|(databricks)(?:\?.*)?\Z")


def open_store(store_uri: str) -> TrackingStore:
    """Open the store that claims the URI's scheme.

    The word ``databricks`` is a URI of its scheme. Other text without a scheme is a path, and so a file store's.

    :raises TrackspecError: INVALID_PARAMETER_VALUE if no installed store claims the scheme, several do, or the
        one that does cannot be imported; otherwise whatever the store's constructor raises.
    """
    if not isinstance(store_uri, str) or not store_uri:
        raise invalid("A store URI must be a non-empty string.")
    match = _SCHEME.match(store_uri)
    scheme = (match[1] or match[2]).lower() if match else "file"
    claims = list(entry_points(group=GROUP, name=scheme))
    if not claims:
        raise invalid(f"No installed store claims the URI scheme {scheme!r}; known are {', '.join(schemes())}.")
    if len({claim.value for claim in claims}) > 1:
        raise invalid(f"Several stores claim the URI scheme {scheme!r}: {', '.join(map(_named, claims))}.")
    try:
        store_class = claims[0].load()
    except ImportError as error:
        raise invalid(f"The store for {scheme!r} cannot be imported: {error}.{_extra_for(scheme)}") from error
    store = store_class(store_uri)
    assert isinstance(store, TrackingStore)
    return store


def schemes() -> list[str]:
    """The URI schemes that some installed store claims."""
    return sorted({entry_point.name for entry_point in entry_points(group=GROUP)})


_EXTRAS = {
    "sqlite": "sql",
    "postgresql": "postgresql",
    "mysql": "mysql",
    "http": "rest",
    "https": "rest",
    "databricks": "databricks",
}


def _extra_for(scheme: str) -> str:
    return f" Install it with: pip install 'trackspec[{_EXTRAS[scheme]}]'" if scheme in _EXTRAS else ""


def _named(entry_point: EntryPoint) -> str:
    distribution = entry_point.dist.name if entry_point.dist else "unknown distribution"
    return f"{entry_point.value} ({distribution})"
