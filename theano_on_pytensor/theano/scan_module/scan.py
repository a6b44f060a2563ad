"""``scan``: a loop as a variable."""

import functools
import warnings

from pytensor.scan import scan as _scan

from theano.updates import OrderedUpdates

__all__ = ["scan"]


def with_theanos_updates(loop):
    """PyTensor's ``loop``, returning (outputs, OrderedUpdates) without a warning
    that this will change.
    """

    @functools.wraps(loop)
    def looped(*args, **kwargs):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Scan return signature")
            outputs, updates = loop(*args, **kwargs)
        return outputs, OrderedUpdates(updates)

    return looped


_scan_with_updates = with_theanos_updates(_scan)


def scan(
    fn,
    sequences=None,
    outputs_info=None,
    non_sequences=None,
    n_steps=None,
    truncate_gradient=-1,
    go_backwards=False,
    mode=None,
    name=None,
    profile=False,
    allow_gc=None,
    strict=False,
    return_list=False,
):
    """Call ``fn`` on every element of sequences, and on what it gave before.

    Parameters
    ----------
    fn : callable
        Takes the elements of ``sequences`` (in their order, and tap by tap), what
        the outputs with an initial state were before, and ``non_sequences``.
        Returns outputs, updates (a dict), or both; also ``until(condition)``.
    sequences : variable, list, or dicts with ``input`` and ``taps``, optional
    outputs_info : list, optional
        For each output its initial state, ``None``, or a dict with ``initial`` and
        ``taps``.
    non_sequences : list, optional
    n_steps : int or scalar variable, optional
        By default the length of the shortest sequence.
    truncate_gradient : int
        Steps through which the gradient goes back; -1: all.
    go_backwards : bool
    mode, name, profile, allow_gc
        As for :func:`theano.function`, for the loop's body.
    strict : bool
        Whether every shared variable that ``fn`` uses must be in ``non_sequences``.
    return_list : bool
        Whether a single output comes in a list, too.

    Returns
    -------
    (variable, list of them, or None), OrderedUpdates
        The outputs of all steps, one more dimension in front, and what shared
        variables become: give it to :func:`theano.function`.
    """
    return _scan_with_updates(
        fn,
        sequences=sequences,
        outputs_info=outputs_info,
        non_sequences=non_sequences,
        n_steps=n_steps,
        truncate_gradient=truncate_gradient,
        go_backwards=go_backwards,
        mode=mode,
        name=name,
        profile=profile,
        allow_gc=allow_gc,
        strict=strict,
        return_list=return_list,
    )
