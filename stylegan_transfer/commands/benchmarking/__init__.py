"""The parts of `benchmark`: who takes turns, what they do, and the tables of it."""
