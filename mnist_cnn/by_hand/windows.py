"""What an output position of a layer sees of the layer's input, axis by axis."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unknown:
    """What cannot be told, with the reason: ``because`` it, a clause."""

    because: str


@dataclass(frozen=True, slots=True)
class Window:
    """What positions along one axis of the output see of one axis of the input.

    Output position ``o`` sees the input positions ``o*stride - pad + t*dilation`` for
    ``t`` from 0 to ``size - 1``; transposed, it sees each input position ``i`` with
    ``i*stride = o + pad - t`` for such a ``t``. Positions may be negative: pad is seen
    as if it were input.

    Attributes
    ----------
    axis : int
        The input's axis, the batch's being 0.
    size, stride, pad, dilation : int
        Of a filter, a pool or a slice; `pad` is that before the first position.
    transposed : bool
        Whether input and output have changed places, as when upscaling.
    """

    axis: int
    size: int = 1
    stride: int = 1
    pad: int = 0
    dilation: int = 1
    transposed: bool = False

    @property
    def is_identity(self) -> bool:
        """Whether each output position sees the input position of the same number."""
        return self == Window(self.axis)


Windows = tuple[tuple[Window, ...], ...]
"""For each output axis the windows along it: none where the axis is made anew, several
where it runs over several axes of the input, flattened. An axis of the input that no
output axis runs along is seen whole."""


def follow(axes: Iterable[int | None]) -> Windows:
    """Output axes that are axes of the input, by their numbers; None is a new axis.

    >>> follow([0, None])
    ((Window(axis=0, size=1, stride=1, pad=0, dilation=1, transposed=False),), ())
    """
    return tuple(() if axis is None else (Window(axis),) for axis in axes)


def slide(axes: int, windows: Iterable[Window], new: int | None = None) -> Windows:
    """So many axes, all as they are but for those with a window and the `new` one."""
    own = {window.axis: (window,) for window in windows}
    return tuple(
        own.get(axis, () if axis == new else (Window(axis),)) for axis in range(axes)
    )
