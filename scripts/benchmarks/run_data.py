"""Writes MNIST's training images and labels as .npy files."""

import job as jobs
import numpy

from mnist_cnn import load_mnist

job = jobs.read()
mnist = load_mnist("auto", job["data_dir"])
numpy.save(job["images"], mnist.train_images)
numpy.save(job["labels"], mnist.train_labels)
jobs.write({"source": mnist.source, "images": len(mnist.train_labels)})
