"""Output lengths along one axis, as formulas.

Symbols: `i` input length, `n` filter or pool size, `p` pad on either side, `s` stride.
A division is written ``/`` where it comes out even and ``//`` (rounded down) where not.
"""

from __future__ import annotations

from ..formula import Formula


def convolved(i: int | None, n: int, s: int = 1, p: int | Formula = 0) -> Formula:
    """Length after a filter of size `n` in steps of `s`, with `p` zeros either side.

    The formulas of answer 1: ``i + 2*p - (n - 1)``, and with a stride
    ``((i + 2*p - n)/s) + 1``.

    Examples
    --------
    >>> str(convolved(28, 5)), str(convolved(28, 5, p=2)), str(convolved(29, 5, 2, 2))
    ('(28-(5-1))', '(28+2*2-(5-1))', '((29+2*2-5)/2)+1')
    """
    padded = i if p == 0 else Formula("i + 2*p", i=i, p=p).value
    total = "i" if p == 0 else "i + 2*p"
    if s == 1:
        return Formula(f"({total} - (n - 1))", i=i, n=n, p=p)
    over = _over(None if padded is None else padded - n, s)
    return Formula(f"(({total} - n){over}s) + 1", i=i, n=n, s=s, p=p)


def same(i: int | None, n: int, s: int = 1) -> Formula:
    """Length with pad='same': ``n - 1`` zeros in all, so that stride 1 keeps `i`."""
    if n % 2:
        return convolved(i, n, s, (n - 1) // 2)
    if s == 1:
        return Formula("(i + (n - 1) - (n - 1))", i=i, n=n)
    over = _over(None if i is None else i - 1, s)
    return Formula(f"((i + (n - 1) - n){over}s) + 1", i=i, n=n, s=s)


def same_rounded_down(i: int | None, n: int, s: int = 1) -> Formula:
    """Length with half the filter, rounded down, as pad: an even `n` loses one."""
    return convolved(i, n, s, (n - 1) // 2)


def full(i: int | None, n: int, s: int = 1) -> Formula:
    """Length with pad='full': ``n - 1`` zeros on either side."""
    return convolved(i, n, s, n - 1)


def transposed(i: int | None, n: int, s: int, p: int) -> Formula:
    """Length of what a convolution would have made `i` long: a convolution undone.

    Examples
    --------
    >>> str(transposed(12, 3, 2, 1)), transposed(12, 3, 2, 1).value
    ('(12-1)*2-2*1+3', 23)
    """
    text = "(i - 1)*s + n" if p == 0 else "(i - 1)*s - 2*p + n"
    return Formula(text, i=i, n=n, s=s, p=p)


def pooled(
    i: int | None, n: int, s: int, p: int = 0, ignore_border: bool = True
) -> Formula:
    """Length after pooling regions of size `n` in steps of `s`.

    With `ignore_border` an incomplete last region is dropped, as by a convolution;
    without, it counts.

    Examples
    --------
    >>> pooled(5, 2, 2).value, pooled(5, 2, 2, ignore_border=False).value
    (2, 3)
    """
    if ignore_border:
        total = "i" if p == 0 else "i + 2*p"
        over = _over(None if i is None else i + 2 * p - n, s)
        return Formula(f"(({total} - n){over}s) + 1", i=i, n=n, s=s, p=p)
    if s >= n:
        return _rounded_up("i", i, s)
    if i is not None and i <= n:
        return Formula("1")
    steps = _rounded_up("(i - n)", None if i is None else i - n, s)
    return Formula(f"{steps.symbolic} + 1", i=i, n=n, s=s)


def divides_evenly(i: int | None, n: int, s: int, p: int) -> bool:
    """Whether regions tile the axis: no overlap, no gap, no pad, nothing left over."""
    return s == n and p == 0 and i is not None and i % n == 0


def _rounded_up(text: str, length: int | None, s: int) -> Formula:
    if length is not None and length % s == 0:
        shown = f"{text}/s"
    else:
        inner = text.removeprefix("(").removesuffix(")")
        shown = f"({inner} + s - 1)//s"
    return Formula(shown, **({"i": length, "n": 0, "s": s}))


def _over(length: int | None, s: int) -> str:
    return "/" if length is not None and length % s == 0 else "//"
