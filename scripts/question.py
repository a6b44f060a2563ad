"""The question's program: its network, trained on MNIST with Lasagne and nolearn.

The NeuralNet call is that of https://stackoverflow.com/questions/42786717, keyword
for keyword (CC BY-SA, see NOTICE); what is around it is what such a program needed.
"""

import sys

try:
    import lasagne
    from lasagne import layers
    from lasagne.updates import momentum
    from nolearn.lasagne import NeuralNet

    from mnist_cnn.dataset import load_mnist
except ModuleNotFoundError as error:
    print(
        f"{error}: mnist-cnn is not installed for {sys.executable}.\n"
        "In the project's folder,\n"
        "    python -m pip install -r requirements.txt\n"
        "installs it; python scripts/reproduce does so in .venv, whose Python can "
        "run this then.",
        file=sys.stderr,
    )
    sys.exit(2)

try:
    data = load_mnist()
except ValueError as error:
    print(error, file=sys.stderr)
    sys.exit(2)
print(data.source)
if data.notice:
    print(data.notice)

net = NeuralNet(
    layers=[
        ("input", layers.InputLayer),  # Input Layer
        ("conv2d1", layers.Conv2DLayer),  # Convolutional Layer
        ("maxpool1", layers.MaxPool2DLayer),  # 2D Max Pooling Layer
        ("conv2d2", layers.Conv2DLayer),  # Convolutional Layer
        ("maxpool2", layers.MaxPool2DLayer),  # 2D Max Pooling Layer
        ("dense", layers.DenseLayer),  # Fully connected layer
        ("output", layers.DenseLayer),  # Output Layer
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
    update=momentum,
    update_learning_rate=0.01,
    update_momentum=0.9,
    max_epochs=10,
    verbose=1,
)
net.fit(data.train_images, data.train_labels)

accuracy = net.score(data.test_images, data.test_labels)
print(f"Test accuracy: {accuracy:.4f}")
if data.notice:
    print(data.notice)
