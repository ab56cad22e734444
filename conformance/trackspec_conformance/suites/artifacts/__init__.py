"""The checks of artifact repositories: one module for each section of the chapters."""
