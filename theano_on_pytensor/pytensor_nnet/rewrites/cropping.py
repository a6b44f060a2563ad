"""``crop_conv``: a full convolution that is cropped is one with smaller pads.

Lasagne 0.1 makes its ``'same'`` convolutions so: ``conv2d(x, W,
border_mode='full')[:, :, s:x.shape[2] + s, t:x.shape[3] + t]``. What is cropped is
then never computed, in neither direction, and what follows the crop can become one
Op with the convolution.
"""

from collections.abc import Iterator

from pytensor.compile.mode import optdb
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.graph.features import ReplaceValidate
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.rewriting.basic import GraphRewriter
from pytensor.scalar.basic import Add, Second
from pytensor.tensor.basic import (
    Alloc,
    MakeVector,
    ScalarFromTensor,
    TensorFromScalar,
    get_underlying_scalar_constant_value,
)
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.exceptions import NotScalarConstantError
from pytensor.tensor.shape import Shape, Shape_i
from pytensor.tensor.subtensor import (
    IncSubtensor,
    Subtensor,
    indices_from_subtensor,
)

from pytensor_nnet.ops.conv import Conv2d, Conv2dGradFilters, Conv2dGradInputs
from pytensor_nnet.rewrites.fusion import clients

__all__ = ["CropConv"]

Pads = tuple[tuple[int, int], tuple[int, int]]


class CropConv(GraphRewriter):
    """The rewrite of this module."""

    name = "crop_conv"

    def add_requirements(self, fgraph: FunctionGraph) -> None:
        fgraph.attach_feature(ReplaceValidate())

    def apply(self, fgraph: FunctionGraph) -> None:
        for node in fgraph.toposort():
            if node in fgraph.apply_nodes and _is_full(node, Conv2d):
                replacements = [
                    (old, old.type.filter_variable(new))
                    for old, new in self._replacements(fgraph, node)
                ]
                if replacements:
                    fgraph.replace_all_validate(replacements, reason=self.name)

    def _replacements(
        self, fgraph: FunctionGraph, node: Apply
    ) -> Iterator[tuple[Variable, Variable]]:
        images, filters = node.inputs
        size = _filter_size(node)
        if size is None:
            return
        for crop in clients(fgraph, node.outputs[0]):
            if isinstance(crop.op, Subtensor):
                pads = _pads(crop, crop.inputs[1:], images, size)
                if pads is not None:
                    op = _padded(node.op, Conv2d, pads, node.op.imshp, node.op.kshp)
                    yield crop.outputs[0], op(images, filters)
        for source, kind in ((images, Conv2dGradFilters), (filters, Conv2dGradInputs)):
            for gradient in clients(fgraph, source):
                if not _is_full(gradient, kind) or gradient.inputs[0] is not source:
                    continue
                # Another convolution of the same images may have other filters.
                if source is images and not _has_size(
                    gradient.inputs[2], filters, size
                ):
                    continue
                spread = gradient.inputs[1].owner
                if (
                    spread is not None
                    and isinstance(spread.op, IncSubtensor)
                    and _is_zero(spread.inputs[0])
                ):
                    pads = _pads(spread, spread.inputs[2:], images, size)
                    if pads is not None:
                        op = _padded(gradient.op, kind, pads)
                        given = spread.inputs[1]
                        yield (
                            gradient.outputs[0],
                            op(source, given, gradient.inputs[2]),
                        )


def _is_full(node: Apply, kind: type) -> bool:
    op = getattr(node, "op", None)
    return (
        type(op) is kind
        and op.border_mode == "full"
        and op.subsample == op.filter_dilation == (1, 1)
    )


def _padded(op: Conv2d, kind: type, pads: Pads, *shapes):
    return kind(
        pads,
        op.subsample,
        op.filter_flip,
        op.filter_dilation,
        op.num_groups,
        *shapes,
    )


def _filter_size(node: Apply) -> tuple[int, int] | None:
    """Rows and columns of the filters, as far as the graph tells."""
    known = [
        size if size is not None or node.op.kshp is None else node.op.kshp[axis]
        for axis, size in enumerate(node.inputs[1].type.shape)
    ]
    rows, columns = known[2:]
    return None if rows is None or columns is None else (int(rows), int(columns))


def _pads(
    node: Apply, operands: list[Variable], images: Variable, size: tuple[int, int]
) -> Pads | None:
    """Of the convolution whose output is what a crop leaves of the full one."""
    indices = indices_from_subtensor(operands, node.op.idx_list)
    if len(indices) != 4 or any(index != slice(None) for index in indices[:2]):
        return None
    pads = []
    for axis, (index, filter_size) in enumerate(
        zip(indices[2:], size, strict=True), start=2
    ):
        if not isinstance(index, slice) or index.step is not None:
            return None
        start = 0 if index.start is None else _constant(index.start)
        if start is None or not 0 <= start < filter_size:
            return None
        if not _is_size_plus(index.stop, images, axis, start):
            return None
        pads.append((filter_size - 1 - start, start))
    return pads[0], pads[1]


def _has_size(shape: Variable, filters: Variable, size: tuple[int, int]) -> bool:
    """Whether a vector ``(rows, columns)`` is known to be the filters' size."""
    if isinstance(shape, Constant):
        return tuple(shape.data) == size
    node = shape.owner
    return (
        node is not None
        and isinstance(node.op, MakeVector)
        and all(
            _constant(entry) == known or _is_size(_bare(entry), filters, axis)
            for axis, (entry, known) in enumerate(
                zip(node.inputs, size, strict=True), start=2
            )
        )
    )


def _is_size_plus(stop: Variable, images: Variable, axis: int, start: int) -> bool:
    """Whether it is the images' size along an axis, plus a constant."""
    if stop is None:
        return False
    known = images.type.shape[axis]
    if known is not None and _constant(stop) == known + start:
        return True
    stop = _bare(stop)
    if start == 0 and _is_size(stop, images, axis):
        return True
    node = stop.owner
    return (
        node is not None
        and isinstance(node.op, Elemwise)
        and isinstance(node.op.scalar_op, Add)
        and len(node.inputs) == 2
        and any(
            _constant(number) == start and _is_size(_bare(size), images, axis)
            for number, size in (node.inputs, node.inputs[::-1])
        )
    )


def _is_size(variable: Variable, images: Variable, axis: int) -> bool:
    node = variable.owner
    if node is None:
        return False
    if isinstance(node.op, Shape_i):
        return node.op.i == axis and node.inputs[0] is images
    if isinstance(node.op, Subtensor):
        source = node.inputs[0].owner
        (index, *others) = indices_from_subtensor(node.inputs[1:], node.op.idx_list)
        return (
            not others
            and not isinstance(index, slice)
            and _constant(index) == axis
            and source is not None
            and isinstance(source.op, Shape)
            and source.inputs[0] is images
        )
    return False


def _bare(variable: Variable) -> Variable:
    """What is behind conversions between scalars and tensors of no axis."""
    while variable.owner is not None and isinstance(
        variable.owner.op, ScalarFromTensor | TensorFromScalar
    ):
        variable = variable.owner.inputs[0]
    return variable


def _constant(value: Variable | int) -> int | None:
    if isinstance(value, int):
        return value
    try:
        return int(get_underlying_scalar_constant_value(_bare(value)))
    except NotScalarConstantError:
        return None


def _is_zero(variable: Variable) -> bool:
    """Whether it is zeros, shaped as something."""
    node = variable.owner
    if node is None:
        return isinstance(variable, Constant) and not variable.data.any()
    if isinstance(node.op, Alloc):
        return _is_zero(node.inputs[0])
    if isinstance(node.op, DimShuffle):
        return _is_zero(node.inputs[0])
    return (
        isinstance(node.op, Elemwise)
        and isinstance(node.op.scalar_op, Second)
        and _is_zero(node.inputs[1])
    )


# Before layers are made one Op.
optdb.register("crop_conv", CropConv(), "fast_run", "fast_compile", position=0.02)
