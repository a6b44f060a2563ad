"""``theano.function``: from a graph to something that can be called."""

from pytensor.compile.debug.profiling import ProfileStats
from pytensor.compile.rebuild import construct_function_ins_and_outs
from pytensor.configdefaults import config

from theano.compile.function_module import (
    Function,
    UnusedInputError,
    take_notes_into_message,
)
from theano.compile.io import In, Param
from theano.compile.mode import get_mode

__all__ = ["Function", "In", "Param", "UnusedInputError", "function"]


def function(
    inputs,
    outputs=None,
    mode=None,
    updates=None,
    givens=None,
    no_default_updates=False,
    accept_inplace=False,
    name=None,
    rebuild_strict=True,
    allow_input_downcast=None,
    profile=None,
    on_unused_input=None,
):
    """Compile the graph that leads from ``inputs`` to ``outputs`` and ``updates``.

    Parameters
    ----------
    inputs : list of variable or In
        A default value and a name are given by ``In(variable, value=, name=)``.
    outputs : variable, list, dict of str to variable, or None
        The function returns an array, a list, a dict, an empty list.
    mode : str or Mode, optional
        By default ``theano.config.mode``.
    updates : iterable of (shared variable, expression) pairs, or dict
        What the shared variables become after each call.
    givens : iterable of (variable, expression) pairs, or dict
        Replacements made in the graph first.
    no_default_updates : bool or list of shared variables
        Whose ``default_update`` is left out: everyone's, no one's, or theirs.
    accept_inplace, rebuild_strict, profile
        As for :func:`pytensor.function`.
    name : str, optional
        Told in errors.
    allow_input_downcast : bool, optional
        Whether float64 may be given for float32, and the like; ``None``: only
        Python's floats.
    on_unused_input : {'raise', 'warn', 'ignore'}, optional

    Raises
    ------
    TypeError
        If an update has another type than its shared variable.
    UnusedInputError
        If an input is not used and ``on_unused_input`` is ``"raise"``, or is given
        twice.
    MissingInputError
        If an input is needed that is not listed.
    """
    if not isinstance(inputs, list | tuple):
        raise TypeError(
            "the inputs of a function must be in a list, even a single one; got "
            f"{inputs!r}"
        )
    output_keys = None
    if isinstance(outputs, dict):
        if not all(isinstance(key, str) for key in outputs):
            raise AssertionError(
                f"the keys of a dict of outputs must be strings, got {list(outputs)}"
            )
        output_keys = sorted(outputs)
        outputs = [outputs[key] for key in output_keys]
    mode = get_mode(mode)
    if profile is None:
        profile = config.profile or config.print_global_stats or None
    if profile is True or isinstance(profile, str):
        profile = ProfileStats(message=name if profile is True else profile)
    try:
        specs, cloned_outputs = construct_function_ins_and_outs(
            list(inputs),
            outputs,
            updates=updates,
            givens=givens,
            no_default_updates=no_default_updates,
            rebuild_strict=rebuild_strict,
            allow_input_downcast=allow_input_downcast,
        )
        maker = mode.function_maker(
            specs,
            cloned_outputs,
            mode,
            accept_inplace=accept_inplace,
            function_class=Function,
            profile=profile,
            on_unused_input=on_unused_input,
            name=name,
        )
        maker.output_keys = output_keys
        return maker.create()
    except Exception as error:
        take_notes_into_message(error)
        raise
