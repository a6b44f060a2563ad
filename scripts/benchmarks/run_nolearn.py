"""Trains through nolearn: this project's engine, or the genuine Theano."""

import job as jobs

job = jobs.read()
if not job["only_start"]:
    images, labels = jobs.load(job)

import lasagne  # noqa: E402
import numpy  # noqa: E402
from lasagne import layers  # noqa: E402
from lasagne.nonlinearities import rectify, softmax, tanh  # noqa: E402
from nolearn.lasagne import NeuralNet  # noqa: E402

NONLINEARITIES = {"relu": rectify, "softmax": softmax, "tanh": tanh}


def build(network):
    """The layers as nolearn takes them."""
    built = [(layers.InputLayer, {"shape": (None,) + tuple(network["image"])})]
    for kind, layer in network["layers"]:
        if kind == "conv":
            built.append(
                (
                    layers.Conv2DLayer,
                    {
                        "num_filters": layer["filters"],
                        "filter_size": layer["size"],
                        "stride": layer["stride"],
                        "pad": layer["pad"],
                        "nonlinearity": NONLINEARITIES[layer["nonlinearity"]],
                    },
                )
            )
        elif kind == "pool":
            mode = {"max": "max", "average": "average_exc_pad"}[layer["mode"]]
            built.append(
                (
                    layers.Pool2DLayer,
                    {
                        "pool_size": layer["size"],
                        "stride": layer["stride"],
                        "mode": mode,
                    },
                )
            )
        elif kind == "dropout":
            built.append((layers.DropoutLayer, {"p": layer["p"]}))
        else:
            built.append(
                (
                    layers.DenseLayer,
                    {
                        "num_units": layer["units"],
                        "nonlinearity": NONLINEARITIES[layer["nonlinearity"]],
                    },
                )
            )
    return built


class FirstImages:
    """Splits without copying: the first of either part."""

    def __init__(self, trained, validated):
        self.sizes = trained, validated

    def __call__(self, X, y, net):
        trained, validated = self.sizes
        X1, y1, X2, y2 = jobs.split(job, X, y)
        return X1[:trained], X2[:validated], y1[:trained], y2[:validated]


network = job["network"]
momentum = "nesterov_momentum" if network["nesterov"] else "momentum"
lasagne.random.set_rng(numpy.random.RandomState(42))
net = NeuralNet(
    layers=build(network),
    update=getattr(lasagne.updates, momentum),
    update_learning_rate=0.01,
    update_momentum=0.9,
    verbose=0,
)
for iterator in (net.batch_iterator_train, net.batch_iterator_test):
    iterator.batch_size = job["batch_size"]
net.initialize()

if job["only_start"]:
    shape = (job["batch_size"],) + tuple(network["image"])
    net.train_iter_(
        numpy.zeros(shape, "float32"), numpy.zeros(job["batch_size"], "int32")
    )
    jobs.write({"seconds": jobs.seconds_since_start()})
else:

    def epoch(trained, validated):
        net.train_split = FirstImages(trained, validated)
        net.train_loop(images, labels, epochs=1)
        return net.train_history_[-1]["train_loss"]

    parameters = sum(p.get_value().size for p in net.get_all_params())
    jobs.measure(job, epoch, int(parameters))
