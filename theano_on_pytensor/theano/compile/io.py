"""Inputs and outputs of a function."""

import pytensor.compile.io as _io
from pytensor.compile.io import Out, SymbolicInput, SymbolicOutput
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.link.basic import Container

__all__ = ["In", "Out", "Param", "SymbolicInput", "SymbolicOutput"]


class In(_io.In):
    """An input of a function.

    Parameters
    ----------
    variable : Variable
    name : str, optional
        What it is called by keyword; by default the variable's name.
    value : optional
        What it is where the caller gives nothing.
    update : Variable, optional
        With it, ``value`` is only the first one: each call leaves that of
        ``update`` for the next.
    mutable, borrow, strict, allow_downcast, autoname, implicit, shared
        As for :class:`pytensor.compile.io.In`.
    """

    def __init__(
        self,
        variable,
        name=None,
        value=None,
        update=None,
        mutable=None,
        strict=False,
        allow_downcast=None,
        autoname=True,
        implicit=None,
        borrow=None,
        shared=False,
    ):
        if isinstance(value, SharedVariable):
            value = value.container
        self.has_default = value is not None and not isinstance(value, Container)
        if self.has_default:
            value = Container(
                variable,
                storage=[
                    variable.type.filter(
                        value, strict=strict, allow_downcast=allow_downcast
                    )
                ],
            )
            implicit = bool(implicit)
        if mutable is None:
            mutable = update is not None
        super().__init__(
            variable,
            name=name,
            value=value,
            update=update,
            mutable=mutable,
            strict=strict,
            allow_downcast=allow_downcast,
            autoname=autoname,
            implicit=implicit,
            borrow=borrow,
            shared=shared,
        )


def Param(
    variable,
    default=None,
    name=None,
    mutable=False,
    strict=False,
    allow_downcast=None,
    implicit=None,
    borrow=None,
):
    """An input with a default value: :class:`In` under its earlier name."""
    return In(
        variable,
        name=name,
        value=default,
        mutable=mutable,
        strict=strict,
        allow_downcast=allow_downcast,
        implicit=implicit,
        borrow=borrow,
    )
