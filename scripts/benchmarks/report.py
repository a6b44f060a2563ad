"""Writes what was measured as tables that read as text and as Markdown."""

from collections.abc import Iterable, Mapping, Sequence
from math import exp, log
from statistics import median
from typing import Any

Cells = Sequence[str]


def render(results: Mapping[str, Any]) -> str:
    """All the tables of a run.

    ``results`` is what ``scripts/benchmark --json`` keeps.
    """
    parts = [
        "# Benchmark",
        _describe_machine(results),
        _describe_peers(results),
        *_render_epochs(results),
        *_render_starts(results),
        *_render_memory(results),
        *_render_failures(results),
    ]
    return "\n\n".join(parts) + "\n"


def render_table(header: Cells, rows: Iterable[Cells]) -> str:
    """A Markdown table, its columns aligned: the first to the left.

    >>> print(render_table(["network", "s"], [["question", "1.5"]]))
    | network  |   s |
    | -------- | --: |
    | question | 1.5 |
    """
    rows = [list(header), *map(list, rows)]
    widths = [max(3, *(len(row[i]) for row in rows)) for i in range(len(header))]
    lines = [
        " | ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    rule = " | ".join(
        f"{'-' * (width - 1)}:" if column else "-" * width
        for column, width in enumerate(widths)
    )
    return "\n".join(f"| {line} |" for line in [lines[0], rule, *lines[1:]])


def geometric_mean(values: Sequence[float]) -> float:
    """
    >>> geometric_mean([1.0, 4.0])
    2.0
    """
    return exp(sum(map(log, values)) / len(values))


# The machine and the peers


def _describe_machine(results: Mapping[str, Any]) -> str:
    machine = results["machine"]
    lines = [
        f"- {results['started']}, {_count(results['repeats'], 'repeat')}, the peers in "
        f"turn, {_count(results['epochs'], 'epoch')} each; medians",
        f"- CPU: {machine['cpu']} ({machine['family']}), {machine['cores']} cores, "
        f"{machine['simd']}; {machine['system']}",
        f"- data: {results['data']['source']}",
    ]
    for threads, peaks in results["peaks"].items():
        number = _count(len(peaks), "measurement")
        lines.append(
            f"- peak of multiply-and-add, float32, {_count(int(threads), 'thread')}: "
            f"{median(peaks) / 1e9:.0f} GFLOP/s (of {number}: "
            f"{min(peaks) / 1e9:.0f} to {max(peaks) / 1e9:.0f})"
        )
    others = [
        answer["cores_of_others"]
        for case in results["cases"]
        for answers in case["answers"].values()
        for answer in answers
        if answer.get("cores_of_others") is not None
    ]
    if others:
        lines.append(
            f"- other processes kept {median(others):.2f} cores busy meanwhile (median "
            f"of {len(others)} processes; at most {max(others):.2f})"
        )
    return "\n".join(lines)


def _describe_peers(results: Mapping[str, Any]) -> str:
    return "\n".join(
        f"- {name}: {description} ("
        + ", ".join(f"{n} {v}" for n, v in results["versions"][name].items())
        + ")"
        for name, description in results["peers"].items()
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number > 1 else ''}"


# Epochs


def seconds_of(case: Mapping[str, Any], peer: str) -> float | None:
    """The median epoch, scaled to the full number of images; None: none finished."""
    answers = case["answers"].get(peer, [])
    measured = [seconds for answer in answers for seconds in answer["seconds"]]
    return median(measured) * case["scale"] if measured else None


def _render_epochs(results: Mapping[str, Any]) -> Iterable[str]:
    cases = results["cases"]
    if not cases:
        return
    yield (
        "## Epochs\n\n"
        "Seconds for training on 48,000 images and validating on 12,000, and how many "
        "times as long\nas ours each peer took (above 1: ours is faster). `images` is "
        "the share that was measured; the\nseconds are scaled by it. `dense` and "
        "`sparse`: our seconds over those that the multiplications\nand additions take "
        "at the measured peak, all of them, or without those that a max pool's\n"
        "zeros save."
    )
    peers = [name for name in results["peers"] if name != "ours"]
    rows = []
    for case in cases:
        ours = seconds_of(case, "ours")
        peak = median(case["peaks"])
        rows.append(
            [
                case["network"],
                str(case["batch_size"]),
                str(case["threads"]),
                f"{1 / case['scale']:.0%}",
                _number(ours),
                _number(ours, peak / case["dense_flop"]),
                _number(ours, peak / case["sparse_flop"]),
                *(_ratio(seconds_of(case, peer), ours) for peer in peers),
            ]
        )
    header = ["network", "batch", "threads", "images", "ours, s", "dense", "sparse"]
    yield render_table([*header, *peers], rows)
    yield from _render_means(results, peers)


def _render_means(results: Mapping[str, Any], peers: Sequence[str]) -> Iterable[str]:
    layouts = [name for name in peers if name in results["layouts"]]
    groups = {name: [name] for name in peers}
    if layouts:
        groups["PyTorch, the faster of its tuned layouts"] = layouts
    rows = []
    for name, members in groups.items():
        ratios = {}
        for case in results["cases"]:
            ours = seconds_of(case, "ours")
            theirs = [seconds_of(case, member) for member in members]
            finished = [seconds for seconds in theirs if seconds]
            if ours and finished:
                label = (
                    f"{case['network']}, batch {case['batch_size']}, "
                    f"{_count(case['threads'], 'thread')}"
                )
                ratios[label] = min(finished) / ours
        if ratios:
            lowest = min(ratios, key=ratios.__getitem__)
            rows.append(
                [
                    name,
                    f"{geometric_mean(list(ratios.values())):.2f}",
                    f"{ratios[lowest]:.2f} ({lowest})",
                ]
            )
    if rows:
        yield render_table(["peer", "geometric mean", "least"], rows)


def _number(value: float | None, factor: float = 1.0) -> str:
    return "-" if value is None else f"{value * factor:.2f}"


def _ratio(theirs: float | None, ours: float | None) -> str:
    return "-" if theirs is None or ours is None else f"{theirs / ours:.2f}"


# Starts and memory


def _render_starts(results: Mapping[str, Any]) -> Iterable[str]:
    starts = results["starts"]
    if not starts:
        return
    yield (
        "## Start\n\n"
        "Seconds from the process's start to the end of the first training step of "
        "the question's\nnetwork. Cold: what was compiled before is not there. "
        "`imports` imports what ours stands on\n(three modules of scikit-learn, "
        "PyTensor, Numba) and does nothing else."
    )
    imports = starts["imports"]["warm"]
    yardstick = median(imports) if imports else None
    rows = []
    for name, kinds in starts.items():
        row = [name]
        for kind in ("cold", "warm"):
            seconds = median(kinds[kind]) if kinds.get(kind) else None
            row += [_number(seconds), _ratio(seconds, yardstick)]
        rows.append(row)
    yield render_table(["", "cold, s", "x imports", "warm, s", "x imports"], rows)


def _render_memory(results: Mapping[str, Any]) -> Iterable[str]:
    rows, case = [], next(iter(results["cases"]), None)
    for name, answers in case["answers"].items() if case else ():
        peaks = [answer["peak_bytes"] for answer in answers]
        if peaks and None not in peaks:
            rows.append([name, f"{max(peaks) / 1e6:.0f}"])
    memory = results["memory"]
    if not rows and not memory:
        return
    yield "## Memory"
    if rows:
        yield (
            "At most, of a process that trains the network "
            f"{case['network']} on {case['trained'] + case['validated']:,} images, "
            f"batches of {case['batch_size']} (MB):"
        )
        yield render_table(["", "MB"], rows)
    if memory:
        after = [number / 1e6 for number in memory["after_epochs"]]
        yield (
            f"A full run of the experiment, {len(after)} epochs: at most "
            f"{memory['peak_bytes'] / 1e6:.0f} MB; after each epoch "
            f"{', '.join(f'{number:.0f}' for number in after)} MB."
        )


def _render_failures(results: Mapping[str, Any]) -> Iterable[str]:
    if results["failures"]:
        yield "## Failed\n\n" + "\n\n".join(results["failures"])
