"""Networks from Python code: as people write it, and what each mistake is told."""

import ast
import textwrap
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mnist_cnn import by_hand
from mnist_cnn.by_hand.read_python.constructors import positions_of
from mnist_cnn.by_hand.read_text import find_networks, read_text

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = (ROOT / "scripts" / "question.py").read_text(encoding="utf-8")
QUESTION = by_hand.table(by_hand.NETWORKS["question"])


def table_of(code, name=None, **options):
    text = textwrap.dedent(code)
    return by_hand.calculate(read_text(text, name, form=None, **options))


def assert_is_questions(table):
    for row, expected in zip(table, QUESTION, strict=True):
        assert row.size == expected.size
        assert row.size_formula == expected.size_formula
        assert row.parameter_formula == expected.parameter_formula
    assert table.total == 217_706
    assert "832 + 9'248 + 205'056 + 2'570 = 217'706" in str(table)


# The question's network, in the ways in which people write it

PASTED = """\
NeuralNet(
    layers=[('input', layers.InputLayer),        # Input Layer
            ('conv2d1', layers.Conv2DLayer),     # Convolutional Layer
            ('maxpool1', layers.MaxPool2DLayer), # 2D Max Pooling Layer
            ('conv2d2', layers.Conv2DLayer),     # Convolutional Layer
            ('maxpool2', layers.MaxPool2DLayer), # 2D Max Pooling Layer
            ('dense', layers.DenseLayer),        # Fully connected layer
            ('output', layers.DenseLayer),       # Output Layer
            ],
    # input layer
    input_shape=(None, 1, 28, 28),

    # layer conv2d1
    conv2d1_num_filters=32,
    conv2d1_filter_size=(5, 5),
    conv2d1_nonlinearity=lasagne.nonlinearities.rectify,

    # layer maxpool1
    maxpool1_pool_size=(2, 2),

    # layer conv2d2
    conv2d2_num_filters=32,
    conv2d2_filter_size=(3, 3),
    conv2d2_nonlinearity=lasagne.nonlinearities.rectify,

    # layer maxpool2
    maxpool2_pool_size=(2, 2),


    # Fully Connected Layer
    dense_num_units=256,
    dense_nonlinearity=lasagne.nonlinearities.rectify,

   # output Layer
    output_nonlinearity=lasagne.nonlinearities.softmax,
    output_num_units=10,

    # optimization method params
    update= momentum,
    update_learning_rate=0.01,
    update_momentum=0.9,
    max_epochs=10,
    verbose=1,
    )
"""

NAMED = {
    "as it stands": PASTED,
    "the program": SCRIPT,
    "among prose": f"""\
How to calculate the number of parameters for conv

I'm using Lasagne (see layers.Conv2DLayer) to create a CNN, it's my first :(
The architecture I have at the moment is:

{PASTED}
This outputs the following Layer Information:

  #  name      size
---  --------  --------
  0  input     1x28x28
""",
    "in a fence, indented": "My net:\n\n```python\n"
    + textwrap.indent(PASTED, "    ")
    + "```\n\nWhy 217,706?\n",
    "at a prompt": ">>> import lasagne\n>>> net = "
    + PASTED.rstrip().replace("\n", "\n... ")
    + "\n>>> net.fit(X, y)\nEpoch 1\n",
    "in a function": "def build_net(max_epochs=10):\n    net1 = "
    + PASTED.replace("\n", "\n    ")
    + "\n    return net1\n",
    "in a class": "class Model(object):\n    def __init__(self):\n        self.net = "
    + PASTED.replace("\n", "\n        ")
    + "\nmodel = Model()\n",
    "with Windows's line ends": PASTED.replace("\n", "\r\n"),
    "Python 2": "import lasagne, sys\nprint 'building', sys.argv\nnet = "
    + PASTED
    + "\ntry:\n    net.fit(X, y)\nexcept IOError, error:\n    print error\n"
    "print 'accuracy: %f' % (\n    net.score(X, y))\n",
    "a dict unpacked": """\
        from lasagne.layers import *
        params = dict(
            input_shape=(None, 1, 28, 28), conv2d1_num_filters=32,
            conv2d1_filter_size=(5, 5), maxpool1_pool_size=(2, 2),
        )
        more = {'conv2d2_num_filters': 32, 'conv2d2_filter_size': (3, 3)}
        params.update(more)
        params['maxpool2_pool_size'] = 2, 2
        net = NeuralNet(
            [('input', InputLayer), ('conv2d1', Conv2DLayer),
             ('maxpool1', MaxPool2DLayer), ('conv2d2', Conv2DLayer),
             ('maxpool2', MaxPool2DLayer), ('dense', DenseLayer),
             ('output', DenseLayer)],
            dense_num_units=256, output_num_units=10, **params)
        """,
    "classes with dicts": """\
        import lasagne.layers as ll
        from nolearn.lasagne import NeuralNet, TrainSplit
        layers0 = [
            (ll.InputLayer, {'name': 'input', 'shape': (None, 1, 28, 28)}),
            (ll.Conv2DLayer, {'name': 'conv2d1', 'num_filters': 32, 'filter_size': 5}),
            (ll.MaxPool2DLayer, {'name': 'maxpool1', 'pool_size': 2}),
            (ll.Conv2DLayer, {'name': 'conv2d2', 'num_filters': 32, 'filter_size': 3}),
            (ll.MaxPool2DLayer, {'name': 'maxpool2', 'pool_size': 2}),
            (ll.DenseLayer, {'name': 'dense', 'num_units': 256}),
            (ll.DenseLayer, {'name': 'output', 'num_units': 10}),
        ]
        net0 = NeuralNet(layers=layers0, max_epochs=10,
                         train_split=TrainSplit(eval_size=0.25), verbose=2)
        """,
    "a list alone": """\
        from lasagne import layers as L
        layers = [
            (L.InputLayer, dict(name='input', shape=(None, 1, 28, 28))),
            (L.Conv2DLayer, dict(name='conv2d1', num_filters=32, filter_size=5)),
            (L.MaxPool2DLayer, dict(name='maxpool1', pool_size=2)),
            (L.Conv2DLayer, dict(name='conv2d2', num_filters=32, filter_size=3)),
            (L.MaxPool2DLayer, dict(name='maxpool2', pool_size=2)),
            (L.DenseLayer, dict(name='dense', num_units=256)),
            (L.DenseLayer, dict(name='output', num_units=10)),
        ]
        """,
    "more_params": """\
        net = NeuralNet(
            layers=[('input', InputLayer), ('conv2d1', Conv2DLayer),
                    ('maxpool1', MaxPool2DLayer), ('conv2d2', Conv2DLayer),
                    ('maxpool2', MaxPool2DLayer), ('dense', DenseLayer),
                    ('output', DenseLayer)],
            more_params=dict(
                input_shape=(None, 1, 28, 28), conv2d1_num_filters=32,
                conv2d1_filter_size=5, maxpool1_pool_size=2,
                conv2d2_num_filters=32, conv2d2_filter_size=3,
                maxpool2_pool_size=2, dense_num_units=256, output_num_units=10))
        """,
    "a final layer with names": """\
        from lasagne.layers import InputLayer, DenseLayer, Conv2DLayer as Conv
        from lasagne.layers import MaxPool2DLayer as Pool
        l = InputLayer((None, 1, 28, 28), name='input')
        l = Conv(l, 32, 5, name='conv2d1')
        l = Pool(l, 2, name='maxpool1')
        l = Conv(l, 32, 3, name='conv2d2')
        l = Pool(l, 2, name='maxpool2')
        l = DenseLayer(l, 256, name='dense')
        l_out = DenseLayer(l, 10, name='output', nonlinearity=softmax)
        net = NeuralNet(layers=l_out, update=adam)
        """,
    "cuDNN if there": """\
        try:
            import lasagne.layers.dnn
            Conv2DLayer = lasagne.layers.dnn.Conv2DDNNLayer
            MaxPool2DLayer = lasagne.layers.dnn.MaxPool2DDNNLayer
        except ImportError:
            Conv2DLayer = lasagne.layers.Conv2DLayer
            MaxPool2DLayer = lasagne.layers.MaxPool2DLayer
        from lasagne.layers import InputLayer, DenseLayer
        net = NeuralNet(
            layers=[('input', InputLayer), ('conv2d1', Conv2DLayer),
                    ('maxpool1', MaxPool2DLayer), ('conv2d2', Conv2DLayer),
                    ('maxpool2', MaxPool2DLayer), ('dense', DenseLayer),
                    ('output', DenseLayer)],
            input_shape=(None, 1, 28, 28),
            conv2d1_num_filters=32, conv2d1_filter_size=(5, 5),
            maxpool1_pool_size=(2, 2), conv2d2_num_filters=32,
            conv2d2_filter_size=(3, 3), maxpool2_pool_size=(2, 2),
            dense_num_units=256, output_num_units=10)
        """,
    "a notebook's cells": "%matplotlib inline\n!pip install nolearn==0.6.1\n"
    "files = !ls\nnet = " + PASTED + "%time net.fit(X, y)\nnet.fit?\n",
    "at IPython's prompt": "In [3]: net = "
    + PASTED.rstrip().replace("\n", "\n   ...: ")
    + "\n\nIn [4]: net.fit(X, y)\nOut[4]: NeuralNet()\n",
    "in a quotation": "He writes:\n\n"
    + textwrap.indent("net = " + PASTED, "> ", lambda line: True)
    + "\nI'd count it by hand.\n",
    "typeset": PASTED.replace("'", "\u2019").replace(", ", ",\xa0"),
    "a loop of formatted names": """\
        layers, kw = [('input', InputLayer)], {'input_shape': (None, 1, 28, 28)}
        for i, size in enumerate([5, 3], 1):
            layers.append(('conv2d%d' % i, Conv2DLayer))
            layers += [('maxpool{}'.format(i), MaxPool2DLayer)]
            kw['conv2d%d_num_filters' % i] = 32
            kw[f'conv2d{i}_filter_size'] = (size, size)
            kw['maxpool' + str(i) + '_pool_size'] = (2,) * 2
        layers.extend([('dense', DenseLayer), ('output', DenseLayer)])
        net = NeuralNet(layers, dense_num_units=2 ** 8, output_num_units=10, **kw)
        """,
}

UNNAMED = {
    "layers reduced": """\
        from functools import reduce
        from lasagne.layers import InputLayer, Conv2DLayer, MaxPool2DLayer, DenseLayer
        steps = [lambda l: Conv2DLayer(l, 32, 5), lambda l: MaxPool2DLayer(l, 2),
                 lambda l: Conv2DLayer(l, 32, 3), lambda l: MaxPool2DLayer(l, 2),
                 lambda l: DenseLayer(l, 256), lambda l: DenseLayer(l, 10)]
        net = reduce(lambda l, step: step(l), steps, InputLayer((None, 1, 28, 28)))
        """,
    "a class that keeps its keywords": """\
        import lasagne
        class Base(object):
            def __init__(self, shape, **kwargs):
                self.shape = shape
                for key, value in kwargs.items():
                    setattr(self, key, value)
                self.build()
        class CNN(Base):
            sizes = [5, 3]
            def build(self):
                l = lasagne.layers.InputLayer(shape=self.shape)
                for size in self.sizes:
                    l = lasagne.layers.Conv2DLayer(l, self.filters, size)
                    l = lasagne.layers.MaxPool2DLayer(l, pool_size=2)
                l = lasagne.layers.DenseLayer(l, num_units=256)
                self.network = lasagne.layers.DenseLayer(l, num_units=10)
        cnn = CNN((None, 1, 28, 28), filters=32)
        """,
    "a dataclass of settings": """\
        from dataclasses import dataclass
        import lasagne.layers as ll
        @dataclass
        class Settings:
            hidden: int
            filters: int = 16
            sizes: tuple[int, ...] = (5, 3)
        def build(settings: Settings) -> ll.Layer:
            net: ll.Layer = ll.InputLayer((None, 1, 28, 28))
            for size in settings.sizes:
                net = ll.Conv2DLayer(net, settings.filters, size)
                net = ll.MaxPool2DLayer(net, pool_size=2)
            return ll.DenseLayer(ll.DenseLayer(net, settings.hidden), 10)
        network = build(Settings(256, filters=32))
        """,
    "layer after layer": """\
        import lasagne
        l_in = lasagne.layers.InputLayer(shape=(None, 1, 28, 28), input_var=X)
        l_conv1 = lasagne.layers.Conv2DLayer(
            l_in, num_filters=32, filter_size=(5, 5),
            nonlinearity=lasagne.nonlinearities.rectify,
            W=lasagne.init.GlorotUniform(), b=lasagne.init.Constant(0.))
        l_pool1 = lasagne.layers.MaxPool2DLayer(l_conv1, pool_size=(2, 2))
        l_conv2 = lasagne.layers.Conv2DLayer(
            l_pool1, num_filters=32, filter_size=(3, 3))
        l_pool2 = lasagne.layers.MaxPool2DLayer(l_conv2, pool_size=(2, 2))
        l_hid = lasagne.layers.DenseLayer(l_pool2, num_units=256)
        l_out = lasagne.layers.DenseLayer(
            l_hid, num_units=10, nonlinearity=lasagne.nonlinearities.softmax)
        prediction = lasagne.layers.get_output(l_out)
        params = lasagne.layers.get_all_params(l_out, trainable=True)
        """,
    "a function with one name": """\
        import lasagne.layers as ll

        def build_cnn(input_var=None):
            # any comment
            network = ll.InputLayer((None, 1, 28, 28), input_var)
            network = ll.Conv2DLayer(network, 32, (5, 5))
            network = ll.MaxPool2DLayer(network, (2, 2))
            network = ll.Conv2DLayer(network, 32, (3, 3))
            network = ll.MaxPool2DLayer(network, (2, 2))
            network = ll.DenseLayer(network, 256)
            return ll.DenseLayer(network, 10)
        """,
    "stacked calls": """\
        from lasagne.layers import *
        def net():
            return DenseLayer(DenseLayer(MaxPool2DLayer(Conv2DLayer(MaxPool2DLayer(
                Conv2DLayer(InputLayer((None, 1, 28, 28)), 32, 5), 2), 32, 3), 2), 256),
                10)
        """,
    "called with arguments": """\
        from lasagne import layers

        IMAGE, CLASSES = (28, 28), 10

        def conv_pool(incoming, size, filters=32, **kwargs):
            conv = layers.Conv2DLayer(incoming, filters, (size, size), **kwargs)
            return layers.MaxPool2DLayer(conv, pool_size=2)

        def build(input_shape, hidden, classes):
            net = layers.InputLayer(shape=(None,) + input_shape)
            for size in (5, 3):
                net = conv_pool(net, size, nonlinearity=rectify)
            net = layers.DenseLayer(net, hidden)
            return layers.DenseLayer(net, num_units=classes)

        network = build((1,) + IMAGE, hidden=16 * 16, classes=CLASSES)
        print(count_params(network))
        """,
    "main with a choice": """\
        import lasagne, sys
        def build(depth=2, width=256, drop=0):
            net = lasagne.layers.InputLayer((BATCH, 1, 28, 28))
            sizes = [5, 3, 3, 3]
            for i in range(depth):
                net = lasagne.layers.Conv2DLayer(net, 32, sizes[i])
                net = lasagne.layers.MaxPool2DLayer(net, 2)
            if drop:
                net = lasagne.layers.dropout(net, p=drop)
            net = lasagne.layers.DenseLayer(net, width)
            if drop > 0.5 or width < 10:
                raise ValueError(width)
            return lasagne.layers.DenseLayer(net, 10)
        def main(model='cnn', num_epochs=500):
            X, y = load_dataset()
            if model == 'cnn':
                network = build()
            elif model == 'other':
                network = build(depth=3)
            for epoch in range(num_epochs):
                for batch in iterate_minibatches(X, y, 500, shuffle=True):
                    train_fn(batch)
        if __name__ == '__main__':
            kwargs = {}
            if len(sys.argv) > 1:
                kwargs['model'] = sys.argv[1]
            main(**kwargs)
        """,
    "a dict of layers": """\
        from collections import OrderedDict
        from lasagne.layers import InputLayer, DenseLayer
        from lasagne.layers.dnn import Conv2DDNNLayer as ConvLayer
        from lasagne.layers import MaxPool2DLayer as PoolLayer
        net = OrderedDict()
        net['in'] = InputLayer((None, 1, 28, 28))
        net['conv1'] = ConvLayer(net['in'], 32, 5, flip_filters=False)
        net['pool1'] = PoolLayer(net['conv1'], 2)
        net['conv2'] = ConvLayer(net['pool1'], 32, 3)
        net['pool2'] = PoolLayer(net['conv2'], 2)
        net['fc'] = DenseLayer(net['pool2'], num_units=256)
        net['prob'] = DenseLayer(net['fc'], num_units=10, nonlinearity=softmax)
        """,
    "a class": """\
        import lasagne
        from lasagne.layers import *
        class CNN:
            filters = 32
            def __init__(self, hidden=256):
                self.hidden = hidden
                self.l_in = InputLayer((None, 1, 28, 28))
                self.output = self.build()
            def block(self, incoming, size):
                conv = Conv2DLayer(incoming, self.filters, size)
                return MaxPool2DLayer(conv, 2)
            def build(self):
                l = self.block(self.block(self.l_in, 5), 3)
                return DenseLayer(DenseLayer(l, self.hidden), 10)
        """,
    "its shape worked out": """\
        import lasagne as L
        import numpy as np
        l = L.layers.InputLayer((None, 784))
        l = L.layers.ReshapeLayer(l, ([0], 1, 28, 28))
        l = L.layers.Conv2DLayer(l, 32, 5)
        l = L.layers.MaxPool2DLayer(l, l.output_shape[2] // 12)
        l = L.layers.Conv2DLayer(l, L.layers.get_output_shape(l)[1], 3)
        l = L.layers.MaxPool2DLayer(l, pool_size=2)
        l = L.layers.DenseLayer(l, int(np.prod(l.output_shape[1:]) / 3.125))
        l = L.layers.DenseLayer(l, num_units=10)
        """,
    "partial and lambda": """\
        from functools import partial
        from lasagne.layers import *
        conv = partial(Conv2DLayer, num_filters=32, pad='valid')
        pool = lambda l: MaxPool2DLayer(l, 2)
        net = InputLayer((None, 1, 28, 28))
        for size in range(5, 1, -2):
            net = pool(conv(net, filter_size=size))
        for units in [256, 10]:
            net = DenseLayer(net, units)
        """,
    "keywords from a list": """\
        from lasagne.layers import *
        spec = [(Conv2DLayer, {'num_filters': 32, 'filter_size': 5}),
                (MaxPool2DLayer, {'pool_size': 2}),
                (Conv2DLayer, {'num_filters': 32, 'filter_size': 3}),
                (MaxPool2DLayer, {'pool_size': 2}),
                (DenseLayer, {'num_units': 256}), (DenseLayer, {'num_units': 10})]
        l_out = InputLayer((None, 1, 28, 28))
        for layer_class, keywords in spec:
            l_out = layer_class(l_out, **keywords)
        """,
}


@pytest.mark.parametrize("variation", NAMED)
def test_every_variation_gives_answer_1s_table_to_the_letter(variation):
    table = table_of(NAMED[variation])
    assert_is_questions(table)
    assert str(table) == str(QUESTION)


@pytest.mark.parametrize("variation", UNNAMED)
def test_every_variation_without_names_gives_its_numbers(variation):
    table = table_of(UNNAMED[variation])
    if variation == "its shape worked out":
        # One layer more, without parameters.
        assert table["reshape1"].size == (1, 28, 28)
        assert [row.parameter_formula for row in table][2:] == [
            row.parameter_formula for row in QUESTION
        ][1:]
        assert table.total == 217_706
    else:
        assert_is_questions(table)


def test_there_are_more_than_twenty_variations():
    assert len(NAMED) + len(UNNAMED) > 20


# What code may do

FOLLOWED = {
    "a dataclass's keyword": (
        "@dataclass\nclass C:\n    n: int = 3\n    m: int = 4\nn = C(m=5).m",
        5,
    ),
    "a field that a function makes": (
        "@dataclass\nclass C:\n    n: list = field(default_factory=lambda: [3, 4])\n"
        "    def __post_init__(self):\n        self.n.append(6)\nn = C().n[2]",
        6,
    ),
    "a named tuple": (
        "P = namedtuple('P', 'a b')\nx, y = P(3, b=5)\nn = x * y + P(1, 2).b",
        17,
    ),
    "a typed named tuple": (
        "class P(NamedTuple):\n    a: int\n    b: int = 4\nn = sum([*P(3)])",
        7,
    ),
    "a namespace": ("c = SimpleNamespace(n=3)\nc.n += 2\nn = c.n", 5),
    "attributes from a dict": (
        "class C: pass\nc = C()\nc.__dict__.update(n=6)\nn = c.n",
        6,
    ),
    "a name of the function around": (
        "def f():\n    n = 1\n    def g():\n        nonlocal n\n        n += 5\n"
        "    g(); g()\n    return n\nn = f()",
        11,
    ),
    "a property that is set": (
        "class C:\n    @property\n    def n(self): return self.own\n    @n.setter\n"
        "    def n(self, value): self.own = value * 2\nc = C()\nc.n = 4\nn = c.n",
        8,
    ),
    "a method of the class": (
        "class C:\n    k = 5\n    @classmethod\n    def n(cls, more): return "
        "cls.k + more\nn = C.n(2)",
        7,
    ),
    "an object that is called": (
        "class C:\n    def __call__(self, k): return k + 2\nn = C()(4)",
        6,
    ),
    "a decorator": (
        "def twice(f):\n    return lambda k: f(f(k))\n@twice\ndef g(k):\n"
        "    return k * 3\nn = g(1)",
        9,
    ),
    "a list that is sorted": (
        "a = [3, 1, 2]\na.sort()\nb = sorted(a, key=lambda k: -k)\n"
        "a.sort(reverse=True)\nn = 100 * a[0] + 10 * b[1]\n"
        "n += max(a, key=lambda k: 1 / k)",
        321,
    ),
    "copies": (
        "a = {'k': [3]}\nb = copy.copy(a)\nc = copy.deepcopy(a)\nb['k'].append(4)\n"
        "n = len(a['k']) * 10 + len(c['k'])",
        21,
    ),
    "types told apart": (
        "n = 3\nif isinstance(n, (int, float)) and not isinstance(n, str):\n    n = 4",
        4,
    ),
    "a class attribute that is None": (
        "class C:\n    k = None\n    def f(self):\n        if self.k is None:\n"
        "            self.k = 4\n        return self.k\nn = C().f()",
        4,
    ),
    "a base that two bases share": (
        "class A:\n    k = 1\nclass B(A): pass\nclass C(A):\n    k = 4\n"
        "class D(B, C): pass\nn = D.k",
        4,
    ),
    "arguments kept as attributes": (
        "class C:\n    k = 3\n    def __init__(self, k=7):\n"
        "        self.__dict__.update(locals())\nc = C()\nvars(c)['m'] = 2\n"
        "n = c.k + c.m",
        9,
    ),
    "sets": ("n = len({1, 1, 2} | {k % 3 for k in range(9)}) + sum({4, 4})", 7),
    "parts left out": (
        "a = [1, 2, 3, 4]\ndel a[1:3]\nd = {'k': 1, 'm': 2}\ndel d['k']\n"
        "n = sum(a) + len(d)",
        6,
    ),
    "a name given inside a comprehension": (
        "m = 1\nx = [(m := k) for k in range(3, 6)]\nn = m",
        5,
    ),
    "what stands under finally": (
        "a = []\ndef f():\n    try:\n        return 4\n    finally:\n"
        "        a.append(1)\nn = f() + len(a)",
        5,
    ),
    "a product": ("n = reduce(operator.mul, itertools.chain([2, 3], (4,)))", 24),
}


@pytest.mark.parametrize("what", FOLLOWED)
def test_what_is_followed(what):
    code, units = FOLLOWED[what]
    table = table_of(f"{code}\nl = DenseLayer(InputLayer((None, 7)), n)\n")
    assert table.rows[-1].size == (units,)
    names = {}
    exec(f"{FOR_THE_CODE}\n{code}", names)
    assert names["n"] == units


FOR_THE_CODE = """\
import copy, itertools, operator
from collections import namedtuple
from dataclasses import dataclass, field
from functools import reduce
from types import SimpleNamespace
from typing import NamedTuple
"""


def test_a_function_that_calls_itself_without_end_makes_no_network():
    with pytest.raises(by_hand.UntoldError, match="calls itself too often"):
        table_of(
            """\
            def build(l):
                return build(DenseLayer(l, 3))
            out = build(InputLayer((None, 7)))
            """
        )


UNCLEAR = {
    "an import that may fail": "try:\n    import gpu\n    n = 3\n"
    "except ImportError:\n    n = 4",
    "attributes from elsewhere": "class C:\n    n = 3\nc = C()\n"
    "c.__dict__.update(load())\nn = c.n",
    "an object with a truth of its own": "class C:\n    def __bool__(self): "
    "return False\nn = 3 if C() else 4",
    "an object equal to others": "class C:\n    def __eq__(self, other): return True\n"
    "n = 3 if C() == 3 else 4",
    "an object that is not new": "class C:\n    n = 3\n    def __new__(cls): "
    "return make()\nn = C().n",
    "the order of a set of names": "n = [len(k) for k in {'a', 'bc'}][0]",
}


@pytest.mark.parametrize("what", UNCLEAR)
def test_what_is_unclear_is_not_guessed(what):
    with pytest.raises(by_hand.UntoldError, match="line"):
        table_of(f"{UNCLEAR[what]}\nDenseLayer(InputLayer((None, 7)), n)\n")


def test_a_class_of_lasagne_may_be_replaced():
    table = table_of(
        """\
        import lasagne
        own = lasagne.layers.DenseLayer
        lasagne.layers.DenseLayer = lambda incoming, n: own(incoming, n * 2)
        l = lasagne.layers.DenseLayer(lasagne.layers.InputLayer((None, 7)), 4)
        """
    )
    assert table.rows[-1].size == (8,)


def test_what_changes_a_list_in_an_unknown_way_leaves_it_unknown():
    for change in ("a.sort(key=order)", "a.shuffle()", "setattr(a, key, 3)"):
        with pytest.raises(by_hand.UntoldError, match="line [23],"):
            table_of(f"a = [3, 4]\n{change}\nDenseLayer(InputLayer((None, 7)), a[0])")


def test_layers_without_a_name_have_nolearns():
    table = table_of("l = DenseLayer(InputLayer((None, 7)), 3)")
    assert [row.name for row in table] == ["input0", "dense1"]


def test_a_dict_that_a_function_returns_names_its_layers():
    table = table_of(
        """\
        def build_model():
            net = {}
            net['input'] = InputLayer((None, 3))
            net['fc6'] = DenseLayer(net['input'], 5)
            net['drop6'] = DropoutLayer(net['fc6'], p=0.5)
            net['fc8'] = DenseLayer(net['drop6'], 2, name='own')
            return net
        """
    )
    assert [row.name for row in table] == ["input", "fc6", "drop6", "own"]


def test_names_given_twice_are_told_apart():
    table = table_of(
        """\
        l = InputLayer((None, 3))
        for i in range(3):
            l = DenseLayer(l, 4, name='fc')
        """
    )
    assert [row.name for row in table][1:] == ["fc", "fc (2)", "fc (3)"]
    assert table.total == (3 + 1) * 4 + 2 * (4 + 1) * 4


def test_batch_norm_takes_the_bias_and_goes_before_the_nonlinearity():
    table = table_of(
        """\
        from lasagne.layers import batch_norm
        l = InputLayer((None, 3, 8, 8))
        l = batch_norm(Conv2DLayer(l, 5, 3, name='conv'))
        l = batch_norm(MaxPool2DLayer(l, 2), name='norm')
        """
    )
    assert [(row.name, row.type) for row in table][1:] == [
        ("conv", "Conv2DLayer"),
        ("conv_bn", "BatchNormLayer"),
        ("conv_bn_nonlin", "NonlinearityLayer"),
        ("maxpool2d4", "MaxPool2DLayer"),
        ("norm", "BatchNormLayer"),
    ]
    assert [row.parameters for row in table] == [0, 3 * 3 * 3 * 5, 2 * 5, 0, 0, 2 * 5]


def test_other_functions_that_wrap_a_layer():
    table = table_of(
        """\
        l = InputLayer((None, 3, 8, 8), name='in')
        l = instance_norm(Conv2DLayer(l, 5, 3), learn_bias=False)
        l = layer_norm(DenseLayer(l, 7))
        l = prelu(DenseLayer(l, 4))
        l = standardize(l, offset, scale, shared_axes=0)
        l = dropout_channels(l, p=.2)
        """
    )
    assert [row.type.removesuffix("Layer") for row in table] == [
        *("Input", "Conv2D", "Standardization", "Scale", "Nonlinearity", "Dense"),
        *("Standardization", "Scale", "Bias", "Nonlinearity", "Dense"),
        *("ParametricRectifier", "Bias", "Scale", "Dropout"),
    ]
    counts = [0, 3 * 3 * 3 * 5, 0, 5, 0, 5 * 6 * 6 * 7, 0, 7, 7, 0, (7 + 1) * 4, 4]
    assert [row.parameters for row in table] == [*counts, 0, 0, 0]
    assert table.non_trainable_total == 4 + 4


def test_merges_masks_and_several_inputs():
    table = table_of(
        """\
        N_BATCH, LENGTH, N_HIDDEN = 100, 55, 10
        l_in = lasagne.layers.InputLayer(shape=(N_BATCH, LENGTH, 2))
        l_mask = lasagne.layers.InputLayer(shape=(N_BATCH, LENGTH))
        forward, backward = [
            lasagne.layers.RecurrentLayer(
                l_in, N_HIDDEN, mask_input=l_mask, grad_clipping=100,
                W_in_to_hid=lasagne.init.HeUniform(), backwards=going_back)
            for going_back in (False, True)]
        both = lasagne.layers.ConcatLayer(
            [lasagne.layers.SliceLayer(forward, -1, 1),
             lasagne.layers.SliceLayer(backward, 0, 1)])
        l_out = lasagne.layers.DenseLayer(both, num_units=1)
        """
    )
    assert table.total == 2 * (2 + 10 + 1) * 10 + (20 + 1) * 1
    assert [row.type for row in table if row.name.startswith("input")] == [
        "InputLayer"
    ] * 2


def test_symbolic_sizes_stay_open():
    table = table_of(
        """\
        l_in = InputLayer((None, None, 7))
        batch, seqlen, _ = l_in.input_var.shape
        l_lstm = LSTMLayer(l_in, 5)
        l_shp = ReshapeLayer(l_lstm, (-1, 5))
        l_dense = DenseLayer(l_shp, 3)
        l_out = ReshapeLayer(l_dense, (batch, seqlen, 3))
        """
    )
    assert table.rows[-1].size == (None, 3)
    assert table["dense3"].parameters == (5 + 1) * 3


def test_shared_and_transposed_weights_are_counted_once():
    table = table_of(
        """\
        l_in = InputLayer((None, 7), name='in')
        l1 = DenseLayer(l_in, 5, name='encoder')
        l2 = DenseLayer(l1, 7, W=l1.W.T, name='decoder')
        l3 = DenseLayer(l2, 5, W=l1.W, b=l1.b, name='again')
        """
    )
    assert [row.parameters for row in table] == [0, (7 + 1) * 5, 7, 0]


def test_frozen_parameters_are_kept_apart():
    table = table_of(
        """\
        l = DenseLayer(InputLayer((None, 7)), 5)
        l.params[l.W].remove('trainable')
        """
    )
    assert (table.total, table.non_trainable_total) == (5, 7 * 5)


def test_a_class_that_changes_nothing_is_known_by_its_base():
    table = table_of(
        """\
        class Halve(lasagne.layers.DenseLayer):
            def get_output_for(self, input, **kwargs):
                return input / 2
        class Wide(Halve):
            def __init__(self, incoming, **kwargs):
                super(Wide, self).__init__(incoming, num_units=9, **kwargs)
        l = Wide(Halve(InputLayer((None, 7)), 5))
        """
    )
    assert [row.type for row in table] == ["InputLayer", "Halve", "Wide"]
    assert table.total == (7 + 1) * 5 + (5 + 1) * 9


def test_a_class_with_a_shape_of_its_own_needs_a_rule():
    with pytest.raises(by_hand.UnknownLayerError, match=r'@rule\("Odd"\)'):
        table_of(
            """\
            class Odd(lasagne.layers.DenseLayer):
                def get_output_shape_for(self, input_shape):
                    return (input_shape[0], 3)
            l = Odd(InputLayer((None, 7)), 5)
            """
        )


def test_a_custom_recurrent_layer_has_networks_inside():
    table = table_of(
        """\
        l_in = InputLayer((None, 5, 4))
        in_to_hid = DenseLayer(InputLayer((None, 4)), 3)
        hid_to_hid = DenseLayer(InputLayer((None, 3)), 3, b=None)
        l_rec = CustomRecurrentLayer(l_in, in_to_hid, hid_to_hid)
        """
    )
    assert table.rows[-1].size == (5, 3)
    assert table.total == (4 + 1) * 3 + 3 * 3


def test_a_subclass_of_neural_net_is_one():
    table = table_of(
        """\
        class Net(NeuralNet):
            def __init__(self, **kwargs):
                super().__init__(layers=[('i', InputLayer), ('o', DenseLayer)],
                                 i_shape=(None, 7), **kwargs)
        net = Net(o_num_units=3)
        """
    )
    assert table.total == (7 + 1) * 3


def test_a_net_may_wrap_its_layers():
    table = table_of(
        """\
        from functools import partial
        from lasagne.layers import batch_norm, dropout
        net = NeuralNet(
            [('i', InputLayer), ('a', DenseLayer), ('b', DenseLayer)],
            i_shape=(None, 7), a_num_units=3, a_layer_wrapper=batch_norm,
            b_num_units=2, b_layer_wrapper=partial(dropout, p=0.3))
        """
    )
    names = ["i", "a", "a_bn", "LW_a", "b", "LW_b"]
    assert [row.name for row in table] == names
    assert table.total == 7 * 3 + 2 * 3 + (3 + 1) * 2
    with pytest.raises(
        by_hand.DescriptionError, match="a: what its layer_wrapper, own"
    ):
        table_of(
            """\
            def own(layer):
                return lasagne.layers.batch_norm(layer)
            net = NeuralNet([(InputLayer, {'shape': (None, 7)}),
                             (DenseLayer, {'name': 'a', 'num_units': 3,
                                           'layer_wrapper': own})])
            """
        )


def test_a_net_may_be_changed_before_it_is_used():
    table = table_of(
        """\
        net = NeuralNet([('i', InputLayer), ('o', DenseLayer)], i_shape=(None, 7))
        net.o_num_units = 3
        net.set_params(i_shape=(None, 9))
        """
    )
    assert table.total == (9 + 1) * 3


def test_a_loop_that_trains_may_end_at_any_time():
    table = table_of(
        """\
        l = DenseLayer(InputLayer((None, 7)), 3)
        for epoch in range(100):
            loss = train(epoch)
            if loss < 0.1:
                break
            if epoch % 10:
                continue
        """
    )
    assert table.total == (7 + 1) * 3


def test_the_batch_may_be_anything():
    table = table_of(
        "l = DenseLayer(InputLayer((args.batch_size, 7), T.matrix('x')), 3)"
    )
    assert table.rows[0].output_shape == (None, 7)


# Several networks, other sizes, values from elsewhere

SEVERAL = """\
def build_mlp(input_var=None, width=800):
    net = InputLayer((None, 1, 28, 28), input_var=input_var)
    net = DenseLayer(dropout(net, p=.2), width)
    return DenseLayer(net, 10)


def build_cnn(input_var=None):
    net = InputLayer((None, 1, 28, 28), input_var)
    return DenseLayer(Conv2DLayer(net, 4, 3), 10)


small = build_mlp(width=3)
"""


def test_several_networks_are_named():
    found = find_networks(SEVERAL)
    assert [(one.name, one.line) for one in found] == [("small", 4), ("build_cnn", 7)]
    with pytest.raises(by_hand.DescriptionError, match="holds 2 networks, .*build_cnn"):
        read_text(SEVERAL)
    with pytest.raises(by_hand.DescriptionError, match="did you mean build_cnn"):
        read_text(SEVERAL, "build_cn")


def test_a_network_is_chosen_by_its_name():
    assert table_of(SEVERAL, "small").total == (784 + 1) * 3 + (3 + 1) * 10
    assert table_of(SEVERAL, "build_cnn").rows[1].size == (4, 26, 26)


def test_networks_with_a_layer_in_common_are_one():
    table = table_of(
        """\
        trunk = DenseLayer(InputLayer((None, 7)), 5)
        left = DenseLayer(trunk, 2)
        right = DenseLayer(trunk, 3)
        """
    )
    assert table.total == (7 + 1) * 5 + (5 + 1) * 2 + (5 + 1) * 3


def test_another_input_size():
    table = table_of(UNNAMED["a class"], input_sizes={"": (1, 32, 32)})
    assert table.rows[0].size == (1, 32, 32)
    assert table.rows[5].parameters == (32 * 6 * 6 + 1) * 256


def test_an_input_size_stands_in_for_one_that_is_not_told():
    code = "l = DenseLayer(InputLayer(X_train.shape), 3)"
    with pytest.raises(by_hand.UntoldError, match="X_train.shape is not defined"):
        table_of(code)
    assert table_of(code, input_sizes={"": (7,)}).total == (7 + 1) * 3


def test_values_from_elsewhere_can_be_given():
    code = """\
        def build(num_classes):
            return DenseLayer(InputLayer((None, args.features)), num_classes)
        """
    with pytest.raises(by_hand.UntoldError) as caught:
        table_of(code)
    assert caught.value.problems == (
        "line 2, return DenseLayer(InputLayer((None, args.features)), num_...: "
        "args.features is not defined in this text",
        "line 2, return DenseLayer(InputLayer((None, args.features)), num_...: "
        "num_classes is a parameter that no call gives a value (line 1)",
    )
    given = {"num_classes": 3, "args.features": 7}
    assert table_of(code, defined=given).total == (7 + 1) * 3


# What only running it would tell


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("l = DenseLayer(InputLayer((None, 7)), n)", "line 1, .*: n is not defined"),
        (
            "n = len(load())\n\nl = DenseLayer(\n  InputLayer((2, 7)),\n  num_units=n)",
            r"line 5, num_units=n\): load\(\) must be run to know \(line 1\)",
        ),
        (
            "l = InputLayer((None, 7))\nif flag:\n    l = DenseLayer(l, 3)\n"
            "l = DenseLayer(l, 2)",
            r"it depends on whether flag \(line 2\)",
        ),
        (
            "l = InputLayer((None, 7))\nif flag:\n    l = DenseLayer(l, 3)",
            "it depends on whether flag",
        ),
        (
            "l = InputLayer((None, 7))\nfor n in sizes:\n    l = DenseLayer(l, n)",
            "it depends on the loop over sizes",
        ),
        (
            "l = InputLayer((None, 7))\nwhile go():\n    l = DenseLayer(l, 3)",
            r"it depends on how often go\(\)",
        ),
        (
            "l = InputLayer((None, 7))\nfor n in [3, 4]:\n    if flag:\n        break\n"
            "    l = DenseLayer(l, n)",
            "it depends on whether flag",
        ),
        (
            "sizes = [3, 4]\nrandom.shuffle(sizes)\nl = InputLayer((None, 7))\n"
            "for n in sizes:\n    l = DenseLayer(l, n)",
            r"random.shuffle\(sizes\) must be run",
        ),
        ("l = DenseLayer(load_vgg(), 3)", r"load_vgg\(\) must be run to know"),
        (
            "l = DenseLayer(InputLayer((None, 7)), 10**10**10)",
            r"10\s?\*\*.* is too large",
        ),
        ("l = DenseLayer(InputLayer((None, 7)), 2**70)", "is too large"),
        ("l = DenseLayer(InputLayer((None, 7)), 1 // 0)", "fails: .*zero"),
        ("l = DenseLayer(InputLayer((None, 7)), {}['n'])", "there is no such entry"),
        (
            "l = DenseLayer(InputLayer((None, 7)), num_units=len)",
            "where a value is needed",
        ),
        ("l = DenseLayer(InputLayer((None, 7)), **options)", "it depends on options"),
        ("l = DenseLayer(*arguments)", "it depends on arguments"),
        ("l = DenseLayer(InputLayer((None, 7)), 3, b=biases)", "biases is not defined"),
        ("l = DenseLayer('in', 3)", "is fed by a str, where a layer or a shape"),
        (
            "l = DenseLayer(InputLayer((None, 7)), 1, 2, 3, 4, 5, 6, 7)",
            "takes 6 arguments",
        ),
        (
            "l = DenseLayer(InputLayer((None, 7)), 3, num_units=4)",
            "num_units is given twice",
        ),
        (
            "def f(n): return f(n)\nl = DenseLayer(InputLayer((None, 7)), f(1))",
            "too often",
        ),
        ("NeuralNet(layers=layers, conv_num_filters=3)", "layers is not defined"),
        ("NeuralNet(max_epochs=3)", "this NeuralNet is given no layers"),
        ("NeuralNet([('in', InputLayer), *more], in_shape=(None, 7))", "more is not"),
        (
            "NeuralNet([('in', InputLayer), ('d', DenseLayer)], in_shape=(None, 7),"
            "d_num_units=n)",
            "n is not defined",
        ),
        (
            "NeuralNet([('in', InputLayer), ('d', DenseLayer)], in_shape=(None, 7),"
            "de_num_units=4)",
            "no layer takes de_num_units",
        ),
        ("x = 3", "makes no layer of Lasagne"),
        ("", "makes no layer of Lasagne"),
    ],
)
def test_what_cannot_be_read_is_told(code, told):
    with pytest.raises(by_hand.DescriptionError, match=told) as caught:
        table_of(code)
    assert len(str(caught.value)) < 1000


def test_all_problems_are_told_at_once_but_not_too_many():
    code = "l = InputLayer((None, 7))\n" + "\n".join(
        f"l = DenseLayer(l, n{number})" for number in range(9)
    )
    with pytest.raises(by_hand.UntoldError) as caught:
        table_of(code)
    assert len(caught.value.problems) == 9
    assert str(caught.value).count("\n") == 6
    assert "and 4 more" in str(caught.value)


def test_what_no_layer_depends_on_does_not_matter():
    table = table_of(
        """\
        import theano
        X = load('data')[0]
        rng = np.random.RandomState(X.shape[0])
        if X.ndim == 2:
            X = X.reshape(-1, 1, 28, 28)
        l = DenseLayer(InputLayer((None, 7)), 3, nonlinearity=leaky, W=init_w)
        for layer in lasagne.layers.get_all_layers(l):
            print(layer.name, layer.output_shape)
        for l2 in helper.layers_of(l):
            l2.x = 3
        while not done(l):
            X = next(batches)
        with open('x') as file:
            np.savez(file, *lasagne.layers.get_all_param_values(l))
        """
    )
    assert table.total == (7 + 1) * 3


# No Python


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("x = 1\ndef f(:\n    pass\n", r"line 2, def f\(:: this is no Python"),
        (
            "net = NeuralNet(\n    layers=[('input', InputLayer)],\n",
            r"line 1, net = NeuralNet\(: .*'\(' was never closed",
        ),
        ("l = DenseLayer(l 3)", "line 1, .*: this is no Python"),
        ("x = (1 +\n", "this is no Python"),
        ("print 'x'\nl = DenseLayer(l 3)", "line 2, .*: this is no Python"),
        (
            "if x:\nl = 3",
            "line 2, l = 3: this is no Python: expected an indented block",
        ),
    ],
)
@pytest.mark.parametrize("form", [None, "python"])
def test_a_syntax_error_is_told_with_its_line(code, told, form):
    with pytest.raises(by_hand.DescriptionError, match=told):
        read_text(code, form=form)


def test_prose_alone_holds_no_network():
    with pytest.raises(by_hand.DescriptionError, match="this is no Python|no layer"):
        read_text("How is this number calculated?\nI do not know (really.\n")


# Hostile


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "(" * 100_000,
        "-" * 100_000 + "1",
        "not " * 50_000 + "1",
        "1" + "+1" * 100_000,
        "a" + ".b" * 100_000,
        "a" + "()" * 50_000,
        "l = " + "DenseLayer(" * 150 + "x" + ", 3)" * 150,
        "lambda: " * 50_000 + "1",
        "if a:\n pass\n" + "elif b:\n pass\n" * 20_000,
        "".join(" " * depth + "if 1:\n" for depth in range(99)) + " " * 99 + "x = 1",
        "x = 'a'\n" + "x = x + x\n" * 100,
        "x = [1]\n" + "x = x + x\n" * 100,
        "x = [1]\n" + "x = [x, x]\n" * 100 + "y = x == [x, x]\nz = str(x)\n",
        "x = {}\n" + "x = {1: x, 2: x}\n" * 100 + "d = {}\nd[x] = 1\n",
        "x = 10 ** 10 ** 10\ny = 1 << 10 ** 10\nz = 'a' * 10 ** 10\nw = [0] * 10 ** 10",
        "x = '%1000000000d' % 1\ny = '{:>1000000000}'.format(1)\nz = f'{1:>10000000}'",
        "x = '{0.__class__.__mro__}'.format(1)\ny = '{x[a]}'.format(x=1)\n",
        "while True:\n    x = 1\n",
        "for i in range(10 ** 18):\n    x = i\n",
        "for i in range(10 ** 6):\n    for j in range(10 ** 6):\n        pass\n",
        "x = [1]\nfor i in x:\n    x.append(i)\n",
        "x = [i for i in range(10**9)]\ny = list(range(10**9))\nz = sum(range(10**9))",
        "def f():\n    return f()\nf()\n",
        "f = lambda g: g(g)\nf(f)\n",
        "def f(n):\n    f(n - 1)\n    f(n - 1)\nf(100)\n",
        "l = InputLayer((None, 3))\nwhile True:\n    l = DenseLayer(l, 3)\n",
        "l = InputLayer((None, 3))\nl = l.a.b.c.d(l)[l](**l)\n",
        "l = InputLayer(*[3] * 10 ** 6)\n",
        "class A(A): pass\nA()\n",
        "break\n",
        "if x:\n    continue\nreturn 1\n",
        "def f():\n    if x: break\nf()\nclass A:\n    return 3\n",
        "class A: pass\nA.x = A\nA().x.x.x()\n",
        "x = []\nx.append(x)\ny = x == x\nl = InputLayer(x)\n",
        "l = DenseLayer(InputLayer((None, 3)), 3)\nl.input_layer = l\nl.inputs = [l]\n",
        "__import__('os').system('false')\nexec('1')\neval('1')\nopen('/dev/null')\n",
        "\ufeffl = DenseLayer(InputLayer((None, 3)), 3, name='\ud800')",
        "l = DenseLayer(InputLayer((None, 3)), 3, name='<script>{0.__class__}%n')",
        "(" * 50 + "\n" + "text (\n" * 30_000,
        "a\tb (\n" * 20_000 + "l = DenseLayer(x, 3)\n",
    ],
    ids=lambda text: text[:30].replace("\n", " "),
)
def test_hostile_text_is_refused_or_read_in_time(text):
    with suppress(by_hand.HandCalculationError):
        str(by_hand.calculate(read_text(text, form="python")))
    with suppress(by_hand.HandCalculationError):
        str(by_hand.calculate(read_text(text)))


@pytest.mark.parametrize(
    "work",
    [
        "b = copy.deepcopy(many)",
        "b = many == many",
        "b = sorted(some, key=lambda k: -k)",
        "b = some.sort(); c = max(some), sum(some)",
        "b = some.count(3), some.index(89999), 89999 in some, some[:]",
        "b = set(some) | set(some)",
        "b = dict(zip(some, some)).items()",
        "many.append(1)",
        "some.insert(0, 1)",
    ],
)
def test_long_work_done_often_is_left(work):
    code = (
        "import copy\nl = DenseLayer(InputLayer((None, 3)), 3)\n"
        "some = list(range(90000))\nmany = [[i] * 90 for i in range(100)]\n"
        f"for i in range(10 ** 6):\n    {work}\n"
    )
    before = time.process_time()
    with suppress(by_hand.UntoldError):
        assert table_of(code).total == (3 + 1) * 3
    assert time.process_time() - before < 5


def test_classes_of_many_bases_line_up_in_time():
    code = "class C0: n = 3\n" + "".join(
        f"class A{i}(C{i - 1}): pass\nclass B{i}(C{i - 1}): pass\n"
        f"class C{i}(A{i}, B{i}): pass\n"
        for i in range(1, 40)
    )
    table = table_of(f"{code}l = DenseLayer(InputLayer((None, 3)), C39().n)")
    assert table.total == (3 + 1) * 3


def test_nothing_of_the_code_is_run(tmp_path):
    victim = tmp_path / "victim"
    code = f"""
open({str(victim)!r}, 'w').write('x')
exec("open({str(victim)!r}, 'w')")
class Meta(type):
    def __call__(self, *a):
        open({str(victim)!r}, 'w')
class A(metaclass=Meta): pass
A()
l = DenseLayer(InputLayer((None, 3)), 3)
"""
    assert table_of(code).total == (3 + 1) * 3
    assert not victim.exists()


def test_a_thousand_layers():
    code = "l = InputLayer((None, 3))\n" + "l = DenseLayer(l, num_units=3)\n" * 999
    table = table_of(code)
    assert table.total == 999 * (3 + 1) * 3


in_time = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

PIECES = st.sampled_from(
    [
        *(
            "l",
            "n",
            "3",
            "None",
            "(",
            ")",
            "[",
            "]",
            "{",
            "}",
            ",",
            "=",
            ".",
            ":",
            "\n",
        ),
        *("*", "**", "+", "-", "%", "==", "if ", "for i in ", "def f(l):", "return "),
        *(
            "InputLayer",
            "DenseLayer",
            "NeuralNet",
            "layers",
            "batch_norm",
            "'a'",
            "    ",
        ),
        *("'%d'", "range(3)", "lambda x: ", "class A(DenseLayer):", "while n:", "l.W"),
    ]
)


def mutations(text):
    """The text with some pieces replaced."""
    return st.lists(
        st.tuples(st.integers(0, len(text)), st.integers(0, 8), PIECES), max_size=4
    ).map(lambda changes: mutate(text, changes))


def mutate(text, changes):
    for place, length, piece in changes:
        text = text[:place] + piece + text[place + length :]
    return text


@in_time
@given(
    st.sampled_from([*NAMED.values(), *UNNAMED.values(), SEVERAL])
    .map(textwrap.dedent)
    .flatmap(mutations)
)
def test_mutated_code_gives_tables_or_the_declared_error(text):
    with suppress(by_hand.HandCalculationError):
        for found in find_networks(text):
            with suppress(by_hand.HandCalculationError):
                str(by_hand.calculate(read_text(text, found.name)))


@in_time
@given(st.lists(PIECES | st.text(max_size=4), max_size=30).map("".join))
def test_any_text_gives_a_table_or_the_declared_error(text):
    with suppress(by_hand.HandCalculationError):
        str(by_hand.calculate(read_text(text)))


# Facts that are kept here


@pytest.mark.filterwarnings("ignore")
def test_positions_are_those_of_the_installed_lasagne():
    import lasagne

    checked = 0
    for module in ("conv", "dense", "noise", "pool", "shape", "merge", "recurrent"):
        source = Path(lasagne.__file__).parent / "layers" / f"{module}.py"
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.ClassDef) or positions_of(node.name) is None:
                continue
            for member in node.body:
                if isinstance(member, ast.FunctionDef) and member.name == "__init__":
                    given = [one.arg for one in member.args.args[1:]]
                    known = positions_of(node.name)[: len(given)]
                    # Lasagne 0.2 has flip_filters in its place.
                    if "convolution" in given:
                        given, known = given[:-1], known[: len(given) - 1]
                    assert list(known) == given, node.name
                    checked += 1
    assert checked >= 20
