"""The tracking store of a Databricks workspace."""

from __future__ import annotations

import re
from urllib.parse import unquote

from trackspec.errors import invalid
from trackspec_reference.credentials.databricks import get_databricks_host_creds
from trackspec_reference.credentials.host_creds import HostCreds
from trackspec_reference.tracking.rest_store import AbstractRestStore

_URI = re.compile(r"databricks(?:://(?P<profile>[^/?#@:\s]*))?(?:\?.*)?", re.IGNORECASE)


class DatabricksRestStore(AbstractRestStore):
    """The tracking store of a Databricks workspace.

    Databricks' own SDK finds the credentials and renews them. A profile that the URI names counts, whatever the
    environment says.

    :param store_uri: ``databricks`` for the workspace that the SDK finds by itself, ``databricks://PROFILE`` for
        that of a profile of its configuration file; with the options of every REST store.
    :raises TrackspecError: INVALID_PARAMETER_VALUE if it is neither, or there are no credentials;
        TEMPORARILY_UNAVAILABLE if finding them takes too long.
    """

    def _get_host_creds(self) -> HostCreds:
        match = _URI.fullmatch(self.store_uri)
        if not match:
            raise invalid("The URI of a Databricks workspace is databricks or databricks://PROFILE.")
        return get_databricks_host_creds(unquote(match["profile"] or "") or None)
