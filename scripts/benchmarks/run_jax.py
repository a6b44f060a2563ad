"""Trains with JAX: a step and an evaluation, each compiled as one function."""

import os

import job as jobs

job = jobs.read()
if hasattr(os, "sched_setaffinity"):
    # JAX takes a thread for each core that it may use.
    cores = sorted(os.sched_getaffinity(0))[: job["threads"]]
    os.sched_setaffinity(0, cores)
if not job["only_start"]:
    images, labels = jobs.load(job)

from functools import partial  # noqa: E402

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy  # noqa: E402
from jax import lax  # noqa: E402

LAYOUT = ("NHWC", "HWIO", "NHWC")
NONLINEARITIES = {"relu": jax.nn.relu, "tanh": jnp.tanh, "softmax": lambda z: z}

network = job["network"]
LAYERS = network["layers"]


def draw(random, shape, fan_in, fan_out):
    """Glorot's uniform weights."""
    limit = (6 / (fan_in + fan_out)) ** 0.5
    return jnp.asarray(random.uniform(-limit, limit, shape).astype("float32"))


def initialize():
    """Weights and biases, layer by layer."""
    random = numpy.random.RandomState(42)
    channels, rows, columns = network["image"]
    width = None
    parameters = []
    for kind, layer in LAYERS:
        if kind == "conv":
            size, filters = layer["size"], layer["filters"]
            weights = draw(
                *(random, (size, size, channels, filters)),
                *(channels * size**2, filters * size**2),
            )
            parameters.append((weights, jnp.zeros(filters)))
            channels = filters
            pad = size // 2 if layer["pad"] == "same" else 0
            rows, columns = (
                (n + 2 * pad - size) // layer["stride"] + 1 for n in (rows, columns)
            )
        elif kind == "pool":
            rows, columns = (
                (n - layer["size"]) // layer["stride"] + 1 for n in (rows, columns)
            )
        elif kind == "dense":
            width = width or channels * rows * columns
            units = layer["units"]
            weights = draw(random, (width, units), width, units)
            parameters.append((weights, jnp.zeros(units)))
            width = units
    return parameters


def scores(parameters, x, key):
    """The classes' scores before the softmax; dropout where there is a key."""
    remaining = iter(parameters)
    for kind, layer in LAYERS:
        if kind == "conv":
            weights, bias = next(remaining)
            x = lax.conv_general_dilated(
                x,
                weights,
                (layer["stride"],) * 2,
                layer["pad"].upper(),
                dimension_numbers=LAYOUT,
            )
            x = NONLINEARITIES[layer["nonlinearity"]](x + bias)
        elif kind == "pool":
            window = (1, layer["size"], layer["size"], 1)
            strides = (1, layer["stride"], layer["stride"], 1)
            if layer["mode"] == "max":
                x = lax.reduce_window(x, -jnp.inf, lax.max, window, strides, "VALID")
            else:
                x = lax.reduce_window(x, 0.0, lax.add, window, strides, "VALID")
                x = x / layer["size"] ** 2
        elif kind == "dropout":
            if key is not None:
                key, own = jax.random.split(key)
                kept = jax.random.bernoulli(own, 1 - layer["p"], x.shape)
                x = jnp.where(kept, x / (1 - layer["p"]), 0.0)
        else:
            weights, bias = next(remaining)
            x = x.reshape(len(x), -1) @ weights + bias
            x = NONLINEARITIES[layer["nonlinearity"]](x)
    return x


def mean_loss(parameters, x, y, key):
    z = scores(parameters, x, key)
    losses = -jnp.take_along_axis(jax.nn.log_softmax(z), y[:, None], 1)
    return losses.mean(), z


@partial(jax.jit, donate_argnums=(0, 1))
def step(parameters, velocities, key, x, y):
    key, own = jax.random.split(key)
    (loss, _), gradients = jax.value_and_grad(mean_loss, has_aux=True)(
        parameters, x, y, own
    )
    velocities = jax.tree.map(lambda v, g: 0.9 * v - 0.01 * g, velocities, gradients)
    if network["nesterov"]:
        parameters = jax.tree.map(
            lambda p, v, g: p + 0.9 * v - 0.01 * g, parameters, velocities, gradients
        )
    else:
        parameters = jax.tree.map(jnp.add, parameters, velocities)
    return parameters, velocities, key, loss * len(x)


@jax.jit
def evaluate(parameters, x, y):
    loss, z = mean_loss(parameters, x, y, None)
    return loss * len(x), (z.argmax(1) == y).sum()


parameters = initialize()
velocities = jax.tree.map(jnp.zeros_like, parameters)
key = jax.random.key(42)

if job["only_start"]:
    channels, rows, columns = network["image"]
    x = numpy.zeros((job["batch_size"], rows, columns, channels), "float32")
    y = numpy.zeros(job["batch_size"], "int32")
    *_, loss = step(parameters, velocities, key, x, y)
    loss.block_until_ready()
    jobs.write({"seconds": jobs.seconds_since_start()})
else:
    images = images.transpose(0, 2, 3, 1).copy()
    x1, y1, x2, y2 = jobs.split(job, images, labels)
    batch_size = job["batch_size"]

    def epoch(trained, validated):
        global parameters, velocities, key
        losses = []
        for at in range(0, trained, batch_size):
            span = slice(at, min(at + batch_size, trained))
            parameters, velocities, key, loss = step(
                *(parameters, velocities, key, x1[span], y1[span])
            )
            losses.append(loss)
        evaluated = [
            evaluate(parameters, x2[span], y2[span])
            for span in (
                slice(at, min(at + batch_size, validated))
                for at in range(0, validated, batch_size)
            )
        ]
        jax.block_until_ready(evaluated)
        return float(sum(losses)) / trained

    number = sum(one.size for one in jax.tree.leaves(parameters))
    jobs.measure(job, epoch, number)
