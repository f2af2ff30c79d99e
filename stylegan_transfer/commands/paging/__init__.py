"""The parts of `page`: what is wished, how it is painted, and the page around it."""
