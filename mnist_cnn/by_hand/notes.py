"""What belongs under the table, in whatever form it is shown: one sentence each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .columns import Column, few
from .description import SharedFrom, format_count
from .impossible import find_impossible
from .rows import Table


def footnotes(table: Table, columns: Sequence[Column] = ()) -> list[str]:
    """Remarks, what cannot be and why, and the units of the columns."""
    return [
        *remarks(table),
        *(f"{one.layer}: {one}" for one in find_impossible(table)),
        *(f"{column.title}: {column.unit}" for column in columns),
        *(note for column in columns for note in column.notes),
    ]


def remarks(table: Table) -> list[str]:
    """What is not trainable, shared or unknown."""
    return [*_not_trainable(table), *_shared(table), *_unknown(table)]


def _not_trainable(table: Table) -> Iterator[str]:
    if table.non_trainable_total:
        where = [
            f"{row.name} {format_count(row.non_trainable)}"
            for row in table
            if row.non_trainable
        ]
        count = format_count(table.non_trainable_total)
        yield f"not trainable, beside these: {count} ({few(where, 10)})"


def _shared(table: Table) -> Iterator[str]:
    for row in table:
        for tensor in row.tensors:
            if tensor.shared_with:
                source = tensor.variable
                is_computed = isinstance(source, SharedFrom) and source.computed
                is_ = "is computed from" if is_computed else "is"
                name = f"{row.name}.{tensor.name}"
                yield f"{name} {is_} {tensor.shared_with}, counted there"


def _unknown(table: Table) -> Iterator[str]:
    layers: dict[str, list[str]] = {}
    for row in table:
        if row.unknown_because:
            layers.setdefault(row.unknown_because, []).append(row.name)
    for reason, names in layers.items():
        yield f"{few(names)}: unknown, because {reason}"
