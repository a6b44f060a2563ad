"""Convolution as a product of matrices: the GPU's Ops, computed on the CPU."""

from theano.tensor.nnet import abstract_conv

__all__ = [
    "GpuCorr3dMM",
    "GpuCorr3dMM_gradInputs",
    "GpuCorr3dMM_gradWeights",
    "GpuCorrMM",
    "GpuCorrMM_gradInputs",
    "GpuCorrMM_gradWeights",
]


class _Correlation:
    """What the Ops below keep until they are called. They do not turn filters.

    ``pad`` is the earlier name of ``border_mode``.
    """

    def __init__(
        self,
        border_mode="valid",
        subsample=None,
        filter_dilation=None,
        num_groups=1,
        unshared=False,
        pad=None,
    ):
        if pad is not None and pad != 0 and pad != (0,) * self.axes:
            border_mode = pad
        self.options = {
            "border_mode": border_mode,
            "subsample": subsample or (1,) * self.axes,
            "filter_flip": False,
            "filter_dilation": filter_dilation or (1,) * self.axes,
            "num_groups": num_groups,
        }
        if self.axes == 2:
            self.options["unshared"] = unshared


class GpuCorrMM(_Correlation):
    """Cross-correlate images with filters; called with both."""

    axes = 2

    def __call__(self, img, kern):
        return abstract_conv.AbstractConv2d(**self.options)(img, kern)


class GpuCorrMM_gradWeights(_Correlation):
    """Called with images, the output's gradient, and the filters' size where the
    steps do not tell it.
    """

    axes = 2

    def __call__(self, img, topgrad, shape=None):
        if shape is None:
            shape = self._size(img, topgrad)
        op = abstract_conv.AbstractConv2d_gradWeights(**self.options)
        return op(img, topgrad, shape)

    def _size(self, img, topgrad):
        if self.options["border_mode"] != "valid":
            raise ValueError("GpuCorrMM_gradWeights needs the shape of the filters")
        return [
            img.shape[axis] - (topgrad.shape[axis] - 1) * step
            for axis, step in enumerate(self.options["subsample"], start=2)
        ]


class GpuCorrMM_gradInputs(_Correlation):
    """Called with filters, the output's gradient, and the images' size where the
    steps do not tell it.
    """

    axes = 2

    def __call__(self, kern, topgrad, shape=None):
        if shape is None:
            shape = self._size(kern, topgrad)
        op = abstract_conv.AbstractConv2d_gradInputs(**self.options)
        return op(kern, topgrad, shape)

    def _size(self, kern, topgrad):
        if self.options["border_mode"] != "valid":
            raise ValueError("GpuCorrMM_gradInputs needs the shape of the images")
        return [
            (topgrad.shape[axis] - 1) * step + kern.shape[axis]
            for axis, step in enumerate(self.options["subsample"], start=2)
        ]


class GpuCorr3dMM(_Correlation):
    """Cross-correlate images of three dimensions with filters; called with both."""

    axes = 3

    def __call__(self, img, kern):
        return abstract_conv.AbstractConv3d(**self.options)(img, kern)


class GpuCorr3dMM_gradWeights(_Correlation):
    """Called with images, the output's gradient and the filters' size."""

    axes = 3

    def __call__(self, img, topgrad, shape):
        op = abstract_conv.AbstractConv3d_gradWeights(**self.options)
        return op(img, topgrad, shape)


class GpuCorr3dMM_gradInputs(_Correlation):
    """Called with filters, the output's gradient and the images' size."""

    axes = 3

    def __call__(self, kern, topgrad, shape):
        op = abstract_conv.AbstractConv3d_gradInputs(**self.options)
        return op(kern, topgrad, shape)
