"""nolearn's pictures, with today's matplotlib, pydotplus and Graphviz."""

import shutil

import matplotlib.pyplot as plt
import numpy as np
import pytest
from lasagne import layers
from lasagne.nonlinearities import softmax
from lasagne.updates import sgd
from nolearn.lasagne import NeuralNet, visualize
from nolearn.lasagne.util import get_conv_infos

import theano

needs_graphviz = pytest.mark.skipif(
    shutil.which("dot") is None, reason="Graphviz's dot is not installed"
)


@pytest.fixture(scope="module")
def images():
    random = np.random.RandomState(0)
    return random.uniform(size=(60, 1, 8, 8)).astype(theano.config.floatX)


@pytest.fixture(scope="module")
def net(images):
    """A trained net of 3 feature maps of 6x6, pooled to 3x3."""
    layer = layers.InputLayer((None, 1, 8, 8), name="input")
    layer = layers.Conv2DLayer(layer, 3, 3, name="conv")
    layer = layers.MaxPool2DLayer(layer, 2, name="pool")
    layer = layers.DenseLayer(layer, 2, nonlinearity=softmax, name="output")
    net = NeuralNet(layer, update=sgd, update_learning_rate=0.1, max_epochs=3)
    return net.fit(images, (images.mean(axis=(1, 2, 3)) > 0.5).astype(np.int32))


@pytest.fixture(autouse=True)
def figures():
    plt.close("all")
    yield
    plt.close("all")


def get_pictures():
    """The arrays that all figures show, in order."""
    return [
        np.asarray(image.get_array())
        for number in plt.get_fignums()
        for axes in plt.figure(number).axes
        for image in axes.get_images()
    ]


def test_loss_is_drawn(net):
    assert visualize.plot_loss(net) is plt
    train, valid = plt.gca().get_lines()
    assert list(train.get_ydata()) == [row["train_loss"] for row in net.train_history_]
    assert list(valid.get_ydata()) == [row["valid_loss"] for row in net.train_history_]


def test_filters_are_drawn(net):
    visualize.plot_conv_weights(net.layers_["conv"], figsize=(3, 3))
    filters = net.layers_["conv"].W.get_value()[:, 0]
    assert np.array_equal(get_pictures(), filters)


def test_feature_maps_are_drawn(net, images):
    visualize.plot_conv_activity(net.layers_["conv"], images[:1])
    original, *maps = get_pictures()
    assert np.array_equal(original, 1 - images[0, 0])
    assert np.array_equal(maps, -net.get_output("conv", images[:1])[0])


def test_occlusion_is_drawn(net, images):
    visualize.plot_occlusion(net, images[:2], [0, 1], square_length=3)
    pictures = get_pictures()
    assert len(pictures) == 2 * 4
    # nolearn's square ends at its pixel.
    occluded = images[:1].copy()
    occluded[..., 2:5, 1:4] = 0
    [[expected, _]] = net.predict_proba(occluded)
    assert -pictures[1][4, 3] == pytest.approx(expected)


def test_saliency_is_drawn(net, images):
    visualize.plot_saliency(net, images[:1])
    saliency = get_pictures()[1]
    # The slope of the score, by a difference, at one pixel.
    step = 1e-4 if theano.config.floatX == "float64" else 1e-2
    predicted = net.predict(images[:1])[0]

    def score(change):
        changed = images[:1].copy()
        changed[0, 0, 4, 4] += change
        return np.log(net.predict_proba(changed)[0, predicted])

    slope = (score(step) - score(-step)) / (2 * step)
    assert saliency[4, 4] == pytest.approx(abs(slope), rel=1e-2)


def test_table_of_receptive_fields(net):
    rows = [line.split() for line in get_conv_infos(net, detailed=True).splitlines()]
    assert rows[0][:2] == ["name", "size"]
    conv = next(row for row in rows if row[0] == "conv")
    # 3 of 8 pixels; the filter is as large as what it sees.
    assert conv[1:] == ["3x6x6", "108", *["100.00"] * 2, *["37.50"] * 2, *["3"] * 4]


@pytest.mark.parametrize("verbose", [False, True])
def test_graph_has_a_node_a_layer(net, verbose):
    pytest.importorskip("pydotplus")
    graph = visualize.make_pydot_graph(net.get_all_layers(), verbose=verbose)
    labels = [node.get_label() for node in graph.get_nodes()]
    assert len(labels) == 4
    assert len(graph.get_edges()) == 3
    assert any("Output shape: (None, 3, 6, 6)" in label for label in labels)
    assert any("num_filters: 3" in label for label in labels) is verbose


@needs_graphviz
@pytest.mark.parametrize(
    ("format", "begin"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<?xml")]
)
def test_graph_is_drawn_to_a_file(net, tmp_path, format, begin):
    pytest.importorskip("pydotplus")
    path = tmp_path / f"net.{format}"
    visualize.draw_to_file(net, str(path))
    assert path.read_bytes().startswith(begin)


@needs_graphviz
def test_graph_is_drawn_to_a_notebook(net):
    pytest.importorskip("pydotplus")
    pytest.importorskip("IPython")
    image = visualize.draw_to_notebook(net.get_all_layers(), output_shape=False)
    assert image.data.startswith(b"\x89PNG")
