"""The checks of tracking stores, a module or more for each chapter."""
