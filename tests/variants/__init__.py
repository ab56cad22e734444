"""Backends that are right and differ from the model in what the specification leaves open: no check may fail."""
