"""Opening a tracking store by its URI."""

from __future__ import annotations

from trackspec.claims import Claims
from trackspec.store import TrackingStore

STORES = Claims(
    "trackspec.tracking_stores",
    "store",
    {
        "sqlite": "sql",
        "postgresql": "postgresql",
        "mysql": "mysql",
        "http": "rest",
        "https": "rest",
        "databricks": "databricks",
    },
)
"""The classes of tracking stores."""


def open_store(store_uri: str) -> TrackingStore:
    """Open the store that claims the URI's scheme.

    The word ``databricks`` is a URI of its scheme. Other text without a scheme is a path, and so a file store's.

    :raises TrackspecError: INVALID_PARAMETER_VALUE if no installed store claims the scheme, several do, or the
        one that does cannot be imported; otherwise whatever the store's constructor raises.
    """
    store = STORES.class_for(store_uri)(store_uri)
    assert isinstance(store, TrackingStore)
    return store
