"""Generates products of matrices, ``out[i, j] = sum(a[i, t] * b[t, j])``.

Taps ``t`` are taken a block at a time, and of the block a *panel* of columns of
``b`` is copied to where it stays in the first-level cache. There it meets rows of
``a`` in one of two ways:

- as lists of (where a tap's numbers are in the panel, number) of what is not zero:
  ``sums += number * panel[tap]``, entry after entry, a row of sums in registers;
- where few numbers are zero, as they lie in memory: a tile of several rows by two
  vectors of columns is in registers.

Both add in the order of the taps, so they give the same bits. A product of zero is
left out only where ``b`` holds no infinity and no NaN.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from pytensor_nnet.kernels.llvm.compiler import CPU, Kernel, compile_function, host
from pytensor_nnet.kernels.llvm.compression import Compression
from pytensor_nnet.kernels.llvm.ir import (
    Array,
    Function,
    Operand,
    Value,
    Variable,
    vector,
)
from pytensor_nnet.kernels.llvm.transposition import transposed_square

__all__ = ["Panels", "generate_product", "product_kernel"]

_PANEL_BYTES = 24 << 10
_FEWEST_TAPS = 48
_MOST_TAPS = 128
# Rows of ``a`` that meet a panel before the next is filled, and those of a tile.
_ROWS = 128
_MOST_ROWS = 12
# The share of numbers that are not zero above which tiles are faster; the sums that
# an entry of a list must be added to, to hide the time that an addition takes; and
# how many columns, and taps, are too few for lists.
_DENSE = 0.8
_SUMS = 8
_FEW_SUMS = 4
_FEW_TAPS = 16


@dataclass(frozen=True)
class Panels:
    """What a product is generated for.

    Parameters
    ----------
    element : {'float', 'double'}
    columns : int
        Of the output.
    a_turned, b_turned : bool
        Whether the matrix lies in memory as its transpose in C order; else it lies
        as it is.
    ordered : {None, 'taps', 'columns', 'rows'}
        The axis whose indices are looked up in a table, for the rows of ``b`` as it
        lies in memory (taps or columns) or those of the output.
    slope : float or None
        Of the rectifier, below zero; ``None``: there is none.
    """

    element: str
    columns: int
    a_turned: bool = False
    b_turned: bool = False
    ordered: str | None = None
    slope: float | None = None

    def depth(self, cpu: CPU) -> int:
        """Vectors of columns in a panel: so many that panels are alike, if any."""
        vectors = -(-self.columns // cpu.lanes(self.element))
        most = cpu.registers - 4
        most = min(most, _PANEL_BYTES // (_FEWEST_TAPS * cpu.vector_bytes))
        alike = [n for n in range(min(_SUMS, most), most + 1) if vectors % n == 0]
        return alike[-1] if alike else -(-vectors // -(-vectors // most))

    def width(self, cpu: CPU) -> int:
        """Columns of a panel."""
        return self.depth(cpu) * cpu.lanes(self.element)

    def count(self, cpu: CPU) -> int:
        return -(-self.columns // self.width(cpu))

    def taps(self, cpu: CPU) -> int:
        """Taps of a block."""
        fitting = _PANEL_BYTES // (self.depth(cpu) * cpu.vector_bytes)
        return min(_MOST_TAPS, fitting // 16 * 16)

    def dense(self, cpu: CPU) -> float:
        return _DENSE * min(1.0, self.depth(cpu) / _SUMS)

    def pitch(self, cpu: CPU) -> int:
        """Entries that a list has room for."""
        return self.taps(cpu) + cpu.lanes(self.element)

    def scratch(self, cpu: CPU) -> int:
        """Bytes that a kernel needs to work with: for a panel, and for lists."""
        itemsize = cpu.vector_bytes // cpu.lanes(self.element)
        numbers = self.taps(cpu) * self.width(cpu) + _ROWS * self.pitch(cpu)
        return numbers * itemsize + (_ROWS * self.pitch(cpu) + _ROWS) * 4


@cache
def product_kernel(panels: Panels) -> Kernel:
    """The kernel that :func:`generate_product` describes, compiled."""
    return compile_function(generate_product(panels, host()))


def generate_product(panels: Panels, cpu: CPU) -> Function:
    """Of rows of the output from ``first`` up to ``last``, the panels from
    ``first_panel`` up to ``last_panel``.

    ``a`` has ``rows`` rows and ``taps`` columns. ``bias`` may be missing (0), and so
    may ``mask``, where 1 is written for an output that was not negative before the
    rectifier, else 0. ``scratch`` is memory to work with.
    """
    element = f"{panels.element}*"
    function = Function(
        "product",
        {
            **{"a": element, "b": element, "bias": element, "out": element},
            **{"mask": "i8*", "order": "i32*", "scratch": element},
            **{"rows": "i64", "taps": "i64", "first": "i64", "last": "i64"},
            **{"first_panel": "i64", "last_panel": "i64"},
        },
    )
    _Product(function, panels, cpu).write()
    return function


@dataclass
class _Block:
    """Rows of ``a``, and taps: the first, and how many."""

    row: Value
    rows: Value
    tap: Value
    taps: Value


@dataclass
class _Columns:
    """Vectors of columns, of which the last is cut to ``tail`` unless that is 0.

    ``start`` is where they begin in the panel.
    """

    column: Value
    start: Operand
    depth: int
    tail: int

    def cut(self, v: int) -> int:
        return self.tail if v == self.depth - 1 else 0


class _Product:
    def __init__(self, function: Function, panels: Panels, cpu: CPU):
        self.function, self.panels, self.cpu = function, panels, cpu
        self.lanes = cpu.lanes(panels.element)
        self.type = vector(self.lanes, panels.element)
        self.depth, self.width = panels.depth(cpu), panels.width(cpu)
        self.most_taps = panels.taps(cpu)
        self.height = min(_MOST_ROWS, (cpu.registers - 4) // 2)
        self.has_lists = self.depth >= _FEW_SUMS
        # A list for each row, and how long it is.
        self.pitch = panels.pitch(cpu)
        self.panel = function.arguments["scratch"]
        self.numbers = self.panel[self.most_taps * self.width]
        self.offsets = self.numbers[_ROWS * self.pitch].of("i32")
        self.counts = self.offsets[_ROWS * self.pitch]
        sizes = function.arguments
        self.a_pitch = sizes["rows"] if panels.a_turned else sizes["taps"]
        self.b_pitch = (
            sizes["taps"] if panels.b_turned else function.integer(panels.columns)
        )

    def write(self) -> None:
        function, arguments = self.function, self.function.arguments
        taps = arguments["taps"]
        with function.loop(arguments["first"], arguments["last"], _ROWS) as row:
            rows = _smaller(arguments["last"] - row, _ROWS)
            lists = function.variable("i1", taps.compare("sgt", _FEW_TAPS))
            some = taps.compare("sgt", 0).select(taps, 1)
            with function.loop(0, some, self.most_taps) as tap:
                block = _Block(row, rows, tap, _smaller(taps - tap, self.most_taps))
                if self.has_lists:
                    with function.when(lists.get()):
                        used = self._fill_lists(block) * 1000
                        share = int(1000 * self.panels.dense(self.cpu))
                        many = rows * block.taps * share
                        lists.set(used.compare("sle", many))
                self._meet_panels(block, lists.get())

    # Lists of the rows of a.

    def _fill_lists(self, block: _Block) -> Value:
        """Returns how long all of them are."""
        total = self.function.variable("i64", 0)
        if self.panels.a_turned:
            self._fill_lists_turned(block, total)
        else:
            self._fill_lists_in_order(block, total)
        return total.get()

    def _fill_lists_in_order(self, block: _Block, total: Variable) -> None:
        function, a, lanes = self.function, self.function.arguments["a"], self.lanes
        whole = block.taps - block.taps % lanes
        with function.loop(0, block.rows) as i:
            line = _List(self, i)
            source = a[(block.row + i) * self.a_pitch + block.tap]
            with function.loop(0, whole, lanes) as t:
                line.append(source[t].load(lanes), t)
            with function.loop(whole, block.taps) as t:
                line.append_one(source[t].load(), t)
            total.set(total.get() + line.finish())

    def _fill_lists_turned(self, block: _Block, total: Variable) -> None:
        """Where the numbers of a tap lie side by side."""
        function, a, lanes = self.function, self.function.arguments["a"], self.lanes
        pitch = self.a_pitch
        whole_rows = block.rows - block.rows % lanes
        whole = block.taps - block.taps % lanes
        source = a[block.tap * pitch + block.row]
        with function.loop(0, whole_rows, lanes) as i:
            lines = [_List(self, i + lane) for lane in range(lanes)]
            with function.loop(0, whole, lanes) as t:
                square = [source[(t + k) * pitch + i].load(lanes) for k in range(lanes)]
                for line, numbers in zip(lines, transposed_square(square), strict=True):
                    line.append(numbers, t)
            with function.loop(whole, block.taps) as t:
                for lane, line in enumerate(lines):
                    line.append_one(source[t * pitch + i + lane].load(), t)
            for line in lines:
                total.set(total.get() + line.finish())
        with function.loop(whole_rows, block.rows) as i:
            line = _List(self, i)
            with function.loop(0, block.taps) as t:
                line.append_one(source[t * pitch + i].load(), t)
            total.set(total.get() + line.finish())

    # Panels of b.

    def _meet_panels(self, block: _Block, lists: Value) -> None:
        function, arguments = self.function, self.function.arguments
        last = arguments["last_panel"]
        whole, rest = divmod(self.panels.columns, self.width)
        with function.loop(arguments["first_panel"], _smaller(last, whole)) as index:
            column = index * self.width
            self._meet_panel(block, lists, _Columns(column, 0, self.depth, 0))
        if rest:
            depth, tail = -(-rest // self.lanes), rest % self.lanes
            with function.when(last.compare("sgt", whole)):
                column = function.integer(whole * self.width)
                self._meet_panel(block, lists, _Columns(column, 0, depth, tail))

    def _meet_panel(self, block: _Block, lists: Value, columns: _Columns) -> None:
        function = self.function
        fill = self._fill_turned if self.panels.b_turned else self._fill
        self.zeros = [function.variable(self.type, 0) for _ in range(4)]
        fill(block, columns)
        none = function.integer(0)
        whole, tiled = block.rows - block.rows % self.height, block.rows
        if self.has_lists:
            lists = lists & self._is_finite()
            with function.loop(0, lists.select(block.rows, none)) as i:
                self._add_list(block, i, columns)
            whole, tiled = lists.select(none, whole), lists.select(none, tiled)
        with function.loop(0, whole, self.height) as i:
            self._add_tiles(block, i, columns)
        with function.loop(whole, tiled) as i:
            self._add_tile(block, i, 1, columns)

    def _b_row(self, index: Value, axis: str) -> Value:
        if self.panels.ordered == axis:
            order = self.function.arguments["order"]
            index = order[index].load().convert("zext", "i64")
        return index * self.b_pitch

    def _fill(self, block: _Block, columns: _Columns) -> None:
        function, b = self.function, self.function.arguments["b"]
        with function.loop(0, block.taps) as t:
            source = b[self._b_row(block.tap + t, "taps") + columns.column]
            for v in range(columns.depth):
                numbers = source[v * self.lanes].load(self.lanes, columns.cut(v))
                self._write(numbers, t, v * self.lanes)

    def _fill_turned(self, block: _Block, columns: _Columns) -> None:
        function, b, lanes = self.function, self.function.arguments["b"], self.lanes
        whole = block.taps - block.taps % lanes
        nought = function.zero(self.type)

        def fill(first: Operand, count: int) -> None:
            """``count`` columns, and zeros up to a vector."""
            sources = [
                b[self._b_row(columns.column + first + k, "columns") + block.tap]
                for k in range(count)
            ]
            with function.loop(0, whole, lanes) as t:
                square = [source[t].load(lanes) for source in sources]
                square += [nought] * (lanes - count)
                for k, numbers in enumerate(transposed_square(square)):
                    self._write(numbers, t + k, first)
            with function.loop(whole, block.taps) as t:
                numbers = nought
                for k, source in enumerate(sources):
                    numbers = numbers.with_lane(k, source[t].load())
                self._write(numbers, t, first)

        uncut = (columns.depth - bool(columns.tail)) * lanes
        with function.loop(0, uncut, lanes) as first:
            fill(first, lanes)
        if columns.tail:
            fill(uncut, columns.tail)

    def _write(self, numbers: Value, tap: Value, column: Operand) -> None:
        """Numbers of the panel, of which the next call takes note."""
        self.panel[tap * self.width + column].store(numbers)
        if not self.has_lists:
            return
        total = self.zeros.pop(0)
        zero = self.function.zero(self.type)
        total.set(self.function.multiply_add(numbers, zero, total.get()))
        self.zeros.append(total)

    def _is_finite(self) -> Value:
        """Whether the panel holds no infinity and no NaN."""
        total = self.zeros[0].get()
        for other in self.zeros[1:]:
            total = total + other.get()
        bits = total.compare("oeq", 0).convert("bitcast", f"i{self.lanes}")
        return bits.compare("eq", -1)

    # Sums, in registers.

    def _place(self, row: Value, columns: _Columns) -> Value:
        """Where in the output a row's sums are."""
        if self.panels.ordered == "rows":
            row = self.function.arguments["order"][row].load().convert("zext", "i64")
        return row * self.panels.columns + columns.column + columns.start

    def _begin(self, block: _Block, places: list[Value], columns: _Columns):
        """Rows of sums, as the blocks before left them."""
        function, out = self.function, self.function.arguments["out"]
        rows = [
            [function.variable(self.type, 0) for _ in range(columns.depth)]
            for _ in places
        ]
        with function.when(block.tap.compare("ne", 0)):
            for place, sums in zip(places, rows, strict=True):
                for v, one in enumerate(sums):
                    here = out[place + v * self.lanes]
                    one.set(here.load(self.lanes, columns.cut(v)))
        return rows

    def _end(
        self,
        block: _Block,
        places: list[Value],
        rows: list[list[Variable]],
        columns: _Columns,
    ) -> None:
        """Write sums; after the last block they are what the product gives."""
        function = self.function
        out, taps = function.arguments["out"], function.arguments["taps"]
        with function.when((block.tap + block.taps).compare("eq", taps)):
            self._finish(places, rows, columns)
        for place, sums in zip(places, rows, strict=True):
            for v, one in enumerate(sums):
                out[place + v * self.lanes].store(one.get(), columns.cut(v))

    def _finish(
        self, places: list[Value], rows: list[list[Variable]], columns: _Columns
    ) -> None:
        """Bias and rectifier, and the mask."""
        function, slope = self.function, self.panels.slope
        bias, mask = function.arguments["bias"], function.arguments["mask"]
        with function.when(bias.is_there()):
            for v in range(columns.depth):
                place = columns.column + columns.start + v * self.lanes
                shift = bias[place].load(self.lanes, columns.cut(v))
                for sums in rows:
                    sums[v].set(sums[v].get() + shift)
        if slope is None:
            return
        with function.when(mask.is_there()):
            for place, sums in zip(places, rows, strict=True):
                for v, one in enumerate(sums):
                    bits = one.get().compare("uge", 0)
                    bits = bits.convert("zext", vector(self.lanes, "i8"))
                    mask[place + v * self.lanes].store(bits, columns.cut(v))
        for sums in rows:
            for one in sums:
                value = one.get()
                below = value * slope if slope else 0
                one.set(value.compare("ugt", 0).select(value, below))

    def _add_list(self, block: _Block, i: Value, columns: _Columns) -> None:
        function = self.function
        places = [self._place(block.row + i, columns)]
        rows = self._begin(block, places, columns)
        count = self.counts[i].load().convert("zext", "i64")
        numbers, offsets = self.numbers[i * self.pitch], self.offsets[i * self.pitch]
        panel = self.panel.in_register()
        with function.loop(0, count) as entry:
            line = panel[offsets[entry].load().convert("zext", "i64")]
            self._add(rows, [numbers[entry]], line)
        self._end(block, places, rows, columns)

    def _add_tiles(self, block: _Block, i: Value, columns: _Columns) -> None:
        """All tiles of some rows."""
        function = self.function
        pairs = (columns.depth - bool(columns.tail)) // 2 * 2
        wide = 2 * self.lanes

        def tile(start: Operand, depth: int, tail: int) -> None:
            part = _Columns(columns.column, start, depth, tail)
            self._add_tile(block, i, self.height, part)

        with function.loop(0, pairs * self.lanes, wide) as start:
            tile(start, 2, 0)
        if columns.depth > pairs:
            tile(pairs * self.lanes, columns.depth - pairs, columns.tail)

    def _add_tile(
        self, block: _Block, i: Value, height: int, columns: _Columns
    ) -> None:
        function, a = self.function, self.function.arguments["a"]
        places = [self._place(block.row + i + k, columns) for k in range(height)]
        rows = self._begin(block, places, columns)
        row_step, tap_step = self.a_pitch, 1
        if self.panels.a_turned:
            row_step, tap_step = tap_step, row_step
        sources = [
            a[(block.row + i + k) * row_step + block.tap * tap_step]
            for k in range(height)
        ]
        panel = self.panel[columns.start]
        with function.loop(0, block.taps) as t:
            numbers = [source[t * tap_step] for source in sources]
            self._add(rows, numbers, panel[t * self.width])
        self._end(block, places, rows, columns)

    def _add(
        self, rows: list[list[Variable]], numbers: Sequence[Array], line: Array
    ) -> None:
        """A tap: to each row's sums, its number times the panel's."""
        factors = [line[v * self.lanes].load(self.lanes) for v in range(len(rows[0]))]
        for sums, place in zip(rows, numbers, strict=True):
            number = place.load_all(self.lanes)
            for one, factor in zip(sums, factors, strict=True):
                one.set(self.function.multiply_add(number, factor, one.get()))


class _List:
    """A row of ``a`` as it is listed, tap by tap."""

    def __init__(self, product: _Product, row: Value):
        self.product, self.row, function = product, row, product.function
        self.numbers = product.numbers[row * product.pitch]
        self.offsets = product.offsets[row * product.pitch]
        self.count = function.variable("i64", 0)
        self.steps = function.multiples(product.width, product.lanes)

    def append(self, numbers: Value, tap: Value) -> None:
        """As many taps as a vector has numbers, from ``tap`` on."""
        product, end = self.product, self.count.get()
        chosen = numbers.compare("une", 0)
        compression = Compression(product.function, product.cpu, chosen)
        first = (tap * product.width).convert("trunc", "i32").splat(product.lanes)
        self.numbers[end].store(compression(numbers))
        self.offsets[end].store(compression(first + self.steps))
        self.count.set(end + compression.count)

    def append_one(self, number: Value, tap: Value) -> None:
        product, end = self.product, self.count.get()
        self.numbers[end].store(number)
        self.offsets[end].store((tap * product.width).convert("trunc", "i32"))
        self.count.set(end + number.compare("une", 0).convert("zext", "i64"))

    def finish(self) -> Value:
        """Returns how long the list is."""
        count = self.count.get()
        self.product.counts[self.row].store(count.convert("trunc", "i32"))
        return count


def _smaller(one: Value, other: int) -> Value:
    return one.compare("slt", other).select(one, other)
