"""Faulty tracking stores."""

from tests.gallery import Gallery

GALLERY = Gallery("tracking", __name__, __path__)

fault = GALLERY.fault
