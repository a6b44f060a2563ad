"""The two networks of the project as plain data: they need nothing installed.

Each is a list in nolearn's form, the layer's class and its hyper-parameters;
:mod:`mnist_cnn.network` has the same networks to train.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

Definition = list[tuple[str, dict[str, object]]]

QUESTION: Definition = [
    ("InputLayer", {"name": "input", "shape": (None, 1, 28, 28)}),
    ("Conv2DLayer", {"name": "conv2d1", "num_filters": 32, "filter_size": (5, 5)}),
    ("MaxPool2DLayer", {"name": "maxpool1", "pool_size": (2, 2)}),
    ("Conv2DLayer", {"name": "conv2d2", "num_filters": 32, "filter_size": (3, 3)}),
    ("MaxPool2DLayer", {"name": "maxpool2", "pool_size": (2, 2)}),
    ("DenseLayer", {"name": "dense", "num_units": 256}),
    ("DenseLayer", {"name": "output", "num_units": 10}),
]
"""Stack Overflow 42786717: 217,706 learnable parameters."""

BLOG: Definition = [
    ("InputLayer", {"name": "input", "shape": (None, 1, 28, 28)}),
    ("Conv2DLayer", {"name": "conv2d1", "num_filters": 32, "filter_size": (5, 5)}),
    ("MaxPool2DLayer", {"name": "maxpool1", "pool_size": (2, 2)}),
    ("Conv2DLayer", {"name": "conv2d2", "num_filters": 32, "filter_size": (5, 5)}),
    ("MaxPool2DLayer", {"name": "maxpool2", "pool_size": (2, 2)}),
    ("DropoutLayer", {"name": "dropout1", "p": 0.5}),
    ("DenseLayer", {"name": "dense", "num_units": 256}),
    ("DropoutLayer", {"name": "dropout2", "p": 0.5}),
    ("DenseLayer", {"name": "output", "num_units": 10}),
]
"""Convolutional Neural Networks and Feature Extraction with Python: 160,362."""

NETWORKS: Mapping[str, Definition] = MappingProxyType(
    {"blog": BLOG, "question": QUESTION}
)
