"""The networks, on `keras` and `keras.ops`; the feature extractor; saved generators."""
