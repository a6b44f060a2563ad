"""Moves chosen lanes of vectors to the front, to make lists of what is not zero."""

from pytensor_nnet.kernels.llvm.compiler import CPU
from pytensor_nnet.kernels.llvm.ir import Array, Function, Value, lanes_of, vector

__all__ = ["Compression"]


class Compression:
    """Which lanes are chosen, and the vectors with these at the front.

    Parameters
    ----------
    function : Function
    cpu : CPU
    chosen : Value
        A bit for each lane.

    Attributes
    ----------
    count : Value
        How many lanes are chosen, an integer of 64 bits.
    """

    def __init__(self, function: Function, cpu: CPU, chosen: Value):
        self._function, self._cpu, self._chosen = function, cpu, chosen
        self._lanes = lanes_of(chosen.type)
        bits = chosen.convert("bitcast", f"i{self._lanes}")
        self._bits = bits if self._lanes == 64 else bits.convert("zext", "i64")
        self.count = function.apply("ctpop", self._bits)

    def __call__(self, values: Value) -> Value:
        """The values; what lies behind the chosen ones means nothing."""
        element = values.type[1:-1].split(" x ")[1]
        if self._cpu.permutes:
            if self._lanes * _BITS[element] == 256:
                return self._permuted(values, _BITS[element] // 32)
            if (self._lanes, _BITS[element]) == (4, 32):
                return self._permuted_four(values)
        # As integers: LLVM's code for CPUs that have no such instruction takes no
        # floats.
        integers = vector(self._lanes, f"i{_BITS[element]}")
        moved = self._function.call(
            integers,
            f"llvm.experimental.vector.compress.v{self._lanes}i{_BITS[element]}",
            _operand(values.convert("bitcast", integers)),
            _operand(self._chosen),
            f"{integers} zeroinitializer",
        )
        return moved.convert("bitcast", values.type)

    def _order(self, lanes: int, words: int) -> Value:
        """Which of a vector's 32-bit words go to the front, from a table."""
        table = bytearray()
        for bits in range(1 << lanes):
            chosen = [lane for lane in range(lanes) if bits >> lane & 1]
            chosen += [0] * (lanes - len(chosen))
            table += bytes(
                lane * words + word for lane in chosen for word in range(words)
            )
        length = lanes * words
        orders = self._function.table(f"order{lanes}x{words}", bytes(table))
        order = Array(self._function, "i8", orders)[self._bits * length]
        return order.load(length).convert("zext", vector(length, "i32"))

    def _permuted(self, values: Value, words: int) -> Value:
        numbers = vector(8, "float")
        moved = self._function.call(
            numbers,
            "llvm.x86.avx2.permps",
            _operand(values.convert("bitcast", numbers)),
            _operand(self._order(self._lanes, words)),
        )
        return moved.convert("bitcast", values.type)

    def _permuted_four(self, values: Value) -> Value:
        numbers = vector(4, "float")
        moved = self._function.call(
            numbers,
            "llvm.x86.avx.vpermilvar.ps",
            _operand(values.convert("bitcast", numbers)),
            _operand(self._order(4, 1)),
        )
        return moved.convert("bitcast", values.type)


_BITS = {"float": 32, "double": 64, "i32": 32, "i64": 64}


def _operand(value: Value) -> str:
    return f"{value.type} {value.text}"
