"""The parts of `distill`: teachers, the student's training, and how well it learned."""
