"""The parts of `evaluate`: what is measured, the figures, and the report of them."""
