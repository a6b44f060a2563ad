"""Trains with Keras on TensorFlow, by ``fit``."""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"

import job as jobs  # noqa: E402

job = jobs.read()
if not job["only_start"]:
    images, labels = jobs.load(job)

import keras  # noqa: E402
import numpy  # noqa: E402
import tensorflow  # noqa: E402
from keras import layers  # noqa: E402

tensorflow.config.threading.set_intra_op_parallelism_threads(job["threads"])
tensorflow.config.threading.set_inter_op_parallelism_threads(1)
keras.utils.set_random_seed(42)


def build(network):
    """A model of images whose channels come last: TensorFlow needs that on a CPU."""
    channels, rows, columns = network["image"]
    built = [keras.Input((rows, columns, channels))]
    flat = False
    for kind, layer in network["layers"]:
        if kind == "conv":
            built.append(
                layers.Conv2D(
                    layer["filters"],
                    layer["size"],
                    strides=layer["stride"],
                    padding=layer["pad"],
                    activation=layer["nonlinearity"],
                )
            )
        elif kind == "pool":
            pooling = {"max": layers.MaxPooling2D, "average": layers.AveragePooling2D}
            built.append(pooling[layer["mode"]](layer["size"], strides=layer["stride"]))
        elif kind == "dropout":
            built.append(layers.Dropout(layer["p"]))
        else:
            if not flat:
                built.append(layers.Flatten())
                flat = True
            built.append(layers.Dense(layer["units"], activation=layer["nonlinearity"]))
    return keras.Sequential(built)


network = job["network"]
model = build(network)
model.compile(
    optimizer=keras.optimizers.SGD(0.01, momentum=0.9, nesterov=network["nesterov"]),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)

if job["only_start"]:
    channels, rows, columns = network["image"]
    model.train_on_batch(
        numpy.zeros((job["batch_size"], rows, columns, channels), "float32"),
        numpy.zeros(job["batch_size"], "int32"),
    )
    jobs.write({"seconds": jobs.seconds_since_start()})
else:
    images = images.transpose(0, 2, 3, 1).copy()
    x1, y1, x2, y2 = jobs.split(job, images, labels)

    def epoch(trained, validated):
        history = model.fit(
            x1[:trained],
            y1[:trained],
            batch_size=job["batch_size"],
            epochs=1,
            validation_data=(x2[:validated], y2[:validated]),
            validation_batch_size=job["batch_size"],
            shuffle=False,
            verbose=0,
        )
        return history.history["loss"][0]

    jobs.measure(job, epoch, model.count_params())
