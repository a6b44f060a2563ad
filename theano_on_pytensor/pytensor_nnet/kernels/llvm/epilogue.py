"""Generates what is done to a convolution's output before it is written."""

from pytensor_nnet.kernels.llvm.ir import Function, Value, lanes_of, vector
from pytensor_nnet.kernels.llvm.layer import Layer

__all__ = ["window_output"]


def window_output(layer: Layer, window: list[Value], bias: Value) -> list[Value]:
    """Of a window, for a vector of filters: the output and, if it is kept, the mask.

    ``window`` are the sums at its positions. The bias is added, then the largest is
    taken and rectified.
    """
    window = [value + bias for value in window]
    maximum = _maximum(window)
    output = [_rectified(layer, maximum)]
    if layer.epilogue.keeps_mask:
        output.append(_maxima(layer, window, maximum))
    return output


def _maximum(window: list[Value]) -> Value:
    """NaN where any is."""
    function: Function = window[0].function
    maximum = window[0]
    for other in window[1:]:
        maximum = other.compare("ogt", maximum).select(other, maximum)
    if len(window) > 1:
        pairs = zip(window[::2], [*window[1::2], window[-1]], strict=False)
        unordered = None
        for one, other in pairs:
            bits = one.compare("uno", other)
            unordered = bits if unordered is None else unordered | bits
        nan = function.zero(maximum.type) / 0.0
        maximum = unordered.select(nan, maximum)
    return maximum


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
