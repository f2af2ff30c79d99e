"""Generators that run as exported graphs, with neither TensorFlow nor Keras."""
