"""Subjects: what is under test, found from a URI, a URI of MLflow's, or a Python factory."""

from trackspec_conformance.subjects.errors import SubjectError
from trackspec_conformance.subjects.locating import open_subject
from trackspec_conformance.subjects.subject import Identity, Subject

__all__ = ["Identity", "Subject", "SubjectError", "open_subject"]
