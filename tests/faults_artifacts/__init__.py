"""Faulty artifact repositories."""

from tests.gallery import Gallery

GALLERY = Gallery("artifacts", __name__, __path__)

fault = GALLERY.fault
