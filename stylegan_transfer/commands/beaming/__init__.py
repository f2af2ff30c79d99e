"""The parts of the command `beam`."""
