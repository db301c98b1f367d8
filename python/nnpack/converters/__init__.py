"""Ways out of a file: C sources, CSV, NPZ, a spreadsheet."""
