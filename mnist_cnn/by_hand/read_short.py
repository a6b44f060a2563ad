"""Reads a network from the short form, which fits on a command line.

    1x28x28 conv32@5x5 pool2 conv32@3x3 pool2 dense256 dense10

The input's sizes come first, without the batch; ``?`` is one that is not fixed. Then a
word for each layer: what it is, its numbers, its options.

=====================  ===============================================================
conv32@5x5, conv32@5   32 filters of 5x5; over 1, 2 or 3 axes, as many as the input has
deconv32@4             transposed convolution
dilated32@3            dilated convolution: ``dilated32@3[dilation=2]``
local32@3              locally connected layer
nin64, dense256        network-in-network and dense layer
pool2, pool3x2         max pool; ``maxpool2`` is the same
avgpool2               average pool
globalpool             one number for each feature map
maxout2                the largest of every 2 feature maps
upscale2               each position twice along each axis
dropout, dropout0.2    dropout; ``noise0.1``: Gaussian noise
bn, lrn, prelu, relu   batch normalisation, local response normalisation, rectifiers
flatten, reshape8x7x7  the sizes anew, the batch kept; ``pad2``: zeros around
embed5000x64           embedding of 5000 words as 64 numbers
rnn64, lstm64, gru64   recurrent layers; ``last``: the last time step
=====================  ===============================================================

Options follow, those in brackets last:

=====================  ===============================================================
/2, /2x1               stride
+1, +1x0, +same        pad: a number, ``same``, ``full`` or ``valid``; what is cropped
                       of ``deconv``
[b=None, ...]          any other hyper-parameter by its keyword in Lasagne
=====================  ===============================================================

Any class of Lasagne can be used by its name: ``SliceLayer[indices=0,axis=1]``. A layer
gets a name with ``conv1=conv32@5x5`` and is repeated with ``3*conv64@3+1``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from difflib import get_close_matches

from .description import MOST_LAYERS, Network, Shape
from .errors import DescriptionError
from .read_definitions import read_definitions, shorten

Arguments = dict[str, object]

_SIZES = re.compile(r"[0-9?]{1,18}(?:x[0-9?]{1,18})*")
_WORD = re.compile(
    r"""(?:(?P<times>[0-9]{1,18})\*)?
        (?:(?P<name>[^\s=\[\]]+)=)?
        (?P<kind>[A-Z]\w*|[a-z]+)
        (?P<numbers>[0-9.x?]*)
        (?:@(?P<size>[0-9x]+))?
        (?:/(?P<stride>[0-9x]+))?
        (?:\+(?P<pad>[0-9x]+|same|full|valid))?
        (?P<keywords>\[.*\])?""",
    re.VERBOSE | re.DOTALL,
)

_PAD_FIRST = re.compile(r"^([^\[]*?)(\+(?:[0-9x]+|same|full|valid))(/[0-9x]+)")


def is_short(text: str) -> bool:
    """Whether a text starts as the short form does: with the sizes of the input."""
    first = text.split(maxsplit=1)[:1]
    return bool(first) and _SIZES.fullmatch(first[0].rpartition("=")[2]) is not None


def read_sizes(text: str) -> tuple[int | None, ...]:
    """``1x28x28`` as numbers, ``?`` as None.

    Raises
    ------
    DescriptionError
        If it is anything else.
    """
    parts = text.split("x")
    if not all(re.fullmatch(r"\?|[0-9]{1,18}", part) for part in parts):
        raise DescriptionError(
            f"got {shorten(text)}, where sizes are needed, without the batch: 1x28x28"
        )
    return tuple(None if part == "?" else int(part) for part in parts)


def read_short(text: str) -> Network:
    """The network that a text in the short form describes.

    Raises
    ------
    DescriptionError
        If a word is none of the form: the message has its number and the nearest
        word that is.
    """
    words = list(_split(text))
    if not words:
        raise DescriptionError("there is no layer in this network")
    name, _, sizes = words[0].rpartition("=")
    shape = read_sizes(sizes)
    first: Arguments = {"shape": (None, *shape)} | ({"name": name} if name else {})
    return read_definitions([("InputLayer", first), *_read_words(words, 1, shape)])


def read_words(text: str, shape: Shape) -> list[tuple[str, Arguments]]:
    """The layers that words stand for: a class and its keywords each.

    Parameters
    ----------
    shape : tuple
        What the first of them is fed with, without the batch.

    Raises
    ------
    DescriptionError
        As :func:`read_short` does.
    """
    return _read_words(list(_split(text)), 0, shape)


def _read_words(
    words: Sequence[str], start: int, shape: Shape
) -> list[tuple[str, Arguments]]:
    """The layers that the words from `start` on stand for."""
    definitions: list[tuple[str, Arguments]] = []
    for number, word in enumerate(words[start:], start=start + 1):
        try:
            times, layer_class, arguments = _read_word(word, shape)
        except DescriptionError as error:
            raise DescriptionError(f"word {number}, {shorten(word)}: {error}") from None
        if start + len(definitions) + times > MOST_LAYERS:
            raise DescriptionError(
                f"word {number}, {shorten(word)}: the network would have more than "
                f"{MOST_LAYERS} layers"
            )
        if layer_class == "ReshapeLayer":
            shape = tuple(arguments["shape"][1:])  # type: ignore[index]
        definitions += [(layer_class, dict(arguments)) for _ in range(times)]
    return definitions


def _split(text: str) -> Iterator[str]:
    """The words: what stands between blanks, but for those inside brackets."""
    word, depth = "", 0
    for character in text:
        depth += (character in "[(") - (character in "])")
        if character.isspace() and depth <= 0:
            if word:
                yield word
            word, depth = "", 0
        else:
            word += character
    if word:
        yield word


def _read_word(word: str, shape: Shape) -> tuple[int, str, Arguments]:
    """How often, which class, and its keywords."""
    match = _WORD.fullmatch(_PAD_FIRST.sub(r"\1\3\2", word))
    if match is None:
        raise DescriptionError(
            "needed is a layer such as conv32@5x5, pool2/2, dense256 or "
            "SliceLayer[indices=0,axis=1]"
        )
    parts = match.groupdict()
    kind = parts["kind"]
    given = _read_keywords(parts["keywords"] or "[]")
    if parts["name"]:
        given["name"] = parts["name"]
    times = int(parts["times"] or 1)
    if kind[0].isupper():
        # A class's name may end in anything: what looks like numbers belongs to it.
        if parts["size"] or parts["stride"] or parts["pad"]:
            raise DescriptionError(
                f"a class takes its numbers in brackets: {kind}[keyword=value]"
            )
        return times, kind + parts["numbers"], given
    if kind not in _KINDS:
        near = get_close_matches(kind, _KINDS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(_KINDS)}"
        raise DescriptionError(
            f"there is no {kind}: {hint} (A class of Lasagne serves by its name.)"
        )
    layer_class, read_numbers, pad = _KINDS[kind]
    arguments = read_numbers(parts["numbers"], parts["size"])
    if parts["stride"] is not None:
        arguments["stride"] = _read_size(parts["stride"])
    if parts["pad"] is not None:
        text = parts["pad"]
        arguments[pad] = text if text.isalpha() else _read_size(text)
    return times, layer_class.format(_count_axes(layer_class, shape)), arguments | given


def _count_axes(layer_class: str, shape: Shape) -> int:
    axes = len(shape) - 1
    if "{}" in layer_class and axes not in (1, 2, 3):
        raise DescriptionError(
            f"it works along 1 to 3 axes of space, and the input has {axes}: needed "
            "are feature maps and their sizes, 1x28x28"
        )
    return axes


def _read_keywords(text: str) -> Arguments:
    """``[b=None,stride=(2,1),pad=same]``: literals, or words for themselves."""
    try:
        call = ast.parse(f"f({text[1:-1].strip()})", mode="eval").body
        if not isinstance(call, ast.Call) or call.args:
            raise ValueError("every value needs its keyword")
        return {
            str(one.arg): _read_value(one.value) for one in call.keywords if one.arg
        }
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        why = getattr(error, "msg", None) or str(error)
        if "malformed node" in why:
            why = "a value is a number, a word, or a list or slice of such"
        raise DescriptionError(
            f"{shorten(text)} cannot be read: needed are keywords and values, "
            f"[b=None,pad=same] ({why})"
        ) from None


def _read_value(node: ast.expr) -> object:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "slice":
        return slice(*(ast.literal_eval(one) for one in node.args))
    return ast.literal_eval(node)


def _read_size(text: str) -> int | tuple[int, ...]:
    """One number for all axes, or one for each."""
    sizes = read_sizes(text)
    if None in sizes:
        raise DescriptionError(f"{text} has a size that is not fixed")
    known = tuple(size for size in sizes if size is not None)
    return known[0] if len(known) == 1 else known


def _count(keyword: str) -> Callable[[str, str | None], Arguments]:
    def read(numbers: str, size: str | None) -> Arguments:
        _refuse_size(size)
        return {keyword: _read_number(numbers, "dense256")}

    return read


def _filters(numbers: str, size: str | None) -> Arguments:
    if size is None:
        raise DescriptionError("it needs the size of its filters, as in conv32@5x5")
    return {
        "num_filters": _read_number(numbers, "conv32@5x5"),
        "filter_size": _read_size(size),
    }


def _size(keyword: str) -> Callable[[str, str | None], Arguments]:
    def read(numbers: str, size: str | None) -> Arguments:
        _refuse_size(size)
        if not numbers:
            raise DescriptionError("it needs a size, as in pool2 or pool2x1")
        return {keyword: _read_size(numbers)}

    return read


def _fraction(keyword: str) -> Callable[[str, str | None], Arguments]:
    def read(numbers: str, size: str | None) -> Arguments:
        _refuse_size(size)
        if not numbers:
            return {}
        try:
            return {keyword: float(numbers)}
        except ValueError:
            raise DescriptionError(
                f"{numbers} is no number, as in dropout0.5"
            ) from None

    return read


def _average(numbers: str, size: str | None) -> Arguments:
    return {**_size("pool_size")(numbers, size), "mode": "average_inc_pad"}


def _embed(numbers: str, size: str | None) -> Arguments:
    _refuse_size(size)
    sizes = read_sizes(numbers)
    if len(sizes) != 2:
        raise DescriptionError("it needs two numbers, as in embed5000x64")
    return dict(zip(("input_size", "output_size"), sizes, strict=True))


def _reshape(numbers: str, size: str | None) -> Arguments:
    _refuse_size(size)
    return {"shape": ([0], *read_sizes(numbers))}


def _last(numbers: str, size: str | None) -> Arguments:
    return {**_nothing(numbers, size), "indices": -1, "axis": 1}


def _nothing(numbers: str, size: str | None) -> Arguments:
    if numbers or size:
        raise DescriptionError("it takes no number")
    return {}


def _refuse_size(size: str | None) -> None:
    if size is not None:
        raise DescriptionError(f"only filters have a size after @, got @{size}")


def _read_number(numbers: str, example: str) -> int:
    if not re.fullmatch(r"[0-9]{1,18}", numbers):
        raise DescriptionError(f"it needs one whole number, as in {example}")
    return int(numbers)


_KINDS: dict[str, tuple[str, Callable[[str, str | None], Arguments], str]] = {
    "avgpool": ("Pool{}DLayer", _average, "pad"),
    "bn": ("BatchNormLayer", _nothing, "pad"),
    "conv": ("Conv{}DLayer", _filters, "pad"),
    "deconv": ("TransposedConv{}DLayer", _filters, "crop"),
    "dense": ("DenseLayer", _count("num_units"), "pad"),
    "dilated": ("DilatedConv{}DLayer", _filters, "pad"),
    "dropout": ("DropoutLayer", _fraction("p"), "pad"),
    "embed": ("EmbeddingLayer", _embed, "pad"),
    "flatten": ("FlattenLayer", _nothing, "pad"),
    "globalpool": ("GlobalPoolLayer", _nothing, "pad"),
    "gru": ("GRULayer", _count("num_units"), "pad"),
    "last": ("SliceLayer", _last, "pad"),
    "local": ("LocallyConnected{}DLayer", _filters, "pad"),
    "lrn": ("LocalResponseNormalization2DLayer", _nothing, "pad"),
    "lstm": ("LSTMLayer", _count("num_units"), "pad"),
    "maxout": ("FeaturePoolLayer", _count("pool_size"), "pad"),
    "maxpool": ("MaxPool{}DLayer", _size("pool_size"), "pad"),
    "nin": ("NINLayer", _count("num_units"), "pad"),
    "noise": ("GaussianNoiseLayer", _fraction("sigma"), "pad"),
    "pad": ("PadLayer", _size("width"), "pad"),
    "pool": ("MaxPool{}DLayer", _size("pool_size"), "pad"),
    "prelu": ("ParametricRectifierLayer", _nothing, "pad"),
    "relu": ("NonlinearityLayer", _nothing, "pad"),
    "reshape": ("ReshapeLayer", _reshape, "pad"),
    "rnn": ("RecurrentLayer", _count("num_units"), "pad"),
    "upscale": ("Upscale{}DLayer", _size("scale_factor"), "pad"),
}
"""For each word its class, what reads its numbers, and the keyword after ``+``."""
