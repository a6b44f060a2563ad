"""What ``theano.function`` returns."""

import copyreg

from pytensor.compile.executor import Function as _Function
from pytensor.compile.executor import _pickle_Function
from pytensor.compile.maker import FunctionMaker
from pytensor.compile.rebuild import UnusedInputError

from theano.compile.io import In

__all__ = ["Function", "FunctionMaker", "UnusedInputError"]


class Function(_Function):
    """A compiled graph that is called like a Python function.

    It takes its inputs by position or by name, those with a default value need
    not be given, and returns an array, a list, or a dict, in the form in which
    the outputs were asked for. Only what Theano's functions have and PyTensor's
    lack is written here.
    """

    __slots__ = ("_defaults",)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._defaults = [
            (container.storage, container.storage[0])
            for spec, container in zip(
                self.maker.inputs, self.input_storage, strict=True
            )
            if isinstance(spec, In) and spec.has_default and spec.update is None
        ]

    def __call__(self, *args, output_subset=None, **kwargs):
        try:
            results = super().__call__(*args, **kwargs)
        except Exception as error:
            take_notes_into_message(error)
            raise
        finally:
            for storage, default in self._defaults:
                storage[0] = default
        keys = getattr(self.maker, "output_keys", None)
        if keys is not None:
            chosen = keys if output_subset is None else output_subset
            return {k: v for k, v in zip(keys, results, strict=True) if k in chosen}
        if output_subset is not None:
            return [results[position] for position in output_subset]
        return results

    def _validate_inputs(self, args, kwargs):
        for key, value in kwargs.items():
            container = self._finder.get(key)
            if container in self._inv_finder:
                try:
                    kwargs[key] = container.type.filter(
                        value,
                        strict=container.strict,
                        allow_downcast=container.allow_downcast,
                    )
                except Exception as error:
                    self._add_note_to_invalid_argument_exception(
                        error, container, value
                    )
        super()._validate_inputs(args, kwargs)

    def _add_note_to_invalid_argument_exception(self, e, arg_container, arg):
        """Say which input it was: PyTensor knows only an argument's own name."""
        position = self.input_storage.index(arg_container)
        variable = self.maker.inputs[position].variable
        function = f'"{self.name}" ' if self.name else ""
        raise type(e)(
            f"Bad input argument to theano function {function}at index {position} "
            f"(0-based), {variable} of type {variable.type}: {e}"
        ) from e

    def _find(self, item):
        container = self._finder.get(item)
        if container not in self._inv_finder:
            raise KeyError(
                f"{item!r} is no input of this function, or the name of several; "
                f"it has {', '.join(str(name) for name in self._named_inputs)}"
            )
        return container

    def __getitem__(self, item):
        """The value kept for an input, by name, position or variable."""
        return self._find(item).value

    def __setitem__(self, item, value):
        container = self._find(item)
        container.value = value
        self._defaults = [
            (storage, container.storage[0] if storage is container.storage else kept)
            for storage, kept in self._defaults
        ]

    def __contains__(self, item):
        return self._finder.get(item) in self._inv_finder

    @property
    def value(self):
        """``f.value[x]`` is ``f[x]``."""
        return self

    @property
    def container(self):
        """``f.container[x]`` is what holds the value of an input."""
        return _Containers(self)

    @property
    def fn(self):
        """What runs the nodes, PyTensor's ``vm``."""
        return self.vm

    def copy(self, *args, **kwargs):
        """A function with storage of its own; see PyTensor's ``Function.copy``."""
        twin = super().copy(*args, **kwargs)
        twin.maker.output_keys = getattr(self.maker, "output_keys", None)
        return twin


class _Containers:
    """The containers of a function's inputs, by name, position or variable."""

    def __init__(self, function):
        self._function = function

    def __getitem__(self, item):
        return self._function._find(item)

    def __contains__(self, item):
        return item in self._function


_THEANOS_WORDS = {
    "pytensor.function": "theano.function",
    "pytensor function": "theano function",
    "pytensor Variable": "theano Variable",
    "PyTensor flag": "Theano flag",
    "most PyTensor optimizations": "most optimizations",
    "PyTensor optimizations": "optimizations",
    "`specify_broadcastable` on": "theano.tensor.addbroadcast(variable, axis) on",
}


def take_notes_into_message(error):
    """Put what PyTensor noted (the node, its inputs' shapes) where Theano had it
    and programs look for it: into the message, which names what Theano calls so.
    """
    if not (error.args and isinstance(error.args[0], str)):
        return
    notes = getattr(error, "__notes__", None)
    text = "\n".join([error.args[0], *(notes or [])])
    for word, theanos in _THEANOS_WORDS.items():
        text = text.replace(word, theanos)
    error.args = (text, *error.args[1:])
    if notes:
        del error.__notes__


copyreg.pickle(Function, _pickle_Function)
