"""Walks over graphs, and when two of them are the same."""

import theano.tensor as T
from theano.gof import graph

X, Y, Z = T.dvectors("x", "y", "z")


def test_inputs_are_what_no_node_computes():
    # The orders were asked of the genuine Theano 1.0.5.
    out = T.exp(X) + Y * 2
    assert [v for v in graph.inputs([out + Z]) if v.name] == [X, Y, Z]
    assert graph.inputs([X * Z, Y]) == [Y, X, Z]
    assert Y not in graph.inputs([out], blockers=[Y * 2, out.owner.inputs[1]])


def test_nodes_come_in_the_order_of_their_computation():
    out = T.exp(T.log(X))
    nodes = graph.io_toposort([X], [out])
    assert [node.outputs[0] for node in nodes] == [out.owner.inputs[0], out]
    assert set(graph.variables([X], [out])) == {X, out.owner.inputs[0], out}
    assert out.owner.inputs[0] in list(graph.ancestors([out]))


def test_same_graphs():
    assert graph.is_same_graph(T.exp(X) + Y, T.exp(X) + Y)
    assert not graph.is_same_graph(T.exp(X) + Y, T.exp(Y) + X)
    assert not graph.is_same_graph(T.exp(X), T.log(X))
    assert graph.is_same_graph(T.exp(X), T.exp(Y), givens={X: Z, Y: Z})
    assert graph.is_same_graph(X, X)


def test_graphs_are_cloned():
    out = T.exp(X) * 2
    inputs, [copy] = graph.clone([X], [out])
    assert copy is not out
    assert graph.is_same_graph(copy, out, givens={inputs[0]: X})
