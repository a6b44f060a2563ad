"""Products with matrices of which only some blocks are used."""

import pytensor.tensor as pt

__all__ = ["sparse_block_dot"]


def sparse_block_dot(W, h, inputIdx, b, outputIdx):
    """Chosen blocks of ``dot(h, W) + b``.

    Parameters
    ----------
    W : tensor of shape (input blocks, output blocks, input size, output size)
    h : tensor of shape (batch, chosen inputs, input size)
        Or without the batch, as then all below.
    inputIdx : tensor of integers of shape (batch, chosen inputs)
        Which input block each row of ``h`` is.
    b : tensor of shape (output blocks, output size)
    outputIdx : tensor of integers of shape (batch, chosen outputs)
        Which output blocks are computed.

    Returns
    -------
    tensor of shape (batch, chosen outputs, output size)
    """
    W, h, b = (pt.as_tensor_variable(x) for x in (W, h, b))
    inputIdx, outputIdx = (pt.as_tensor_variable(i) for i in (inputIdx, outputIdx))
    if (
        inputIdx.type.ndim != h.type.ndim - 1
        or outputIdx.type.ndim != inputIdx.type.ndim
    ):
        raise ValueError(
            f"h has {h.type.ndim} dimensions, so inputIdx and outputIdx must have one "
            f"less; they have {inputIdx.type.ndim} and {outputIdx.type.ndim}"
        )
    single = h.type.ndim == 2
    if single:
        h, inputIdx, outputIdx = h[None], inputIdx[None], outputIdx[None]
    blocks = W[inputIdx[:, :, None], outputIdx[:, None, :]]
    out = b[outputIdx] + pt.sum(h[:, :, None, :, None] * blocks, axis=(1, 3))
    return out[0] if single else out
