"""Whose instances variables are, their truth value, and that they pickle."""

import pickle

import numpy as np
import pytensor.tensor as pt
import pytest

import theano
import theano.tensor as T


def test_only_symbolic_variables_are_tensor_variables():
    shared = theano.shared(np.zeros(3))
    constant = T.constant(1.0)
    for variable in (T.matrix(), T.matrix() + 1, shared * 2):
        assert isinstance(variable, T.TensorVariable)
    assert not isinstance(shared, T.TensorVariable)
    assert not isinstance(constant, T.TensorVariable)
    assert isinstance(constant, T.TensorConstant)
    assert isinstance(shared, T.sharedvar.TensorSharedVariable)
    assert isinstance(shared, theano.compile.SharedVariable)
    for variable in (T.matrix(), shared, constant):
        assert isinstance(variable, theano.gof.Variable)
        assert isinstance(variable, T.Variable)


def test_subclasses_are_told_apart_likewise():
    assert issubclass(type(T.matrix()), T.TensorVariable)
    assert not issubclass(type(theano.shared(0.0)), T.TensorVariable)
    assert not issubclass(type(T.constant(0.0)), T.TensorVariable)


def test_a_tensor_variable_can_be_made_of_a_type():
    x = T.TensorVariable(T.TensorType("float32", (False,)), name="x")
    assert isinstance(x, T.TensorVariable)
    assert (x.name, x.dtype, x.ndim) == ("x", "float32", 1)


def test_variables_survive_a_pickle():
    x = T.dmatrix("x")
    shared = theano.shared(np.arange(3.0), name="shared")
    again, copy = pickle.loads(pickle.dumps([x * 2, shared]))
    (inner,) = [v for v in theano.gof.graph.inputs([again]) if v.name == "x"]
    value = np.arange(6.0).reshape(2, 3)
    assert np.array_equal(again.eval({inner: value}), value * 2)
    assert type(copy) is type(shared)
    assert copy.name == "shared"
    assert np.array_equal(copy.get_value(), [0, 1, 2])
    assert bool(copy)


def test_functions_survive_a_pickle_and_keep_their_shared_variables_apart():
    count = theano.shared(0, name="count")
    step = theano.function([], count, updates=[(count, count + 1)])
    step()
    again = pickle.loads(pickle.dumps(step))
    assert [int(again()), int(again()), int(step())] == [1, 2, 1]


@pytest.mark.parametrize(
    "make",
    [
        T.dmatrix,
        lambda: theano.shared(0.0),
        lambda: theano.shared(np.zeros(3)),
        lambda: T.constant(0),
        lambda: T.dmatrix() + 1,
        lambda: T.eq(T.dmatrix(), 1),
        lambda: T.and_(T.imatrix(), 1),
        lambda: T.isnan(T.dmatrix()),
    ],
)
def test_variables_are_true_as_in_theano(make):
    # Asked of the genuine Theano 1.0.5: no value counts, the variable is there.
    assert bool(make()) is True


@pytest.mark.parametrize(
    "compare",
    [lambda x: x < 1, lambda x: x <= 1, lambda x: x > 1, lambda x: x <= 1],
)
def test_comparisons_have_no_truth_value(compare):
    with pytest.raises(TypeError, match="T.switch"):
        bool(compare(T.dmatrix()))


def test_equality_is_identity():
    x = T.dmatrix()
    assert (x == x) is True
    assert (x == T.dmatrix()) is False
    assert (x != T.dmatrix()) is True
    assert x in [T.dmatrix(), x]


def test_code_written_for_pytensor_keeps_pytensors_rule():
    code = compile(
        "import pytensor.tensor as pt\ntrue = bool(pt.matrix())\n", "x", "exec"
    )
    with pytest.raises(TypeError, match="cannot be converted to Python boolean"):
        exec(code, {"__name__": "a_model"})
    with pytest.raises(TypeError, match="cannot be converted to Python boolean"):
        exec("x or y", {"pt": pt, "x": T.dmatrix(), "y": 1, "__name__": "a_model"})
