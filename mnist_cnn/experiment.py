"""One run: draw the weights, train through nolearn, evaluate, keep what came out.

Nothing is printed here: the table of epochs is nolearn's, and what else there is to
say is returned, or goes to the caller's functions and streams.
"""

from __future__ import annotations

import csv
import json
import math
import os
import platform
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import version
from itertools import chain, count
from numbers import Integral
from pathlib import Path
from typing import Any, Literal, NoReturn, TextIO

import lasagne
import numpy as np
from nolearn.lasagne import NeuralNet, PrintLayerInfo
from tqdm import tqdm

import theano

from . import __version__
from .dataset import Images, Labels, Mnist, load_mnist
from .errors import ExperimentError
from .layer_info import LayerInfo, capture_layer_info
from .network import build_network
from .weights import save_weights

Outcome = Literal["finished", "interrupted", "diverged"]
RUN_FILES = ("layer_info.txt", "history.csv", "weights.npz", "run.json")


class RunError(ExperimentError):
    """A run cannot start as asked, or its results cannot be written."""


@dataclass(frozen=True, eq=False)
class Run:
    """What a run gave.

    Attributes
    ----------
    network : str
    overrides : dict
        Keywords that were replaced in it.
    seed, epochs : int
        As asked for.
    outcome : {"finished", "interrupted", "diverged"}
    stopped : str
        Where the training stopped and which weights are kept; empty if it finished.
    history : tuple of dict
        One for each finished epoch, with nolearn's keys: epoch, train_loss,
        valid_loss, valid_accuracy, dur (seconds), ...
    test_accuracy : float
        Share of the test images that the kept weights classify rightly, 0 to 1.
    layer_info : LayerInfo
    folder : Path
        Holds ``run.json``, ``layer_info.txt``, ``history.csv`` and ``weights.npz``.
    started : datetime
    seconds : dict
        How long it took to load the data, compile, train and evaluate.
    data : Mnist
    net : nolearn.lasagne.NeuralNet
        With the weights that were kept.
    """

    network: str
    overrides: dict[str, Any]
    seed: int
    epochs: int
    outcome: Outcome
    stopped: str
    history: tuple[dict[str, Any], ...]
    test_accuracy: float
    layer_info: LayerInfo
    folder: Path
    started: datetime
    seconds: dict[str, float]
    data: Mnist = field(repr=False)
    net: NeuralNet = field(repr=False)


def run_experiment(
    network: str = "question",
    *,
    epochs: int | None = None,
    seed: int = 42,
    data: str | Mnist = "auto",
    data_dir: str | os.PathLike[str] | None = None,
    out: str | os.PathLike[str] | None = None,
    report: Callable[[Mnist], object] | None = None,
    progress: TextIO | None = None,
    **overrides: Any,
) -> Run:
    """Train a network on MNIST, evaluate it, and keep the results in a folder.

    nolearn prints its table of epochs, unless ``verbose=0`` is among the overrides.

    A first Ctrl-C ends the training after the batch that is being computed; what
    there is is evaluated and kept. A second one raises KeyboardInterrupt, and nothing
    is kept. A loss that is not finite ends the training too; kept are the weights at
    the end of the last good epoch, or the initial ones.

    Parameters
    ----------
    network : {"question", "blog"}
    epochs : int, optional
        At least 1; by default the network's ``max_epochs``, 10.
    seed : int
        Of the ``numpy.random.RandomState`` that gives Lasagne its initial weights
        and its dropout layers their seeds.
    data : {"auto", "full"} or Mnist
        What :func:`load_mnist` is to load, or the digits themselves.
    data_dir : path, optional
        See :func:`load_mnist`.
    out : path, optional
        Folder for the results: not there yet, or empty. By default
        ``runs/DATE-TIME-NETWORK`` in the working directory.
    report : callable, optional
        Called with the data before the training.
    progress : text stream, optional
        For a bar within each epoch, where it is a terminal; by default standard
        error.
    **overrides
        Keywords of the network: see :func:`build_network`.

    Returns
    -------
    Run

    Raises
    ------
    RunError
        If `epochs` or `seed` cannot serve, if a label is no digit, or if the folder
        has contents or cannot be written. All this is found out before the training.
    NetworkError, DatasetError
        If there is no such network, keyword or data.
    """
    net = build_network(network, **overrides)
    epochs = net.max_epochs if epochs is None else epochs
    epochs = _check_number("epochs", epochs, at_least=1)
    seed = _check_number("seed", seed, at_least=0, at_most=2**32 - 1)
    folder = _name_folder(network) if out is None else Path(out).expanduser().absolute()
    seconds: dict[str, float] = {}
    started = datetime.now().astimezone()
    with _make_folder(folder) as unfinished:
        with _timed("data", seconds):
            mnist = load_mnist(data, data_dir) if isinstance(data, str) else data
        _check_digits("training", mnist.train_images, mnist.train_labels)
        _check_digits("test", mnist.test_images, mnist.test_labels)
        if report is not None:
            report(mnist)
        with _random_numbers_from(seed):
            net.initialize_layers()
        layer_info = capture_layer_info(net)
        with _timed("compile", seconds):
            net.initialize()
        with _hold_interrupt() as was_interrupted:
            with _timed("train", seconds):
                outcome, stopped = _train(net, mnist, epochs, was_interrupted, progress)
            with _timed("evaluate", seconds):
                predicted = net.predict(mnist.test_images)
            if was_interrupted() and outcome == "finished":
                outcome = "interrupted"
                stopped = (
                    "Interrupted after the last epoch. Kept: the weights after it."
                )
            run = Run(
                network=network,
                overrides=overrides,
                seed=seed,
                epochs=epochs,
                outcome=outcome,
                stopped=stopped,
                history=tuple(net.train_history_),
                test_accuracy=float(np.mean(predicted == mnist.test_labels)),
                layer_info=layer_info,
                folder=folder,
                started=started,
                seconds=seconds,
                data=mnist,
                net=net,
            )
            _write(run, unfinished)
    return run


def _check_number(
    name: str, value: Any, *, at_least: int, at_most: float = math.inf
) -> int:
    if not isinstance(value, Integral) or not at_least <= int(value) <= at_most:
        limit = "" if at_most == math.inf else f" and at most {at_most}"
        raise RunError(
            f"{name} is {value!r}; needed is a whole number of at least "
            f"{at_least}{limit}"
        )
    return int(value)


def _check_digits(part: str, images: Images, labels: Labels) -> None:
    if len(images) != len(labels):
        raise RunError(
            f"there are {len(images):,} {part} images and {len(labels):,} labels; "
            "needed is a label for each image"
        )
    (wrong,) = np.nonzero((labels < 0) | (labels > 9))
    if wrong.size:
        raise RunError(
            f"{wrong.size:,} of the {len(labels):,} {part} labels are no digit from 0 "
            f"to 9: the first is {labels[wrong[0]]}, at position {wrong[0]:,}"
        )


@contextmanager
def _timed(name: str, seconds: dict[str, float]) -> Iterator[None]:
    start = time.perf_counter()
    try:
        yield
    finally:
        seconds[name] = round(time.perf_counter() - start, 3)


@contextmanager
def _random_numbers_from(seed: int) -> Iterator[None]:
    before = lasagne.random.get_rng()
    lasagne.random.set_rng(np.random.RandomState(seed))
    try:
        yield
    finally:
        lasagne.random.set_rng(before)


# Training


class _Stopped(Exception):
    """The training ends here; the message says so to the user."""

    def __init__(self, outcome: Outcome, message: str) -> None:
        super().__init__(message)
        self.outcome = outcome


@contextmanager
def _hold_interrupt() -> Iterator[Callable[[], bool]]:
    """Within, a first Ctrl-C is only noted; what is yielded tells whether it came.

    A second one raises KeyboardInterrupt. Where the program does not handle Ctrl-C as
    Python does by default, nothing changes.
    """
    noted: list[int] = []

    def note(signum: int, frame: object) -> None:
        if noted:
            raise KeyboardInterrupt
        noted.append(signum)

    default = signal.default_int_handler
    in_charge = (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is default
    )
    if in_charge:
        signal.signal(signal.SIGINT, note)
    try:
        yield lambda: bool(noted)
    finally:
        if in_charge:
            signal.signal(signal.SIGINT, default)


def _train(
    net: NeuralNet,
    mnist: Mnist,
    epochs: int,
    was_interrupted: Callable[[], bool],
    progress: TextIO | None,
) -> tuple[Outcome, str]:
    """Train, and return the outcome and, if it stopped early, where and how."""
    watch = _Watch(net, was_interrupted, progress)
    handlers = net.on_training_started, net.on_epoch_finished
    # The layer information is the caller's to show: it is in the run.
    net.on_training_started = [
        handler for handler in handlers[0] if not isinstance(handler, PrintLayerInfo)
    ]
    net.on_epoch_finished = [watch.close_bar, *handlers[1], watch.finish_epoch]
    net.train_iter_ = watch.step
    try:
        # Not fit, which swallows KeyboardInterrupt.
        net.train_loop(mnist.train_images, mnist.train_labels, epochs=epochs)
    except _Stopped as stopped:
        return stopped.outcome, str(stopped)
    finally:
        watch.close_bar()
        net.train_iter_ = watch.nolearns_step
        net.on_training_started, net.on_epoch_finished = handlers
    return "finished", ""


class _Watch:
    """Takes part in every batch and at the end of every epoch.

    Attributes
    ----------
    nolearns_step : callable
        The compiled function that trains on one batch and returns its loss first.
    good_weights : mapping of str to list of ndarray
        Each layer's, at the end of `good_epoch`, the last that went well.
    """

    def __init__(
        self,
        net: NeuralNet,
        was_interrupted: Callable[[], bool],
        progress: TextIO | None,
    ) -> None:
        self.net = net
        self.was_interrupted = was_interrupted
        self.progress = progress
        self.nolearns_step = net.train_iter_
        self.good_epoch = 0
        self.good_weights = net.get_all_params_values()
        self.bar: Any = None

    def step(self, *arrays: Any, **named_arrays: Any) -> Any:
        """Train on one batch, in the place of nolearn's compiled function."""
        if self.bar is None:
            self.open_bar()
        outputs = self.nolearns_step(*arrays, **named_arrays)
        loss = float(np.mean(outputs[0]))
        self.num_batches_done += 1
        self.bar.set_postfix(loss=f"{loss:.5f}", refresh=False)
        self.bar.update()
        if not math.isfinite(loss):
            self.give_up(
                f"the training loss is {loss} in epoch {self.epoch} "
                f"(batch {self.num_batches_done} of {self.num_batches})"
            )
        if self.was_interrupted():
            raise _Stopped(
                "interrupted",
                f"Interrupted in epoch {self.epoch}, after {self.num_batches_done} of "
                f"{self.num_batches} batches. Kept: the weights of that moment.",
            )
        return outputs

    def open_bar(self, *_: object) -> None:
        iterator = self.net.batch_iterator_train
        self.epoch = len(self.net.train_history_) + 1
        self.num_batches = math.ceil(iterator.n_samples / iterator.batch_size)
        self.num_batches_done = 0
        self.bar = tqdm(
            total=self.num_batches,
            desc=f"epoch {self.epoch}",
            unit="batch",
            file=self.progress,
            leave=False,
            disable=None,
            dynamic_ncols=True,
        )

    def close_bar(self, *_: object) -> None:
        """Make room for nolearn's line."""
        if self.bar is not None:
            self.bar.close()
            self.bar = None

    def finish_epoch(self, net: NeuralNet, history: list[dict[str, Any]]) -> None:
        """Keep the weights, if the epoch went well."""
        row, weights = history[-1], net.get_all_params_values()
        # Where nothing is held out for validation, nolearn says nan for both.
        if math.isnan(row["valid_loss"]) and not math.isnan(row["valid_accuracy"]):
            self.give_up(f"the validation loss is nan in epoch {row['epoch']}")
        if not all(
            np.isfinite(one).all() for layer in weights.values() for one in layer
        ):
            self.give_up(f"weights are not finite after epoch {row['epoch']}")
        self.good_epoch, self.good_weights = row["epoch"], weights
        if self.was_interrupted():
            raise _Stopped(
                "interrupted",
                f"Interrupted after epoch {row['epoch']}. Kept: the weights after it.",
            )

    def give_up(self, why: str) -> NoReturn:
        """Go back to the good weights, and stop."""
        for name, values in self.good_weights.items():
            parameters = self.net.layers_[name].get_params()
            for parameter, value in zip(parameters, values, strict=True):
                parameter.set_value(value)
        kept = (
            f"weights after epoch {self.good_epoch}"
            if self.good_epoch
            else "initial weights"
        )
        raise _Stopped("diverged", f"Stopped: {why}. Kept: the {kept}.")


# The run folder


def _name_folder(network: str) -> Path:
    """``runs/2026-11-24-183205-question``, a number behind it where that is taken."""
    name = f"{datetime.now():%Y-%m-%d-%H%M%S}-{network}"
    names = chain([name], (f"{name}-{number}" for number in count(2)))
    return next(
        path
        for path in map(Path("runs").absolute().joinpath, names)
        if not path.exists()
    )


@contextmanager
def _make_folder(folder: Path) -> Iterator[Path]:
    """Yield a folder to write to; what is in it appears in `folder` at the end.

    An error, or a Ctrl-C, leaves nothing behind.
    """
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise RunError(
                f"{folder} is there already, and not an empty folder; a run is never "
                "written over: name another folder for it"
            )
        place = folder if folder.exists() else folder.parent
        made = [parent for parent in (place, *place.parents) if not parent.exists()]
        place.mkdir(parents=True, exist_ok=True)
        unfinished = place / f".{folder.name}.{os.getpid()}.unfinished"
        unfinished.mkdir()
    except OSError as error:
        raise RunError(
            f"the run cannot be written to {folder}: {error.strerror or error}; name "
            "a folder that can be made"
        ) from error
    try:
        yield unfinished
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        with suppress(OSError):  # another run may have come to use them
            for parent in made:
                parent.rmdir()
        raise
    try:
        if place == folder:
            # It may be where a disk is mounted. With run.json, the last, it is full.
            for name in RUN_FILES:
                (unfinished / name).replace(folder / name)
            unfinished.rmdir()
        else:
            unfinished.rename(folder)
    except OSError as error:
        raise RunError(
            f"the run is in {unfinished}, for it cannot be moved to {folder}: "
            f"{error.strerror or error}"
        ) from error


def _write(run: Run, folder: Path) -> None:
    columns = list(run.history[0]) if run.history else ["epoch"]
    record = json.dumps(_describe(run), indent=1, allow_nan=False)
    try:
        with (folder / "history.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(run.history)
        save_weights(run.net, folder / "weights.npz")
        for name, text in (
            ("layer_info.txt", run.layer_info.text),
            ("run.json", f"{record}\n"),
        ):
            (folder / name).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise RunError(
            f"the run cannot be written to {run.folder}: {error.strerror or error}"
        ) from error


def _describe(run: Run) -> dict[str, Any]:
    """What ``run.json`` holds."""
    validation = float(run.history[-1]["valid_accuracy"]) if run.history else math.nan
    packages = ("Lasagne", "nolearn", "numpy", "pytensor", "scikit-learn")
    return {
        "network": run.network,
        "overrides": {name: repr(value) for name, value in run.overrides.items()},
        "learnable_parameters": run.layer_info.total,
        "data": {
            "source": run.data.source,
            "sha256": dict(run.data.sha256),
            "notice": run.data.notice,
            "num_train_images": len(run.data.train_labels),
            "num_test_images": len(run.data.test_labels),
        },
        "seed": run.seed,
        "epochs": {"asked": run.epochs, "finished": len(run.history)},
        "outcome": run.outcome,
        "stopped": run.stopped,
        "accuracy": {
            "validation": None if math.isnan(validation) else validation,
            "test": run.test_accuracy,
        },
        "started": run.started.isoformat(timespec="seconds"),
        "seconds": run.seconds,
        "floatX": theano.config.floatX,
        "threads": os.environ.get("OMP_NUM_THREADS"),
        "platform": platform.platform(),
        "versions": {
            "python": platform.python_version(),
            "mnist_cnn": __version__,
            "Theano": theano.__version__,
            **{name: version(name) for name in packages},
        },
    }
