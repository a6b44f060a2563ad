"""The Ops that choose outcomes: what they add to the kernels."""

import pickle

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.compile.mode import Mode

from pytensor_nnet.ops.multinomial import ChoiceFromUniform, MultinomialFromUniform

FAST = Mode("py", "fast_compile")
FULL = Mode("py", "fast_run").excluding("fusion")
PVALS = np.array([[0.5, 0.25, 0.25], [0.0, 0.5, 0.5]], "float32")
# The first draw of either distribution, then the second.
UNIFORMS = np.array([0.6, 0.1, 0.75, 0.9], "float32")


def test_counts():
    # 0.6 < 0.5 + 0.25; 0.1 < 0 + 0.5; 0.75 is not below 0.75, but below 1; 0.9 < 1.
    counts = MultinomialFromUniform("int32")(PVALS, UNIFORMS, 2)
    assert counts.type.dtype == "int32"
    assert counts.type.shape == (2, 3)
    assert counts.eval(mode=FAST).tolist() == [[0, 1, 1], [0, 1, 1]]
    assert MultinomialFromUniform("auto")(PVALS, UNIFORMS, 2).type.dtype == "float32"


def test_distinct_outcomes():
    # Without the outcome drawn first, the first row is [2/3, 0, 1/3], the other
    # [0, 0, 1].
    chosen = ChoiceFromUniform("auto")(PVALS, UNIFORMS, 2)
    assert chosen.type.dtype == "int64"
    assert chosen.type.shape == (2, 2)
    assert chosen.eval(mode=FAST).tolist() == [[1, 2], [1, 2]]


@pytest.mark.parametrize("op_type", [MultinomialFromUniform, ChoiceFromUniform])
def test_shapes_are_known_without_computing(op_type):
    pvals, uniforms, n = pt.fmatrix(), pt.fvector(), pt.lscalar()
    out = op_type("int64")(pvals, uniforms, n)
    shape = pytensor.function(
        [pvals, uniforms, n], out.shape, mode=FULL, on_unused_input="ignore"
    )
    nodes = shape.maker.fgraph.apply_nodes
    assert not any(isinstance(node.op, op_type) for node in nodes)
    real = out.eval({pvals: PVALS, uniforms: UNIFORMS, n: 2}, mode=FAST).shape
    assert tuple(shape(PVALS, UNIFORMS, 2)) == real


@pytest.mark.parametrize("op_type", [MultinomialFromUniform, ChoiceFromUniform])
def test_gradients_are_zero(op_type):
    pvals = pt.fmatrix()
    out = op_type("float32")(pvals, UNIFORMS, 2)
    gradient = pytensor.grad(out.sum(), pvals)
    assert not gradient.eval({pvals: PVALS}, mode=FAST).any()


@pytest.mark.parametrize("op_type", [MultinomialFromUniform, ChoiceFromUniform])
def test_arguments_that_do_not_fit(op_type):
    op = op_type("int64")
    with pytest.raises(
        ValueError, match="4 uniform numbers for 1 draws from each of 2"
    ):
        op(PVALS, UNIFORMS, 1).eval(mode=FAST)
    with pytest.raises(NotImplementedError, match="probabilities must have 2 axes"):
        op(PVALS[0], UNIFORMS)
    with pytest.raises(NotImplementedError, match="uniform numbers must have 1 axes"):
        op(PVALS, PVALS)
    with pytest.raises(TypeError, match="number of draws must be an integer"):
        op(PVALS, UNIFORMS, 2.0)
    assert pickle.loads(pickle.dumps(op)) == op != op_type("int32")


def test_more_draws_than_outcomes():
    uniforms = np.zeros(8, "float32")
    with pytest.raises(ValueError, match="cannot draw 4 different outcomes out of 3"):
        ChoiceFromUniform("int64")(PVALS, uniforms, 4).eval(mode=FAST)
