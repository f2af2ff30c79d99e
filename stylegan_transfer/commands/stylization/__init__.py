"""The parts of the command `stylize`."""
