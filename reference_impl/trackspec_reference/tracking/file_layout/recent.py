"""The most recently used of many things."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """A mapping that makes what it lacks, and forgets what was not asked for lately.

    What is forgotten lives on as long as somebody uses it.

    :param forgotten: called with what is forgotten.
    """

    def __init__(self, capacity: int, forgotten: Callable[[V], None] | None = None) -> None:
        self._capacity = capacity
        self._forgotten = forgotten
        self._values: OrderedDict[K, V] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: K, make: Callable[[], V]) -> V:
        """The value of a key, made if need be."""
        with self._lock:
            value = self._values.get(key)
            if value is not None:
                self._values.move_to_end(key)
                return value
            value = self._values[key] = make()
            oldest = self._values.popitem(last=False)[1] if len(self._values) > self._capacity else None
        if oldest is not None and self._forgotten is not None:
            self._forgotten(oldest)
        return value

    def clear(self) -> None:
        """Forget everything; for the last time, so it waits for no other thread."""
        self._values.clear()
