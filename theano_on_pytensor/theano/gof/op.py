"""The base of every Op, and the test values that Ops compute while a graph is built."""

import functools
import inspect
import sys
import warnings

from pytensor.compile.sharedvalue import SharedVariable
from pytensor.gradient import DisconnectedType, disconnected_type
from pytensor.graph.basic import Constant, Variable
from pytensor.graph.op import Op as _Op
from pytensor.graph.utils import MethodNotDefined
from pytensor.scalar.basic import ScalarOp
from pytensor.tensor.elemwise import Elemwise

from theano.configdefaults import config

__all__ = [
    "COp",
    "MethodNotDefined",
    "Op",
    "PureOp",
    "debug_assert",
    "debug_error_message",
    "get_debug_values",
    "get_test_value",
    "missing_test_message",
]

_PYTENSORS_ARGUMENTS = len(inspect.signature(Elemwise.infer_shape).parameters)
"""Of ``infer_shape``: one more than Theano's 3 before PyTensor 3.3."""


class _AllOps(type(_Op)):
    """The class of :class:`Op`, which every Op of PyTensor is an instance of, too."""

    def __instancecheck__(cls, instance):
        return cls.__subclasscheck__(type(instance))

    def __subclasscheck__(cls, subclass):
        # Not issubclass, which would ask this class again.
        return (_Op if cls is Op else cls) in subclass.__mro__


class Op(_Op, metaclass=_AllOps):
    """What a program derives its own Ops from, with Theano's methods.

    ``make_node(*inputs)`` makes the node, or ``itypes`` and ``otypes`` do;
    ``perform(node, inputs, output_storage)`` computes;
    ``grad(inputs, output_gradients)`` or ``L_op(inputs, outputs, output_gradients)``
    and ``R_op(inputs, eval_points)`` differentiate; ``infer_shape(node, shapes)``
    gives the shapes of the outputs. ``__props__`` names the attributes that make two
    Ops equal. C code (``c_code`` and its kin) is not compiled: an Op needs
    ``perform``.
    """

    def __init__(self, use_c_code=None):
        """``use_c_code`` is ignored."""

    def __init_subclass__(cls, **kwargs):
        method = cls.__dict__.get("infer_shape")
        if (
            method is not None
            and _PYTENSORS_ARGUMENTS != 3
            and len(inspect.signature(method).parameters) == 3
        ):
            cls.infer_shape = _without_graph(method)
        super().__init_subclass__(**kwargs)

    def perform(self, node, inputs, output_storage):
        raise MethodNotDefined(
            f"{type(self).__name__} has no method perform, and its C code is not "
            "compiled here: write its computation with NumPy, as "
            "perform(node, inputs, output_storage)"
        )

    def grad(self, inputs, output_gradients):
        raise MethodNotDefined("grad", type(self), type(self).__name__)

    def L_op(self, inputs, outputs, output_gradients):
        return self.grad(inputs, output_gradients)

    def R_op(self, inputs, eval_points):
        raise MethodNotDefined("R_op", type(self), type(self).__name__)

    def pullback(self, inputs, outputs, cotangents):
        return self.L_op(inputs, outputs, cotangents)

    def pushforward(self, inputs, outputs, tangents):
        points = [None if isinstance(t.type, DisconnectedType) else t for t in tangents]
        return [
            disconnected_type() if result is None else result
            for result in self.R_op(inputs, points)
        ]

    @staticmethod
    def _get_test_value(variable):
        return get_test_value(variable)


PureOp = Op


def _without_graph(method):
    """Theano's ``infer_shape(node, shapes)``, called with a graph before the two."""

    @functools.wraps(method)
    def infer_shape(self, *args):
        return method(self, *args[-2:])

    return infer_shape


class COp(Op):
    """An Op whose C code is in files: refused, for nothing is compiled here."""

    def __init__(self, *args, **kwargs):
        raise NotImplementedError(
            f"{type(self).__name__} is written in C, which is not compiled here: "
            "derive it from theano.Op and write perform(node, inputs, output_storage) "
            "with NumPy"
        )


_BUILD_THEIR_OWN = (
    "pytensor.compile.builders",
    "pytensor.graph.rewriting.basic",
    "pytensor.scan.basic",
    "pytensor.tensor.symbolic",
)


def _is_not_the_programs_graph():
    """Whether the inside of an Op is being built, or a graph is being rewritten: the
    inputs of either stand for what is given later, and have no test values.
    """
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_globals.get("__name__") in _BUILD_THEIR_OWN:
            return True
        frame = frame.f_back
    return False


def get_test_value(v):
    """The test value of ``v``: a constant's or shared variable's value, or what is in
    ``v.tag.test_value``.

    Raises
    ------
    AttributeError
        If it has none.
    """
    if not isinstance(v, Variable):
        from theano.tensor import as_tensor_variable

        v = as_tensor_variable(v)
    if isinstance(v, Constant):
        return v.data
    if isinstance(v, SharedVariable):
        return v.get_value(borrow=True)
    if hasattr(v.tag, "test_value"):
        v.tag.test_value = v.type.filter(v.tag.test_value)
        return v.tag.test_value
    raise AttributeError(f"{v} of type {v.type} has no test value")


def missing_test_message(msg):
    """Say that a test value is missing, as ``compute_test_value`` asks."""
    if _is_not_the_programs_graph():
        return
    if config.compute_test_value in ("raise", "pdb"):
        raise AttributeError(msg)
    if config.compute_test_value == "warn":
        warnings.warn(msg, stacklevel=2)


def debug_error_message(msg):
    """Say that test values are wrong: a ValueError, or a warning if that is asked."""
    if config.compute_test_value == "warn":
        warnings.warn(msg, stacklevel=2)
    else:
        raise ValueError(msg)


def debug_assert(condition, msg="debug_assert failed"):
    """An assertion, only a warning where ``compute_test_value`` is ``'warn'``."""
    if not condition:
        if config.compute_test_value == "warn":
            warnings.warn(msg, stacklevel=2)
        else:
            raise AssertionError(msg)


def get_debug_values(*args):
    """A list of the one tuple of the test values of ``args`` (of one: its value).

    It is empty where ``compute_test_value`` is ``'off'`` or a value is missing.
    """
    if config.compute_test_value == "off":
        return []
    values = []
    for position, arg in enumerate(args):
        try:
            values.append(get_test_value(arg))
        except AttributeError as error:
            missing_test_message(f"argument {position}: {error}")
            return []
    return values if len(values) == 1 else [tuple(values)]


def _compute_test_values(node):
    """Compute the outputs of a new node from the test values of its inputs."""
    values = []
    for position, variable in enumerate(node.inputs):
        try:
            values.append(get_test_value(variable))
        except AttributeError as error:
            missing_test_message(
                f"Cannot compute a test value: input {position} of {node.op}: {error}"
            )
            return
    destroyed = {i for places in node.op.destroy_map.values() for i in places}
    storage = {
        variable: [value.copy() if position in destroyed else value]
        for position, (variable, value) in enumerate(
            zip(node.inputs, values, strict=True)
        )
    }
    storage.update({variable: [None] for variable in node.outputs})
    computed = {variable: [variable in node.inputs] for variable in storage}
    thunk = node.op.make_thunk(node, storage, computed, [], impl="py")
    thunk.inputs = [storage[variable] for variable in node.inputs]
    thunk.outputs = [storage[variable] for variable in node.outputs]
    thunk()
    for variable in node.outputs:
        variable.tag.test_value = storage[variable][0]


_pytensors_call = _Op.__call__


def _call_with_test_values(self, *inputs, **kwargs):
    made = _pytensors_call(self, *inputs, **kwargs)
    if isinstance(self, ScalarOp):  # Made for Elemwise: of no values of its own.
        return made
    first = made[0] if isinstance(made, list | tuple) else made
    node = getattr(first, "owner", None)
    if node is not None and not hasattr(first.tag, "test_value"):
        _compute_test_values(node)
    return made


def _switch_test_values():
    """Have Ops compute test values only where they are asked for."""
    on = config.compute_test_value != "off"
    _Op.__call__ = _call_with_test_values if on else _pytensors_call


config._settings["compute_test_value"].on_change = _switch_test_values
_switch_test_values()
