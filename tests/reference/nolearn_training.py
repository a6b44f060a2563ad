"""nolearn's training, splits, scores and searches on small nets, as numbers.

The tests import it; the genuine stack, of Python 3.7, runs it with the name of the
file to write.
"""

import json
import sys

import lasagne
import numpy
import sklearn
from lasagne import layers
from lasagne.nonlinearities import softmax
from nolearn.lasagne import BatchIterator, NeuralNet, TrainSplit

import theano  # Brings back the modules that scikit-learn dropped.

# isort: split
from sklearn.cross_validation import cross_val_score
from sklearn.grid_search import GridSearchCV

HISTORY = ("train_loss", "valid_loss", "valid_accuracy")


def draw_images():
    """60 images of 8x8 and their class: which of three bands is the brightest."""
    random = numpy.random.RandomState(1)
    images = random.uniform(size=(60, 1, 8, 8))
    bands = [images[:, 0, 3 * i : 3 * i + 2].mean(axis=(1, 2)) for i in range(3)]
    return images, numpy.argmax(bands, axis=0).astype(numpy.int32)


def seed(number):
    lasagne.random.set_rng(numpy.random.RandomState(number))


def make_classifier(**keywords):
    return NeuralNet(
        layers=[
            ("input", layers.InputLayer),
            ("conv", layers.Conv2DLayer),
            ("pool", layers.MaxPool2DLayer),
            ("dropout", layers.DropoutLayer),
            ("output", layers.DenseLayer),
        ],
        input_shape=(None, 1, 8, 8),
        conv_num_filters=4,
        conv_filter_size=(3, 3),
        pool_pool_size=(2, 2),
        output_num_units=3,
        output_nonlinearity=softmax,
        update_learning_rate=0.05,
        update_momentum=0.9,
        **keywords,
    )


def describe(net):
    """Losses and accuracies of the epochs, and a number for each parameter."""
    numbers = [[row[key] for key in HISTORY] for row in net.train_history_]
    for parameter in net.get_all_params():
        value = parameter.get_value().ravel()
        numbers.append([float(value.dot(numpy.cos(numpy.arange(value.size))))])
    return numbers


def train_classifier():
    seed(2)
    net = make_classifier(
        max_epochs=4, batch_iterator_train=BatchIterator(16, shuffle=True, seed=3)
    )
    return describe(net.fit(*draw_images()))


def train_without_strata():
    seed(4)
    net = make_classifier(
        max_epochs=3,
        train_split=TrainSplit(0.25, stratify=False, shuffle=True, seed=5),
        objective_l2=0.01,
    )
    return describe(net.fit(*draw_images()))


def train_regressor():
    images, _ = draw_images()
    inputs = images.reshape(60, 64)
    targets = numpy.column_stack([inputs[:, :8].sum(axis=1), inputs[:, 9] - 1])
    seed(6)
    net = NeuralNet(
        layers=[
            (layers.InputLayer, {"shape": (None, 64)}),
            (layers.DenseLayer, {"num_units": 10, "name": "hidden"}),
            (layers.DenseLayer, {"num_units": 2, "nonlinearity": None}),
        ],
        regression=True,
        update=lasagne.updates.adam,
        update_learning_rate=0.01,
        objective_l1=0.001,
        objective_loss_function=lasagne.objectives.squared_error,
        batch_iterator_train=BatchIterator(20),
        max_epochs=4,
    )
    net.fit(inputs, targets)
    return describe(net) + [[net.score(inputs, targets)]]


def cross_validate():
    seed(7)
    net = make_classifier(max_epochs=3)
    images, labels = draw_images()
    return [cross_val_score(net, images, labels, scoring="log_loss").tolist()]


def search():
    seed(8)
    grid = {"update_learning_rate": [0.001, 0.1], "conv_num_filters": [2, 3]}
    search = GridSearchCV(make_classifier(max_epochs=3), grid, cv=2)
    search.fit(*draw_images())
    numbers = [
        [scores.mean_validation_score] + scores.cv_validation_scores.tolist()
        for scores in search.grid_scores_
    ]
    return numbers + describe(search.best_estimator_)


PROGRAMS = {
    "classifier": train_classifier,
    "without strata": train_without_strata,
    "regressor": train_regressor,
    "cross-validation": cross_validate,
    "search": search,
}


def main():
    """Write the numbers of every program, one program a line."""
    stack = [(numpy, "NumPy"), (sklearn, "scikit-learn"), (theano, "Theano")]
    recorded = ", ".join(f"{name} {module.__version__}" for module, name in stack)
    lines = [f' "recorded_with": {json.dumps(recorded)}']
    for name in sorted(PROGRAMS):
        lines.append(f" {json.dumps(name)}: {json.dumps(PROGRAMS[name]())}")
    with open(sys.argv[1], "w") as file:
        file.write("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
