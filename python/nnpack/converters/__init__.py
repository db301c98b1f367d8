"""Ways out of a file: a model as C."""
