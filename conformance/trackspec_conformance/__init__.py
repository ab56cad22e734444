"""The conformance suite: does a backend keep the contract of :mod:`trackspec`?"""
