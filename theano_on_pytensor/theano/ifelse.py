"""``ifelse``: of two expressions only the chosen one is computed."""

try:
    from pytensor.conditional.op import IfElse, ifelse
except ModuleNotFoundError:  # before PyTensor 3.2
    from pytensor.ifelse import IfElse, ifelse

__all__ = ["IfElse", "ifelse"]
