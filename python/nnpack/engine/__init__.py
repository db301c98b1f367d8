"""Prediction: a document is checked against its operators, planned once, and run. Knows no file."""
