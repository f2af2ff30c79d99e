"""Exports: generators as graphs of other formats, which need neither TensorFlow nor Keras."""
