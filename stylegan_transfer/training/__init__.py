"""Training: the configuration, the pictures, the training step, the run."""
