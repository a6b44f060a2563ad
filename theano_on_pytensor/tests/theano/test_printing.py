"""Graphs as text, and values that are printed as they pass."""

import io

import numpy as np

import theano
import theano.tensor as T

X, Y = T.dvectors("x", "y")


def test_pprint_writes_formulas():
    assert theano.pp(X * 2 + Y) == theano.pprint(X * 2 + Y)
    # Asked of the genuine Theano 1.0.5.
    assert theano.pp(T.exp(X) + Y) == "(exp(x) + y)"
    assert theano.pp(T.sqrt(abs(-X))) == "sqrt(|(-x)|)"
    assert theano.pp(T.maximum(T.log(X), Y)) == "maximum(log(x), y)"
    assert theano.pp(T.nnet.sigmoid(X)) == "sigmoid(x)"
    assert theano.pp(T.switch(T.gt(X, Y), X, -X)) == "switch(gt(x, y), x, (-x))"


def test_debugprint_writes_the_tree():
    out = theano.printing.debugprint(T.exp(X) + Y, file="str")
    assert [line.strip(" │├└─").split(" ")[0] for line in out.splitlines()] == [
        "Add",
        "Exp",
        "x",
        "y",
    ]
    stream = io.StringIO()
    theano.printing.debugprint(theano.function([X], X + 1), file=stream)
    assert "x" in stream.getvalue()


def test_print_shows_a_value_and_passes_it_on(capsys):
    out = theano.printing.Print("the value")(X * 2)
    result = theano.function([X], out.sum())(np.array([1.0, 2.0]))
    assert result == 6
    assert capsys.readouterr().out == "the value __str__ = [2. 4.]\n"
    shape = theano.printing.Print("of", attrs=["shape"])(X)
    theano.function([X], shape)(np.zeros(3))
    assert "of shape = (3,)" in capsys.readouterr().out


def test_print_lets_the_gradient_through():
    gradient = T.grad(theano.printing.Print("x")(X**2).sum(), X)
    assert gradient.eval({X: [3.0]}).tolist() == [6]


def test_debugprint_takes_theanos_arguments():
    y = T.exp(X) + 1
    shallow = theano.printing.debugprint(y, 1, True, file="str")
    assert "float64" in shallow
    assert "Exp" not in shallow
    numbered = theano.printing.debugprint([y, X], ids="int", file="str")
    assert "[id 0]" in numbered
    named = T.exp(X)
    named.name = "activation"
    assert "x [" not in theano.printing.debugprint(
        named + 1, stop_on_name=True, file="str"
    )
    stream = io.StringIO()
    f = theano.function([X], y)
    assert theano.printing.debugprint(f, print_storage=True, file=stream) is stream


def test_pydotprint_draws_or_says_what_it_needs(tmp_path):
    f = theano.function([X], T.exp(X))
    try:
        theano.printing.pydotprint(
            f,
            outfile=str(tmp_path / "graph.svg"),
            format="svg",
            print_output_file=False,
        )
    except (RuntimeError, ImportError) as error:
        assert "pydot" in str(error) or "raphviz" in str(error)
    else:
        assert "<svg" in (tmp_path / "graph.svg").read_text(encoding="utf-8")
