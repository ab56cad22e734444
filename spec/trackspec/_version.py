"""The version of the distribution: specification, reference stores and suite are released together."""

__version__ = "0.1.0"
