"""The checks, one package for each interface."""
