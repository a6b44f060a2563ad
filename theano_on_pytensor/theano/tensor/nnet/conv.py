"""``conv2d`` as it was before ``theano.tensor.nnet.conv2d`` took its place."""

from theano.tensor.nnet import abstract_conv
from theano.tensor.nnet.abstract_conv import get_conv_output_shape

__all__ = ["ConvOp", "conv2d"]


def conv2d(
    input,
    filters,
    image_shape=None,
    filter_shape=None,
    border_mode="valid",
    subsample=(1, 1),
    **kwargs,
):
    """Convolve images with filters; see :func:`theano.tensor.nnet.conv2d`.

    ``border_mode`` is ``'valid'`` or ``'full'`` here, and the images may have any
    dtype that the filters have.
    """
    return abstract_conv.conv2d(
        input,
        filters,
        input_shape=image_shape,
        filter_shape=filter_shape,
        border_mode=border_mode,
        subsample=subsample,
        **kwargs,
    )


class ConvOp:
    """What programs asked of Theano's first convolution Op: the output's size."""

    @staticmethod
    def getOutputShape(inshp, kshp, stride=(1, 1), mode="valid"):
        """``(rows, columns)`` of the output, from those of image and filter.

        >>> ConvOp.getOutputShape((28, 28), (5, 5))
        (24, 24)
        """
        shape = get_conv_output_shape(
            (None, None, *inshp), (None, None, *kshp), mode, stride
        )
        return shape[2:]
