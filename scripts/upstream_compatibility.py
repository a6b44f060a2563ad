"""A pytest plugin: what today's Python and NumPy lack of what 2016's tests use.

It changes no file of theirs. Each item says what it makes up for.
"""

import ast
import builtins
import sys
import unittest.mock

from _pytest.assertion import rewrite


def _getattr_of_a_spec(obj, name, *default):
    """``mock`` of 2015 never read the attributes of its ``spec``; today's does, and
    a property that raises (``MergeLayer.output_shape``) ends it.
    """
    try:
        return builtins.getattr(obj, name, *default)
    except Exception:
        if default:
            return default[0]
        raise


unittest.mock.getattr = _getattr_of_a_spec

# The package mock, which unittest has taken over.
sys.modules.setdefault("mock", unittest.mock)


def _as_index(index):
    """A list of slices was an index of NumPy's until 1.23; a tuple of them is."""
    if isinstance(index, list) and any(isinstance(entry, slice) for entry in index):
        return tuple(index)
    return index


class _Indices(ast.NodeTransformer):
    """Passes whatever may be a list of slices through :func:`_as_index`."""

    def visit_Subscript(self, node):
        self.generic_visit(node)
        if isinstance(node.slice, ast.Name | ast.ListComp):
            function = ast.Name("_as_index", ast.Load())
            call = ast.Call(function, [node.slice], [])
            node.slice = ast.fix_missing_locations(ast.copy_location(call, node.slice))
        return node


def _rewrite_asserts(module, *args, **kwargs):
    _Indices().visit(module)
    _pytests_rewrite(module, *args, **kwargs)


builtins._as_index = _as_index
_pytests_rewrite = rewrite.rewrite_asserts
rewrite.rewrite_asserts = _rewrite_asserts
# Modules that pytest cached earlier were not rewritten so.
sys.dont_write_bytecode = True


def pytest_configure(config):
    """Register the marks that the suites use."""
    config.addinivalue_line("markers", "slow: left out without --runslow")
