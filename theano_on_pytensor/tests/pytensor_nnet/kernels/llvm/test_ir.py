"""What the text means is tested by running it."""

import struct

import llvmlite.binding as llvm
import numpy as np
import pytest

from pytensor_nnet.kernels.llvm.compiler import compile_function
from pytensor_nnet.kernels.llvm.ir import Function, lanes_of, vector


def run(function, *arguments):
    """Compile and call with arrays and numbers."""
    compile_function(function)(
        *(a.ctypes.data if isinstance(a, np.ndarray) else a for a in arguments)
    )


def test_vectors_have_lanes():
    assert lanes_of(vector(8, "float")) == 8
    assert lanes_of("float") == 1


def test_python_integers_fold():
    function = Function("folded", {"x": "float*", "n": "i64"})
    n = function.arguments["n"]
    before = function.text()
    assert n + 0 is n
    assert n * 1 is n
    assert function.arguments["x"][0] is function.arguments["x"]
    assert function.text() == before


def test_loops_and_conditions():
    function = Function("count", {"out": "i64*", "n": "i64"})
    total = function.variable("i64", 0)
    with (
        function.loop(0, function.arguments["n"], 2) as i,
        function.when(i.compare("ne", 4)),
    ):
        total.set(total.get() + i)
    function.arguments["out"].store(total.get())
    out = np.zeros(1, np.int64)
    run(function, out, 9)
    assert out[0] == 0 + 2 + 6 + 8
    run(function, out, 0)
    assert out[0] == 0


def test_integer_arithmetic():
    function = Function("integers", {"out": "i64*", "n": "i64"})
    n = function.arguments["n"]
    results = [n // 3, n % 3, n - 1, n & 6, n | 1, n >> 1]
    for i, result in enumerate(results):
        function.arguments["out"][i].store(result)
    out = np.zeros(len(results), np.int64)
    run(function, out, 14)
    assert out.tolist() == [14 // 3, 14 % 3, 13, 14 & 6, 14 | 1, 14 >> 1]


@pytest.mark.parametrize(("element", "dtype"), [("float", "f4"), ("double", "f8")])
@pytest.mark.parametrize("lanes", [4, 16])
@pytest.mark.parametrize("tail", [1, 2, 3])
def test_tails_touch_no_memory_beyond(element, dtype, lanes, tail):
    function = Function("tail", {"x": f"{element}*", "y": f"{element}*", "z": "i8*"})
    x, y, z = function.arguments.values()
    numbers = x.load(lanes, tail)
    y.store(numbers * 2.0, tail)
    bits = numbers.compare("ueq", numbers).convert("zext", vector(lanes, "i32"))
    z.store(bits.convert("trunc", vector(lanes, "i8")), tail)
    source = np.arange(1, lanes + 1, dtype=dtype)
    target, ones = np.full(lanes, -1, dtype), np.zeros(lanes, np.uint8)
    run(function, source, target, ones)
    assert target.tolist() == [2, 4, 6][:tail] + [-1] * (lanes - tail)
    assert ones.tolist() == [1] * tail + [0] * (lanes - tail)


def test_constants_are_exact():
    numbers = [0.1, -1.5, 1e-40, float("inf")]
    function = Function("constants", {"x": "float*", "y": "double*"})
    x, y = function.arguments.values()
    for i, number in enumerate(numbers):
        zeros = function.zero("float"), function.zero("double")
        x[i].store(zeros[0] + number)
        y[i].store(zeros[1] + number)
    singles, doubles = np.zeros(4, "f4"), np.zeros(4)
    run(function, singles, doubles)
    assert np.array_equal(singles, np.array(numbers, "f4"))
    assert np.array_equal(doubles, numbers)


def test_comparisons_choose_what_becomes_of_nan():
    function = Function("compare", {"x": "float*", "out": "float*"})
    x, out = function.arguments.values()
    values = x.load(4)
    out.store(values.compare("ogt", 0).select(values, 0))
    out[4].store(values.compare("ugt", 0).select(values, 0))
    result = np.zeros(8, "f4")
    run(function, np.array([-1, 2, np.nan, 0], "f4"), result)
    assert result[:4].tolist() == [0, 2, 0, 0]
    assert np.array_equal(result[4:], [0, 2, np.nan, 0], equal_nan=True)


def test_shuffles_take_lanes_of_two_vectors():
    function = Function("shuffle", {"x": "float*", "out": "float*"})
    x, out = function.arguments.values()
    out.store(x.load(4).shuffle([3, 4, 0, 7], x[4].load(4)))
    result = np.zeros(4, "f4")
    run(function, np.arange(8, dtype="f4"), result)
    assert result.tolist() == [3, 4, 0, 7]


def test_arguments_are_passed_by_type():
    function = Function("types", {"out": "double*", "a": "float", "b": "double"})
    out, a, b = function.arguments.values()
    out.store(a.convert("fpext", "double") + b)
    compiled = compile_function(function)
    assert compiled.table([(1, 0.5, 0.25)]) == struct.pack("=qf4xd", 1, 0.5, 0.25)
    result = np.zeros(1)
    run(function, result, 0.5, 0.25)
    assert result[0] == 0.75


def test_text_that_is_not_llvms_is_refused():
    function = Function("wrong", {})
    function.line("no such instruction")
    with pytest.raises(RuntimeError, match="expected instruction"):
        llvm.parse_assembly(function.text())
