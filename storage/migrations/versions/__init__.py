"""One module a step, forward only."""
