"""The distribution ``Theano`` 1.0.5+pytensor: Theano's API, served by PyTensor."""

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
    return re.search(r'^version = "(.+)"$', read("theano/version.py"), re.M)[1]


setup(
    name="Theano",
    version=read_version(),
    description="Theano's API on PyTensor, its maintained descendant",
    long_description=read("README.md"),
    long_description_content_type="text/markdown",
    author="the mnist_cnn authors",
    license_expression="MIT",
    classifiers=[
        "Development Status :: 4 - Beta",
        "Intended Audience :: Science/Research",
        "Operating System :: OS Independent",
        "Programming Language :: Python :: 3 :: Only",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Programming Language :: Python :: 3.14",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Topic :: Scientific/Engineering :: Mathematics",
    ],
    packages=find_packages(
        include=["theano", "theano.*", "pytensor_nnet", "pytensor_nnet.*"]
    ),
    zip_safe=False,
    python_requires=">=3.11,<3.15",
    install_requires=[
        # Compiles the kernels; PyTensor brings it, too.
        "llvmlite>=0.44",
        "numpy>=2,<3",
        "pytensor>=3.0.7,<4",
        # Sets the number of threads of BLAS.
        "threadpoolctl>=3.5,<4",
    ],
    cmdclass={"build_py": BuildFromNothing},
)
