"""The format: immutable documents, their bytes, the files that hold them. Knows no operator, computes nothing."""
