"""Which keyword of a Lasagne layer each position of its constructor stands for.

Facts of Lasagne 0.2.dev1; where 0.1 has fewer arguments, they are the first ones.
"""

from __future__ import annotations

_RECURRENT = (
    "nonlinearity hid_init backwards learn_init gradient_steps grad_clipping "
    "unroll_scan precompute_input mask_input only_return_final"
)
_CONV = (
    "incoming num_filters filter_size stride pad untie_biases W b nonlinearity "
    "flip_filters"
)
_TRANSPOSED = _CONV.replace("pad", "crop") + " output_size"
_POOL = "incoming pool_size stride pad ignore_border"
_NIN = "incoming num_units untie_biases W b nonlinearity"
_BATCH_NORM = "incoming axes epsilon alpha beta gamma mean inv_std"

_POSITIONS = {
    "BatchNormDNNLayer": _BATCH_NORM,
    "BatchNormLayer": _BATCH_NORM,
    "BiasLayer": "incoming b shared_axes",
    "ConcatLayer": "incomings axis cropping",
    "Conv1DLayer": _CONV,
    "Conv2DCCLayer": "incoming num_filters filter_size stride pad untie_biases W b "
    "nonlinearity dimshuffle flip_filters partial_sum",
    "Conv2DDNNLayer": f"{_CONV} num_groups",
    "Conv2DLayer": _CONV,
    "Conv2DMMLayer": f"{_CONV} num_groups",
    "Conv3DDNNLayer": f"{_CONV} num_groups",
    "Conv3DLayer": _CONV,
    "CustomRecurrentLayer": f"incoming input_to_hidden hidden_to_hidden {_RECURRENT}",
    "Deconv2DLayer": _TRANSPOSED,
    "Deconv3DLayer": _TRANSPOSED,
    "DenseLayer": "incoming num_units W b nonlinearity num_leading_axes",
    "DilatedConv2DLayer": _CONV.replace("stride", "dilation"),
    "DimshuffleLayer": "incoming pattern",
    "DropoutLayer": "incoming p rescale shared_axes",
    "ElemwiseMergeLayer": "incomings merge_function cropping",
    "ElemwiseSumLayer": "incomings coeffs cropping",
    "EmbeddingLayer": "incoming input_size output_size W",
    "ExpressionLayer": "incoming function output_shape",
    "FeaturePoolLayer": "incoming pool_size axis pool_function",
    "FeatureWTALayer": "incoming pool_size axis",
    "FlattenLayer": "incoming outdim",
    "GRULayer": "incoming num_units resetgate updategate hidden_update hid_init "
    "backwards learn_init gradient_steps grad_clipping unroll_scan precompute_input "
    "mask_input only_return_final",
    "GaussianNoiseLayer": "incoming sigma",
    "GlobalPoolLayer": "incoming pool_function",
    "InputLayer": "shape input_var name",
    "InverseLayer": "incoming layer",
    "LSTMLayer": "incoming num_units ingate forgetgate cell outgate nonlinearity "
    "cell_init hid_init backwards learn_init peepholes gradient_steps grad_clipping "
    "unroll_scan precompute_input mask_input only_return_final",
    "LocalResponseNormalization2DLayer": "incoming alpha k beta n",
    "LocallyConnected2DLayer": f"{_CONV} channelwise",
    "MaxPool1DLayer": _POOL,
    "MaxPool2DCCLayer": "incoming pool_size stride ignore_border dimshuffle",
    "MaxPool2DDNNLayer": _POOL,
    "MaxPool2DLayer": _POOL,
    "MaxPool3DDNNLayer": _POOL,
    "MaxPool3DLayer": _POOL,
    "NINLayer": _NIN,
    "NINLayer_c01b": _NIN,
    "NonlinearityLayer": "incoming nonlinearity",
    "PadLayer": "incoming width val batch_ndim",
    "ParametricRectifierLayer": "incoming alpha shared_axes",
    "Pool1DLayer": f"{_POOL} mode",
    "Pool2DDNNLayer": f"{_POOL} mode",
    "Pool2DLayer": f"{_POOL} mode",
    "Pool3DDNNLayer": f"{_POOL} mode",
    "Pool3DLayer": f"{_POOL} mode",
    "RandomizedRectifierLayer": "incoming lower upper shared_axes",
    "RecurrentLayer": f"incoming num_units W_in_to_hid W_hid_to_hid b {_RECURRENT}",
    "ReshapeLayer": "incoming shape",
    "ScaleLayer": "incoming scales shared_axes",
    "SliceLayer": "incoming indices axis",
    "SpatialPyramidPoolingDNNLayer": "incoming pool_dims mode",
    "SpatialPyramidPoolingLayer": "incoming pool_dims mode implementation",
    "StandardizationLayer": "incoming axes epsilon",
    "TPSTransformerLayer": "incoming localization_network downsample_factor "
    "control_points precompute_grid border_mode",
    "TransformerLayer": "incoming localization_network downsample_factor border_mode",
    "TransposedConv2DLayer": _TRANSPOSED,
    "TransposedConv3DLayer": _TRANSPOSED,
    "Upscale1DLayer": "incoming scale_factor mode",
    "Upscale2DLayer": "incoming scale_factor mode",
    "Upscale3DLayer": "incoming scale_factor mode",
}

NET_POSITIONS = (
    *("layers", "update", "loss", "objective", "objective_loss_function"),
    *("batch_iterator_train", "batch_iterator_test", "regression", "max_epochs"),
)
"""Of nolearn's ``NeuralNet``, as far as anybody uses them by position."""


def positions_of(layer_type: str) -> tuple[str, ...] | None:
    """The keywords of a constructor in order; None for a class that is not Lasagne's.

    >>> positions_of("DropoutLayer")
    ('incoming', 'p', 'rescale', 'shared_axes')
    """
    known = _POSITIONS.get(layer_type)
    return None if known is None else tuple(known.split())
