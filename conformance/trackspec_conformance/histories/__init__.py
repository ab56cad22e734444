"""Recorded histories of concurrent calls, and whether some order of the calls explains them."""
