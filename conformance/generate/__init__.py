"""Makes the conformance cases. Shares no code with the package that they test: it imports nothing of nnpack."""
