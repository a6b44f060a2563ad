"""Derives a row of the table step by step, in plain words, as answer 1 does."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches

from .columns import few
from .description import Network, format_count, format_shape, printable
from .errors import OptionError
from .formula import Formula
from .impossible import describe_smallest_image, find_impossible
from .rows import Row, Table
from .walk import attempt
from .windows import Unknown, Window

__all__ = ["Explanation", "Step", "explain", "explain_row"]

_WIDTH = 80
_SYMBOL = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a derivation: what is done, in words, and the formula of it.

    Attributes
    ----------
    words : str
    formula : Formula or None
    legend : mapping
        What the formula's symbols mean.
    """

    words: str
    formula: Formula | None = None
    legend: dict[str, str] = field(default_factory=dict)

    @property
    def equation(self) -> str:
        """The formula in symbols, with the numbers put in, and what it comes to."""
        if self.formula is None:
            return ""
        parts = [self.formula.symbolic, str(self.formula)]
        parts.append(format_count(self.formula.value))
        shown = [
            part for number, part in enumerate(parts) if part not in parts[:number]
        ]
        return " = ".join(shown)

    @property
    def meanings(self) -> str:
        """``n=5 rows of a filter, m=5 columns of it``; empty where nothing is known."""
        if self.formula is None:
            return ""
        used = dict.fromkeys(_SYMBOL.findall(self.formula.symbolic))
        return ", ".join(
            f"{symbol}={_shown(self.formula.values[symbol])} {self.legend[symbol]}"
            for symbol in used
            if symbol in self.legend
        )


@dataclass(frozen=True, slots=True)
class Explanation:
    """How one row comes about; ``str`` gives it as text of at most 80 columns.

    Attributes
    ----------
    layer, type : str
        Name and class name of the layer.
    outcome : str
        What the row has: size and number of parameters.
    steps : tuple of Step
    """

    layer: str
    type: str
    outcome: str
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        title = printable(f"{self.layer} ({self.type}): {self.outcome}")
        lines = [title, "-" * min(len(title), _WIDTH)]
        for step in self.steps:
            lines += [*_wrap(step.words), *_wrap(step.equation, "    ")]
            if step.meanings:
                lines += _wrap(f"with {step.meanings}", "    ")
        return "\n".join(lines)


def explain(network: Network, layer: str | None = None) -> tuple[Explanation, ...]:
    """Derive the row of a layer, or all rows.

    Where the network cannot be, the rows before are derived, and the last explanation
    says which number stands against it and what would serve.

    Raises
    ------
    OptionError
        If there is no layer of that name.
    UnknownLayerError
        If a layer has no rule.
    """
    names = [one.name for one in network.layers]
    if layer is not None and layer not in names:
        near = get_close_matches(layer, names, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {few(names, 10)}"
        raise OptionError(f"there is no layer {layer!r}: {hint}")
    table, refused = attempt(network)
    explanations = [explain_row(row) for row in table]
    impossible = find_impossible(table)
    advice = describe_smallest_image(network) if impossible else ""
    if refused is not None:
        steps = [f"{refused}.", *(f"{one.layer}: {one}" for one in impossible), advice]
        at = network.layers[len(table)]
        explanations.append(
            Explanation(at.name, at.type, "cannot be", tuple(map(Step, steps)))
        )
    elif advice:
        last = explanations[-1]
        explanations[-1] = replace(last, steps=(*last.steps, Step(advice)))
    if layer is None:
        return tuple(explanations)
    if layer in names[: len(explanations)]:
        return (explanations[names.index(layer)],)
    return (explanations[-1],)


def explain_row(row: Row) -> Explanation:
    """Derive one row of a table."""
    size = "size unknown" if row.size is None else f"size {_size(row)}"
    noun = "parameter" if row.parameters == 1 else "parameters"
    outcome = f"{size}, {format_count(row.parameters)} {noun}"
    return Explanation(row.name, row.type, outcome, tuple(_steps(row)))


def _steps(row: Row) -> Iterator[Step]:
    family = _FAMILY_OF.get(row.type, _Family())
    if row.sources:
        yield Step(_fed_by(row))
    if family.words:
        yield Step(family.words(row))
    yield from _size_steps(row, family)
    for one in find_impossible(Table((row,))):
        yield Step(str(one))
    if row.unknown_because:
        yield Step(f"What comes out is not known, because {row.unknown_because}.")
    yield from _parameter_steps(row, family)


def _fed_by(row: Row) -> str:
    named = list(row.inputs)
    shapes = [
        "of unknown size" if shape is None else format_shape(shape[1:])
        for shape in row.input_shapes
    ]
    sources = [
        f"{named.pop(0)}, {shape}" if source is not None else f"an input, {shape}"
        for source, shape in zip(row.sources, shapes, strict=True)
    ]
    return f"It takes the output of {' and of '.join(sources)}."


def _size_steps(row: Row, family: _Family) -> Iterator[Step]:
    """How the size arises, axes that agree in it together."""
    if not row.size_formula:
        if row.size is not None and row.sources and not row.unknown_because:
            before = row.input_shapes[0]
            if before is not None and before[1:] == row.size and len(row.sources) == 1:
                yield Step(f"The size stays {_size(row)}.")
            else:
                yield Step(f"The size is {_size(row)}.")
        return
    computed = list(_computed_axes(row))
    for formula in dict.fromkeys(row.size_formula.axes):
        names = [name for one, name, _ in computed if one == formula]
        window = next((w for one, _, w in computed if one == formula), None)
        along = " and ".join(names) or "size"
        words = _slide(row, formula, window) if window else ""
        where = f"Along the {along}" if names[:1] != ["size"] else "The size"
        yield Step(f"{where}{words}:", formula, family.size_legend)
    yield Step(f"So the size is {_size(row)}.")


def _computed_axes(row: Row) -> Iterator[tuple[Formula, str, Window | None]]:
    """Each size formula with what its axis is called, and the window along it."""
    shape = row.output_shape or ()
    space = len(shape) - 2
    names = {1: ["length"], 2: ["rows", "columns"], 3: ["planes", "rows", "columns"]}
    # Of layers whose batch is last, and of those that pool other axes, no names.
    axes = row.size_formula.axes
    if isinstance(row.windows, Unknown) or space not in names or len(axes) != space:
        yield from ((one, "size", None) for one in axes)
        return
    for formula, name, windows in zip(axes, names[space], row.windows[2:], strict=True):
        yield formula, name, windows[0] if len(windows) == 1 else None


def _slide(row: Row, formula: Formula, window: Window) -> str:
    """Words for how often a window fits along an axis."""
    symbols = set(_SYMBOL.findall(formula.symbolic))
    if window.transposed or "n" not in symbols:
        return ""
    what = "pool" if "Pool" in row.type else "filter"
    pad = ""
    if "p" in symbols:
        pad = ", with p zeros added on either side,"
    elif "(n - 1) - " in formula.symbolic:
        pad = ", with n - 1 zeros added in all,"
    if "d" in symbols:
        return (
            " the positions of a filter lie d apart, and the outermost (n - 1)*d have "
            "no complete neighbourhood"
        )
    if "s" not in symbols:
        n = window.size
        if n == 1:
            return f"{pad} each has its neighbourhood, itself"
        outermost = "outermost one has" if n == 2 else f"outermost {n - 1} have"
        return f"{pad} the {outermost} no complete neighbourhood"
    rounded = ""
    if "s - 1)//s" in formula.symbolic:
        rounded = "; the last may reach over the edge"
    elif "//" in formula.symbolic:
        rounded = "; a rest too short for one more does not count"
    return (
        f"{pad} the first {what} takes n positions, and each further one moves on by "
        f"s{rounded}"
    )


def _parameter_steps(row: Row, family: _Family) -> Iterator[Step]:
    if row.parameters is None:
        return
    if not row.tensors:
        yield Step("There is nothing to learn: 0 parameters.")
        return
    own = [one for one in row.tensors if one.trainable and not one.shared_with]
    for tensor in own:
        yield Step(f"{family.name_tensor(tensor.name)}: {tensor}.")
    for tensor in row.tensors:
        if tensor.shared_with:
            yield Step(
                f"{family.name_tensor(tensor.name)}: the same as {tensor.shared_with}, "
                "and counted there."
            )
        elif not tensor.trainable:
            yield Step(
                f"{family.name_tensor(tensor.name)}: {tensor}; kept, but training "
                "leaves it alone."
            )
    if own:
        yield Step("Together, learned:", row.parameter_formula, family.legend)
    else:
        yield Step("Nothing of its own is learned: 0 parameters.")


def _shown(value: int | Formula | None) -> str:
    return "?" if value is None else str(value)


def _size(row: Row) -> str:
    size = row.size
    if size is None:
        return "?"
    return format_shape(size) if size else "one number"


def _wrap(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(
        printable(text),
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_on_hyphens=False,
    )


# What is said of each family of layers


@dataclass(frozen=True, slots=True)
class _Family:
    words: Callable[[Row], str] | None = None
    legend: dict[str, str] = field(default_factory=dict)
    size_legend: dict[str, str] = field(default_factory=dict)
    tensors: dict[str, str] = field(default_factory=dict)

    def name_tensor(self, name: str) -> str:
        meaning = self.tensors.get(name)
        return f"{name}, {meaning}" if meaning else name


def _values(row: Row, *symbols: str) -> list[str]:
    return [_shown(row.parameter_formula.values.get(symbol)) for symbol in symbols]


def _plural(count: str, noun: str) -> str:
    return f"{count} {noun}" if count == "1" else f"{count} {noun}s"


def _input(row: Row) -> str:
    return "It reads the data; there is nothing to compute."


def _convolution(row: Row) -> str:
    maps, filters = _values(row, "l", "k")
    values = row.parameter_formula.values
    window = [_shown(values[symbol]) for symbol in "nmo" if symbol in values]
    if not window:
        return ""
    depth, split = maps, ""
    groups, all_maps = values.get("g"), values.get("l")
    if isinstance(groups, int) and groups > 1 and isinstance(all_maps, int):
        depth = str(all_maps // groups)
        split = f", in {groups} groups: a filter sees {depth} of them"
    shape = "x".join([*window, depth])
    a_filter = f"A filter is not simply {'x'.join(window)} but {shape}"
    if depth == "1":
        a_filter = f"A filter is {shape}"
    return (
        f"From {_plural(maps, 'feature map')} it makes {filters}{split}. {a_filter}, "
        f"and {filters} different ones are learned."
    )


def _local(row: Row) -> str:
    return (
        "It is a convolution whose every position has filters of its own, so that the "
        "weights are counted once for each position."
    )


def _dense(row: Row) -> str:
    inputs = row.parameter_formula.values.get("n")
    units = _shown(row.parameter_formula.values.get("m"))
    if inputs is None:
        return ""
    many = str(inputs)
    if isinstance(inputs, Formula):
        source = row.inputs[0] if row.inputs else "its input"
        many = f"{inputs} = {format_count(inputs.value)}"
        made = f" All numbers of {source} are its inputs, one after another: {many}."
    else:
        made = f" It has {_plural(many, 'input')}."
    each = f"each of {units} units" if units != "1" else "the one unit"
    return f"Every input has a weight of its own to {each}.{made}"


def _nin(row: Row) -> str:
    return (
        "At every position it is a dense layer over the feature maps, with the same "
        "weights everywhere: a convolution by filters of size 1."
    )


def _pool(row: Row) -> str:
    return (
        "It puts one number, such as the largest, in the place of each neighbourhood: "
        "what it does is fixed."
    )


def _same(row: Row) -> str:
    return "It works on each number, and what it does is fixed."


def _constant(text: str) -> Callable[[Row], str]:
    return lambda row: text


_CONV_LEGEND = {
    "n": "rows of a filter",
    "m": "columns of a filter",
    "l": "feature maps at the input",
    "k": "filters, one feature map each",
    "g": "groups",
    "h": "rows of the output",
    "w": "columns of the output",
}
_LINE_LEGEND = _CONV_LEGEND | {"n": "positions of a filter", "h": "positions"}
_BLOCK_LEGEND = _CONV_LEGEND | {
    "n": "planes of a filter",
    "m": "rows of a filter",
    "o": "columns of a filter",
    "h": "planes of the output",
    "w": "rows of the output",
    "d": "columns of the output",
}
_SLIDE_LEGEND = {
    "i": "the size of the input",
    "n": "of the filter",
    "p": "the pad",
    "s": "the stride",
    "d": "the dilation",
}
_POOL_LEGEND = _SLIDE_LEGEND | {"n": "of the pool"}
_BIASES = {"W": "the weights", "b": "the biases"}
_GATES = {
    "n": "features of a time step",
    "m": "units",
    "g": "gates and the cell",
}

_FAMILIES: tuple[tuple[Sequence[str], _Family], ...] = (
    (["InputLayer"], _Family(_input)),
    (
        ["Conv1DLayer"],
        _Family(_convolution, _LINE_LEGEND, _SLIDE_LEGEND, _BIASES),
    ),
    (
        [
            *("Conv2DLayer", "Conv2DMMLayer", "Conv2DDNNLayer", "Conv2DCCLayer"),
            *("DilatedConv2DLayer", "TransposedConv2DLayer", "Deconv2DLayer"),
        ],
        _Family(_convolution, _CONV_LEGEND, _SLIDE_LEGEND, _BIASES),
    ),
    (
        [
            *("Conv3DLayer", "Conv3DDNNLayer"),
            *("TransposedConv3DLayer", "Deconv3DLayer"),
        ],
        _Family(_convolution, _BLOCK_LEGEND, _SLIDE_LEGEND, _BIASES),
    ),
    (
        ["LocallyConnected2DLayer"],
        _Family(_local, _CONV_LEGEND, _SLIDE_LEGEND, _BIASES),
    ),
    (
        ["DenseLayer"],
        _Family(
            _dense,
            {"n": "inputs", "m": "units"},
            {},
            _BIASES,
        ),
    ),
    (
        ["NINLayer", "NINLayer_c01b"],
        _Family(
            _nin,
            {
                "l": "feature maps at the input",
                "k": "feature maps at the output",
                "q": "positions",
            },
            {},
            _BIASES,
        ),
    ),
    (
        ["EmbeddingLayer"],
        _Family(
            _constant(
                "It looks up a row of numbers for each whole number it is given."
            ),
            {"n": "rows", "m": "numbers in a row"},
        ),
    ),
    (
        [
            *(f"MaxPool{axes}DLayer" for axes in (1, 2, 3)),
            *(f"Pool{axes}DLayer" for axes in (1, 2, 3)),
            *("MaxPool2DDNNLayer", "Pool2DDNNLayer", "MaxPool3DDNNLayer"),
            *("Pool3DDNNLayer", "MaxPool2DCCLayer"),
        ],
        _Family(_pool, {}, _POOL_LEGEND),
    ),
    (
        ["GlobalPoolLayer"],
        _Family(_constant("It leaves one number of each feature map.")),
    ),
    (
        ["FeaturePoolLayer"],
        _Family(
            _constant("Of every f feature maps it leaves one."),
            {},
            {"c": "feature maps", "f": "a pool"},
        ),
    ),
    (
        ["FeatureWTALayer"],
        _Family(
            _constant("Of several feature maps all but the winner become zero."),
        ),
    ),
    (
        ["SpatialPyramidPoolingLayer", "SpatialPyramidPoolingDNNLayer"],
        _Family(
            _constant(
                "It pools each feature map to p*p numbers, for each p of the pyramid."
            )
        ),
    ),
    (
        [f"Upscale{axes}DLayer" for axes in (1, 2, 3)],
        _Family(
            _constant("It repeats each number."),
            {},
            {"i": "the size of the input", "s": "times"},
        ),
    ),
    (
        ["RecurrentLayer"],
        _Family(
            _constant(
                "At each time step every unit has a weight from each feature, a weight "
                "from each unit's last state, and a bias; the same at all steps, so "
                "that their number does not count."
            ),
            _GATES,
        ),
    ),
    (
        ["LSTMLayer"],
        _Family(
            _constant(
                "Three gates and the cell have weights of their own: from each "
                "feature, from each unit's last state, and a bias. Peepholes are one "
                "weight for each unit and gate. They are the same at all time steps."
            ),
            _GATES,
        ),
    ),
    (
        ["GRULayer"],
        _Family(
            _constant(
                "Two gates and the hidden update have weights of their own: from each "
                "feature, from each unit's last state, and a bias. They are the same "
                "at all time steps."
            ),
            _GATES | {"g": "gates and the update"},
        ),
    ),
    (
        ["CustomRecurrentLayer"],
        _Family(
            _constant("It runs two networks at each time step; theirs are its weights.")
        ),
    ),
    (
        ["BatchNormLayer", "BatchNormDNNLayer"],
        _Family(
            _constant(
                "It brings each feature map to mean 0 and deviation 1, then scales and "
                "shifts it: the scale and the shift are learned, the running mean and "
                "deviation only kept."
            ),
            {"t": "kinds of learned numbers", "c": "of each kind"},
            {},
            {
                "beta": "the shift",
                "gamma": "the scale",
                "mean": "the running mean",
                "inv_std": "one by the running deviation",
            },
        ),
    ),
    (
        ["BiasLayer", "ScaleLayer", "ParametricRectifierLayer"],
        _Family(
            _constant("It learns a number for each feature map, or as its axes say."),
            {"c": "numbers"},
        ),
    ),
    (
        [
            *("DropoutLayer", "NonlinearityLayer", "GaussianNoiseLayer"),
            *("RandomizedRectifierLayer", "StandardizationLayer"),
            "LocalResponseNormalization2DLayer",
        ],
        _Family(_same),
    ),
    (
        ["ConcatLayer"],
        _Family(_constant("It puts its inputs behind one another.")),
    ),
    (
        ["ElemwiseSumLayer", "ElemwiseMergeLayer"],
        _Family(_constant("It joins inputs of one size, number by number.")),
    ),
    (
        ["FlattenLayer"],
        _Family(_constant("It puts all numbers in one row.")),
    ),
    (
        [
            *("ReshapeLayer", "DimshuffleLayer", "SliceLayer", "PadLayer"),
            *("ShuffleBC01ToC01BLayer", "ShuffleC01BToBC01Layer"),
        ],
        _Family(_constant("It only rearranges, cuts or pads its input.")),
    ),
)

_FAMILY_OF = {type_: family for types, family in _FAMILIES for type_ in types}
