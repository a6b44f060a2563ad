"""A formula: what is displayed, evaluated, is what is reported."""

import copy
import pickle
import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_cnn.by_hand import Formula, FormulaError, SizeFormula
from mnist_cnn.by_hand.formula import product, sum_of_products

SYMBOLS = "nmlkip"


def evaluate(shown: str) -> Fraction:
    """A displayed formula, evaluated exactly: ``/`` leaves a fraction if it must."""
    assert re.fullmatch(r"[\d+\-*/() ]*", shown), shown
    exact = re.sub(r"(\d+)", r"Fraction(\1)", shown)
    return Fraction(eval(exact, {"Fraction": Fraction}))


@st.composite
def texts(draw, depth=3):
    """A formula's text in the symbols, without a division."""
    if depth == 0 or draw(st.booleans()):
        return draw(st.sampled_from([*SYMBOLS, "1", "2", "17"]))
    left, right = draw(texts(depth - 1)), draw(texts(depth - 1))
    joined = f"{left} {draw(st.sampled_from('+-*'))} {right}"
    return f"({joined})" if draw(st.booleans()) else joined


@st.composite
def values(draw, depth=2):
    """Numbers for the symbols, some shown by what they are made of."""

    def one() -> int | Formula:
        if depth and draw(st.integers(0, 3)) == 0:
            return Formula(draw(texts(2)), **draw(values(depth - 1)))
        return draw(st.integers(-50, 50))

    return {symbol: one() for symbol in SYMBOLS}


@given(texts(), values())
def test_what_is_displayed_evaluates_to_what_is_reported(text, numbers):
    formula = Formula(text, **numbers)
    assert evaluate(formula) == formula.value


@given(st.data(), st.sampled_from(["/", "//"]))
def test_division_shows_what_it_computes(data, sign):
    texts_, numbers = texts(2), data.draw(values(1))
    text = f"({data.draw(texts_)}){sign}({data.draw(texts_)}) + n"
    try:
        formula = Formula(text, **numbers)
    except FormulaError as error:
        assert "divides" in str(error)
        return
    assert evaluate(formula) == formula.value


@given(texts(), values(), st.sampled_from(SYMBOLS))
def test_an_unknown_number_makes_an_unknown_result_and_is_shown(text, numbers, symbol):
    formula = Formula(text, **{**numbers, symbol: None})
    if symbol in text:
        assert formula.value is None
        assert "?" in formula
    else:
        assert formula.value == Formula(text, **numbers).value


@given(texts(), values())
def test_latex_of_the_formula_evaluates_to_the_same(text, numbers):
    formula = Formula(text, **numbers)
    assert evaluate(from_latex(formula.latex)) == formula.value


def from_latex(latex: str) -> str:
    """Division-free LaTeX, as Python."""
    plain = latex.replace(r"\left(", "(").replace(r"\right)", ")")
    return plain.replace(r"\cdot", "*")


def test_the_questions_first_convolution():
    formula = Formula("(n*m*l + 1)*k", n=5, m=5, l=1, k=32)
    assert str(formula) == "(5*5*1+1)*32"
    assert formula.symbolic == "(n*m*l + 1)*k"
    assert formula.value == (5 * 5 * 1 + 1) * 32
    assert formula.symbolic_latex == r"\left(n \cdot m \cdot l + 1\right) \cdot k"
    assert formula.latex == r"\left(5 \cdot 5 \cdot 1 + 1\right) \cdot 32"


def test_the_first_dense_layer_shows_what_its_input_is_made_of():
    inputs = product((32, 5, 5))
    formula = Formula("(n + 1)*m", n=inputs, m=256)
    assert str(formula) == "(32*5*5+1)*256"
    assert formula.value == (32 * 5 * 5 + 1) * 256


def test_a_made_up_number_gets_brackets_only_where_it_needs_them():
    total = Formula("a + b", a=2, b=3)
    assert str(Formula("x", x=total)) == "2+3"
    assert str(Formula("x*2", x=total)) == "(2+3)*2"
    assert str(Formula("x/y", x=10, y=Formula("a*b", a=5, b=2))) == "10/(5*2)"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a/b", r"\frac{6}{3}"),
        ("a//b", r"\left\lfloor \frac{6}{3} \right\rfloor"),
        ("(a - b)/b + 1", r"\frac{6 - 3}{3} + 1"),
        ("a - (b - b)", r"6 - \left(3 - 3\right)"),
        ("-a*b", r"\left(-6\right) \cdot 3"),
        ("a*(-b)", r"6 \cdot \left(-3\right)"),
    ],
)
def test_latex(text, shown):
    assert Formula(text, a=6, b=3).latex == shown


def test_symbols_with_a_number_have_it_below_in_latex():
    assert Formula("a1 + total", a1=1, total=2).symbolic_latex == (
        r"a_{1} + \mathit{total}"
    )


@pytest.mark.parametrize(
    ("text", "numbers", "said"),
    [
        ("n*", {"n": 1}, "not a formula"),
        ("n*m", {"n": 1}, "no value for m"),
        ("n/m", {"n": 7, "m": 2}, "divides 7 by 2, which leaves 1"),
        ("n//m", {"n": 7, "m": 0}, "divides by zero"),
        ("n**2", {"n": 7}, "operator other than"),
        ("n % 2", {"n": 7}, "operator other than"),
        ("n.real", {"n": 7, "real": 1}, "a formula knows whole numbers"),
        ("n(1)", {"n": 7}, "a formula knows whole numbers"),
        ("1.5*n", {"n": 7}, "a formula knows whole numbers"),
        ("'a'*n", {"n": 7, "a": 1}, "a formula knows whole numbers"),
        ("+n", {"n": 7}, "a formula knows whole numbers"),
        ("", {}, "not a formula"),
        ("(" * 500 + "n" + ")" * 500, {"n": 1}, "not a formula"),
    ],
)
def test_what_is_no_formula_is_refused(text, numbers, said):
    with pytest.raises(FormulaError, match=re.escape(said)):
        Formula(text, **numbers)


def test_a_long_sum_does_not_recurse():
    count = 1_000
    formula = Formula(" + ".join(["n"] * count), n=2)
    assert formula.value == 2 * count
    assert formula.latex.count("+") == count - 1


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, "pickled"])
def test_formulas_survive_copying(copied):
    formula = Formula("(n + 1)*m", n=product((32, 5, 5)), m=256)
    size = SizeFormula([Formula("i - n", i=28, n=4)], obvious=True)
    for one in (formula, size):
        again = pickle.loads(pickle.dumps(one)) if copied == "pickled" else copied(one)
        assert again == one
        assert vars(again) == vars(one)


def test_size_formula_shows_axes_that_agree_once():
    rows, columns = Formula("i - n", i=28, n=4), Formula("i - n", i=30, n=4)
    assert str(SizeFormula([rows, rows])) == "28-4"
    assert SizeFormula([rows, rows]).values == (28 - 4,)
    assert str(SizeFormula([rows, columns])) == "28-4 x 30-4"
    assert SizeFormula([rows, columns]).values == (28 - 4, 30 - 4)
    assert str(SizeFormula()) == ""
    assert SizeFormula().values == ()


def test_product_of_one_factor_is_a_number():
    assert product((7,)) == 7
    assert product(()) == 1
    assert product((None, 3)).value is None
    assert str(product((2, 3, 4, 5, 6))) == "2*3*4*5*6"


def test_sum_of_products_of_nothing_is_zero():
    assert sum_of_products([]).value == 0
    assert sum_of_products([(2, 3), (3,), ()]).value == 2 * 3 + 3 + 1
