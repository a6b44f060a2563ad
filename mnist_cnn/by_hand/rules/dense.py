"""Layers that multiply by a matrix: dense, network-in-network, embedding.

Symbols: `n` inputs, `m` units; `l` feature maps at the input, `k` at the output; `q`
positions.
"""

from __future__ import annotations

from dataclasses import replace

from ..description import Shape, format_shape
from ..errors import HyperParameterError
from ..formula import Formula, product
from ..rows import Tensor
from ..windows import follow
from .hyperparameters import known_sizes, whole_number
from .registry import Derivation, Incoming, rule


@rule("DenseLayer", ignores="W nonlinearity", newer="num_leading_axes")
def derive_dense(
    incoming: Incoming, *, num_units: int, b: object = True, num_leading_axes: int = 1
) -> Derivation:
    """Every input has a weight to every unit: ``(n + 1)*m``, one bias each.

    >>> from mnist_cnn.by_hand import Formula
    >>> Formula("(n + 1)*m", n=Formula("c*h*w", c=32, h=5, w=5), m=256).value
    205056
    """
    shape = incoming.shape
    units = whole_number("num_units", num_units, 1)
    leading = whole_number("num_leading_axes", num_leading_axes)
    if not -len(shape) <= leading < len(shape):
        raise HyperParameterError(
            f"num_leading_axes={leading} does not fit an input of {len(shape)} axes, "
            f"{format_shape(shape)}: at least one must be left to multiply"
        )
    factors = known_sizes(shape[leading:], "inputs of a dense layer")
    inputs = product(factors)
    count = inputs if isinstance(inputs, int) else inputs.value
    assert count is not None
    tensors = [Tensor("W", (count, units))]
    if b is not None:
        tensors.append(Tensor("b", (units,)))
    kept = range(leading % len(shape))
    positions = shape[1 : len(kept)]
    return Derivation(
        (*shape[:leading], units),
        tensors,
        Formula("(n + 1)*m" if b is not None else "n*m", n=inputs, m=units),
        connections=Formula(
            "n*m*q" if positions else "n*m", n=inputs, m=units, q=product(positions)
        ),
        windows=follow([*kept, None]),
    )


@rule("NINLayer", ignores="W nonlinearity")
def derive_nin(
    incoming: Incoming,
    *,
    num_units: int,
    untie_biases: bool = False,
    b: object = True,
) -> Derivation:
    """A dense layer over the channels, the same at every position: ``(l + 1)*k``."""
    if len(incoming.shape) < 2:
        raise HyperParameterError(
            "a network-in-network takes (batch, feature maps, ...), got the shape "
            f"{format_shape(incoming.shape)}"
        )
    batch, channels, *spatial = incoming.shape
    units = whole_number("num_units", num_units, 1)
    (maps,) = known_sizes((channels,), "feature maps of the input")
    tensors = [Tensor("W", (maps, units))]
    formula = Formula("l*k", l=maps, k=units)
    if b is not None and untie_biases:
        sizes = known_sizes(spatial, "positions, for each has biases of its own,")
        tensors.append(Tensor("b", (units, *sizes)))
        formula = Formula("l*k + k*q", l=maps, k=units, q=product(sizes, "hwd"))
    elif b is not None:
        tensors.append(Tensor("b", (units,)))
        formula = Formula("(l + 1)*k", l=maps, k=units)
    return Derivation(
        (batch, units, *spatial),
        tensors,
        formula,
        connections=Formula(
            "l*k*q" if spatial else "l*k", l=maps, k=units, q=product(spatial, "hwd")
        ),
        windows=follow([0, None, *range(2, len(spatial) + 2)]),
    )


@rule("NINLayer_c01b", ignores="W nonlinearity")
def derive_nin_c01b(
    incoming: Incoming,
    *,
    num_units: int,
    untie_biases: bool = False,
    b: object = True,
) -> Derivation:
    """The same where the batch is last: (feature maps, rows, columns, batch)."""
    *shape, batch = incoming.shape or (None,)
    derived = derive_nin(
        replace(incoming, _shapes=((batch, *shape),)),
        num_units=num_units,
        untie_biases=untie_biases,
        b=b,
    )
    weights, *biases = derived.tensors
    assert derived.output_shape is not None
    return replace(
        derived,
        output_shape=(*derived.output_shape[1:], batch),
        windows=follow([None, *range(1, len(shape) + 1)]),
        tensors=[replace(weights, shape=weights.shape[::-1]), *biases],
    )


@rule("EmbeddingLayer", ignores="W")
def derive_embedding(
    incoming: Incoming, *, input_size: int, output_size: int
) -> Derivation:
    """A row of `output_size` numbers for each of `input_size` whole numbers."""
    rows = whole_number("input_size", input_size, 1)
    columns = whole_number("output_size", output_size, 1)
    shape: Shape = (*incoming.shape, columns)
    return Derivation(
        shape,
        [Tensor("W", (rows, columns))],
        Formula("n*m", n=rows, m=columns),
        # It looks a row up and multiplies nothing.
        connections=Formula("0"),
        windows=follow([*range(len(shape) - 1), None]),
    )
