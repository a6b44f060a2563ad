"""Compiling C code, which PyTensor does and this distribution does not use."""

from pytensor.link.c.cmodule import GCC_compiler, ModuleCache, get_module_cache

__all__ = ["GCC_compiler", "ModuleCache", "get_module_cache"]
