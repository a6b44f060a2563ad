"""Receptive fields: how many pixels of the image one number of a layer depends on.

The field grows from layer to layer: a window of `n` positions, each `j` pixels from the
next, over inputs that see `r` pixels each, sees ``r + (n - 1)*j``; a stride `s` makes
the next layer's `j` as many times larger. Pad counts as image, so that a field may be
wider than the image is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import gcd, lcm

from .formula import Formula, SizeFormula
from .rows import Row, Table
from .windows import Unknown, Window

_MOST_PHASES = 4096

_CONVOLUTIONS = {"Conv2DLayer", "Conv2DMMLayer", "Conv2DDNNLayer", "Conv2DCCLayer"}
_POOLS = {"MaxPool2DLayer", "MaxPool2DDNNLayer", "MaxPool2DCCLayer"}


@dataclass(frozen=True, slots=True)
class _Trace:
    """What the positions along one axis of a layer see of one axis of the image.

    Position ``o`` sees the pixels from ``starts[o]`` to ``ends[o]``; after as many
    positions as there are `starts` the same comes again, `advance` pixels further on.
    There is more than one only behind a layer that upscales.

    Attributes
    ----------
    axis : int or None
        The layer's axis; None once all positions are seen together.
    length : int or None
        How many positions there are.
    is_flattened : bool
        Whether the axis runs over other axes, too.
    formula : Formula
        Comes to the field, the most pixels that one position sees.
    """

    axis: int | None
    length: int | None
    starts: tuple[int, ...] = (0,)
    ends: tuple[int, ...] = (0,)
    advance: int = 1
    is_flattened: bool = False
    formula: Formula = Formula("1")

    def start(self, position: int) -> int:
        periods, phase = divmod(position, len(self.starts))
        return self.starts[phase] + periods * self.advance

    def end(self, position: int) -> int:
        periods, phase = divmod(position, len(self.ends))
        return self.ends[phase] + periods * self.advance

    @property
    def field(self) -> int:
        return max(end - start + 1 for start, end in self._bounds())

    def _bounds(self) -> list[tuple[int, int]]:
        return list(zip(self.starts, self.ends, strict=True))


_Traces = dict[int, _Trace]
"""By the axis of the image."""


class _CannotTellError(Exception):
    """Carries the reason."""


def receptive_fields(table: Table) -> list[SizeFormula | Unknown]:
    """For each row its field, one formula for each axis of space that the image has.

    Examples
    --------
    >>> from mnist_cnn.by_hand import NETWORKS, table
    >>> fields = receptive_fields(table(NETWORKS["question"]))
    >>> [str(field) for field in fields[:3]], fields[2].values
    (['1', '1+(5-1)*1', '5+(2-1)*1'], (6,))
    """
    seen: list[tuple[object, _Traces] | Unknown] = []
    fields: list[SizeFormula | Unknown] = []
    for row in table:
        try:
            image, traces = _trace(row, seen)
        except _CannotTellError as reason:
            unknown = Unknown(str(reason))
            seen.append(unknown)
            fields.append(unknown)
        else:
            seen.append((image, traces))
            fields.append(SizeFormula(trace.formula for trace in traces.values()))
    return fields


def _trace(
    row: Row, seen: Sequence[tuple[object, _Traces] | Unknown]
) -> tuple[object, _Traces]:
    """Which image the row sees, and what of it."""
    if not row.sources:
        return row.index, _whole_image(row.output_shape)
    images: set[object] = set()
    merged: list[_Traces] = []
    for source, shape in zip(row.sources, row.input_shapes, strict=True):
        feeding = (
            (f"{row.index}, a shape", _whole_image(shape))
            if source is None
            else seen[source]
        )
        if isinstance(feeding, Unknown):
            raise _CannotTellError(feeding.because)
        images.add(feeding[0])
        merged.append(feeding[1])
    if isinstance(row.windows, Unknown):
        raise _CannotTellError(row.windows.because)
    if len(images) > 1:
        raise _CannotTellError("it sees more than one input")
    if not merged[0]:
        raise _CannotTellError("the input has no axes of space")
    return images.pop(), {
        axis: _step(row, _union([traces[axis] for traces in merged]))
        for axis in merged[0]
    }


def _whole_image(shape: Sequence[int | None] | None) -> _Traces:
    if shape is None:
        raise _CannotTellError("the input's size is not known")
    if len(shape) < 3:
        raise _CannotTellError("the input has no axes of space")
    return {axis: _Trace(axis, shape[axis]) for axis in range(2, len(shape))}


def _step(row: Row, trace: _Trace) -> _Trace:
    """What the row's own positions see, `trace` being what those of its input see."""
    assert not isinstance(row.windows, Unknown)
    if trace.axis is None:
        return _unchanged(trace)
    for axis, windows in enumerate(row.windows):
        for window in windows:
            if window.axis == trace.axis:
                length = row.output_shape[axis] if row.output_shape else None
                return _look_through(window, len(windows) > 1, trace, axis, length)
    return _look_at_all(trace)


def _look_through(
    window: Window, flattens: bool, trace: _Trace, axis: int, length: int | None
) -> _Trace:
    if window.is_identity:
        flattened = trace.is_flattened or flattens
        # The output may be longer than what the windows run over: pad behind it.
        length = trace.length if flattened else length
        return _unchanged(
            replace(trace, axis=axis, length=length, is_flattened=flattened)
        )
    if trace.is_flattened:
        raise _CannotTellError("it slides over axes that were flattened into one")
    n, s, p, d = window.size, window.stride, window.pad, window.dilation
    phases = len(trace.starts)
    if window.transposed:
        if n < s:
            raise _CannotTellError(
                f"between filters of {n} in steps of {s} lie positions that see nothing"
            )
        phases *= s
        _check_phases(phases)
        starts = [trace.start(-((n - 1 - o - p) // s)) for o in range(phases)]
        ends = [trace.end((o + p) // s) for o in range(phases)]
        advance = trace.advance
    else:
        shared = gcd(phases, s)
        phases //= shared
        starts = [trace.start(o * s - p) for o in range(phases)]
        ends = [trace.end(o * s - p + (n - 1) * d) for o in range(phases)]
        advance = trace.advance * s // shared
    seen = _Trace(axis, length, tuple(starts), tuple(ends), advance)
    if len(trace.starts) > 1 or window.transposed or n == 1:
        return _unchanged(seen)
    text = "r + (n - 1)*j" if d == 1 else "r + (n - 1)*d*j"
    return replace(
        seen, formula=Formula(text, r=trace.field, n=n, d=d, j=trace.advance)
    )


def _look_at_all(trace: _Trace) -> _Trace:
    """All positions of the axis seen together, as by a dense layer."""
    length = trace.length
    if length is None:
        raise _CannotTellError("the number of positions it sees is not fixed")
    if length < 1:
        raise _CannotTellError("there are no positions that it could see")
    phases = range(min(length, len(trace.starts)))
    first = min(trace.start(position) for position in phases)
    last = max(trace.end(length - 1 - position) for position in phases)
    seen = replace(trace, axis=None, starts=(first,), ends=(last,), advance=0)
    if len(trace.starts) > 1:
        return _unchanged(seen)
    return replace(
        seen,
        formula=Formula("r + (n - 1)*j", r=trace.field, n=length, j=trace.advance),
    )


def _union(traces: Sequence[_Trace]) -> _Trace:
    """What is seen through all the inputs of a merge."""
    first, *others = traces
    if not others:
        return first
    phases = lcm(*(len(trace.starts) for trace in traces))
    _check_phases(phases)
    advances = {phases // len(trace.starts) * trace.advance for trace in traces}
    if len({trace.axis for trace in traces}) > 1 or len(advances) > 1:
        raise _CannotTellError("its inputs see the image in different steps")
    return _unchanged(
        replace(
            first,
            starts=tuple(
                min(trace.start(position) for trace in traces)
                for position in range(phases)
            ),
            ends=tuple(
                max(trace.end(position) for trace in traces)
                for position in range(phases)
            ),
            advance=advances.pop(),
            is_flattened=any(trace.is_flattened for trace in traces),
        )
    )


def _unchanged(trace: _Trace) -> _Trace:
    """The field as a number alone."""
    return replace(trace, formula=Formula("r", r=trace.field))


def _check_phases(phases: int) -> None:
    if phases > _MOST_PHASES:
        raise _CannotTellError(f"it comes after an upscaling by more than {phases}")


def nolearn_fields(table: Table) -> list[SizeFormula | None]:
    """What nolearn 0.6.1 takes for the receptive field: its "coverage" in pixels.

    It is printed for a net with a two-dimensional convolution. A pool leaves it as it
    is and multiplies the step `e` of what follows by its size; strides and pads do not
    count; the input, and all from the first other layer on, see the whole image.

    Returns
    -------
    list of SizeFormula or None
        None for each row where nolearn prints none.
    """
    rows = table.rows
    has_convolution = any(row.type in _CONVOLUTIONS for row in rows)
    image = rows[0].output_shape[2:] if rows and rows[0].output_shape else ()
    if not has_convolution or len(image) != 2 or None in image:
        return [None] * len(rows)
    whole = SizeFormula(Formula("i", i=size) for size in image)
    fields: list[SizeFormula | None] = [whole]
    field, step = (0, 0), (1, 1)
    is_first = True
    for row in rows[1:]:
        sizes = _filter_size(row)
        if row.type in _POOLS and sizes:
            step = (step[0] * sizes[0], step[1] * sizes[1])
            formulas = [Formula("r", r=r) for r in field]
        elif row.type in _CONVOLUTIONS and sizes:
            text = "n" if is_first else "r + e*(n - 1)"
            formulas = [
                Formula(text, r=r, e=e, n=n)
                for r, e, n in zip(field, step, sizes, strict=True)
            ]
            is_first = False
        else:
            return fields + [whole] * (len(rows) - len(fields))
        field = (formulas[0].value or 0, formulas[1].value or 0)
        fields.append(SizeFormula(formulas))
    return fields


def _filter_size(row: Row) -> list[int]:
    if isinstance(row.windows, Unknown):
        return []
    windows = [window for axis in row.windows[1:] for window in axis]
    return [window.size for window in windows if not window.axis < 2][:2]
