"""The mistakes that programs make: what is said names the variable and the shapes."""

import numpy as np
import pytest

import theano
import theano.tensor as T


def matrix(*shape):
    return np.zeros(shape, "float32")


@pytest.fixture(autouse=True)
def in_float32():
    with theano.config.change_flags(floatX="float32"):
        yield


@pytest.fixture
def x():
    return T.fmatrix("x")


@pytest.fixture
def v():
    return T.fvector("v")


@pytest.fixture
def w():
    return theano.shared(matrix(3, 2), name="w")


def assert_says(raised, *parts):
    said = str(raised.value)
    assert [part for part in parts if part not in said] == []
    # Theano's words, not those of what serves it.
    assert "pytensor function" not in said
    assert "pytensor.function" not in said
    assert "PyTensor" not in said


def test_a_value_of_the_wrong_rank(x):
    predict = theano.function([x], x.sum(), name="predict")
    with pytest.raises(TypeError) as raised:
        predict(np.zeros(3, "float32"))
    assert_says(
        raised, '"predict"', "index 0", "x of type", "expected 2, got 1", "(3,)"
    )


def test_a_float64_for_a_float32(x):
    with pytest.raises(TypeError) as raised:
        theano.function([x], x.sum())(np.zeros((2, 3)))
    assert_says(raised, "x of type", "float32", "float64", "allow_input_downcast=True")


def test_a_float_for_an_integer():
    i = T.ivector("i")
    with pytest.raises(TypeError) as raised:
        theano.function([i], i.sum())([1.5])
    assert_says(raised, "i of type", "int32", "[1.5]", "allow_input_downcast=True")


def test_a_matrix_for_a_row():
    row = T.frow("row")
    with pytest.raises(TypeError) as raised:
        theano.function([row], row.sum())(matrix(2, 3))
    assert_says(raised, "row of type", "(2, 3)")


def test_shapes_that_do_not_fit_in_a_product(x, w):
    with pytest.raises(ValueError) as raised:  # noqa: PT011
        theano.function([x], T.dot(x, w))(matrix(2, 4))
    assert_says(raised, "(2, 4)", "(3, 2)", "(x, w")


@pytest.mark.parametrize(
    "operation", [T.add, T.maximum, lambda x, v: T.switch(x, v, x)]
)
def test_shapes_that_do_not_fit_element_by_element(operation, x, v):
    with pytest.raises(ValueError) as raised:  # noqa: PT011
        theano.function([x, v], operation(x, v))(matrix(2, 3), np.zeros(4, "float32"))
    assert_says(raised, "(2, 3)", "(1, 4)", "x")


def test_a_length_of_one_that_was_not_declared(x):
    y = T.fmatrix("y")
    with pytest.raises(ValueError) as raised:  # noqa: PT011
        theano.function([x, y], x * y)(matrix(2, 3), matrix(1, 3))
    assert_says(raised, "(2, 3)", "(1, 3)", "theano.tensor.addbroadcast", "x, y")


def test_what_is_joined_does_not_fit(x, v):
    y = T.fmatrix("y")
    with pytest.raises(ValueError) as raised:  # noqa: PT011
        theano.function([x, y], T.concatenate([x, y]))(matrix(2, 3), matrix(2, 4))
    assert_says(raised, "(2, 3)", "(2, 4)", "x, y")
    with pytest.raises(TypeError, match=r"\[2, 1\]"):
        T.concatenate([x, v])


def test_a_shape_of_another_size(x):
    with pytest.raises(ValueError) as raised:  # noqa: PT011
        theano.function([x], x.reshape((4, 2)))(matrix(2, 3))
    assert_says(raised, "(2, 3)", "(4,2)", "x")


def test_an_index_out_of_bounds(x):
    i = T.ivector("i")
    with pytest.raises(IndexError) as raised:
        theano.function([x], x[5])(matrix(2, 3))
    assert_says(raised, "index 5", "size 2", "(2, 3)", "x")
    with pytest.raises(IndexError) as raised:
        theano.function([x, i], x[i])(matrix(2, 3), np.array([7], "int32"))
    assert_says(raised, "index 7", "(2, 3)", "x, i")
    with pytest.raises(IndexError, match="2-dimensional, but 3"):
        x[0, 0, 0]


def test_an_update_of_another_type(w):
    for update in (w.astype("float64"), w.sum(axis=0)):
        with pytest.raises(TypeError) as raised:
            theano.function([], updates=[(w, update)])
        assert_says(raised, "shared_var=w", str(w.type), str(update.type))


def test_an_update_of_what_is_not_shared_and_two_of_one(x, w):
    with pytest.raises(TypeError, match="SharedVariable.*x"):
        theano.function([x], updates=[(x, x + 1)])
    with pytest.raises(ValueError, match=r"already has an update.*w"):
        theano.function([], updates=[(w, w + 1), (w, w + 2)])


def test_a_missing_input(x, v):
    with pytest.raises(theano.gof.MissingInputError) as raised:
        theano.function([x], x + v)
    assert_says(raised, "(v)", "not provided", "Theano flag")


def test_an_unused_input_and_one_given_twice(x, v):
    with pytest.raises(theano.compile.UnusedInputError) as raised:
        theano.function([x, v], x.sum())
    assert_says(raised, "index 1", ": v", "on_unused_input", "theano.function")
    with pytest.raises(theano.compile.UnusedInputError) as raised:
        theano.function([x, x], x.sum())
    assert_says(raised, "x is used twice", "0 and 1")


def test_a_call_with_the_wrong_arguments(x, v):
    add = theano.function([x, v], x + v)
    with pytest.raises(TypeError, match="Missing.*v"):
        add(matrix(2, 3))
    with pytest.raises(TypeError, match="Too many parameter passed to theano function"):
        add(matrix(2, 3), matrix(1, 3)[0], 1)
    with pytest.raises(TypeError, match=r"Unknown input.*: z.*x, v"):
        add(matrix(2, 3), z=1)


def test_a_gradient_that_is_none(x, v):
    with pytest.raises(TypeError, match=r"[Cc]ost must be a scalar"):
        T.grad(x.sum(axis=0), x)
    with pytest.raises(theano.gradient.DisconnectedInputError) as raised:
        T.grad(x.sum(), v)
    assert_says(raised, "v")


def test_a_new_value_of_another_type(w):
    with pytest.raises(TypeError, match=r"expected 2, got 1 with shape \(3,\).*\"w\""):
        w.set_value(np.zeros(3, "float32"))
    with pytest.raises(TypeError, match=r"float64.*\"w\""):
        w.set_value(np.zeros((3, 2)))


def test_a_given_of_another_type(x):
    for value in (np.zeros((2, 2)), np.zeros(2, "float32")):
        given = theano.shared(value, "given")
        with pytest.raises(TypeError) as raised:
            theano.function([], x.sum(), givens={x: given})
        assert_says(raised, "given", str(given.type), str(x.type))


def test_what_is_no_tensor(x):
    with pytest.raises(TypeError, match="'a' of type str"):
        T.as_tensor_variable("a")
    with pytest.raises(TypeError, match="None"):
        x + None
    with pytest.raises(TypeError, match="iteration"):
        list(x)
    with pytest.raises(TypeError):
        theano.shared(x)


def test_images_and_filters_that_do_not_fit(x):
    images, filters = T.ftensor4("images"), T.ftensor4("filters")
    convolve = theano.function([images, filters], T.nnet.conv2d(images, filters))
    with pytest.raises(ValueError) as raised:  # noqa: PT011
        convolve(matrix(1, 2, 5, 5), matrix(1, 3, 3, 3))
    assert_says(raised, "(1, 2, 5, 5)", "(1, 3, 3, 3)", "(images, filters)")
    with pytest.raises(TypeError, match="4 axes.*2|Matrix"):
        T.nnet.conv2d(x, x)


def test_a_label_that_is_no_class(x, v):
    i = T.ivector("i")
    losses = T.nnet.categorical_crossentropy(T.nnet.softmax(x), i)
    with pytest.raises(IndexError) as raised:
        theano.function([x, i], losses)(matrix(2, 3), np.array([1, 5], "int32"))
    assert_says(raised, "3", "(2, 3)", "(2,)", "(x, i)")
    with pytest.raises(TypeError, match="vector of integers"):
        T.nnet.crossentropy_categorical_1hot(x, v)


def test_a_loop_whose_state_changes_its_type(v):
    with pytest.raises(ValueError, match=r"float32.*float64"):
        theano.scan(lambda a, b: a + b.astype("float64"), v, T.zeros_like(v[0]))


def test_a_product_of_shapes_that_do_not_fit_names_both():
    x, y = T.dmatrices("x", "y")
    product = theano.function([x, y], T.dot(x, y))
    with pytest.raises(
        ValueError, match=r"shapes \(2, 3\) and \(2, 3\)(.|\n)*\(x, y"
    ) as error:
        product(np.ones((2, 3)), np.ones((2, 3)))
    assert "bias" not in str(error.value).split("\n")[0]
