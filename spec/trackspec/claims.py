"""Which class claims a URI: its scheme decides, through entry points, ours and third parties' alike."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from trackspec.errors import invalid

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9.-]+)(?:\+[A-Za-z0-9_.-]+)?:|(databricks)(?:\?.*)?\Z")
"""``databricks`` alone is MLflow's URI for the workspace of the default profile."""


@dataclass(frozen=True)
class Claims:
    """The classes of one kind, by URI scheme.

    :ivar group: the entry point group: the name is a URI scheme, without a ``+driver``; the object takes the URI.
    :ivar kind: what the classes are, such as ``store``.
    :ivar extras: for each scheme of ours, the extra that holds its libraries.
    """

    group: str
    kind: str
    extras: Mapping[str, str]

    def class_for(self, uri: str) -> type[Any]:
        """The class that claims the URI's scheme; a URI without a scheme is a path, and so of scheme ``file``.

        :raises TrackspecError: INVALID_PARAMETER_VALUE if no installed class claims the scheme, several do, or the
            one that does cannot be imported.
        """
        if not isinstance(uri, str) or not uri:
            raise invalid(f"{self.kind.capitalize()} URIs are non-empty strings.")
        match = _SCHEME.match(uri)
        scheme = (match[1] or match[2]).lower() if match else "file"
        claims = list(entry_points(group=self.group, name=scheme))
        if not claims:
            known = ", ".join(self.schemes())
            raise invalid(f"No installed {self.kind} claims the URI scheme {scheme!r}; known are {known}.")
        if len({claim.value for claim in claims}) > 1:
            rivals = ", ".join(map(_named, claims))
            raise invalid(f"More than one {self.kind} claims the URI scheme {scheme!r}: {rivals}.")
        try:
            claimed: type[Any] = claims[0].load()
        except ImportError as error:
            told = f"The {self.kind} for {scheme!r} cannot be imported: {error}.{self._advice(scheme)}"
            raise invalid(told) from error
        return claimed

    def schemes(self) -> list[str]:
        """The URI schemes that some installed class claims."""
        return sorted({entry_point.name for entry_point in entry_points(group=self.group)})

    def _advice(self, scheme: str) -> str:
        extra = self.extras.get(scheme)
        return f" Install it with: pip install 'trackspec[{extra}]'" if extra else ""


def _named(entry_point: EntryPoint) -> str:
    distribution = entry_point.dist.name if entry_point.dist else "unknown distribution"
    return f"{entry_point.value} ({distribution})"
