"""Reference tracking stores, each constructed from one URI."""
