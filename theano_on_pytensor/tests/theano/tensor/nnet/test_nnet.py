"""Softmax, cross-entropies and nonlinearities, against their formulas in NumPy."""

import numpy as np
import pytest
import scipy.special

import theano
import theano.tensor as T

RNG = np.random.default_rng(0)
ROWS = RNG.standard_normal((4, 5)) * 3
CLASSES = np.array([0, 4, 2, 2])


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def numeric_gradient(function, x, step=1e-6):
    gradient = np.zeros_like(x)
    for place in np.ndindex(*x.shape):
        shifted = [x.copy(), x.copy()]
        shifted[0][place] += step
        shifted[1][place] -= step
        gradient[place] = (function(shifted[0]) - function(shifted[1])) / (2 * step)
    return gradient


def run(build, *values):
    variables = [T.TensorType(v.dtype, [False] * v.ndim)() for v in values]
    return theano.function(variables, build(*variables))(*values)


@pytest.mark.parametrize("function", [T.nnet.softmax, T.nnet.softmax_graph])
def test_softmax_of_rows_and_of_a_vector_as_one_row(function):
    np.testing.assert_allclose(run(function, ROWS), softmax(ROWS), rtol=1e-12)
    of_vector = run(function, ROWS[0])
    assert of_vector.shape == (1, 5)
    np.testing.assert_allclose(of_vector[0], softmax(ROWS[0]), rtol=1e-12)


def test_softmax_of_a_list_and_of_other_ranks():
    assert T.nnet.softmax([1.0, 1.0]).eval().tolist() == [[0.5, 0.5]]
    with pytest.raises(ValueError, match="vector or a matrix of floats"):
        T.nnet.softmax(T.tensor3())
    with pytest.raises(ValueError, match="floats"):
        T.nnet.softmax(T.imatrix())


def test_softmax_with_a_bias_and_its_logarithm():
    bias = RNG.standard_normal(5)
    out = run(T.nnet.softmax_with_bias, ROWS, bias)
    np.testing.assert_allclose(out, softmax(ROWS + bias), rtol=1e-12)
    out = run(T.nnet.logsoftmax, ROWS)
    np.testing.assert_allclose(out, np.log(softmax(ROWS)), rtol=1e-10)


def test_no_logarithm_of_an_underflown_softmax():
    extreme = np.array([[0.0, 1000.0]])
    out = run(lambda x: T.log(T.nnet.softmax(x)), extreme)
    assert out.tolist() == [[-1000, 0]]
    losses = run(
        lambda x, y: T.nnet.categorical_crossentropy(T.nnet.softmax(x), y),
        extreme,
        np.array([0]),
    )
    assert losses.tolist() == [1000]


def test_cross_entropy_with_classes_and_with_distributions():
    probs = softmax(ROWS)
    by_class = run(T.nnet.categorical_crossentropy, probs, CLASSES)
    expected = -np.log(probs[np.arange(4), CLASSES])
    np.testing.assert_allclose(by_class, expected, rtol=1e-12)
    one_hot = np.eye(5)[CLASSES]
    np.testing.assert_allclose(
        run(T.nnet.categorical_crossentropy, probs, one_hot), expected, rtol=1e-12
    )
    target = softmax(RNG.standard_normal((4, 5)))
    np.testing.assert_allclose(
        run(T.nnet.categorical_crossentropy, probs, target),
        -(target * np.log(probs)).sum(axis=1),
        rtol=1e-12,
    )


def test_the_gradient_through_softmax_is_probabilities_minus_one_hot():
    def gradient(x, y):
        losses = T.nnet.categorical_crossentropy(T.nnet.softmax(x), y)
        return T.grad(losses.sum(), x)

    expected = softmax(ROWS) - np.eye(5)[CLASSES]
    np.testing.assert_allclose(run(gradient, ROWS, CLASSES), expected, rtol=1e-10)


def test_cross_entropy_says_what_fits():
    with pytest.raises(TypeError, match="has 2 dimensions.*it has 3"):
        T.nnet.categorical_crossentropy(T.matrix(), T.tensor3())
    with pytest.raises(TypeError, match="vector of integers"):
        T.nnet.categorical_crossentropy(T.matrix(), T.vector())
    with pytest.raises(TypeError, match="matrix of floats"):
        T.nnet.crossentropy_categorical_1hot(T.imatrix(), T.ivector())


def test_crossentropy_softmax_argmax_and_its_kin():
    bias = RNG.standard_normal(5)
    probs = softmax(ROWS + bias)
    losses = -np.log(probs[np.arange(4), CLASSES])
    found = run(T.nnet.crossentropy_softmax_argmax_1hot_with_bias, ROWS, bias, CLASSES)
    for ours, theirs in zip(found, (losses, probs, probs.argmax(1)), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10)
    found = run(
        T.nnet.crossentropy_softmax_max_and_argmax_1hot_with_bias, ROWS, bias, CLASSES
    )
    np.testing.assert_allclose(found[2], probs.max(1), rtol=1e-10)
    found = run(T.nnet.crossentropy_softmax_max_and_argmax_1hot, ROWS, CLASSES)
    np.testing.assert_allclose(
        found[0], -np.log(softmax(ROWS)[np.arange(4), CLASSES]), rtol=1e-10
    )


def test_binary_cross_entropies():
    output = RNG.uniform(0.01, 0.99, (3, 4))
    target = RNG.integers(0, 2, (3, 4)).astype(float)
    expected = -(target * np.log(output) + (1 - target) * np.log(1 - output))
    np.testing.assert_allclose(
        run(T.nnet.binary_crossentropy, output, target), expected, rtol=1e-12
    )
    scores = scipy.special.logit(output)
    np.testing.assert_allclose(
        run(T.nnet.sigmoid_binary_crossentropy, scores, target), expected, rtol=1e-9
    )
    extreme = np.array([1000.0, -1000.0])
    out = run(T.nnet.sigmoid_binary_crossentropy, extreme, np.array([0.0, 1.0]))
    assert out.tolist() == [1000, 1000]


X = np.array([-3.0, -0.5, 0.0, 0.25, 2.0])
EXP = np.expm1(X)

NONLINEARITIES = {
    "relu": (T.nnet.relu, np.maximum(X, 0)),
    "leaky relu": (lambda x: T.nnet.relu(x, 0.1), np.where(X > 0, X, 0.1 * X)),
    "elu": (T.nnet.elu, np.where(X > 0, X, EXP)),
    "elu 2": (lambda x: T.nnet.elu(x, 2), np.where(X > 0, X, 2 * EXP)),
    "selu": (
        T.nnet.selu,
        1.0507009873554804934193349852946
        * np.where(X > 0, X, 1.6732632423543772848170429916717 * EXP),
    ),
    "softsign": (T.nnet.softsign, X / (1 + np.abs(X))),
    "sigmoid": (T.nnet.sigmoid, 1 / (1 + np.exp(-X))),
    "softplus": (T.nnet.softplus, np.log1p(np.exp(X))),
    "hard_sigmoid": (T.nnet.hard_sigmoid, np.clip(0.2 * X + 0.5, 0, 1)),
}


@pytest.mark.parametrize("name", NONLINEARITIES)
def test_nonlinearities(name):
    function, expected = NONLINEARITIES[name]
    np.testing.assert_allclose(run(function, X), expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", NONLINEARITIES)
def test_nonlinearities_keep_float32_and_have_a_gradient(name):
    function, expected = NONLINEARITIES[name]
    with theano.config.change_flags(floatX="float32"):
        out = run(function, X.astype("float32"))
        assert out.dtype == "float32"
    np.testing.assert_allclose(out, expected, rtol=1e-5, atol=1e-6)
    away_from_kinks = np.array([-3.1, -0.6, 0.3, 1.9])
    gradient = run(lambda x: T.grad(function(x).sum(), x), away_from_kinks)
    numeric = numeric_gradient(lambda v: run(function, v).sum(), away_from_kinks)
    np.testing.assert_allclose(gradient, numeric, rtol=1e-5, atol=1e-8)


def test_at_zero_relus_gradient_is_the_mean_of_both_slopes():
    def gradient(alpha):
        return run(lambda x: T.grad(T.nnet.relu(x, alpha).sum(), x), np.zeros(1))

    assert gradient(0).tolist() == [(1 + 0) / 2]
    np.testing.assert_allclose(gradient(0.2), [(1 + 0.2) / 2], rtol=1e-12)


def test_ultra_fast_sigmoid_is_near_the_sigmoid():
    x = np.linspace(-10, 10, 1001)
    fast = run(T.nnet.ultra_fast_sigmoid, x)
    assert np.abs(fast - 1 / (1 + np.exp(-x))).max() < 0.03
    # Asked of the genuine Theano 1.0.5.
    np.testing.assert_allclose(
        run(T.nnet.ultra_fast_sigmoid, np.array([-7.0, -1, 0, 2, 5])),
        [0.00247262315663499, 0.25, 0.5, 0.875, 0.9860570531734361],
        rtol=1e-12,
    )


def test_confusion_matrix_counts_pairs():
    actual, guessed = np.array([1, 3, 3, 1, 3]), np.array([1, 3, 1, 3, 5])
    counts, order = run(T.nnet.confusion_matrix, actual, guessed)
    assert order.tolist() == [1, 3, 5]
    expected = [
        [int(((actual == a) & (guessed == g)).sum()) for g in order] for a in order
    ]
    assert counts.tolist() == expected
    with pytest.raises(ValueError, match="actual must be a vector"):
        T.nnet.confusion_matrix(T.imatrix(), T.ivector())


def test_h_softmax_is_a_class_times_a_member():
    batch, features, n_classes, per_class, n_outputs = 3, 4, 3, 2, 5
    x = RNG.standard_normal((batch, features))
    w1, b1 = RNG.standard_normal((features, n_classes)), RNG.standard_normal(n_classes)
    w2 = RNG.standard_normal((n_classes, features, per_class))
    b2 = RNG.standard_normal((n_classes, per_class))
    classes = softmax(x @ w1 + b1)
    expected = np.zeros((batch, n_classes * per_class))
    for row in range(batch):
        for c in range(n_classes):
            within = softmax(x[row] @ w2[c] + b2[c])
            expected[row, c * per_class : (c + 1) * per_class] = (
                classes[row, c] * within
            )
    weights = [T.constant(w) for w in (w1, b1, w2, b2)]
    parameters = (batch, n_outputs, n_classes, per_class, *weights)
    out = T.nnet.h_softmax(T.constant(x), *parameters).eval()
    np.testing.assert_allclose(out, expected[:, :n_outputs], rtol=1e-10)
    target = np.array([4, 0, 3])
    out = T.nnet.h_softmax(T.constant(x), *parameters, T.constant(target)).eval()
    np.testing.assert_allclose(out, expected[np.arange(batch), target], rtol=1e-10)
