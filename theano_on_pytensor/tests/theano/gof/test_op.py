"""Ops that programs write themselves, and test values."""

import pickle

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.gof.op import get_debug_values, get_test_value


class Scale(theano.Op):
    """``factor * x``, as Theano's documentation would write it."""

    __props__ = ("factor",)

    def __init__(self, factor):
        self.factor = factor

    def make_node(self, x):
        x = T.as_tensor_variable(x)
        return theano.Apply(self, [x], [x.type()])

    def perform(self, node, inputs, output_storage):
        output_storage[0][0] = inputs[0] * self.factor

    def infer_shape(self, node, shapes):
        return shapes

    def grad(self, inputs, output_gradients):
        return [output_gradients[0] * self.factor]

    def R_op(self, inputs, eval_points):
        if eval_points[0] is None:
            return eval_points
        return self.grad(inputs, eval_points)


@pytest.mark.filterwarnings("error")
def test_an_op_computes_and_differentiates():
    x = T.dmatrix("x")
    y = Scale(3)(x)
    f = theano.function([x], [y, T.grad(y.sum(), x), y.shape, T.Rop(y, x, x)])
    value, gradient, shape, directional = f(np.full((2, 1), 5.0))
    assert value.tolist() == directional.tolist() == [[15], [15]]
    assert gradient.tolist() == [[3], [3]]
    assert shape.tolist() == [2, 1]


def test_the_shape_is_inferred_without_computing():
    x = T.dmatrix("x")
    f = theano.function([x], Scale(2)(x).shape)
    ops = [node.op for node in f.maker.fgraph.toposort()]
    assert not any(isinstance(op, Scale) for op in ops)


def test_ops_of_equal_props_are_equal_and_merged():
    assert Scale(2) == Scale(2) != Scale(3)
    assert hash(Scale(2)) == hash(Scale(2))
    assert str(Scale(2)) == "Scale{factor=2}"
    x = T.dvector("x")
    f = theano.function([x], Scale(2)(x) + Scale(2)(x))
    used = [n for n in f.maker.fgraph.toposort() if isinstance(n.op, Scale)]
    assert len(used) == 1


def test_every_op_is_an_op():
    x = T.dvector("x")
    assert isinstance(T.exp(x).owner.op, theano.Op)
    assert isinstance(Scale(2), theano.gof.Op)
    assert issubclass(T.Elemwise, theano.Op)
    assert not isinstance(T.exp, Scale)
    assert not isinstance(x, theano.Op)


def test_an_op_of_types():
    class Double(theano.Op):
        __props__ = ()
        itypes, otypes = [T.dmatrix], [T.dmatrix]

        def perform(self, node, inputs, output_storage):
            output_storage[0][0] = 2 * inputs[0]

    x = T.dmatrix("x")
    assert theano.function([x], Double()(x))([[1.0]]).tolist() == [[2.0]]
    with pytest.raises(TypeError):
        Double()(T.fvector("y"))
    with pytest.raises(theano.gof.MethodNotDefined):
        T.grad(Double()(x).sum(), x)


def test_l_op_is_given_the_outputs():
    class Exp(theano.Op):
        __props__ = ()

        def make_node(self, x):
            return theano.Apply(self, [x], [x.type()])

        def perform(self, node, inputs, output_storage):
            output_storage[0][0] = np.exp(inputs[0])

        def L_op(self, inputs, outputs, output_gradients):
            return [output_gradients[0] * outputs[0]]

    x = T.dvector("x")
    f = theano.function([x], T.grad(Exp()(x).sum(), x))
    assert f([0.0, 1.0]).tolist() == [1.0, np.e]


def test_an_integer_input_that_is_not_connected():
    class Power(theano.Op):
        __props__ = ()

        def make_node(self, x, n):
            return theano.Apply(self, [x, n], [x.type()])

        def perform(self, node, inputs, output_storage):
            output_storage[0][0] = inputs[0] ** inputs[1]

        def grad(self, inputs, output_gradients):
            x, n = inputs
            return [
                output_gradients[0] * n * Power()(x, n - 1),
                theano.gradient.grad_undefined(self, 1, n),
            ]

    x, n = T.dvector("x"), T.lscalar("n")
    f = theano.function([x, n], T.grad(Power()(x, n).sum(), x))
    assert f([2.0, 3.0], 3).tolist() == [12.0, 27.0]


def test_a_scalar_op_in_an_elementwise_one():
    class Seven(theano.scalar.UnaryScalarOp):
        def impl(self, x):
            return 7 * x

        def grad(self, inputs, output_gradients):
            return [7 * output_gradients[0]]

    seven = T.Elemwise(Seven(theano.scalar.upgrade_to_float, name="seven"))
    x = T.dmatrix("x")
    f = theano.function([x], [seven(x), T.grad(seven(x).sum(), x), seven(x) + 1])
    value, gradient, fused = f([[1.0, 2.0]])
    assert value.tolist() == [[7, 14]]
    assert gradient.tolist() == [[7, 7]]
    assert fused.tolist() == [[8, 15]]


def test_an_op_of_a_view_changes_only_the_gradient_and_can_be_removed():
    class Reverse(theano.compile.ViewOp):
        def grad(self, inputs, output_gradients):
            return [-g for g in output_gradients]

    reverse = Reverse()
    theano.tensor.opt.register_canonicalize(
        theano.gof.OpRemove(reverse), name="remove_reverse"
    )
    x = T.dvector("x")
    cost = (3 * reverse(x)).sum()
    f = theano.function([x], [cost, T.grad(cost, x)])
    cost, gradient = f([1.0, 2.0])
    assert (cost, gradient.tolist()) == (9.0, [-3.0, -3.0])
    assert not any(node.op == reverse for node in f.maker.fgraph.toposort())


def test_c_code_is_refused_when_it_is_used():
    class OnlyC(theano.Op):
        __props__ = ()

        def make_node(self, x):
            return theano.Apply(self, [x], [x.type()])

        def c_code(self, node, name, inputs, outputs, sub):
            return ""

    x = T.dvector("x")
    f = theano.function([x], OnlyC()(x))
    with pytest.raises(
        theano.gof.MethodNotDefined, match="OnlyC has no method perform"
    ):
        f([1.0])
    with pytest.raises(NotImplementedError, match="write perform"):
        theano.gof.COp("code.c")


def test_an_op_is_pickled():
    assert pickle.loads(pickle.dumps(Scale(4))) == Scale(4)


def test_a_rewrite_of_a_programs_own():
    @theano.tensor.opt.register_canonicalize
    @theano.gof.local_optimizer([Scale])
    def local_scale_by_one(node):
        return isinstance(node.op, Scale) and node.op.factor == 1 and node.inputs

    x = T.dvector("x")
    f = theano.function([x], [Scale(1)(x) + 1, Scale(5)(x)])
    assert [v.tolist() for v in f([2.0])] == [[3.0], [10.0]]
    factors = [
        n.op.factor for n in f.maker.fgraph.toposort() if hasattr(n.op, "factor")
    ]
    assert factors == [5]


@pytest.fixture
def test_values():
    with theano.config.change_flags(compute_test_value="raise"):
        yield


@pytest.mark.usefixtures("test_values")
class TestTestValues:
    def test_they_are_computed_as_the_graph_is_built(self):
        x = T.dmatrix("x")
        x.tag.test_value = np.ones((2, 3))
        w = theano.shared(np.arange(3.0))
        y = T.nnet.softmax(T.dot(x, w) + 1)
        assert y.tag.test_value.tolist() == [[0.5, 0.5]]
        assert T.grad(T.dot(x, w).sum(), w).tag.test_value.tolist() == [2, 2, 2]

    def test_a_wrong_shape_is_found_where_it_is_written(self):
        x, y = T.dmatrix("x"), T.dvector("y")
        x.tag.test_value, y.tag.test_value = np.ones((2, 3)), np.ones(4)
        with pytest.raises(ValueError, match="3"):
            T.dot(x, y)

    def test_a_missing_one_is_named(self):
        with pytest.raises(AttributeError, match=r"input 0 of .*: u of type"):
            T.dvector("u") * 2

    def test_one_of_another_type_is_refused(self):
        x = T.dmatrix("x")
        x.tag.test_value = np.ones(3)
        with pytest.raises(TypeError):
            x + 1

    def test_a_loop_and_a_choice_have_them_too(self):
        x = T.dvector("x")
        x.tag.test_value = np.array([1.0, 2.0, 3.0])
        sums, _ = theano.scan(lambda a, b: a + b, x, T.zeros(()))
        assert sums.tag.test_value.tolist() == [1, 3, 6]
        chosen = theano.ifelse.ifelse(T.gt(x[0], 0), x, -x)
        assert chosen.tag.test_value.tolist() == [1, 2, 3]

    def test_functions_compile_all_the_same(self):
        x = T.dvector("x")
        x.tag.test_value = np.zeros(2)
        assert theano.function([x], T.tanh(x * 2 + 1))([0.0]).tolist() == [np.tanh(1)]

    def test_they_are_asked_for(self):
        x = T.dscalar("x")
        x.tag.test_value = 3
        assert get_test_value(x) == 3
        assert get_debug_values(x, theano.shared(2.0)) == [(3, 2)]
        assert get_debug_values(T.constant(5)) == [5]


def test_without_them_nothing_is_computed():
    x = T.dscalar("x")
    x.tag.test_value = np.float64(2)
    assert not hasattr((x + 1).tag, "test_value")
    assert get_debug_values(x) == []
    with (
        theano.config.change_flags(compute_test_value="warn"),
        pytest.warns(UserWarning, match="no test value"),
    ):
        T.dscalar("y") + 1
    with theano.config.change_flags(compute_test_value="ignore"):
        assert (x + 1).tag.test_value == 3
        T.dscalar("y") + 1


def test_a_scalar_op_of_c_code_alone_is_refused_when_it_is_used():
    class OnlyC(theano.scalar.UnaryScalarOp):
        def c_code(self, node, name, inputs, outputs, sub):
            return f"{outputs[0]} = {inputs[0]};"

    x = T.dvector("x")
    only_c = T.Elemwise(OnlyC(theano.scalar.upgrade_to_float, name="only_c"))
    for result in (only_c(x), 2 * only_c(x)):
        f = theano.function([x], result)
        with pytest.raises(
            theano.gof.MethodNotDefined,
            match=r"OnlyC has no method impl.*write its computation in Python",
        ):
            f([1.0])
