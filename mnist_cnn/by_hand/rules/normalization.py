"""Batch normalisation: two learned numbers and two running statistics a feature map.

Symbol: `c` numbers of each kind.
"""

from __future__ import annotations

from ..formula import Formula, product
from ..rows import Tensor
from ..windows import follow
from .hyperparameters import unshared_sizes
from .registry import Derivation, Incoming, rule


@rule(
    "BatchNormLayer",
    "BatchNormDNNLayer",
    ignores="epsilon alpha mean inv_std",
    since="0.2",
)
def derive_batch_norm(
    incoming: Incoming,
    *,
    axes: object = "auto",
    beta: object = True,
    gamma: object = True,
) -> Derivation:
    """Scale `gamma` and shift `beta` are learned: ``2*c``.

    The running `mean` and `inv_std` are kept but not trained. Each number is
    multiplied once, by ``gamma*inv_std``, and sees no other where the running
    statistics serve, as after training.
    """
    shape = incoming.shape
    sizes = unshared_sizes(shape, "axes", axes)
    learned = [
        Tensor(name, sizes)
        for name, value in (("beta", beta), ("gamma", gamma))
        if value is not None
    ]
    kept = [Tensor(name, sizes, trainable=False) for name in ("mean", "inv_std")]
    return Derivation(
        shape,
        [*learned, *kept],
        Formula("t*c", t=len(learned), c=product(sizes)),
        connections=Formula("q", q=product(shape[1:])),
        windows=follow(range(len(shape))),
    )
