"""Painting pictures and clips in a style with a generator, or by optimisation."""
