"""The distribution ``mnist-cnn``: the experiment and its command."""

import re
import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).resolve().parent


class BuildFromNothing(build_py):
    """Builds in an emptied folder: a module deleted since must not come back."""

    def run(self):
        if not self.editable_mode:
            shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()


def read(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def read_version() -> str:
    return re.search(r'^__version__ = "(.+)"$', read("mnist_cnn/__init__.py"), re.M)[1]


setup(
    name="mnist-cnn",
    version=read_version(),
    description=(
        "Counts the learnable parameters of a convolutional network by hand, "
        "and trains it with the Lasagne and nolearn of 2015 on today's Python"
    ),
    long_description=read("README.md"),
    long_description_content_type="text/markdown",
    author="the mnist_cnn authors",
    license_expression="MIT",
    license_files=["LICENSE", "NOTICE"],
    classifiers=[
        "Development Status :: 4 - Beta",
        "Environment :: Console",
        "Intended Audience :: Education",
        "Intended Audience :: Science/Research",
        "Operating System :: OS Independent",
        "Programming Language :: Python :: 3 :: Only",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Programming Language :: Python :: 3.14",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
    ],
    packages=find_packages(include=["mnist_cnn", "mnist_cnn.*"]),
    package_data={
        "mnist_cnn.by_hand": ["table.schema.json"],
        "mnist_cnn.explorer": ["static/*"],
    },
    zip_safe=False,
    python_requires=">=3.11,<3.15",
    install_requires=[
        # The local version keeps pip from taking the genuine Theano.
        "Theano==1.0.5+pytensor",
        "Lasagne==0.1",
        "nolearn==0.6.1",
        "bottle>=0.13,<1",
        "mlxtend>=0.23,<1",
        "numpy>=2,<3",
        "pillow>=10.4",
        "platformdirs>=4",
        "pooch>=1.8,<2",
        "scikit-learn>=1.6,<2",
        # Sets nolearn's tables, which are read back.
        "tabulate>=0.9,<1",
        "tqdm>=4.66,<5",
    ],
    entry_points={"console_scripts": ["mnist-cnn = mnist_cnn.cli:main"]},
    cmdclass={"build_py": BuildFromNothing},
)
