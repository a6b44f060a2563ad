"""One run: trained through nolearn, stopped in time, kept whole or not at all."""

import csv
import json
import os
import re
import signal
import threading
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

import lasagne
import numpy as np
import pytest
from nolearn.lasagne import TrainSplit

import theano
from mnist_cnn import __version__
from mnist_cnn.dataset import DatasetError, Mnist
from mnist_cnn.errors import ExperimentError
from mnist_cnn.experiment import RUN_FILES, Run, RunError, run_experiment
from mnist_cnn.network import NetworkError, build_network
from mnist_cnn.weights import load_weights

NUM_TRAIN, NUM_TEST, BATCH_SIZE = 1000, 200, 128
# Of the 1,000 training images nolearn holds out a fifth for validation.
NUM_BATCHES = -(-NUM_TRAIN * 4 // 5 // BATCH_SIZE)
SMALL = MappingProxyType(
    {
        "conv2d1_num_filters": 2,
        "conv2d2_num_filters": 3,
        "dense_num_units": 8,
        "verbose": 0,
    }
)


def draw_digits(num_images: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Noise with a bright square, whose place is the label."""
    random = np.random.default_rng(seed)
    labels = (np.arange(num_images) % 10).astype(np.int32)
    images = random.random((num_images, 1, 28, 28), dtype=np.float32) / 4
    for image, label in zip(images, labels, strict=True):
        row, column = divmod(int(label), 4)
        image[0, 2 + 8 * row :, 1 + 7 * column :][:6, :6] = 1
    return images, labels


def make_data(**changes) -> Mnist:
    data = Mnist(
        *draw_digits(NUM_TRAIN, seed=1),
        *draw_digits(NUM_TEST, seed=2),
        source="squares",
        sha256=MappingProxyType({"squares": "0123"}),
        notice="These are no digits.",
    )
    return replace(data, **changes)


@pytest.fixture(scope="module")
def data() -> Mnist:
    return make_data()


@pytest.fixture
def run_small(data, tmp_path):
    """Run the small network, one epoch, into an own folder, unless told otherwise."""

    def run(**arguments) -> Run:
        default = {"epochs": 1, "data": data, "out": tmp_path / "run", **SMALL}
        return run_experiment(**{**default, **arguments})

    return run


@pytest.fixture(scope="module")
def finished(data, tmp_path_factory) -> Run:
    """A run of three epochs, at a pace that such few images need."""
    out = tmp_path_factory.mktemp("experiment") / "deep" / "run"
    return run_experiment(
        epochs=3, seed=5, data=data, out=out, update_learning_rate=0.1, **SMALL
    )


def read_run(folder: Path) -> dict:
    return json.loads((folder / "run.json").read_text(encoding="utf-8"))


def list_all(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


# What a run gives


def test_it_learns(finished):
    assert finished.outcome == "finished"
    assert finished.stopped == ""
    assert finished.test_accuracy > 0.5  # one in ten by guessing
    losses = [row["train_loss"] for row in finished.history]
    assert losses[0] > losses[1] > losses[2]


def test_accuracy_is_that_of_the_returned_net(finished, data):
    right = finished.net.predict(data.test_images) == data.test_labels
    assert finished.test_accuracy == sum(right) / NUM_TEST


def test_history_is_nolearns(finished):
    assert [row["epoch"] for row in finished.history] == [1, 2, 3]
    assert list(finished.history) == finished.net.train_history_


def test_net_is_nolearns_again(finished):
    net = finished.net
    assert net.train_iter_.__class__ is net.eval_iter_.__class__
    assert net.on_epoch_finished == []


def test_run_is_recorded(finished):
    record = read_run(finished.folder)
    assert record["network"] == "question"
    assert record["overrides"]["dense_num_units"] == "8"
    parameters = (
        (5 * 5 * 1 + 1) * 2 + (3 * 3 * 2 + 1) * 3 + (5 * 5 * 3 + 1) * 8 + (8 + 1) * 10
    )
    assert record["learnable_parameters"] == parameters
    assert record["data"] == {
        "source": "squares",
        "sha256": {"squares": "0123"},
        "notice": "These are no digits.",
        "num_train_images": NUM_TRAIN,
        "num_test_images": NUM_TEST,
    }
    assert record["seed"] == 5
    assert record["epochs"] == {"asked": 3, "finished": 3}
    assert (record["outcome"], record["stopped"]) == ("finished", "")
    assert record["accuracy"] == {
        "validation": finished.history[-1]["valid_accuracy"],
        "test": finished.test_accuracy,
    }
    assert record["floatX"] == theano.config.floatX
    assert set(record["seconds"]) == {"data", "compile", "train", "evaluate"}
    assert record["seconds"]["train"] >= sum(row["dur"] for row in finished.history) - 1
    assert record["versions"]["mnist_cnn"] == __version__
    assert record["versions"]["Theano"] == theano.__version__
    assert record["versions"]["numpy"] == np.__version__
    assert record["versions"]["Lasagne"] == "0.1"
    assert record["versions"]["nolearn"] == "0.6.1"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:]{8}[+-]\d\d:\d\d", record["started"])


@pytest.mark.parametrize("threads", ["3", None])
def test_threads_asked_for_are_recorded(run_small, monkeypatch, threads):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if threads:
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
    assert read_run(run_small().folder)["threads"] == threads


def test_folder_holds_the_run_and_nothing_else(finished):
    assert list_all(finished.folder.parents[1]) == sorted(
        ["deep", "deep/run", *(f"deep/run/{name}" for name in RUN_FILES)]
    )


def test_layer_info_is_kept_byte_for_byte(finished):
    kept = (finished.folder / "layer_info.txt").read_bytes()
    assert kept == finished.layer_info.text.encode()
    assert finished.layer_info.text.startswith("# Neural Network with")


def test_history_is_kept(finished):
    with (finished.folder / "history.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["train_loss"]) for row in rows] == [
        row["train_loss"] for row in finished.history
    ]
    assert rows[0].keys() == finished.history[0].keys()


def test_weights_are_kept(finished):
    net = build_network(**SMALL)
    net.initialize_layers()
    load_weights(net, finished.folder / "weights.npz")
    for kept, trained in zip(
        net.get_all_params(), finished.net.get_all_params(), strict=True
    ):
        np.testing.assert_array_equal(kept.get_value(), trained.get_value())


# Seeds


def weights_of(run: Run) -> list[np.ndarray]:
    return [parameter.get_value() for parameter in run.net.get_all_params()]


def test_same_seed_gives_the_same_run(finished, data, tmp_path):
    again = run_experiment(
        epochs=3,
        seed=5,
        data=data,
        out=tmp_path / "again",
        update_learning_rate=0.1,
        **SMALL,
    )
    for one, other in zip(weights_of(finished), weights_of(again), strict=True):
        np.testing.assert_array_equal(one, other)


def test_weights_are_drawn_from_the_seed(run_small):
    still = {"update_learning_rate": 0.0}
    drawn = weights_of(run_small(seed=7, **still))
    before = lasagne.random.get_rng()
    lasagne.random.set_rng(np.random.RandomState(7))
    net = build_network(**SMALL)
    net.initialize_layers()
    lasagne.random.set_rng(before)
    for one, parameter in zip(drawn, net.get_all_params(), strict=True):
        np.testing.assert_array_equal(one, parameter.get_value())


def test_lasagnes_generator_is_put_back(run_small):
    before = lasagne.random.get_rng()
    run_small()
    assert lasagne.random.get_rng() is before


# Printing and progress


def test_nolearns_epochs_alone_are_printed(run_small, capsys):
    run_small(epochs=2, verbose=1)
    printed, errors = capsys.readouterr()
    lines = printed.splitlines()
    assert lines[0].split() == [
        *("epoch", "trn", "loss", "val", "loss", "trn/val", "valid", "acc", "dur")
    ]
    assert [line.split()[0] for line in lines[2:]] == ["1", "2"]
    # Standard error is no terminal here.
    assert errors == ""


class Terminal:
    """Takes what is written, and says that it is a terminal."""

    encoding = "cp1252"

    def __init__(self):
        self.written = ""

    def write(self, text: str) -> None:
        self.written += text.encode(self.encoding).decode(self.encoding)

    def flush(self) -> None: ...

    def isatty(self) -> bool:
        return True


def test_progress_is_shown_on_a_terminal(run_small):
    terminal = Terminal()
    run_small(epochs=2, progress=terminal)
    assert "epoch 1" in terminal.written
    assert "epoch 2" in terminal.written
    assert f"/{NUM_BATCHES}" in terminal.written
    # The bar leaves no line behind.
    assert terminal.written.rpartition("\r")[2].strip() == ""


def test_caller_hears_of_the_data_before_the_training(run_small, data):
    heard = []
    run_small(
        report=heard.append,
        on_training_started=[lambda net, history: heard.append("training")],
    )
    assert heard == [data, "training"]


# Stopped


def interrupt(net, history) -> None:
    if len(history) == 1:
        signal.raise_signal(signal.SIGINT)


def test_interrupted_run_keeps_what_there_is(run_small, data):
    run = run_small(epochs=4, on_batch_finished=[interrupt])
    assert run.outcome == "interrupted"
    # Raised after the first batch of epoch 2, heard after the next.
    assert run.stopped == (
        f"Interrupted in epoch 2, after 2 of {NUM_BATCHES} batches. "
        "Kept: the weights of that moment."
    )
    assert [row["epoch"] for row in run.history] == [1]
    record = read_run(run.folder)
    assert record["outcome"] == "interrupted"
    assert record["epochs"] == {"asked": 4, "finished": 1}
    assert sorted(os.listdir(run.folder)) == sorted(RUN_FILES)
    right = run.net.predict(data.test_images) == data.test_labels
    assert run.test_accuracy == np.mean(right)


def test_run_interrupted_in_its_first_epoch_has_no_history(run_small):
    def interrupt_at_once(net, history):
        signal.raise_signal(signal.SIGINT)

    run = run_small(on_batch_finished=[interrupt_at_once])
    assert run.outcome == "interrupted"
    assert run.history == ()
    assert (run.folder / "history.csv").read_text(encoding="utf-8") == "epoch\n"
    assert read_run(run.folder)["accuracy"]["validation"] is None


def test_run_interrupted_between_epochs_keeps_the_epoch(run_small):
    run = run_small(
        epochs=3,
        on_epoch_finished=[lambda *_: signal.raise_signal(signal.SIGINT)],
    )
    assert run.stopped == "Interrupted after epoch 1. Kept: the weights after it."
    assert len(run.history) == 1


def test_run_interrupted_after_its_training_is_kept(run_small):
    run = run_small(
        on_training_finished=[lambda *_: signal.raise_signal(signal.SIGINT)]
    )
    assert run.outcome == "interrupted"
    assert run.stopped.startswith("Interrupted after the last epoch")
    assert len(run.history) == 1


def test_second_interrupt_stops_at_once_and_keeps_nothing(run_small, tmp_path):
    def interrupt_twice(net, history):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run_small(on_batch_finished=[interrupt_twice])
    assert list_all(tmp_path) == []


def test_ctrl_c_works_as_before_after_a_run(run_small):
    run_small()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_run_works_in_another_thread(run_small):
    runs = []
    thread = threading.Thread(target=lambda: runs.append(run_small()))
    thread.start()
    thread.join()
    assert [run.outcome for run in runs] == ["finished"]


def poison(net, history) -> None:
    """After the first batch of epoch 2, no weight is a number."""
    if len(history) == 1:
        for parameter in net.get_all_params():
            parameter.set_value(parameter.get_value() * np.float32(np.nan))


def test_loss_that_is_no_number_stops_the_run_and_keeps_good_weights(
    run_small, tmp_path
):
    good = weights_of(run_small(epochs=1))
    run = run_small(epochs=4, out=tmp_path / "2", on_batch_finished=[poison])
    assert run.outcome == "diverged"
    assert run.stopped == (
        f"Stopped: the training loss is nan in epoch 2 (batch 2 of {NUM_BATCHES}). "
        "Kept: the weights after epoch 1."
    )
    for kept, expected in zip(weights_of(run), good, strict=True):
        np.testing.assert_array_equal(kept, expected)
    record = read_run(run.folder)
    assert record["outcome"] == "diverged"
    assert record["epochs"]["finished"] == 1


def test_divergence_in_the_first_epoch_keeps_the_initial_weights(
    run_small, data, tmp_path
):
    initial = weights_of(run_small(update_learning_rate=0.0))
    images = data.train_images.copy()
    images[-1] = np.nan
    run = run_small(out=tmp_path / "2", data=replace(data, train_images=images))
    assert run.outcome == "diverged"
    assert run.stopped == (
        f"Stopped: the training loss is nan in epoch 1 (batch {NUM_BATCHES} of "
        f"{NUM_BATCHES}). Kept: the initial weights."
    )
    assert run.history == ()
    for kept, expected in zip(weights_of(run), initial, strict=True):
        np.testing.assert_array_equal(kept, expected)


def test_weights_that_are_no_numbers_are_not_kept(run_small):
    def poison_at_the_end(net, history):
        for parameter in net.get_all_params():
            parameter.set_value(parameter.get_value() * np.float32(np.nan))

    run = run_small(
        epochs=2,
        train_split=TrainSplit(eval_size=0),
        on_epoch_finished=[poison_at_the_end],
    )
    assert run.stopped == (
        "Stopped: weights are not finite after epoch 1. Kept: the initial weights."
    )
    assert all(np.isfinite(weights).all() for weights in weights_of(run))


def test_validation_loss_that_is_no_number_stops_the_run(run_small, data):
    images = data.train_images.copy()
    # nolearn holds out the first fifth of each class.
    images[0] = np.nan
    run = run_small(epochs=2, data=replace(data, train_images=images))
    assert run.outcome == "diverged"
    assert run.stopped == (
        "Stopped: the validation loss is nan in epoch 1. Kept: the initial weights."
    )
    assert len(run.history) == 1


def test_run_without_validation_is_no_divergence(run_small):
    run = run_small(train_split=TrainSplit(eval_size=0))
    assert run.outcome == "finished"
    assert read_run(run.folder)["accuracy"]["validation"] is None


# Refused before the training


@pytest.mark.parametrize("epochs", [0, -1, 1.5, "2"])
def test_epochs_that_cannot_serve_are_refused(run_small, tmp_path, epochs):
    with pytest.raises(RunError, match=r"epochs is .* at least 1"):
        run_small(epochs=epochs)
    assert list_all(tmp_path) == []


def test_max_epochs_of_zero_is_refused(run_small):
    with pytest.raises(RunError, match="epochs is 0"):
        run_small(epochs=None, max_epochs=0)


def test_epochs_are_the_networks_by_default(run_small):
    assert len(run_small(epochs=None, max_epochs=2).history) == 2


@pytest.mark.parametrize("seed", [-1, 2**32, None])
def test_seed_that_cannot_serve_is_refused(run_small, seed):
    with pytest.raises(RunError, match=r"seed is .* at least 0 and at most 4294967295"):
        run_small(seed=seed)


def test_unknown_network_and_keyword_are_refused(run_small):
    with pytest.raises(NetworkError, match="no network 'lenet'"):
        run_small(network="lenet")
    with pytest.raises(NetworkError, match="no keyword 'dense_units'"):
        run_small(dense_units=3)


@pytest.fixture
def never_train(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("it trained")

    monkeypatch.setattr("nolearn.lasagne.NeuralNet.train_loop", refuse)


@pytest.mark.parametrize("part", ["train", "test"])
@pytest.mark.parametrize("wrong", [-1, 10, 255])
def test_label_that_is_no_digit_is_refused(
    run_small, data, tmp_path, never_train, part, wrong
):
    labels = getattr(data, f"{part}_labels").copy()
    labels[[17, 30]] = wrong
    with pytest.raises(RunError, match="are no digit") as error:
        run_small(data=replace(data, **{f"{part}_labels": labels}))
    assert f"2 of the {len(labels):,} {part}" in str(error.value)
    assert f"the first is {wrong}, at position 17" in str(error.value)
    assert list_all(tmp_path) == []


def test_label_for_each_image_is_needed(run_small, data, never_train):
    with pytest.raises(RunError, match="1,000 training images and 999 labels"):
        run_small(data=replace(data, train_labels=data.train_labels[:-1]))


def test_data_that_is_not_there_leaves_nothing_behind(run_small, tmp_path):
    with pytest.raises(DatasetError):
        run_small(data="full", data_dir=tmp_path / "nowhere")
    assert list_all(tmp_path) == []


# The run folder


def test_folder_with_contents_is_never_written_over(run_small, tmp_path, never_train):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(RunError, match="never written over"):
        run_small()
    assert list_all(tmp_path) == ["run", "run/notes.txt"]


def test_file_in_the_place_of_the_folder_is_refused(run_small, tmp_path, never_train):
    (tmp_path / "run").write_text("mine", encoding="utf-8")
    with pytest.raises(RunError, match="never written over"):
        run_small()


def test_folder_that_cannot_be_made_is_refused(run_small, tmp_path, never_train):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(RunError, match="cannot be written to .*file"):
        run_small(out=tmp_path / "file" / "run")


@pytest.mark.skipif(
    os.name == "nt" or not hasattr(os, "geteuid") or os.geteuid() == 0,
    reason="needs a folder that its owner may not write to",
)
def test_folder_without_the_right_to_write_is_refused(run_small, tmp_path, never_train):
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(RunError, match="cannot be written to"):
        run_small(out=tmp_path / "locked" / "run")


def test_empty_folder_is_filled(run_small, tmp_path):
    (tmp_path / "run").mkdir()
    run = run_small()
    assert run.folder == tmp_path / "run"
    assert list_all(tmp_path / "run") == sorted(RUN_FILES)


def test_folder_appears_when_the_run_is_over(run_small, tmp_path):
    seen = []
    run_small(on_training_finished=[lambda *_: seen.append(os.listdir(tmp_path))])
    [[unfinished]] = seen
    assert unfinished.endswith(".unfinished")
    assert os.listdir(tmp_path) == ["run"]


def test_error_leaves_nothing_behind(run_small, tmp_path):
    def fail(net, history):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_small(out=tmp_path / "two" / "new" / "ones", on_batch_finished=[fail])
    assert list_all(tmp_path) == []


def test_full_disk_is_reported(run_small, tmp_path, monkeypatch):
    def refuse(net, path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mnist_cnn.experiment.save_weights", refuse)
    with pytest.raises(RunError, match="No space left on device"):
        run_small()
    assert list_all(tmp_path) == []


def test_run_is_not_lost_where_its_name_was_taken_meanwhile(run_small, tmp_path):
    def take(net, history):
        (tmp_path / "run").mkdir()
        (tmp_path / "run" / "notes.txt").write_text("mine", encoding="utf-8")

    with pytest.raises(RunError, match="the run is in") as error:
        run_small(on_training_finished=[take])
    kept = Path(re.search(r"the run is in (.+?), for", str(error.value))[1])
    assert sorted(os.listdir(kept)) == sorted(RUN_FILES)
    assert os.listdir(tmp_path / "run") == ["notes.txt"]


def test_folder_is_named_after_time_and_network(run_small, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first, second = run_small(out=None), run_small(out=None, network="blog")
    assert first.folder.parent == second.folder.parent == tmp_path / "runs"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d-\d{6}-question", first.folder.name)
    assert second.folder.name.endswith("-blog")


def test_runs_of_one_second_have_different_folders(run_small, tmp_path, monkeypatch):
    class Stopped:
        now = staticmethod(lambda: datetime(2026, 11, 24, 18, 32, 5))

    monkeypatch.setattr("mnist_cnn.experiment.datetime", Stopped)
    monkeypatch.chdir(tmp_path)
    base = "2026-11-24-183205-question"
    for name in (base, f"{base}-2"):
        Path("runs", name).mkdir(parents=True)
    assert run_small(out=None).folder.name == f"{base}-3"


def test_errors_are_ours():
    assert issubclass(RunError, ExperimentError)


# The real thing


@pytest.mark.slow
def test_ten_epochs_reach_the_genuine_accuracy(tmp_path):
    if not os.environ.get("MNIST_CNN_DATA"):
        pytest.skip("needs MNIST: MNIST_CNN_DATA names no folder of its IDX files")
    before = theano.config.floatX
    theano.config.floatX = "float32"
    try:
        run = run_experiment(data="full", out=tmp_path / "run", verbose=0)
    finally:
        theano.config.floatX = before
    # The genuine stack reached 0.9854.
    assert run.test_accuracy >= 0.983
    assert len(run.history) == 10
