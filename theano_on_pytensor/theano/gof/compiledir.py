"""The folder of compiled C code, which this distribution leaves empty."""

from pytensor.compile.compiledir import cleanup, print_compiledir_content

__all__ = ["cleanup", "print_compiledir_content"]
