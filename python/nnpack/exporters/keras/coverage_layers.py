"""What becomes of each class of keras.layers, by its name: exported, gone at inference, refused, or part of others."""

from __future__ import annotations

from nnpack.exporters.keras import augmentation, core
from nnpack.exporters.keras.refusals import REFUSED

_EXPORTED = """
    Activation AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveAveragePooling3D AdaptiveMaxPooling1D
    AdaptiveMaxPooling2D AdaptiveMaxPooling3D Add AdditiveAttention Attention Average AveragePooling1D AveragePooling2D
    AveragePooling3D BatchNormalization Bidirectional CategoryEncoding CenterCrop Concatenate Conv1D Conv1DTranspose
    Conv2D Conv2DTranspose Conv3D Conv3DTranspose ConvLSTM1D ConvLSTM2D ConvLSTM3D Cropping1D Cropping2D Cropping3D
    Dense DepthwiseConv1D DepthwiseConv2D Discretization Dot ELU EinsumDense Embedding Flatten GRU
    GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D GlobalMaxPooling1D GlobalMaxPooling2D
    GlobalMaxPooling3D GroupNormalization GroupedQueryAttention IntegerLookup LSTM Lambda LayerNormalization LeakyReLU
    Masking MaxPooling1D MaxPooling2D MaxPooling3D Maximum Minimum MultiHeadAttention Multiply Normalization PReLU
    Permute Pipeline RMSNormalization RNN ReLU RepeatVector Rescaling Reshape Resizing ReversibleEmbedding
    SeparableConv1D SeparableConv2D SimpleRNN Softmax SpectralNormalization StringLookup Subtract TimeDistributed
    UnitNormalization UpSampling1D UpSampling2D UpSampling3D ZeroPadding1D ZeroPadding2D ZeroPadding3D
"""

_NO_LAYERS = """
    GRUCell InputLayer InputSpec LSTMCell Layer SimpleRNNCell StackedRNNCells Wrapper
"""

EXPORTED = frozenset(_EXPORTED.split())
"""Layers that are lowered to operators, with the arguments that an operator has."""

VANISHING = frozenset([*(layer.__name__ for layer in core.VANISHING), *augmentation.NAMES])
"""Layers that hand on their input at inference."""

NO_LAYERS = frozenset(_NO_LAYERS.split())
"""What is met inside of other layers alone: base classes, inputs, and the cells that RNN steps with."""

_WORDS = ((EXPORTED, "exported"), (VANISHING, "vanishes at inference"), (NO_LAYERS, "part of other layers"))


def what_becomes_of(name: str) -> str | None:
    """What the exporter does with layers of a class of keras.layers; None where nobody has looked at it."""
    known = next((word for names, word in _WORDS if name in names), None)
    return f"refused: {REFUSED[name]}" if known is None and name in REFUSED else known
