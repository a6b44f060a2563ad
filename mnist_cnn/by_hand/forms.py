"""Chooses the renderer of a form; none is imported before it is needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from .columns import Column
from .errors import OptionError
from .rows import Table


class Renderer(Protocol):
    """Sets a table with further columns; `parameters` shows its tensors."""

    def __call__(
        self, table: Table, columns: Sequence[Column] = (), *, parameters: bool = False
    ) -> str: ...


def _text() -> Renderer:
    from .render_text import render_text

    return render_text


def _markdown() -> Renderer:
    from .render_markdown import render_markdown

    return render_markdown


def _latex() -> Renderer:
    from .render_latex import render_latex

    return render_latex


def _html() -> Renderer:
    from .render_html import render_html

    return render_html


def _svg() -> Renderer:
    from .render_svg import render_svg

    return render_svg


def _json() -> Renderer:
    from .render_json import render_json

    return render_json


def _csv() -> Renderer:
    from .render_csv import render_csv

    return render_csv


_RENDERERS: dict[str, Callable[[], Renderer]] = {
    "text": _text,
    "markdown": _markdown,
    "latex": _latex,
    "html": _html,
    "svg": _svg,
    "json": _json,
    "csv": _csv,
}

FORMATS = tuple(_RENDERERS)
"""Forms in which a table can be had."""


def render(
    table: Table,
    form: str = "text",
    columns: Sequence[Column] = (),
    *,
    parameters: bool = False,
) -> str:
    """A table in one of :data:`FORMATS`, without a line feed at its end.

    Parameters
    ----------
    columns : sequence of Column
        Further columns, from :func:`~mnist_cnn.by_hand.columns.measure`.
    parameters : bool
        Whether to show the tensors behind each count. JSON has them always.

    Raises
    ------
    OptionError
        If there is no such form.
    """
    if form not in _RENDERERS:
        raise OptionError(f"there is no form {form!r}; there are {', '.join(FORMATS)}")
    return _RENDERERS[form]()(table, columns, parameters=parameters)
