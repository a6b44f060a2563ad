"""``OrderedUpdates``: what goes in, and what is said of two that disagree."""

import pickle

import pytest

import theano
from theano.updates import OrderedUpdates

A, B = theano.shared(0, "a"), theano.shared(1, "b")


def test_order_is_kept_and_pairs_or_mappings_are_taken():
    for given in ([(B, A), (A, B)], {B: A, A: B}):
        assert list(OrderedUpdates(given).items()) == [(B, A), (A, B)]


def test_only_shared_variables_are_updated():
    with pytest.raises(TypeError, match="not for 'a' of type str"):
        OrderedUpdates({"a": 1})
    updates = OrderedUpdates()
    with pytest.raises(TypeError, match="shared variable"):
        updates[theano.tensor.scalar()] = 1


def test_updates_are_added():
    total = OrderedUpdates([(A, B)]) + OrderedUpdates([(B, A)])
    assert list(total) == [A, B]
    assert type(total) is OrderedUpdates
    assert list({A: B} + OrderedUpdates([(B, A)])) == [A, B]
    total += OrderedUpdates([(A, B)])
    assert dict(total) == {A: B, B: A}


def test_two_updates_of_one_variable_must_be_the_same():
    first, second = OrderedUpdates([(A, B)]), OrderedUpdates([(A, B + 1)])
    with pytest.raises(KeyError, match="two updates"):
        first + second
    with pytest.raises(KeyError, match="two updates"):
        first.update(second)


def test_updates_survive_a_pickle():
    [(variable, _)] = pickle.loads(pickle.dumps(OrderedUpdates([(A, B)]))).items()
    assert variable.name == "a"
