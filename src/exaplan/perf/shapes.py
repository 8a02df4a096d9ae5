"""Architectures of many rows at once: the fields of ``Model`` as arrays, and how both are read by one formula.

Every formula of this room reads an ``Architecture``: one ``Model`` against many configurations, or one architecture per
row of a table of measurements. Nothing else differs, so nothing is written twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from exaplan.domain.technology import Model

Array: TypeAlias = NDArray[np.float64]
Mask: TypeAlias = NDArray[np.bool_]
Number: TypeAlias = Array | float
Flag: TypeAlias = Mask | bool


@dataclass(frozen=True)
class Shapes:
    """Architectures, one per row; each field has the name and meaning of that of ``Model``. Axis: row."""

    layers: Array
    hidden: Array
    heads: Array
    kv_heads: Array
    head_dim: Array
    ffn: Array
    ffn_matrices: Array
    vocab: Array
    tied_embeddings: Mask
    experts: Array
    top_k: Array
    shared_experts: Array
    expert_ffn: Array
    shared_expert_ffn: Array
    first_dense_layers: Array
    moe_layer_every: Array
    routed_nodes_max: Array
    q_lora_rank: Array
    kv_lora_rank: Array
    qk_nope_head_dim: Array
    qk_rope_head_dim: Array
    v_head_dim: Array
    window: Array
    window_layers: Array

    def take(self, index: NDArray[np.intp]) -> Shapes:
        """Pick rows; an index may repeat."""
        return Shapes(**{field.name: getattr(self, field.name)[index] for field in fields(self)})


Architecture: TypeAlias = Model | Shapes


def stack_models(models: Sequence[Model]) -> Shapes:
    """Lay architectures side by side, one per row."""
    columns = {
        field.name: np.array(
            [getattr(model, field.name) for model in models],
            dtype=bool if field.name == "tied_embeddings" else float,
        )
        for field in fields(Shapes)
    }
    return Shapes(**columns)


def either(condition: Flag, yes: Callable[[], Number], no: Callable[[], Number]) -> Number:
    """Value where a condition holds, else the other; a branch that no row takes is never computed.

    Examples
    --------
    >>> either(True, lambda: 2.0, lambda: 1 / 0)
    2.0
    >>> either(np.array([True, False]), lambda: 2.0, lambda: 3.0).tolist()
    [2.0, 3.0]
    """
    if not isinstance(condition, np.ndarray) or condition.ndim == 0:
        return yes() if condition else no()
    flags = np.asarray(condition)
    if flags.all():
        return yes()
    if not flags.any():
        return no()
    return np.asarray(np.where(flags, yes(), no()))


def some(flag: Flag) -> bool:
    """Whether a flag holds in any row; a plain flag is answered without a call to NumPy."""
    return bool(flag.any()) if isinstance(flag, np.ndarray) else bool(flag)
