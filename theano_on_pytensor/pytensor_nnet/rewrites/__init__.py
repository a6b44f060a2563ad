"""Graph rewrites. They know the Ops.

Importing this package registers them all in PyTensor's database, each under a name
by which a mode can exclude it.
"""

from pytensor_nnet.rewrites import (
    compilation,
    cropping,
    elemwise,
    fusion_conv,
    fusion_crossentropy,
    fusion_dense,
    fusion_updates,
    random_state,
)

__all__ = [
    "compilation",
    "cropping",
    "elemwise",
    "fusion_conv",
    "fusion_crossentropy",
    "fusion_dense",
    "fusion_updates",
    "random_state",
]
