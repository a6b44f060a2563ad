"""Copies images, channels last, with zeros around them."""

from functools import cache

import numpy as np

from pytensor_nnet.kernels.llvm import threads
from pytensor_nnet.kernels.llvm.compiler import Kernel, compile_function, host
from pytensor_nnet.kernels.llvm.ir import Array, Function, Value, vector
from pytensor_nnet.kernels.llvm.launch import Launch
from pytensor_nnet.kernels.llvm.memory import address

__all__ = ["pad_images"]

Pair = tuple[int, int]

_ELEMENTS = {np.dtype(np.float32): "float", np.dtype(np.float64): "double"}
_SMALL_TASK = 1 << 14


def pad_images(
    launch: Launch, images: np.ndarray, pads: tuple[Pair, Pair]
) -> np.ndarray:
    """Images ``(batch, rows, columns, channels)``, in C order, with their pads: what a
    launch will fill.

    ``images`` are ``(batch, channels, rows, columns)`` and may lie in any order. A
    pad below zero cuts.
    """
    (top, bottom), (left, right) = pads
    images = images[
        :,
        :,
        max(0, -top) : images.shape[2] - max(0, -bottom),
        max(0, -left) : images.shape[3] - max(0, -right),
    ]
    top, bottom, left, right = (max(0, pad) for pad in (top, bottom, left, right))
    batch, channels, rows, columns = images.shape
    shape = (batch, rows + top + bottom, columns + left + right, channels)
    padded, place = launch.allocate(shape, images.dtype)
    strides = [stride // images.itemsize for stride in images.strides]
    parts = min(4 * threads.threads(), padded.size // _SMALL_TASK)
    fixed = address(images), place, *strides, channels, rows, columns
    launch.add(
        _kernel(_ELEMENTS[images.dtype]),
        [
            (*fixed, top, bottom, left, right, *span)
            for span in threads.spans(batch, parts)
        ],
    )
    return padded


@cache
def _kernel(element: str) -> Kernel:
    sizes = (
        *("image_step", "channel_step", "row_step", "column_step"),
        *("channels", "rows", "columns", "top", "bottom", "left", "right"),
        *("first", "last"),
    )
    function = Function(
        "padding",
        {
            "source": f"{element}*",
            "target": f"{element}*",
            **dict.fromkeys(sizes, "i64"),
        },
    )
    get = function.arguments
    lanes = host().lanes(element)
    channels = get["channels"]
    line = (get["columns"] + get["left"] + get["right"]) * channels
    height = get["rows"] + get["top"] + get["bottom"]

    def clear(place: Array, count: Value) -> None:
        whole = count - count % lanes
        with function.loop(0, whole, lanes) as index:
            place[index].store(function.zero(vector(lanes, element)))
        with function.loop(whole, count) as index:
            place[index].store(function.zero(element))

    def copy(source: Array, target: Array, count: Value) -> None:
        whole = count - count % lanes
        with function.loop(0, whole, lanes) as index:
            target[index].store(source[index].load(lanes))
        with function.loop(whole, count) as index:
            target[index].store(source[index].load())

    lies_so = get["channel_step"].compare("eq", 1) & get["column_step"].compare(
        "eq", channels
    )
    with function.loop(get["first"], get["last"]) as image:
        target = get["target"][image * (height * line)]
        clear(target, get["top"] * line)
        clear(target[(get["top"] + get["rows"]) * line], get["bottom"] * line)
        with function.loop(0, get["rows"]) as row:
            source = get["source"][image * get["image_step"] + row * get["row_step"]]
            goal = target[(get["top"] + row) * line]
            clear(goal, get["left"] * channels)
            goal = goal[get["left"] * channels]
            clear(goal[get["columns"] * channels], get["right"] * channels)
            with function.when(lies_so):
                copy(source, goal, get["columns"] * channels)
            with (
                function.when(lies_so.compare("eq", 0)),
                function.loop(0, channels) as channel,
                function.loop(0, get["columns"]) as column,
            ):
                number = source[
                    channel * get["channel_step"] + column * get["column_step"]
                ].load()
                goal[column * channels + channel].store(number)
    return compile_function(function)
