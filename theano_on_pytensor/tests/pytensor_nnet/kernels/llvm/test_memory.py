"""Large memory is used again, and never while an array lies in it."""

import sys
import threading

import numpy as np
import pytest

from pytensor_nnet.kernels.llvm import memory
from pytensor_nnet.kernels.llvm.memory import address, allocate, empty, zeros

LARGE = (memory._LARGE,)

counts = pytest.mark.skipif(
    not memory.COUNTS_REFERENCES, reason="nothing tells whether an array is in use"
)


@pytest.fixture(autouse=True)
def own_store(monkeypatch):
    monkeypatch.setattr(memory, "_store", memory._Store())


@pytest.mark.parametrize("shape", [(), (0,), (3, 5), LARGE])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_arrays_begin_with_a_cache_line(shape, dtype):
    array, place = allocate(shape, dtype)
    assert array.shape == shape
    assert array.dtype == dtype
    assert array.flags.c_contiguous
    assert array.flags.writeable
    assert address(array) == place == array.ctypes.data
    assert place % 64 == 0
    assert not zeros(shape, dtype).any()


def test_the_address_of_a_view():
    array = np.zeros((4, 5))
    assert address(array[2:, 3:]) == array.ctypes.data + (2 * 5 + 3) * 8


@counts
def test_memory_is_used_again_once_nothing_lies_in_it():
    one = empty(LARGE, np.uint8)
    place, view = address(one), one[100:200]
    del one
    other = empty(LARGE, np.uint8)
    assert address(other) != place
    view[:] = 7
    other[:] = 3
    assert (view == 7).all()
    del view
    assert address(empty(LARGE, np.uint8)) == place


@counts
def test_a_block_that_is_much_too_large_is_left_alone():
    place = address(empty((3 * memory._LARGE,), np.uint8))
    assert address(empty(LARGE, np.uint8)) != place
    assert address(empty((3 * memory._LARGE - 100,), np.uint8)) == place


def test_few_blocks_are_kept():
    arrays = [empty(LARGE, np.uint8) for _ in range(memory._MOST_BLOCKS + 5)]
    for number, array in enumerate(arrays):
        array[:] = number
    assert all((array == number).all() for number, array in enumerate(arrays))
    assert len(memory._store._blocks) == memory._MOST_BLOCKS


def test_several_threads_never_share_memory():
    wrong = []

    def work(number):
        for _ in range(50):
            arrays = [empty(LARGE, np.uint8) for _ in range(2)]
            for array in arrays:
                array[:10] = number
            if any((array[:10] != number).any() for array in arrays):
                wrong.append(number)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        workers = [threading.Thread(target=work, args=(n,)) for n in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    finally:
        sys.setswitchinterval(interval)
    assert not wrong
