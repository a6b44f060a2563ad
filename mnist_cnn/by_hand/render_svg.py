"""The network as a picture: each layer with its size, its count and its share.

Layers stand one below the other, each below all that feed it, branches side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import log2

from .columns import Column
from .description import (
    format_count,
    format_shape,
    has_impossible_size,
    printable,
)
from .rows import Row, Table

_WIDTH, _HEIGHT, _LINE = 330, 62, 15
_GAP_X, _GAP_Y, _MARGIN = 44, 30, 16
_HEADING = 40
_GLYPH = 44
_TEXT_X = 76
_SIDE_BY_SIDE = 37
"""Letters of a type and a formula that have room in one line."""

_KINDS = (
    ("Input", "input"),
    ("Conv", "conv"),
    ("LocallyConnected", "conv"),
    ("NIN", "conv"),
    ("Pool", "pool"),
    ("Upscale", "pool"),
    ("Dense", "dense"),
    ("Embedding", "dense"),
    ("Recurrent", "recurrent"),
    ("LSTM", "recurrent"),
    ("GRU", "recurrent"),
    ("Concat", "merge"),
    ("Elemwise", "merge"),
)

_LIGHT = {
    "ink": "#1b2430",
    "soft": "#5b6675",
    "page": "#f6f7f9",
    "card": "#ffffff",
    "edge": "#ccd3dc",
    "line": "#8994a3",
    "bad": "#c22f2f",
    "input": "#5b6675",
    "conv": "#2f6fdb",
    "pool": "#1f8a5b",
    "dense": "#c2591b",
    "recurrent": "#8a3fc4",
    "merge": "#8d6b00",
    "other": "#7a8594",
}
_DARK = {
    "ink": "#e7ebf0",
    "soft": "#a3adba",
    "page": "#131920",
    "card": "#1d2530",
    "edge": "#3a4554",
    "line": "#77828f",
    "bad": "#ff8f8f",
    "input": "#a3adba",
    "conv": "#6ea2ff",
    "pool": "#4fc48d",
    "dense": "#f0935a",
    "recurrent": "#c08cf0",
    "merge": "#d9b64a",
    "other": "#93a0b0",
}
_SHAPES = """\
.net { font-family: system-ui, "Segoe UI", Helvetica, Arial, sans-serif }
.net text { font-size: 12px }
.net .head { font-size: 16px; font-weight: 600 }
.net .name, .net .count { font-size: 13px; font-weight: 600 }
.net .soft { font-size: 11px }
.net .mono { font-family: ui-monospace, Consolas, "DejaVu Sans Mono", monospace;
  font-size: 10.5px }
.net .end { text-anchor: end }
.net .middle { text-anchor: middle }
.net .bad { font-weight: 600 }
"""


def _paint(colours: dict[str, str]) -> str:
    """What has which colour; written out, for not every viewer knows variables."""
    kinds = [name for name in colours if name not in _NOT_KINDS]
    rules = [
        f".net .page {{ fill: {colours['page']} }}",
        f".net .card {{ fill: {colours['card']}; stroke: {colours['edge']} }}",
        f".net .flow {{ fill: none; stroke: {colours['line']}; stroke-width: 1.5 }}",
        f".net .tip {{ fill: {colours['line']} }}",
        f".net .track {{ fill: {colours['edge']} }}",
        f".net text {{ fill: {colours['ink']} }}",
        f".net .soft, .net .mono {{ fill: {colours['soft']} }}",
        f".net .bad {{ fill: {colours['bad']} }}",
    ]
    for kind in kinds:
        rules += [
            f".net .{kind} {{ fill: {colours[kind]} }}",
            f".net .map.{kind} {{ fill: {colours['card']}; stroke: {colours[kind]} }}",
        ]
    return "\n".join(rules)


_NOT_KINDS = {"ink", "soft", "page", "card", "edge", "line", "bad"}

STYLE = (
    f"{_SHAPES}{_paint(_LIGHT)}\n"
    f"@media (prefers-color-scheme: dark) {{\n{_paint(_DARK)}\n}}\n"
)


def render_svg(
    table: Table,
    columns: Sequence[Column] = (),
    *,
    parameters: bool = False,
    heading: bool = True,
) -> str:
    """A picture of the network, as a document of its own.

    Parameters
    ----------
    columns : sequence of Column
        Shown as a line each in every layer's box.
    parameters : bool
        Whether to show each layer's tensors, too, a line each.
    heading : bool
        Whether to write the total above.
    """
    lines = [_more_lines(row, columns, parameters) for row in table]
    heights = [_HEIGHT + _LINE * len(more) for more in lines]
    plan = _Plan(table, heights, _MARGIN + _HEADING * heading)
    title = f"{format_count(table.total)} learnable parameters"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="net" role="img" '
        f'viewBox="0 0 {plan.width} {plan.height}" width="{plan.width}" '
        f'height="{plan.height}">',
        f"<title>{title}</title>",
        f"<style>{STYLE}</style>",
        f'<rect class="page" width="{plan.width}" height="{plan.height}"/>',
        f'<text class="head" x="{_MARGIN}" y="{_MARGIN + 18}">{title}</text>'
        if heading
        else "",
        *(_flow(plan, *edge) for edge in plan.edges),
    ]
    scale = _largest(table)
    for row, more in zip(table, lines, strict=True):
        parts += _card(row, more, plan, scale, table.total)
    return "\n".join([*filter(None, parts), "</svg>"])


# Where everything stands


class _Plan:
    """A place for each layer: how deep below its inputs, and in which lane.

    A flow that passes by other layers has a lane of its own beside them.
    """

    def __init__(self, table: Table, heights: Sequence[int], top: int) -> None:
        self.depth: list[int] = []
        self.lane: list[int] = []
        self.heights = heights
        self.edges: list[tuple[int, int, int]] = []
        """From which layer to which, and in which lane it passes others by."""
        taken: set[tuple[int, int]] = set()
        feeding = [
            [one for one in dict.fromkeys(row.sources) if one is not None]
            for row in table
        ]
        for sources in feeding:
            depth = max((self.depth[one] + 1 for one in sources), default=0)
            wished = min((self.lane[one] for one in sources), default=0)
            lane = _free_lane(taken, [depth], wished)
            taken.add((depth, lane))
            self.depth.append(depth)
            self.lane.append(lane)
        for target, sources in enumerate(feeding):
            for source in sources:
                between = range(self.depth[source] + 1, self.depth[target])
                wished = max(self.lane[source], self.lane[target])
                lane = _free_lane(taken, between, wished)
                taken |= {(depth, lane) for depth in between}
                self.edges.append((source, target, lane))
        tallest: dict[int, int] = {}
        for depth, height in zip(self.depth, heights, strict=True):
            tallest[depth] = max(height, tallest.get(depth, 0))
        self.tops: list[int] = []
        for depth in range(len(tallest)):
            self.tops.append(top)
            top += tallest[depth] + _GAP_Y
        lanes = 1 + max((lane for _, lane in taken), default=0)
        self.width = 2 * _MARGIN + lanes * (_WIDTH + _GAP_X) - _GAP_X
        self.height = top + _MARGIN - (_GAP_Y if tallest else 0)

    def left(self, lane: int) -> int:
        return _MARGIN + lane * (_WIDTH + _GAP_X)

    def head(self, layer: int) -> tuple[int, int]:
        """The middle of a box's upper edge."""
        return (
            self.left(self.lane[layer]) + _WIDTH // 2,
            self.tops[self.depth[layer]],
        )

    def foot(self, layer: int) -> tuple[int, int]:
        """The middle of its lower edge."""
        x, top = self.head(layer)
        return x, top + self.heights[layer]


def _free_lane(taken: set[tuple[int, int]], depths: Sequence[int], wished: int) -> int:
    """The lane nearest to the wished one, on its right, that is free at all depths."""
    lane = wished
    while any((depth, lane) in taken for depth in depths):
        lane += 1
    return lane


def _flow(plan: _Plan, source: int, target: int, lane: int) -> str:
    """A line from the foot of one box to the head of another, with a tip."""
    start, (x, top) = plan.foot(source), plan.head(target)
    end = (x, top - 5)
    path = f"M{start[0]} {start[1]}"
    first, last = plan.depth[source] + 1, plan.depth[target]
    if last > first:
        beside = plan.left(lane) + _WIDTH // 2
        path += _bend(start, (beside, plan.tops[first]))
        start = (beside, plan.tops[last] - _GAP_Y)
        path += f"V{start[1]}"
    path += _bend(start, end)
    tip = f"{x - 4},{end[1]} {x + 4},{end[1]} {x},{top}"
    return f'<path class="flow" d="{path}"/><polygon class="tip" points="{tip}"/>'


def _bend(start: tuple[int, int], end: tuple[int, int]) -> str:
    if start[0] == end[0]:
        return f"V{end[1]}"
    middle = (start[1] + end[1]) / 2
    return f"C{start[0]} {middle:g} {end[0]} {middle:g} {end[0]} {end[1]}"


# What is drawn of a layer


def _card(
    row: Row,
    more: Sequence[str],
    plan: _Plan,
    scale: tuple[int, int],
    total: int | None,
) -> list[str]:
    kind, height = _kind(row), plan.heights[row.index]
    x, y = plan.left(plan.lane[row.index]), plan.tops[plan.depth[row.index]]
    formula = "" if row.parameters == 0 else str(row.parameter_formula)
    room = _SIDE_BY_SIDE - min(len(formula), 23)
    size = "?" if row.size is None else format_shape(row.size).replace("x", " × ")
    size_class = "bad" if has_impossible_size(row.size or ()) else "size"
    end = _WIDTH - 12

    def text(class_: str, x: int, y: int, content: str, most: int) -> str:
        return f'<text class="{class_}" x="{x}" y="{y}">{_cut(content, most)}</text>'

    parts = [
        f'<g transform="translate({x} {y})"><title>{_describe(row)}</title>',
        f'<rect class="card" width="{_WIDTH}" height="{height}" rx="8"/>',
        f'<rect class="{kind}" width="5" height="{height}" rx="2.5"/>',
        _glyph(row, kind, scale),
        text("name", _TEXT_X, 21, row.name, 18),
        text("soft", _TEXT_X, 36, row.type, min(room, 24)),
        text(size_class, _TEXT_X, 52, size or "1", 30),
        text("count end", end, 21, format_count(row.parameters), 20),
        text("mono end", end, 36, formula, 23),
    ]
    if row.parameters and total:
        bar = f'x="{end - 90}" y="46" height="4" rx="2"'
        filled = 90 * row.parameters / total
        parts.append(f'<rect class="track" width="90" {bar}/>')
        parts.append(f'<rect class="{kind}" width="{filled:.1f}" {bar}/>')
    parts += [
        text("soft", _TEXT_X, _HEIGHT + 5 + number * _LINE, line, 46)
        for number, line in enumerate(more)
    ]
    return [*parts, "</g>"]


def _glyph(row: Row, kind: str, scale: tuple[int, int]) -> str:
    """Feature maps as a pile of sheets, to scale; other numbers as a bar."""
    size = row.size
    middle = 12 + _GLYPH / 2
    if size is None or None in size or any(one < 1 for one in size if one is not None):
        return f'<text class="soft middle" x="{middle + 2}" y="38">?</text>'
    known = [one for one in size if one is not None]
    if len(known) < 2:
        count = known[0] if known else 1
        high = min(_GLYPH, 6 + 4 * log2(count))
        return (
            f'<rect class="map {kind}" x="{middle - 2:g}" y="{31 - high / 2:.1f}" '
            f'width="8" height="{high:.1f}" rx="2"/>'
        )
    maps = known[0] if len(known) > 2 else 1
    high = max(3.0, 34 * known[-2] / scale[0])
    wide = max(3.0, 34 * known[-1] / scale[1])
    sheets = 1 + min(3, round(log2(maps) / 2))
    sheets_drawn = []
    for sheet in range(sheets):
        shift = 3 * (sheets - 1) / 2 - 3 * sheet
        sheets_drawn.append(
            f'<rect class="map {kind}" x="{middle + 2 - wide / 2 + shift:.1f}" '
            f'y="{31 - high / 2 - shift:.1f}" width="{wide:.1f}" height="{high:.1f}" '
            f'rx="1"/>'
        )
    return "".join(sheets_drawn)


def _largest(table: Table) -> tuple[int, int]:
    """The most rows and columns that a layer has."""
    sizes = [
        tuple(one or 1 for one in row.size[-2:])
        for row in table
        if row.size is not None and len(row.size) > 1
    ]
    rows = max((size[0] for size in sizes), default=1)
    columns = max((size[1] for size in sizes), default=1)
    return max(rows, 1), max(columns, 1)


def _more_lines(row: Row, columns: Sequence[Column], parameters: bool) -> list[str]:
    lines = []
    for column in columns:
        text = column.cells[row.index].text
        if text:
            lines.append(f"{column.title}: {text}")
    if parameters:
        lines += [f"{one.name} {one}" for one in row.tensors]
    return lines


def _describe(row: Row) -> str:
    """All of a row, for who points at it."""
    size = "?" if row.size is None else format_shape(row.size)
    lines = [f"{row.name}, {row.type}", f"size {size}"]
    if row.size_formula:
        lines[-1] = f"size {row.size_formula} -> {size}"
    count = format_count(row.parameters)
    lines.append(f"parameters {row.parameter_formula} = {count}")
    lines += [f"{one.name} {one}" for one in row.tensors]
    return escape("\n".join(map(printable, lines)), quote=False)


def _kind(row: Row) -> str:
    return next((kind for part, kind in _KINDS if part in row.type), "other")


def _cut(text: str, most: int) -> str:
    text = printable(text)
    shown = text if len(text) <= most else f"{text[: most - 1]}…"
    return escape(shown, quote=False)
