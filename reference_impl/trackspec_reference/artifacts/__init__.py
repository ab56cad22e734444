"""Artifact repositories that keep the contract."""
