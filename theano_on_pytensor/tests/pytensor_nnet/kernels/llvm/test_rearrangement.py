"""Numbers in another order, and sums of parts, on any number of threads."""

import numpy as np
import pytest

from pytensor_nnet.kernels.llvm import threads
from pytensor_nnet.kernels.llvm.launch import Launch
from pytensor_nnet.kernels.llvm.memory import address
from pytensor_nnet.kernels.llvm.rearrangement import (
    add_rearrangements,
    add_sums,
    order_of,
)


@pytest.fixture(params=[1, 2, 5], autouse=True)
def count(request):
    before = threads.set_threads(request.param)
    yield request.param
    threads.set_threads(before)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("sizes", [(3, 4), (100, 70), (1, 1)])
def test_rearrangements(dtype, sizes):
    matrix = np.random.default_rng(0).standard_normal(sizes).astype(dtype)

    def turned(x):
        return np.pad(x.T, ((0, 2), (1, 0)))

    order = order_of(sizes, turned)
    first, second = np.full((2, order.size), np.nan, dtype)
    nothing = np.full(5, -1, np.int32)
    third = np.ones(5, dtype)
    launch = Launch()
    rows = [
        (address(matrix), order, address(first)),
        (address(matrix), order, address(second)),
        (0, nothing, address(third)),
    ]
    add_rearrangements(launch, matrix.dtype, rows)
    launch.run()
    assert np.array_equal(first, turned(matrix).ravel())
    assert np.array_equal(second, first)
    assert not third.any()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [64, 64 * 131, 0])
@pytest.mark.parametrize("parts", [1, 2, 12])
def test_sums(dtype, size, parts):
    pitch = size + 64
    numbers = np.random.default_rng(0).standard_normal((parts, pitch)).astype(dtype)
    expected = numbers.copy()
    for other in numbers[1:]:
        expected[0] += other
    launch = Launch()
    places = [(address(numbers), size), (address(numbers[0, size:]), 64)]
    add_sums(launch, numbers.dtype, places, parts, pitch)
    launch.run()
    assert np.array_equal(numbers, expected)
