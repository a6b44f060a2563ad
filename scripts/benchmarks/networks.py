"""The networks that are measured, and the arithmetic that they cost.

A network is a list of layers, each a name and its hyper-parameters, plain enough
to be written as JSON and built by any library:

- ``conv``: ``filters``, ``size``, ``stride``, ``pad`` (``"valid"`` or ``"same"``)
  and ``nonlinearity`` (``"relu"`` or ``"tanh"``);
- ``pool``: ``size``, ``stride`` and ``mode`` (``"max"`` or ``"average"``);
- ``dropout``: ``p``;
- ``dense``: ``units`` and ``nonlinearity`` (also ``"softmax"``).
"""

from dataclasses import dataclass, field
from math import prod
from typing import Any

Layer = tuple[str, dict[str, Any]]

GRAY, COLOURED = (1, 28, 28), (3, 32, 32)
"""Shapes of images: MNIST's, and that of random numbers (no blank pixels)."""


def conv(filters: int, size: int, **others: Any) -> Layer:
    defaults = {"stride": 1, "pad": "valid", "nonlinearity": "relu"}
    return "conv", {"filters": filters, "size": size, **defaults, **others}


def pool(size: int = 2, stride: int | None = None, mode: str = "max") -> Layer:
    return "pool", {"size": size, "stride": stride or size, "mode": mode}


def dropout(p: float) -> Layer:
    return "dropout", {"p": p}


def dense(units: int, nonlinearity: str = "relu") -> Layer:
    return "dense", {"units": units, "nonlinearity": nonlinearity}


@dataclass(frozen=True)
class Network:
    """A classifier of images into ten classes.

    Attributes
    ----------
    name, description : str
    image : tuple of int
        Channels, rows, columns.
    layers : list
        All but the last, a dense layer with softmax.
    nesterov : bool
        Which kind of momentum; the learning rate is 0.01, the momentum 0.9.
    """

    name: str
    description: str
    image: tuple[int, int, int]
    hidden: list[Layer] = field(repr=False)
    nesterov: bool = False

    @property
    def layers(self) -> list[Layer]:
        return [*self.hidden, dense(10, "softmax")]


@dataclass(frozen=True)
class Cost:
    """What an image costs: multiplications and additions, and learnable parameters.

    A bias, a nonlinearity and a pool count as nothing. The backward pass computes
    each layer's gradients with respect to its weights and, but for the first, its
    inputs. ``sparse_backward`` leaves out what a max pool's zeros save for certain:
    a window passes a gradient to one of its positions. It knows no other zeros, so
    it is no bound for kernels that skip a rectifier's and blank pixels as well.
    """

    forward: int
    backward: int
    sparse_backward: float
    parameters: int

    def dense_epoch(self, trained: int, validated: int) -> float:
        """Of training on some images and evaluating others."""
        return trained * (self.forward + self.backward) + validated * self.forward

    def sparse_epoch(self, trained: int, validated: int) -> float:
        return trained * (self.forward + self.sparse_backward) + validated * (
            self.forward
        )


def count(network: Network) -> Cost:
    """Walk through the layers.

    >>> question = count(NETWORKS["question"])
    >>> question.parameters
    217706
    >>> round(question.dense_epoch(48_000, 12_000) / 1e9)
    452
    >>> round(question.sparse_epoch(48_000, 12_000) / 1e9)
    286
    """
    shape: tuple[int, ...] = network.image
    forward = backward = parameters = 0
    sparse = 0.0
    first = True
    layers = network.layers
    for index, (kind, layer) in enumerate(layers):
        if kind == "pool":
            shape = (shape[0], *(_pooled(n, layer) for n in shape[1:]))
        if kind not in ("conv", "dense"):
            continue
        if kind == "conv":
            weights = layer["filters"] * shape[0] * layer["size"] ** 2
            shape = (layer["filters"], *(_convolved(n, layer) for n in shape[1:]))
            cost = 2 * weights * prod(shape[1:])
        else:
            weights = layer["units"] * prod(shape)
            shape = (layer["units"],)
            cost = 2 * weights
        gradients = cost if first else 2 * cost
        forward += cost
        backward += gradients
        sparse += gradients * _share_passed_on(shape, layers[index + 1 :])
        parameters += weights + shape[0]
        first = False
    return Cost(forward, backward, sparse, parameters)


def _convolved(length: int, layer: dict[str, Any]) -> int:
    pad = layer["size"] // 2 if layer["pad"] == "same" else 0
    return (length + 2 * pad - layer["size"]) // layer["stride"] + 1


def _pooled(length: int, layer: dict[str, Any]) -> int:
    return (length - layer["size"]) // layer["stride"] + 1


def _share_passed_on(shape: tuple[int, ...], following: list[Layer]) -> float:
    """The share of a layer's outputs that get a gradient."""
    if not following or following[0][0] != "pool" or following[0][1]["mode"] != "max":
        return 1.0
    layer = following[0][1]
    windows = prod(_pooled(n, layer) for n in shape[1:])
    return min(1.0, windows / prod(shape[1:]))


NETWORKS = {
    network.name: network
    for network in (
        Network(
            "question",
            "the question's",
            GRAY,
            [conv(32, 5), pool(), conv(32, 3), pool(), dense(256)],
        ),
        Network(
            "blog",
            "the blog's, with dropout",
            GRAY,
            [
                *(conv(32, 5), pool(), conv(32, 5), pool()),
                *(dropout(0.5), dense(256), dropout(0.5)),
            ],
            nesterov=True,
        ),
        Network(
            "odd",
            "odd numbers of channels and units",
            GRAY,
            [conv(13, 3), pool(), conv(27, 5), pool(), dense(101)],
        ),
        Network(
            "no-pool",
            "no pooling",
            GRAY,
            [conv(16, 3), conv(32, 3), dense(64)],
        ),
        Network(
            "strided",
            "a stride of 2 in the place of pooling",
            GRAY,
            [conv(32, 5, stride=2), conv(64, 3, stride=2), dense(128)],
        ),
        Network(
            "same",
            "5x5 'same' convolutions of coloured images",
            COLOURED,
            [
                *(conv(32, 5, pad="same"), pool(), conv(32, 5, pad="same"), pool()),
                *(conv(64, 5, pad="same"), pool(), dense(64)),
            ],
        ),
        Network(
            "average",
            "LeNet-5: tanh and average pools",
            GRAY,
            [
                *(conv(6, 5, pad="same", nonlinearity="tanh"), pool(mode="average")),
                *(conv(16, 5, nonlinearity="tanh"), pool(mode="average")),
                *(dense(120, "tanh"), dense(84, "tanh")),
            ],
        ),
        Network(
            "overlapping",
            "3x3 max pools that overlap, coloured images",
            COLOURED,
            [
                *(conv(32, 5, pad="same"), pool(3, 2), conv(48, 3, pad="same")),
                *(pool(3, 2), dense(128)),
            ],
        ),
        Network("dense", "dense layers alone", GRAY, [dense(512), dense(512)]),
        Network(
            "vgg",
            "VGG-style: six 3x3 convolutions, coloured images",
            COLOURED,
            [
                *(conv(32, 3, pad="same"), conv(32, 3, pad="same"), pool()),
                *(conv(64, 3, pad="same"), conv(64, 3, pad="same"), pool()),
                *(conv(128, 3, pad="same"), conv(128, 3, pad="same"), pool()),
                dense(256),
            ],
        ),
    )
}
