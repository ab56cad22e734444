"""A server of the REST protocol over any tracking store."""
