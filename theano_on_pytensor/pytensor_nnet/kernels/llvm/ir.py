"""Writes functions in LLVM's intermediate representation, as text.

Python integers are constants and fold; a :class:`Value` is computed when the
kernel runs, and its operators emit instructions. Variables are stack slots, which
the compiler makes registers. There are no checks: a kernel reads and writes what
it is told to.
"""

import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Union

__all__ = ["Array", "Function", "Value", "Variable", "lanes_of", "vector"]

Operand = Union["Value", int, float]

_MNEMONIC = {"double": "f64", "float": "f32"}


def vector(lanes: int, element: str) -> str:
    """The type of so many numbers side by side.

    >>> vector(8, "float")
    '<8 x float>'
    """
    return f"<{lanes} x {element}>"


def lanes_of(type_: str) -> int:
    """How many numbers a value of this type holds, 1 unless it is a vector."""
    return int(type_[1:].split()[0]) if type_.startswith("<") else 1


def _element(type_: str) -> str:
    return type_[1:-1].split(" x ")[1] if type_.startswith("<") else type_


def _suffix(type_: str) -> str:
    """What an intrinsic's name says of a type: ``v8f32``, ``i64``."""
    element = _element(type_)
    scalar = _MNEMONIC.get(element, element)
    return f"v{lanes_of(type_)}{scalar}" if type_.startswith("<") else scalar


def _is_float(type_: str) -> bool:
    return _element(type_) in _MNEMONIC


class Value:
    """A number, a vector or an address that the kernel computes."""

    __slots__ = ("function", "text", "type")

    def __init__(self, function: "Function", type_: str, text: str):
        self.function = function
        self.type = type_
        self.text = text

    def _binary(self, integer: str, real: str, other: Operand) -> "Value":
        operation = real if _is_float(self.type) else integer
        operand = self.function.constant(other, self.type)
        return self.function.emit(
            self.type, f"{operation} {self.type} {self.text}, {operand}"
        )

    def __add__(self, other: Operand) -> "Value":
        if isinstance(other, int) and other == 0 and not _is_float(self.type):
            return self
        return self._binary("add nsw", "fadd", other)

    __radd__ = __add__

    def __mul__(self, other: Operand) -> "Value":
        if isinstance(other, int) and other == 1 and not _is_float(self.type):
            return self
        return self._binary("mul nsw", "fmul", other)

    __rmul__ = __mul__

    def __sub__(self, other: Operand) -> "Value":
        return self._binary("sub nsw", "fsub", other)

    def __truediv__(self, other: Operand) -> "Value":
        return self._binary("", "fdiv", other)

    def __floordiv__(self, other: Operand) -> "Value":
        return self._binary("sdiv", "", other)

    def __mod__(self, other: Operand) -> "Value":
        return self._binary("srem", "", other)

    def __and__(self, other: Operand) -> "Value":
        return self._binary("and", "", other)

    def __or__(self, other: Operand) -> "Value":
        return self._binary("or", "", other)

    def __rshift__(self, other: Operand) -> "Value":
        return self._binary("lshr", "", other)

    def compare(self, relation: str, other: Operand) -> "Value":
        """Bits that say where ``relation`` holds.

        ``relation`` is LLVM's: for integers ``eq ne slt ...``; for floats
        ``oeq ogt ...``, false where there is a NaN, or ``ueq ugt une ...``, true
        there.
        """
        operation = "fcmp" if _is_float(self.type) else "icmp"
        lanes = lanes_of(self.type)
        bits = vector(lanes, "i1") if self.type.startswith("<") else "i1"
        operand = self.function.constant(other, self.type)
        return self.function.emit(
            bits, f"{operation} {relation} {self.type} {self.text}, {operand}"
        )

    def select(self, if_true: "Value", if_false: Operand) -> "Value":
        """``if_true`` where this bit (or these bits) is set, else ``if_false``."""
        other = self.function.constant(if_false, if_true.type)
        return self.function.emit(
            if_true.type,
            f"select {self.type} {self.text}, {if_true.type} {if_true.text}, "
            f"{if_true.type} {other}",
        )

    def convert(self, operation: str, type_: str) -> "Value":
        """LLVM's conversion ``operation`` (``zext``, ``trunc``, ...) to a type."""
        return self.function.emit(
            type_, f"{operation} {self.type} {self.text} to {type_}"
        )

    def any(self) -> "Value":
        """A bit that says whether any bit of these integers is set."""
        width = lanes_of(self.type) * int(_element(self.type)[1:])
        return self.convert("bitcast", f"i{width}").compare("ne", 0)

    def first(self) -> "Value":
        """The number in a vector's first lane."""
        return self.function.emit(
            _element(self.type), f"extractelement {self.type} {self.text}, i32 0"
        )

    def with_first(self, number: "Value") -> "Value":
        """This vector, but for a number in its first lane."""
        return self.function.emit(
            self.type,
            f"insertelement {self.type} {self.text}, {number.type} {number.text}, "
            "i32 0",
        )

    def with_lane(self, lane: int, number: "Value") -> "Value":
        """This vector, but for a number in one lane."""
        return self.function.emit(
            self.type,
            f"insertelement {self.type} {self.text}, {number.type} {number.text}, "
            f"i32 {lane}",
        )

    def splat(self, lanes: int) -> "Value":
        """A vector that holds this number in every lane."""
        anything = Value(self.function, vector(lanes, self.type), "poison")
        return anything.with_first(self).shuffle([0] * lanes)

    def shuffle(self, order: list[int], other: Union["Value", None] = None) -> "Value":
        """Lanes of this vector, then of ``other``, in a new order."""
        second = "poison" if other is None else other.text
        indices = ", ".join(f"i32 {index}" for index in order)
        return self.function.emit(
            vector(len(order), _element(self.type)),
            f"shufflevector {self.type} {self.text}, {self.type} {second}, "
            f"{vector(len(order), 'i32')} <{indices}>",
        )


class Variable:
    """A value that changes."""

    __slots__ = ("function", "slot", "type")

    def __init__(self, function: "Function", type_: str, slot: str):
        self.function, self.type, self.slot = function, type_, slot

    def get(self) -> Value:
        return self.function.emit(self.type, f"load {self.type}, ptr {self.slot}")

    def set(self, value: Operand) -> None:
        text = self.function.constant(value, self.type)
        self.function.line(f"store {self.type} {text}, ptr {self.slot}")


class Array:
    """An address in memory and the type of the elements there."""

    __slots__ = ("element", "function", "text")

    def __init__(self, function: "Function", element: str, text: str):
        self.function, self.element, self.text = function, element, text

    def __getitem__(self, index: Operand) -> "Array":
        """The array that begins at element ``index``."""
        if isinstance(index, int) and index == 0:
            return self
        place = self.function.emit(
            "ptr",
            f"getelementptr inbounds {self.element}, ptr {self.text}, "
            f"i64 {self.function.constant(index, 'i64')}",
        )
        return Array(self.function, self.element, place.text)

    def of(self, element: str) -> "Array":
        """The same address, of elements of another type."""
        return Array(self.function, element, self.text)

    def in_register(self) -> "Array":
        """The same address, as a value of its own: a loop that uses it then has it
        in a register, whatever else is alive.
        """
        text = f'call ptr asm "", "=r,0"(ptr {self.text})'
        place = self.function.emit("ptr", text)
        return Array(self.function, self.element, place.text)

    def is_there(self) -> Value:
        """A bit that says whether the address is not null."""
        return self.function.emit("i1", f"icmp ne ptr {self.text}, null")

    def clear(self, size: int, lanes: int) -> None:
        """Write so many zeros, in vectors."""
        whole = size // lanes * lanes
        zero = self.function.zero(vector(lanes, self.element))
        with self.function.loop(0, whole, lanes) as start:
            self[start].store(zero)
        if size > whole:
            self[whole].store(zero, tail=size - whole)

    def _alignment(self) -> int:
        bits = {"float": 32, "double": 64}.get(self.element)
        return (bits or int(self.element[1:])) // 8

    def load(self, lanes: int = 0, tail: int = 0) -> Value:
        """The first element, or a vector of the first ``lanes``.

        ``tail`` other than 0 reads only so many of them; the rest are zeros.
        """
        if not lanes:
            return self.function.emit(
                self.element,
                f"load {self.element}, ptr {self.text}, align {self._alignment()}",
            )
        type_ = vector(lanes, self.element)
        if not tail:
            return self.function.emit(
                type_, f"load {type_}, ptr {self.text}, align {self._alignment()}"
            )
        if tail == 1:
            number, zeros = self.load(), self.function.zero(type_)
            return zeros.with_first(number)
        return self.function.call(
            type_,
            f"llvm.masked.load.{_suffix(type_)}.p0",
            f"ptr {self.text}",
            f"i32 {self._alignment()}",
            _first_lanes(lanes, tail),
            f"{type_} zeroinitializer",
        )

    def load_all(self, lanes: int) -> Value:
        """The first element in every lane of a vector."""
        return self.load().splat(lanes)

    def prefetch(self) -> None:
        """Have what is here in the cache when it is read; it need not be memory."""
        self.function.call(
            "void",
            "llvm.prefetch.p0",
            *(f"ptr {self.text}", "i32 0", "i32 3", "i32 1"),
        )

    def store(self, value: Value, tail: int = 0) -> None:
        """Write a value, or only the first ``tail`` lanes of a vector."""
        # In pieces, each of a power of two: some CPUs are slow to store under a mask.
        place = 0
        while tail and place < tail:
            size = 1 << (tail - place).bit_length() - 1
            piece = value.shuffle(list(range(place, place + size)))
            self[place].store(piece.first() if size == 1 else piece)
            place += size
        if not tail:
            self.function.line(
                f"store {value.type} {value.text}, ptr {self.text}, "
                f"align {self._alignment()}"
            )


def _first_lanes(lanes: int, count: int) -> str:
    bits = ", ".join(f"i1 {int(lane < count)}" for lane in range(lanes))
    return f"{vector(lanes, 'i1')} <{bits}>"


class Function:
    """A function under construction. It returns nothing.

    Parameters
    ----------
    name : str
    arguments : dict of str to str
        Names and types, in order; ``"float*"`` is the address of floats.
    distinct : bool
        Whether no two addresses overlap.

    Attributes
    ----------
    arguments : dict of str to Value or Array
    """

    def __init__(self, name: str, arguments: dict[str, str], distinct: bool = True):
        self.name = name
        self.distinct = distinct
        self.types = dict(arguments)
        self.arguments = {
            argument: Array(self, type_[:-1], f"%{argument}")
            if type_.endswith("*")
            else Value(self, type_, f"%{argument}")
            for argument, type_ in arguments.items()
        }
        self._slots: list[str] = []
        self._lines: list[str] = []
        self._declared: dict[str, str] = {}
        self._tables: dict[str, str] = {}
        self._count = 0

    def line(self, text: str) -> None:
        self._lines.append(text)

    def _fresh(self) -> int:
        self._count += 1
        return self._count

    def emit(self, type_: str, text: str) -> Value:
        """The value that an instruction gives."""
        name = f"%t{self._fresh()}"
        self._lines.append(f"{name} = {text}")
        return Value(self, type_, name)

    def call(self, type_: str, name: str, *operands: str) -> Value:
        """Call a function from outside, an intrinsic of LLVM for one."""
        types = ", ".join(re.match(r"<[^>]*>|\S+", operand)[0] for operand in operands)
        self._declared[name] = f"declare {type_} @{name}({types})"
        text = f"call {type_} @{name}({', '.join(operands)})"
        if type_ == "void":
            self.line(text)
            return Value(self, type_, "")
        return self.emit(type_, text)

    def table(self, name: str, content: bytes) -> str:
        """The address of constant bytes; one table for all uses of a name."""
        text = "".join(f"\\{byte:02X}" for byte in content)
        self._tables[name] = (
            f"@{name} = private unnamed_addr constant [{len(content)} x i8] "
            f'c"{text}", align 64'
        )
        return f"@{name}"

    def constant(self, value: Operand, type_: str) -> str:
        """A value's name, or a number as LLVM writes it for this type."""
        if isinstance(value, Value):
            return value.text
        if type_.startswith("<"):
            element = _element(type_)
            number = self.constant(value, element)
            if str(value) in ("0", "0.0"):  # -0.0 is another number
                return "zeroinitializer"
            return f"<{', '.join([f'{element} {number}'] * lanes_of(type_))}>"
        if _is_float(type_):
            return _float_text(float(value), type_)
        return str(int(value))

    def zero(self, type_: str) -> Value:
        return Value(self, type_, self.constant(0, type_))

    def variable(self, type_: str, initial: Operand | None = None) -> Variable:
        slot = f"%v{self._fresh()}"
        self._slots.append(f"{slot} = alloca {type_}, align 64")
        made = Variable(self, type_, slot)
        if initial is not None:
            made.set(initial)
        return made

    def multiply_add(self, a: Value, b: Value, c: Value) -> Value:
        """``a * b + c``, rounded once where the CPU can."""
        return self.call(
            a.type,
            f"llvm.fmuladd.{_suffix(a.type)}",
            *(f"{x.type} {x.text}" for x in (a, b, c)),
        )

    def apply(self, intrinsic: str, *values: Value) -> Value:
        """An intrinsic of operands of one type: ``sqrt``, ``copysign``, ..."""
        type_ = values[0].type
        name = f"llvm.{intrinsic}.{_suffix(type_)}"
        return self.call(type_, name, *(f"{type_} {value.text}" for value in values))

    def conversion(self, intrinsic: str, value: Value, type_: str) -> Value:
        """An intrinsic that makes another type of a value: ``llvm.fptosi.sat``."""
        name = f"{intrinsic}.{_suffix(type_)}.{_suffix(value.type)}"
        return self.call(type_, name, f"{value.type} {value.text}")

    def multiples(self, step: int, lanes: int) -> Value:
        """A vector of integers of 32 bits: 0, ``step``, twice ``step``, ..."""
        numbers = ", ".join(f"i32 {lane * step}" for lane in range(lanes))
        return Value(self, vector(lanes, "i32"), f"<{numbers}>")

    def integer(self, value: Operand) -> Value:
        """A Python integer as a value."""
        if isinstance(value, Value):
            return value
        return Value(self, "i64", str(value))

    @contextmanager
    def loop(self, start: Operand, stop: Operand, step: int = 1) -> Iterator[Value]:
        """``for index in range(start, stop, step)``, a positive step."""
        label = self._fresh()
        counter = self.variable("i64", start)
        self.line(f"br label %test{label}")
        self.line(f"test{label}:")
        index = counter.get()
        more = index.compare("slt", stop)
        self.line(f"br i1 {more.text}, label %body{label}, label %done{label}")
        self.line(f"body{label}:")
        yield index
        counter.set(index + step)
        self.line(f"br label %test{label}")
        self.line(f"done{label}:")

    @contextmanager
    def when(self, condition: Value) -> Iterator[None]:
        """``if condition``."""
        label = self._fresh()
        self.line(f"br i1 {condition.text}, label %yes{label}, label %no{label}")
        self.line(f"yes{label}:")
        yield
        self.line(f"br label %no{label}")
        self.line(f"no{label}:")

    def text(self) -> str:
        """The module that holds this function."""
        address = "ptr noalias" if self.distinct else "ptr"
        parameters = ", ".join(
            f"{address} %{name}" if type_.endswith("*") else f"{type_} %{name}"
            for name, type_ in self.types.items()
        )
        return "\n".join(
            [
                *self._declared.values(),
                *self._tables.values(),
                f"define void @{self.name}({parameters}) nounwind {{",
                "entry:",
                *self._slots,
                *self._lines,
                "ret void",
                "}",
                *self._task(),
                "",
            ]
        )

    def _task(self) -> list[str]:
        """A function that finds the arguments in a table, a row of them a task."""
        lines, passed = [], []
        for number, type_ in enumerate(self.types.values()):
            plain = "ptr" if type_.endswith("*") else type_
            lines += [
                f"%at{number} = getelementptr inbounds i64, ptr %row, i64 {number}",
                f"%value{number} = load {plain}, ptr %at{number}, align 8",
            ]
            passed.append(f"{plain} %value{number}")
        return [
            f"define void @{self.name}.task(ptr %table, i64 %task) nounwind {{",
            f"%place = mul i64 %task, {len(self.types)}",
            "%row = getelementptr inbounds i64, ptr %table, i64 %place",
            *lines,
            f"call void @{self.name}({', '.join(passed)})",
            "ret void",
            "}",
        ]


def _float_text(value: float, type_: str) -> str:
    """LLVM takes a float in hexadecimal, as a double that a float can hold."""
    if type_ == "float":
        value = struct.unpack("<f", struct.pack("<f", value))[0]
    return f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"
