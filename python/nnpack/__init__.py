"""nnpack: the file a trained neural network travels in when there is no Keras at the other end."""

from nnpack.api import load as load
from nnpack.api import loads as loads
