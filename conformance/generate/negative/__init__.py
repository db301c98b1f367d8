"""Cases of bytes alone: reject, canonical. They need neither Keras nor TensorFlow."""
