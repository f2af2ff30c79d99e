"""Figures of quality, and how close a result is to its originals."""
