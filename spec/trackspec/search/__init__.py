"""Searching: filters, orderings and page tokens, from a caller's text to what matches."""
