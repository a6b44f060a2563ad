"""Generates what is done to a convolution's output before it is written."""

from pytensor_nnet.kernels.llvm.ir import Function, Value, lanes_of, vector
from pytensor_nnet.kernels.llvm.layer import Layer

__all__ = ["maximum", "window_output"]


def window_output(layer: Layer, window: list[Value]) -> list[Value]:
    """Of a window, for a vector of filters: the output and, if it is kept, the mask.

    ``window`` are the sums at its positions, the bias among them. The largest is
    taken and rectified.
    """
    largest = maximum(window)
    output = [_rectified(layer, largest)]
    if layer.epilogue.keeps_mask:
        output.append(_maxima(layer, window, largest))
    return output


def maximum(values: list[Value]) -> Value:
    """The largest; NaN where any is."""
    function: Function = values[0].function
    largest = values[0]
    for other in values[1:]:
        largest = other.compare("ogt", largest).select(other, largest)
    if len(values) > 1:
        pairs = zip(values[::2], [*values[1::2], values[-1]], strict=False)
        unordered = None
        for one, other in pairs:
            bits = one.compare("uno", other)
            unordered = bits if unordered is None else unordered | bits
        nan = function.zero(largest.type) / 0.0
        largest = unordered.select(nan, largest)
    return largest


def _rectified(layer: Layer, x: Value) -> Value:
    slope = layer.epilogue.slope
    if slope is None:
        return x
    below = x * slope if slope else 0
    return x.compare("ugt", 0).select(x, below)


def _maxima(layer: Layer, window: list[Value], maximum: Value) -> Value:
    """A bit for each position whose value is the maximum."""
    function, lanes = maximum.function, lanes_of(maximum.type)
    width = {"float": 32, "double": 64}[layer.element]
    integers = vector(lanes, f"i{width}")
    zero = function.zero(integers)
    bits = zero
    for position, value in enumerate(window):
        bit = Value(function, integers, function.constant(1 << position, integers))
        found = value.compare("ueq", maximum).select(bit, zero)
        bits = found if position == 0 else bits | found
    if layer.epilogue.slope == 0:
        bits = maximum.compare("uge", 0).select(bits, zero)
    return bits.convert("trunc", vector(lanes, layer.epilogue.mask_type))
