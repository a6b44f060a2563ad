"""``theano.function``: inputs, updates, givens, and what a user may get wrong."""

import copy
import pickle
from collections import OrderedDict

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.compile import UnusedInputError


def test_outputs_have_the_form_that_was_asked_for():
    x = T.dscalar("x")
    assert theano.function([x], x + 1)(1) == 2
    assert theano.function([x], [x + 1, x * 3])(1) == [2, 3]
    assert theano.function([x], {"sum": x + 1, "product": x * 3})(1) == {
        "sum": 2,
        "product": 3,
    }
    assert theano.function([], T.constant(2.0) * 2)() == 4
    assert theano.function([x], on_unused_input="ignore")(1) == []


def test_inputs_by_position_by_name_and_by_default():
    x, y = T.dscalars("x", "y")
    for default in (theano.In(y, value=10), theano.Param(y, default=10)):
        f = theano.function([x, default], x - y)
        assert f(1) == 1 - 10
        assert f(1, 2) == 1 - 2
        assert f(y=3, x=1) == 1 - 3


@pytest.mark.parametrize("container", [list, OrderedDict, dict, tuple])
def test_updates_happen_together_after_the_outputs(container):
    a, b = theano.shared(1.0, "a"), theano.shared(2.0, "b")
    step = theano.function([], a + b, updates=container([(a, b), (b, a)]))
    assert step() == 3
    assert (a.get_value(), b.get_value()) == (2, 1)


def test_updates_of_ordered_updates():
    a = theano.shared(1.0, "a")
    updates = theano.OrderedUpdates([(a, a * 2)])
    theano.function([], [], updates=updates)()
    assert a.get_value() == 2


def test_an_update_may_be_a_number():
    a = theano.shared(np.float32(1))
    theano.function([], [], updates=[(a, 3)])()
    assert a.get_value() == 3
    assert a.get_value().dtype == "float32"


def test_an_input_that_updates_itself_keeps_what_it_was_given():
    # Asked of the genuine Theano 1.0.5.
    z = T.dscalar("z")
    f = theano.function([theano.In(z, value=10, update=z + 1)], z)
    assert [float(f()), float(f()), float(f(3)), float(f())] == [10, 11, 3, 4]


def test_a_default_value_comes_back_and_can_be_replaced():
    y, z = T.dscalars("y", "z")
    f = theano.function([y, theano.In(z, value=10)], y - z)
    assert [float(v) for v in (f(1), f(1, 2), f(1))] == [-9, -1, -9]
    assert f["z"] == f[z] == f.value["z"] == 10
    f["z"] = 4
    assert [float(v) for v in (f(1), f(1, 2), f(1))] == [-3, -1, -3]
    assert "z" in f
    assert "q" not in f
    with pytest.raises(KeyError, match="'q'"):
        f["q"]
    with pytest.raises(ValueError, match=r"Bad input argument.*, y of type"):
        f("one")
    assert f(1) == -3


def test_defaults_and_the_form_of_outputs_survive_copy_and_pickle():
    x, y = T.dscalars("x", "y")
    f = theano.function([x, theano.In(y, value=10)], {"sum": x + y})
    for twin in (pickle.loads(pickle.dumps(f)), f.copy(), copy.deepcopy(f)):
        assert twin(1) == {"sum": 11}
        assert twin(1, 1) == {"sum": 2}
        assert twin(1) == {"sum": 11}


def test_some_of_the_outputs():
    x = T.dscalar("x")
    f = theano.function([x], [x + 1, x * 2, x - 1])
    assert f(1, output_subset=[0, 2]) == [2, 0]
    g = theano.function([x], {"a": x + 1, "b": x * 2})
    assert g(1, output_subset=["b"]) == {"b": 2}
    with pytest.raises(AssertionError, match="strings"):
        theano.function([x], {1: x})


@pytest.mark.parametrize("container", [list, dict])
def test_givens_replace(container):
    x, y = T.dscalars("x", "y")
    s = theano.shared(5.0)
    f = theano.function([y], x * 2 + s, givens=container([(x, y + 1), (s, y)]))
    assert f(3.0) == (3 + 1) * 2 + 3


def test_default_updates():
    a = theano.shared(0)
    a.default_update = a + 1
    count = theano.function([], a)
    assert [int(count()), int(count())] == [0, 1]
    still = theano.function([], a, no_default_updates=True)
    assert int(still()) == int(still()) == 2


def test_float64_for_a_float32_input():
    x = T.fmatrix("images")
    value = np.full((1, 1), 0.1)
    strict = theano.function([x], x * 2)
    with pytest.raises(TypeError, match="images.*float32.*float64.*precision"):
        strict(value)
    loose = theano.function([x], x * 2, allow_input_downcast=True)
    assert loose(value).dtype == "float32"


def errors_of(call):
    with pytest.raises((TypeError, ValueError)) as caught:
        call()
    return str(caught.value)


def test_a_missing_input_is_named():
    x, y = T.dscalars("width", "height")
    f = theano.function([x, y], x * y)
    assert "height" in errors_of(lambda: f(1))


def test_an_input_of_another_rank_or_dtype_is_named():
    x = T.fmatrix("images")
    f = theano.function([x], x * 2, name="double")
    for value, told in [
        (np.zeros(3, "float32"), r"expected 2, got 1"),
        (np.zeros((2, 2)) + 0.1, "float64"),
    ]:
        for call in (lambda v=value: f(v), lambda v=value: f(images=v)):
            message = errors_of(call)
            assert "images" in message
            assert '"double"' in message
            assert told in message


def test_mismatched_shapes_are_told():
    x, y = T.dmatrix("x"), T.dmatrix("y")
    product = theano.function([x, y], T.dot(x, y))
    message = errors_of(lambda: product(np.zeros((2, 3)), np.zeros((4, 5))))
    assert "(2, 3)" in message
    assert "(4, 5)" in message
    total = theano.function([x, y], x + y)
    message = errors_of(lambda: total(np.zeros((2, 3)), np.zeros((2, 4))))
    assert "(2, 3)" in message
    assert "(2, 4)" in message


def test_updates_that_cannot_be():
    s = theano.shared(np.zeros(3, "float32"), "weights")
    x = T.fmatrix("x")
    for update, told in [
        ((s, s.dimshuffle("x", 0)), "weights"),
        ((s, T.zeros((3,), dtype="float64")), "float64"),
        ((x, s), "SharedVariable"),
    ]:
        assert told in errors_of(
            lambda update=update: theano.function([], [], updates=[update])
        )
    with pytest.raises(ValueError, match="already has an update"):
        theano.function([], [], updates=[(s, s), (s, s + 1)])


def test_an_input_that_nothing_needs():
    x, y = T.dscalars("x", "left_over")
    with pytest.raises(UnusedInputError, match="left_over"):
        theano.function([x, y], x)
    with pytest.warns(UserWarning, match="left_over"):
        theano.function([x, y], x, on_unused_input="warn")
    assert theano.function([x, y], x, on_unused_input="ignore")(1, 2) == 1


def test_an_input_that_is_missing_from_the_list():
    x, y = T.dscalars("x", "forgotten")
    with pytest.raises(theano.gof.MissingInputError, match="forgotten"):
        theano.function([x], x + y)


def test_functions_are_copied_and_their_shared_variables_read():
    a = theano.shared(1.0, "a")
    f = theano.function([], a * 2, updates=[(a, a + 1)])
    assert f.get_shared() == [a]
    f()
    twin = f.copy(share_memory=True)
    assert twin() == 4
    assert a.get_value() == 3


def test_results_are_the_callers_own():
    s = theano.shared(np.zeros(2))
    f = theano.function([], s)
    f()[:] = 1
    assert s.get_value().tolist() == [0, 0]
    x = T.dvector()
    value = np.zeros(2)
    identity = theano.function([x], x)
    identity(value)[:] = 1
    assert value.tolist() == [0, 0]


def test_the_containers_of_the_inputs():
    x, s = T.dscalar("x"), T.dscalar("s")
    f = theano.function([x, theano.In(s, value=0.0, update=s + x)], s + x)
    f(3)
    assert f.container["s"].data == f.value[s] == 3
    assert "x" in f.container
    assert "y" not in f.container
