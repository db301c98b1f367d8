"""Image augmentation: outside of training these layers hand on their images, as floats.

(Some of them do not cast integers when they are called one by one; all do in `predict`, and declare so.)
"""

from __future__ import annotations

from keras import layers

from nnpack.exporters.keras.call import Call, Ref
from nnpack.exporters.keras.registry import handles
from nnpack.format.document import Value

NAMES = (
    "AugMix",
    "CutMix",
    "Equalization",
    "MaxNumBoundingBoxes",
    "MixUp",
    "RandAugment",
    "RandomBrightness",
    "RandomColorDegeneration",
    "RandomColorJitter",
    "RandomContrast",
    "RandomCrop",
    "RandomElasticTransform",
    "RandomErasing",
    "RandomFlip",
    "RandomGaussianBlur",
    "RandomGrayscale",
    "RandomHue",
    "RandomInvert",
    "RandomPerspective",
    "RandomPosterization",
    "RandomRotation",
    "RandomSaturation",
    "RandomSharpness",
    "RandomShear",
    "RandomTranslation",
    "RandomZoom",
    "Solarization",
)
"""Layers of keras.layers; each version of Keras has some of them. (RandomCrop crops in training alone.)"""


@handles(*(getattr(layers, name) for name in NAMES if hasattr(layers, name)))
def augmentation(call: Call) -> Value:
    images = next(iter(call.arguments.values()))
    if not isinstance(images, Ref):
        raise call.refuse("a dict of images and their annotations", "images alone")
    return call.cast(call.value(images), call.operation.compute_dtype)
