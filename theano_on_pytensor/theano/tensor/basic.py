"""Variables, constants and the functions on them."""

import numpy as np
import pytensor.tensor as pt
from pytensor.tensor import abs as abs_
from pytensor.tensor import (
    add,
    all,
    allclose,
    alloc,
    and_,
    any,
    arange,
    arccos,
    arccosh,
    arcsin,
    arcsinh,
    arctan,
    arctan2,
    arctanh,
    argmin,
    argsort,
    bcol,
    bitwise_and,
    bitwise_not,
    bitwise_or,
    bitwise_xor,
    bmatrix,
    brow,
    bscalar,
    btensor3,
    btensor4,
    btensor5,
    btensor6,
    btensor7,
    bvector,
    cast,
    ccol,
    ceil,
    ceil_intdiv,
    choose,
    clip,
    cmatrix,
    cols,
    complex,
    complex_from_polar,
    complex_matrix_types,
    complex_scalar_types,
    complex_types,
    complex_vector_types,
    concatenate,
    constant,
    cos,
    cosh,
    cov,
    crow,
    cscalar,
    ctensor3,
    ctensor4,
    ctensor5,
    ctensor6,
    ctensor7,
    cvector,
    dcol,
    dcols,
    deg2rad,
    diag,
    diagonal,
    divmod,
    dmatrices,
    dmatrix,
    dot,
    drow,
    drows,
    dscalar,
    dscalars,
    dtensor3,
    dtensor3s,
    dtensor4,
    dtensor4s,
    dtensor5,
    dtensor5s,
    dtensor6,
    dtensor6s,
    dtensor7,
    dtensor7s,
    dvector,
    dvectors,
    eq,
    erf,
    erfc,
    erfcinv,
    erfcx,
    erfinv,
    exp,
    exp2,
    expm1,
    eye,
    fcol,
    fcols,
    fill,
    flatnonzero,
    float_matrix_types,
    float_scalar_types,
    float_types,
    float_vector_types,
    floor,
    floor_div,
    fmatrices,
    fmatrix,
    frow,
    frows,
    fscalar,
    fscalars,
    ftensor3,
    ftensor3s,
    ftensor4,
    ftensor4s,
    ftensor5,
    ftensor5s,
    ftensor6,
    ftensor6s,
    ftensor7,
    ftensor7s,
    fvector,
    fvectors,
    gamma,
    gammainc,
    gammaincc,
    gammal,
    gammaln,
    gammau,
    ge,
    get_vector_length,
    gt,
    horizontal_stack,
    i0,
    i1,
    icol,
    icols,
    identity_like,
    imag,
    imatrices,
    imatrix,
    int_div,
    int_matrix_types,
    int_scalar_types,
    int_types,
    int_vector_types,
    inverse_permutation,
    invert,
    iround,
    irow,
    irows,
    is_flat,
    iscalar,
    iscalars,
    isclose,
    isinf,
    isnan,
    itensor3,
    itensor3s,
    itensor4,
    itensor4s,
    itensor5,
    itensor5s,
    itensor6,
    itensor6s,
    itensor7,
    itensor7s,
    iv,
    ivector,
    ivectors,
    j0,
    j1,
    join,
    jv,
    largest,
    lcol,
    lcols,
    le,
    lmatrices,
    lmatrix,
    log,
    log1p,
    log2,
    log10,
    lrow,
    lrows,
    lscalar,
    lscalars,
    lt,
    ltensor3,
    ltensor3s,
    ltensor4,
    ltensor4s,
    ltensor5,
    ltensor5s,
    ltensor6,
    ltensor6s,
    ltensor7,
    ltensor7s,
    lvector,
    lvectors,
    matrices,
    max,
    maximum,
    mgrid,
    min,
    minimum,
    mod,
    mul,
    neg,
    neq,
    nonzero,
    nonzero_values,
    ogrid,
    ones,
    ones_like,
    or_,
    outer,
    permute_row_elements,
    pow,
    power,
    prod,
    psi,
    ptp,
    rad2deg,
    real,
    reshape,
    roll,
    round,
    round_half_away_from_zero,
    round_half_to_even,
    rows,
    scalar_from_tensor,
    scalars,
    second,
    shape,
    shape_padaxis,
    shape_padleft,
    shape_padright,
    sin,
    sinh,
    smallest,
    sort,
    specify_shape,
    sqr,
    sqrt,
    square,
    stacklists,
    sub,
    sum,
    swapaxes,
    switch,
    tan,
    tanh,
    tensor3s,
    tensor4s,
    tensor5s,
    tensor6s,
    tensor7s,
    tensor_copy,
    tensor_from_scalar,
    tensordot,
    transfer,
    transpose,
    tri,
    tri_gamma,
    tril,
    triu,
    true_div,
    trunc,
    vectors,
    vertical_stack,
    wcol,
    where,
    wrow,
    wscalar,
    wtensor3,
    wtensor4,
    wtensor5,
    wtensor6,
    wtensor7,
    wvector,
    xor,
    zcol,
    zeros,
    zeros_like,
    zmatrix,
    zrow,
    zscalar,
    ztensor3,
    ztensor4,
    ztensor5,
    ztensor6,
    ztensor7,
    zvector,
)
from pytensor.tensor import reciprocal as inv
from pytensor.tensor import sign as sgn
from pytensor.tensor.basic import (
    Alloc,
    AllocDiag,
    AllocEmpty,
    ARange,
    Choose,
    ExtractDiag,
    Eye,
    Join,
    Nonzero,
    PermuteRowElements,
    ScalarFromTensor,
    Split,
    TensorFromScalar,
    get_underlying_scalar_constant_value,
    register_transfer,
)
from pytensor.tensor.exceptions import NotScalarConstantError, ShapeError
from pytensor.tensor.math import Argmax, Dot, isinf_, isnan_
from pytensor.tensor.shape import Reshape, Shape, SpecifyShape, specify_broadcastable
from pytensor.tensor.type import (
    all_dtypes,
    complex_dtypes,
    continuous_dtypes,
    discrete_dtypes,
    float_dtypes,
    int_dtypes,
    integer_dtypes,
    uint_dtypes,
)
from pytensor.tensor.variable import TensorConstant

from pytensor_nnet.ops.unbroadcast import unbroadcast as _unbroadcast
from theano.tensor.type import TensorType

__all__ = [
    "ARange",
    "Alloc",
    "AllocDiag",
    "AllocEmpty",
    "Argmax",
    "AsTensorError",
    "Choose",
    "Dot",
    "ExtractDiag",
    "Eye",
    "Join",
    "Nonzero",
    "NotScalarConstantError",
    "PermuteRowElements",
    "Reshape",
    "ScalarFromTensor",
    "Shape",
    "ShapeError",
    "SpecifyShape",
    "Split",
    "Tensor",
    "TensorConstant",
    "TensorFromScalar",
    "TensorType",
    "abs_",
    "add",
    "addbroadcast",
    "all",
    "all_dtypes",
    "allclose",
    "alloc",
    "and_",
    "angle",
    "any",
    "arange",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "argmax",
    "argmin",
    "argsort",
    "as_tensor",
    "as_tensor_variable",
    "batched_dot",
    "batched_tensordot",
    "bcol",
    "bitwise_and",
    "bitwise_not",
    "bitwise_or",
    "bitwise_xor",
    "bmatrix",
    "brow",
    "bscalar",
    "btensor3",
    "btensor4",
    "btensor5",
    "btensor6",
    "btensor7",
    "bvector",
    "cast",
    "ccol",
    "ceil",
    "ceil_intdiv",
    "chi2sf",
    "choose",
    "clip",
    "cmatrix",
    "col",
    "cols",
    "complex",
    "complex_dtypes",
    "complex_from_polar",
    "complex_matrix_types",
    "complex_scalar_types",
    "complex_types",
    "complex_vector_types",
    "concatenate",
    "conj",
    "constant",
    "continuous_dtypes",
    "cos",
    "cosh",
    "cov",
    "crow",
    "cscalar",
    "ctensor3",
    "ctensor4",
    "ctensor5",
    "ctensor6",
    "ctensor7",
    "cvector",
    "dcol",
    "dcols",
    "deg2rad",
    "diag",
    "diagonal",
    "discrete_dtypes",
    "divmod",
    "dmatrices",
    "dmatrix",
    "dot",
    "drow",
    "drows",
    "dscalar",
    "dscalars",
    "dtensor3",
    "dtensor3s",
    "dtensor4",
    "dtensor4s",
    "dtensor5",
    "dtensor5s",
    "dtensor6",
    "dtensor6s",
    "dtensor7",
    "dtensor7s",
    "dvector",
    "dvectors",
    "eq",
    "erf",
    "erfc",
    "erfcinv",
    "erfcx",
    "erfinv",
    "exp",
    "exp2",
    "expm1",
    "eye",
    "fcol",
    "fcols",
    "fill",
    "flatnonzero",
    "flatten",
    "float_dtypes",
    "float_matrix_types",
    "float_scalar_types",
    "float_types",
    "float_vector_types",
    "floor",
    "floor_div",
    "fmatrices",
    "fmatrix",
    "frow",
    "frows",
    "fscalar",
    "fscalars",
    "ftensor3",
    "ftensor3s",
    "ftensor4",
    "ftensor4s",
    "ftensor5",
    "ftensor5s",
    "ftensor6",
    "ftensor6s",
    "ftensor7",
    "ftensor7s",
    "fvector",
    "fvectors",
    "gamma",
    "gammainc",
    "gammaincc",
    "gammal",
    "gammaln",
    "gammau",
    "ge",
    "get_scalar_constant_value",
    "get_vector_length",
    "gt",
    "horizontal_stack",
    "i0",
    "i1",
    "icol",
    "icols",
    "identity_like",
    "imag",
    "imatrices",
    "imatrix",
    "int_div",
    "int_dtypes",
    "int_matrix_types",
    "int_scalar_types",
    "int_types",
    "int_vector_types",
    "integer_dtypes",
    "inv",
    "inverse_permutation",
    "invert",
    "iround",
    "irow",
    "irows",
    "is_flat",
    "iscalar",
    "iscalars",
    "isclose",
    "isinf",
    "isinf_",
    "isnan",
    "isnan_",
    "itensor3",
    "itensor3s",
    "itensor4",
    "itensor4s",
    "itensor5",
    "itensor5s",
    "itensor6",
    "itensor6s",
    "itensor7",
    "itensor7s",
    "iv",
    "ivector",
    "ivectors",
    "j0",
    "j1",
    "join",
    "jv",
    "largest",
    "lcol",
    "lcols",
    "le",
    "lmatrices",
    "lmatrix",
    "log",
    "log10",
    "log1p",
    "log2",
    "lrow",
    "lrows",
    "lscalar",
    "lscalars",
    "lt",
    "ltensor3",
    "ltensor3s",
    "ltensor4",
    "ltensor4s",
    "ltensor5",
    "ltensor5s",
    "ltensor6",
    "ltensor6s",
    "ltensor7",
    "ltensor7s",
    "lvector",
    "lvectors",
    "matrices",
    "matrix",
    "max",
    "max_and_argmax",
    "maximum",
    "mean",
    "mgrid",
    "min",
    "minimum",
    "mod",
    "mul",
    "neg",
    "neq",
    "nonzero",
    "nonzero_values",
    "ogrid",
    "ones",
    "ones_like",
    "or_",
    "outer",
    "patternbroadcast",
    "permute_row_elements",
    "pow",
    "power",
    "prod",
    "psi",
    "ptp",
    "rad2deg",
    "real",
    "register_transfer",
    "reshape",
    "roll",
    "round",
    "round_half_away_from_zero",
    "round_half_to_even",
    "row",
    "rows",
    "scalar",
    "scalar_from_tensor",
    "scalars",
    "second",
    "sgn",
    "shape",
    "shape_padaxis",
    "shape_padleft",
    "shape_padright",
    "sin",
    "sinh",
    "smallest",
    "sort",
    "specify_shape",
    "split",
    "sqr",
    "sqrt",
    "square",
    "stack",
    "stacklists",
    "std",
    "sub",
    "sum",
    "swapaxes",
    "switch",
    "tan",
    "tanh",
    "tensor",
    "tensor3",
    "tensor3s",
    "tensor4",
    "tensor4s",
    "tensor5",
    "tensor5s",
    "tensor6",
    "tensor6s",
    "tensor7",
    "tensor7s",
    "tensor_copy",
    "tensor_from_scalar",
    "tensordot",
    "tile",
    "transfer",
    "transpose",
    "tri",
    "tri_gamma",
    "tril",
    "triu",
    "true_div",
    "trunc",
    "uint_dtypes",
    "unbroadcast",
    "var",
    "vector",
    "vectors",
    "vertical_stack",
    "wcol",
    "where",
    "wmatrix",
    "wrow",
    "wscalar",
    "wtensor3",
    "wtensor4",
    "wtensor5",
    "wtensor6",
    "wtensor7",
    "wvector",
    "xor",
    "zcol",
    "zeros",
    "zeros_like",
    "zmatrix",
    "zrow",
    "zscalar",
    "ztensor3",
    "ztensor4",
    "ztensor5",
    "ztensor6",
    "ztensor7",
    "zvector",
]


def _of_any_dtype(make):
    """``make``, which also takes the dtype by position: ``matrix("x", "int32")``."""

    def made(name=None, dtype=None, **kwargs):
        return make(name, dtype=dtype, **kwargs)

    made.__name__ = made.__qualname__ = make.__name__
    made.__doc__ = f"A {make.__name__}; of dtype ``theano.config.floatX`` by default."
    return made


scalar, vector, matrix, row, col = (
    _of_any_dtype(make) for make in (pt.scalar, pt.vector, pt.matrix, pt.row, pt.col)
)
tensor3, tensor4, tensor5, tensor6, tensor7 = (
    _of_any_dtype(make)
    for make in (pt.tensor3, pt.tensor4, pt.tensor5, pt.tensor6, pt.tensor7)
)
wmatrix = TensorType("int16", (False, False))
Tensor = TensorType


class AsTensorError(TypeError):
    """What is given can be made no tensor."""


def as_tensor_variable(x, name=None, ndim=None):
    """``x``, a number, array, list of these or of variables, as a tensor variable.

    ``ndim`` is the number of dimensions it must have: it gets more, of length 1, on
    the left, and loses those on the left that are known to be of length 1.

    Raises
    ------
    AsTensorError
        A TypeError: if ``x`` can be made no tensor.
    """
    try:
        return pt.as_tensor_variable(x, name=name, ndim=ndim)
    except (NotImplementedError, TypeError) as error:
        raise AsTensorError(
            f"Cannot convert {x!r} of type {type(x).__name__} to a tensor: {error}"
        ) from error


as_tensor = as_tensor_variable


def tensor(*args, **kwargs):
    """A variable of any type: ``tensor(dtype, broadcastable, name=None)``."""
    name = kwargs.pop("name", None)
    return TensorType(*args, **kwargs)(name=name)


def get_scalar_constant_value(v, *args, **kwargs):
    """The value of ``v``, an array without dimensions, where it is constant.

    Raises
    ------
    NotScalarConstantError
        If it depends on anything that is not constant, or is no scalar.
    """
    return get_underlying_scalar_constant_value(v)


def stack(*tensors, **kwargs):
    """Join tensors of one shape along a new axis.

    Called as ``stack([a, b], axis=0)`` or, as Theano also allowed, ``stack(a, b)``.
    """
    if len(tensors) > 1 and not isinstance(tensors[0], list | tuple):
        return pt.stack(list(tensors), axis=kwargs.get("axis", 0))
    return pt.stack(*tensors, **kwargs)


def flatten(x, ndim=None, outdim=None):
    """``x`` with its last dimensions made one, so that ``ndim`` remain (1 by default).

    ``outdim`` is the earlier name of ``ndim``.
    """
    if ndim is not None and outdim is not None:
        raise ValueError("give ndim or its earlier name outdim, not both")
    return pt.flatten(x, ndim=ndim or outdim or 1)


def addbroadcast(x, *axes):
    """``x``, whose dimensions ``axes`` are declared, and checked, to be 1."""
    return specify_broadcastable(x, *axes) if axes else as_tensor_variable(x)


def unbroadcast(x, *axes):
    """``x``, whose dimensions ``axes`` are no longer known to be 1."""
    return _unbroadcast(x, *axes)


def patternbroadcast(x, broadcastable):
    """``x`` with the given pattern: ``True`` declares a dimension to be 1."""
    x = as_tensor_variable(x)
    broadcastable = tuple(broadcastable)
    if len(broadcastable) != x.type.ndim:
        raise ValueError(
            f"the pattern {broadcastable} is for {len(broadcastable)} dimensions, "
            f"but {x} has {x.type.ndim}"
        )
    forgotten = [
        axis
        for axis, (wanted, known) in enumerate(
            zip(broadcastable, x.type.broadcastable, strict=True)
        )
        if known and not wanted
    ]
    declared = [axis for axis, wanted in enumerate(broadcastable) if wanted]
    return addbroadcast(unbroadcast(x, *forgotten), *declared)


def conj(z):
    """The complex conjugate of ``z``; what is real stays, only a bool becomes int8."""
    z = as_tensor_variable(z)
    return pt.cast(z, "int8") if z.type.dtype == "bool" else pt.conj(z)


def _allclose(a, b, rtol=None, atol=None):
    """Whether two arrays are as close as their dtypes let one expect."""
    single = "float32" in (str(np.asarray(a).dtype), str(np.asarray(b).dtype))
    return np.allclose(
        a,
        b,
        rtol=rtol or (1e-3 if single else 1e-5),
        atol=atol or (1e-5 if single else 1e-8),
    )


def chi2sf(x, k):
    """How likely a chi-squared variable of ``k`` degrees of freedom exceeds ``x``, in
    float64.
    """
    return pt.chi2sf(pt.cast(x, "float64"), pt.cast(k, "float64"))


def argmax(x, axis=None, keepdims=False):
    """The index, int64, of the first maximum along ``axis`` (of ``x`` flattened)."""
    return pt.argmax(x, axis=axis, keepdims=keepdims)


def max_and_argmax(a, axis=None, keepdims=False):
    """The maximum along ``axis`` and its index."""
    return pt.max(a, axis, keepdims), argmax(a, axis, keepdims)


def mean(input, axis=None, dtype=None, op=False, keepdims=False, acc_dtype=None):
    """The mean along ``axis``, a number, a list of numbers, or None for all.

    The mean of integers is of dtype float64. ``op`` is ignored.
    """
    return pt.mean(input, axis, dtype, keepdims, acc_dtype)


def var(input, axis=None, ddof=0, keepdims=False, corrected=False):
    """The variance along ``axis``, a number, a list of numbers, or None for all.

    As in Theano, ``ddof`` is taken from the size of each axis: over ``n`` rows and
    ``m`` columns the divisor is ``(n - ddof) * (m - ddof)``. ``corrected`` takes off
    what rounding the mean has added.
    """
    if not ddof:
        return pt.var(input, axis, 0, keepdims, corrected)
    input = as_tensor_variable(input)
    axes = range(input.type.ndim) if axis is None else np.atleast_1d(axis).tolist()
    centered = input - pt.mean(input, axis, keepdims=True)
    variance = pt.sum(pt.sqr(centered), axis, keepdims=keepdims)
    error = pt.sqr(pt.sum(centered, axis, keepdims=keepdims))
    for size in (input.shape[axis] for axis in axes):
        variance = variance / (size - ddof)
        error = error / ((size - ddof) * size)
    return variance - error if corrected else variance


def std(input, axis=None, ddof=0, keepdims=False, corrected=False):
    """The square root of ``var``, with the same arguments."""
    return pt.sqrt(var(input, axis, ddof, keepdims, corrected))


def angle(z):
    """The angle of a complex number in the complex plane, as float64."""
    return pt.cast(pt.angle(z), "float64")


def split(x, splits_size, n_splits, axis=0):
    """``n_splits`` parts of ``x`` along ``axis``, of the sizes ``splits_size``."""
    return pt.split(x, splits_size, n_splits=n_splits, axis=axis)


def tile(x, reps, ndim=None):
    """``x`` repeated ``reps[i]`` times along dimension ``i``.

    ``ndim`` is the number of dimensions of the result, where ``reps`` is symbolic.
    """
    if ndim is not None and isinstance(reps, pt.TensorVariable) and reps.ndim == 1:
        reps = [reps[i] for i in range(ndim)]
    elif ndim is not None:
        reps = [reps] if not isinstance(reps, list | tuple) else list(reps)
        reps = [1] * (ndim - len(reps)) + reps
    return pt.tile(x, reps)


def batched_dot(a, b):
    """Row ``i`` of the result is ``dot(a[i], b[i])``; each has 2 or 3 dimensions
    (with 1, ``a[i]`` is a number).

    Raises
    ------
    TypeError
        If either has no dimension, or more than 3.
    """
    a, b = as_tensor_variable(a), as_tensor_variable(b)
    for position, x in enumerate((a, b)):
        if not 1 <= x.ndim <= 3:
            raise TypeError(
                f"batched_dot takes tensors of 1 to 3 dimensions; argument "
                f"{position} has {x.ndim}"
            )
    if a.ndim == 1:
        return a.dimshuffle(0, *["x"] * (b.ndim - 1)) * b
    if b.ndim == 1:
        return a * b.dimshuffle(0, *["x"] * (a.ndim - 1))
    left = a if a.ndim == 3 else a.dimshuffle(0, "x", 1)
    right = b if b.ndim == 3 else b.dimshuffle(0, 1, "x")
    product = pt.matmul(left, right)
    if b.ndim == 2:
        product = product[:, :, 0]
    if a.ndim == 2:
        product = product[:, 0]
    return product


def batched_tensordot(x, y, axes=2):
    """``tensordot`` of ``x[i]`` and ``y[i]`` for every ``i``; ``axes`` counts the
    batch as dimension 0 where it names dimensions.
    """
    x, y = as_tensor_variable(x), as_tensor_variable(y)
    if np.ndim(axes) == 0:
        x_axes = list(range(x.ndim - axes, x.ndim))
        y_axes = list(range(1, 1 + axes))
    else:
        x_axes, y_axes = (list(a) if np.ndim(a) else [a] for a in axes)
    x_free = [d for d in range(1, x.ndim) if d not in x_axes]
    y_free = [d for d in range(1, y.ndim) if d not in y_axes]
    free_shape = [x.shape[d] for d in x_free] + [y.shape[d] for d in y_free]
    rows = pt.prod([x.shape[d] for d in x_free]) if x_free else 1
    columns = pt.prod([y.shape[d] for d in y_free]) if y_free else 1
    left = x.dimshuffle(0, *x_free, *x_axes).reshape((x.shape[0], rows, -1), ndim=3)
    right = y.dimshuffle(0, *y_axes, *y_free).reshape((y.shape[0], -1, columns), ndim=3)
    return pt.matmul(left, right).reshape(
        [x.shape[0], *free_shape], ndim=1 + len(free_shape)
    )
