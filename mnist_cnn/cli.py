"""The command ``mnist-cnn``.

The only module that prints. A subcommand imports what it needs when it runs, so that
``layers`` starts at once and works where nothing is installed.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
import textwrap
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from . import __version__, by_hand
from .by_hand.errors import (
    HandCalculationError,
    ImpossibleSizeError,
    UntoldError,
)
from .errors import ExperimentError

if TYPE_CHECKING:
    from .comparison import Comparison
    from .dataset import Mnist
    from .verification import Verification

DONE, FAILED, USER_ERROR, INTERRUPTED = 0, 1, 2, 130
STATUS_OF = {"finished": DONE, "diverged": FAILED, "interrupted": INTERRUPTED}

EXIT_STATUS = """\
exit status:
  0    done
  1    print and hand differ, or the training had to stop (its loss was no number)
  2    cannot be done as asked: standard error says why, and what is needed
  130  stopped by Ctrl-C; a run keeps what there is
"""

PORT = 8642
"""Of the explorer's page; always the same, so that its links can be passed on."""

ENDINGS = {
    ".txt": "text",
    ".md": "markdown",
    ".tex": "latex",
    ".html": "html",
    ".svg": "svg",
    ".json": "json",
    ".csv": "csv",
}

FORMS = """\
NETWORK is one of
  the short form    "1x28x28 conv32@5x5 pool2 conv32@3x3 pool2 dense256 dense10":
                    the input's size without the batch, then a word for each layer;
                    conv32@5x5/2+1 has stride 2 and pad 1, conv1=conv32@5 a name,
                    3*dense64 is three layers; any class of Lasagne can be used:
                    SliceLayer[indices=0,axis=1]. All words:
                    python -c "import mnist_cnn.by_hand.read_short as m; help(m)"
  a JSON file       [["InputLayer", {"shape": [null, 1, 28, 28]}],
                     ["Conv2DLayer", {"num_filters": 32, "filter_size": 5}], ...]
  Python code       a file, a notebook (.ipynb), or text with a NeuralNet(...) call or
                    calls of Lasagne's layers. It is read, never run.
  FILE.py:VARIABLE  runs the file and takes the variable: a layer, a NeuralNet, a list
                    of layers, or a function that gives one
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with these arguments, by default the process's.

    Returns
    -------
    int
        The exit status: ``mnist-cnn --help`` says what each means.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A path may hold what a console of 256 characters cannot show.
        sys.stdout.reconfigure(errors="backslashreplace")
    options = _build_parser().parse_args(arguments)
    try:
        status: int = options.run(options)
        return status
    except ImpossibleSizeError as error:
        return _refuse(
            f"{error}. 'mnist-cnn explain all NETWORK' says what would serve"
        )
    except UntoldError as error:
        return _refuse(
            f"{error}\nGive what is missing with --define NAME=VALUE or --input-size "
            "SIZE, or have the file run: FILE.py:VARIABLE"
        )
    except (ExperimentError, HandCalculationError) as error:
        return _refuse(str(error))
    except ModuleNotFoundError as error:
        return _refuse(
            f"the package {error.name} is not installed. 'python scripts/reproduce' "
            "and 'python -m pip install -r requirements.txt' install all that is "
            "needed; 'layers' without --verify needs nothing"
        )
    except BrokenPipeError:
        # Whoever read the output has enough; nothing more can be flushed to them.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except KeyboardInterrupt:
        print("mnist-cnn: interrupted; nothing was kept", file=sys.stderr)
        return INTERRUPTED


def _refuse(message: str) -> int:
    print(f"mnist-cnn: error: {message}", file=sys.stderr)
    return USER_ERROR


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mnist-cnn",
        description="The network of Stack Overflow 42786717: trained as in 2015, its "
        "learnable parameters counted by hand.",
        epilog=EXIT_STATUS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--version", action="version", version=f"%(prog)s {__version__}"
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def add(
        name: str, run: Callable[[argparse.Namespace], int], does: str
    ) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=does, description=f"{does}.")
        command.set_defaults(run=run)
        return command

    reproduce = add(
        "reproduce",
        _reproduce,
        "print the layers, count by hand, compare, train on MNIST and evaluate",
    )
    reproduce.add_argument(
        "--epochs",
        type=_whole_number(1),
        metavar="N",
        help="how often to train on all images (default: 10)",
    )
    reproduce.add_argument(
        "--seed",
        type=_whole_number(0),
        default=42,
        metavar="N",
        help="of the random numbers (default: %(default)s)",
    )
    reproduce.add_argument(
        "--data",
        choices=["auto", "full"],
        default="auto",
        help="auto: 5,000 digits stand in where MNIST cannot be had; full: that is an "
        "error (default: %(default)s)",
    )
    reproduce.add_argument(
        "--data-dir",
        metavar="FOLDER",
        help="with MNIST's four IDX files (default: $MNIST_CNN_DATA, the cache, or "
        "a download into it)",
    )
    reproduce.add_argument(
        "--out",
        metavar="FOLDER",
        help="for the results, new or empty (default: runs/DATE-TIME-NETWORK)",
    )
    reproduce.add_argument(
        "--threads",
        type=_whole_number(1),
        metavar="N",
        help="to compute with; the results are the same for any number",
    )
    layers = add(
        "layers",
        _layers,
        "print the table of a network by hand; needs nothing installed",
    )
    layers.formatter_class = argparse.RawDescriptionHelpFormatter
    layers.epilog = FORMS
    _add_source(layers)
    _add_form(layers)
    layers.add_argument(
        "--verify",
        action="store_true",
        help="build the network with Lasagne, which must be installed, and compare "
        "every row",
    )
    explain = add(
        "explain",
        _explain,
        "derive a layer's row step by step, in words; say why a network cannot be",
    )
    explain.add_argument(
        "layer",
        nargs="?",
        default="all",
        metavar="LAYER",
        help="its name (default: all layers)",
    )
    explain.formatter_class = argparse.RawDescriptionHelpFormatter
    explain.epilog = FORMS
    _add_source(explain)
    _add_output(explain)
    formula = add(
        "formula",
        _formula,
        "give all parameters of a plain network as one formula, as answer 2 does",
    )
    formula.formatter_class = argparse.RawDescriptionHelpFormatter
    formula.epilog = FORMS
    _add_source(formula)
    formula.add_argument(
        "--latex", action="store_true", help="the formula alone, in LaTeX"
    )
    _add_output(formula)
    explore = add(
        "explore",
        _explore,
        "open a page to play with: edit any number and see what becomes of the rest",
    )
    explore.formatter_class = argparse.RawDescriptionHelpFormatter
    explore.epilog = FORMS
    _add_source(explore)
    explore.add_argument(
        "--port",
        type=_whole_number(0),
        metavar="N",
        help=f"of the loopback address (default: {PORT}, or any that is free)",
    )
    explore.add_argument(
        "--no-browser", action="store_true", help="print the address, open nothing"
    )
    compare = add(
        "compare", _compare, "compare what nolearn prints with the table by hand"
    )
    for command in (reproduce, compare):
        command.add_argument(
            "--network",
            choices=sorted(by_hand.NETWORKS),
            default="question",
            help="the question's or that of its blog (default: %(default)s)",
        )
    predict = add("predict", _predict, "tell which digits images show")
    predict.add_argument(
        "images", nargs="+", metavar="IMAGE", help="a picture, or an IDX file of many"
    )
    predict.add_argument(
        "--weights", required=True, metavar="RUN", help="the folder of a run"
    )
    return parser


def _add_source(command: argparse.ArgumentParser) -> None:
    """Add the arguments that say which network."""
    command.add_argument(
        "source",
        nargs="?",
        metavar="NETWORK",
        help="a file, - for standard input, or the short form (default: the question's "
        "network)",
    )
    command.add_argument(
        "--network",
        metavar="NAME",
        help="which network of a file that holds several; without a file: question "
        "(the default) or blog",
    )
    command.add_argument(
        "--input-size",
        action="append",
        default=[],
        metavar="[NAME=]SIZE",
        help="what if the input, or the input layer of this name, had this size, "
        "without the batch: 1x32x32",
    )
    command.add_argument(
        "--define",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="the value of a name that Python code takes from elsewhere",
    )
    command.add_argument(
        "--lasagne-version",
        metavar="VERSION",
        help="whose rules apply: 0.1 or 0.2 (default: 0.1, if it has all the layers)",
    )


def _add_form(command: argparse.ArgumentParser) -> None:
    """Add the arguments that say in which form a table is wanted, and with what."""
    command.add_argument(
        "-f",
        "--format",
        choices=[*ENDINGS.values()],
        help="(default: as the ending of FILE tells, else text)",
    )
    command.add_argument(
        "--columns",
        action="append",
        default=[],
        metavar="NAME,...",
        help="more columns: connections (multiply-adds), activations and bytes (of "
        "parameters), field (receptive field), share, lost (by rounding down); or all",
    )
    command.add_argument(
        "--parameters",
        action="store_true",
        help="show the tensors behind each count",
    )
    command.add_argument(
        "--batch",
        type=_whole_number(1),
        default=1,
        metavar="N",
        help="images at a time, for activations (default: %(default)s)",
    )
    command.add_argument(
        "--dtype",
        default="float32",
        metavar="TYPE",
        help="of each number, for bytes (default: %(default)s)",
    )
    _add_output(command)


def _add_output(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help="write there instead of printing",
    )


def _whole_number(at_least: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = at_least - 1
        if number < at_least:
            raise argparse.ArgumentTypeError(
                f"got {text!r}, needed is a whole number of at least {at_least}"
            )
        return number

    return parse


# The subcommands


def _layers(options: argparse.Namespace) -> int:
    from .by_hand.columns import measure
    from .by_hand.forms import render

    network = _read_network(options)
    verification = _verify(network) if options.verify else None
    table = verification.table if verification else by_hand.calculate(network)
    names = [name.strip() for given in options.columns for name in given.split(",")]
    columns = measure(table, names, batch=options.batch, dtype=options.dtype)
    ending = options.output.suffix.lower() if options.output else ""
    form = options.format or ENDINGS.get(ending, "text")
    text = render(table, form, columns, parameters=options.parameters)
    _deliver(text, options.output, for_people=form == "text")
    if verification is None:
        return DONE
    # Beside a table that a program reads, the verdict is for people alone.
    beside = options.output is None and form != "text"
    print(f"\n{verification}", file=sys.stderr if beside else sys.stdout, flush=True)
    return DONE if verification.agrees else FAILED


def _verify(network: by_hand.Network) -> Verification:
    try:
        _choose_float_type()

        from .verification import verify
    except ImportError as error:
        raise ExperimentError(
            "--verify builds the network with Lasagne, which cannot be imported "
            f"({str(error).strip().splitlines()[0]}): 'python -m pip install -r "
            "requirements.txt' installs it"
        ) from error
    return verify(network)


def _explain(options: argparse.Namespace) -> int:
    from .by_hand.explanation import explain

    network = _read_network(options)
    is_all = options.layer == "all" and "all" not in [
        one.name for one in network.layers
    ]
    layer = None if is_all else options.layer
    _deliver("\n\n".join(map(str, explain(network, layer))), options.output)
    return DONE


def _formula(options: argparse.Namespace) -> int:
    from .by_hand.closed_formula import (
        SAME_PADDING,
        compare_same_padding,
        find_closed_formula,
    )

    formula = find_closed_formula(by_hand.calculate(_read_network(options)))
    parts = [str(formula), SAME_PADDING, *map(compare_same_padding, (28, 27))]
    text = formula.latex if options.latex else "\n\n".join(map(str, parts))
    _deliver(text, options.output)
    return DONE


def _explore(options: argparse.Namespace) -> int:
    import webbrowser

    from .explorer import make_server

    network = _read_network(options)
    if options.port is not None:
        server = make_server(network, options.port)
    else:
        try:
            server = make_server(network, PORT)
        except ExperimentError:
            server = make_server(network)
    with server:
        _show(f"{server.url}  (Ctrl-C ends it)")
        if not options.no_browser:
            webbrowser.open(server.url)
        with suppress(KeyboardInterrupt):
            server.serve_forever()
    return DONE


def _deliver(text: str, output: Path | None, for_people: bool = True) -> None:
    """Show a text, or write it to a file that is either whole or not there."""
    if output is None:
        if not for_people and isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8", newline="\n")
        _show(text)
        return
    unfinished = output.parent / f".{output.name}.{os.getpid()}"
    try:
        unfinished.write_text(f"{text}\n", encoding="utf-8", newline="\n")
        unfinished.replace(output)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise ExperimentError(
            f"{output} cannot be written: {error.strerror}"
        ) from error


def _read_network(options: argparse.Namespace) -> by_hand.Network:
    """The network that the arguments of :func:`_add_source` name."""
    from .by_hand.read_source import read_source

    return read_source(
        options.source,
        options.network,
        standard_input=sys.stdin.buffer,
        input_sizes=options.input_size,
        definitions=options.define,
        lasagne=options.lasagne_version,
    )


def _compare(options: argparse.Namespace) -> int:
    return DONE if _show_comparison(options.network).agrees else FAILED


def _reproduce(options: argparse.Namespace) -> int:
    if options.threads is not None:
        os.environ["OMP_NUM_THREADS"] = str(options.threads)
    comparison = _show_comparison(options.network)

    from .experiment import run_experiment

    run = run_experiment(
        options.network,
        epochs=options.epochs,
        seed=options.seed,
        data=options.data,
        data_dir=options.data_dir,
        out=options.out,
        report=_show_data,
        progress=sys.stderr,
    )
    _show("")
    if run.stopped:
        _show(run.stopped)
    _show(
        f"Test accuracy: {run.test_accuracy:.4f} ({len(run.data.test_labels):,} images)"
    )
    _show(f"Results: {run.folder}")
    if run.data.notice:
        _show(f"\n{_frame(run.data.notice)}")
    return STATUS_OF[run.outcome] or (DONE if comparison.agrees else FAILED)


def _predict(options: argparse.Namespace) -> int:
    _choose_float_type()

    from .prediction import predict

    predictions = predict(options.images, options.weights)
    files_of_many = {told.source for told in predictions if told.index}
    for told in predictions:
        number = f"[{told.index}]" if told.source in files_of_many else ""
        made = f"  ({told.conversion})" if told.conversion else ""
        _show(
            f"{told.source}{number}: {told.digit}  probability "
            f"{told.probability:.4f}{made}"
        )
    return DONE


def _show_comparison(network: str) -> Comparison:
    """Show nolearn's print, the table by hand, and the one against the other."""
    _choose_float_type()

    from .comparison import compare
    from .network import build_network

    comparison = compare(build_network(network))
    _show(comparison.layer_info.text.rstrip("\n"))
    _show(f"\n## The same by hand\n\n{comparison.table}")
    _show(f"\n## Printed against hand\n\n{comparison}")
    return comparison


def _show_data(mnist: Mnist) -> None:
    _show(
        f"\n## Training\n\n{mnist.source}: {len(mnist.train_labels):,} images to "
        f"train, {len(mnist.test_labels):,} to test\n"
    )
    if mnist.notice:
        _show(f"{_frame(mnist.notice)}\n")


def _choose_float_type() -> None:
    """Compute in float32, unless ``THEANO_FLAGS`` or ``.theanorc`` names a floatX."""
    import theano
    from theano.configparser import parse_flags, read_theanorc, theanorc_paths

    with warnings.catch_warnings():
        # theano has warned already of what it does not understand.
        warnings.simplefilter("ignore")
        flags = parse_flags(os.environ.get("THEANO_FLAGS", ""))
        chosen = {**read_theanorc(theanorc_paths()), **flags}
    if "floatX" not in chosen:
        theano.config.floatX = "float32"


def _frame(text: str) -> str:
    """Set a text in a frame of asterisks, where nobody can miss it."""
    lines = []
    for line in text.splitlines():
        indent = line[: len(line) - len(line.lstrip())]
        lines += textwrap.wrap(
            line, 76, subsequent_indent=f"{indent}  ", break_on_hyphens=False
        )
    width = max(map(len, lines))
    border = "*" * (width + 4)
    return "\n".join([border, *(f"* {line:{width}} *" for line in lines), border])


def _show(text: str) -> None:
    print(text, flush=True)
