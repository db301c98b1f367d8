"""Cases whose numbers come from Keras: run, special, network. One module per family of operators."""
