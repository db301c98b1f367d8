"""What Keras computes for each operator, a module for each family: `generate.oracle` has them all."""
