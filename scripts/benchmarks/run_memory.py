"""Runs the whole experiment and notes how much memory it takes, epoch by epoch."""

import tempfile

import job as jobs

job = jobs.read()

import theano  # noqa: E402

theano.config.floatX = "float32"

from mnist_cnn import run_experiment  # noqa: E402

after_epochs = []
with tempfile.TemporaryDirectory() as folder:
    run_experiment(
        epochs=job["epochs"],
        data_dir=job["data_dir"],
        out=f"{folder}/run",
        verbose=0,
        on_epoch_finished=[lambda *_: after_epochs.append(jobs.memory("VmRSS"))],
    )
jobs.write({"peak_bytes": jobs.memory("VmHWM"), "after_epochs": after_epochs})
