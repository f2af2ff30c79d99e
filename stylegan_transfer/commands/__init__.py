"""The command line: one module a command, each from flags to one call."""
