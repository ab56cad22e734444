"""All surfaces, by name."""

from __future__ import annotations

from tests.fuzz.artifacts import Listings, Paths
from tests.fuzz.records import Records
from tests.fuzz.requests import Requests
from tests.fuzz.searches import Filters, Orders, Tokens
from tests.fuzz.surface import Surface

SURFACES: dict[str, type[Surface]] = {
    surface.name: surface for surface in (Filters, Orders, Tokens, Records, Requests, Paths, Listings)
}
