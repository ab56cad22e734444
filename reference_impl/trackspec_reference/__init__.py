"""Reference implementations of the stores that the specification describes."""
