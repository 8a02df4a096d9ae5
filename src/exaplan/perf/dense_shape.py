"""Dense models beyond those published: the proportions of a published one at another number of parameters.

Layers, width, heads and feed-forward width grow as the cube root of parameters, so that layers x width^2 grows as they do;
head size, key-value heads and vocabulary stay.
"""

from __future__ import annotations

from exaplan.domain.technology import Model
from exaplan.perf.counts import parameters

_WIDTH_STEP = 256
_HEAD_STEP = 8
_TURNS = 12


def scaled_dense(model: Model, active: float) -> Model:
    """Dense model with about ``active`` parameters in the proportions of a published one.

    Parameters
    ----------
    model : Model
        Published dense model.
    active : float
        Parameters without the input embedding.

    Returns
    -------
    Model
        Within a few per cent from 1e9 parameters on; rounding to whole layers and widths of 256 does the rest.

    Raises
    ------
    ValueError
        For a sparse ``model``.
    """
    if model.experts:
        raise ValueError(f"{model.id} is sparse")
    edge = (active / float(parameters(model).active)) ** (1 / 3)
    found = _at(model, edge, active)
    for _ in range(_TURNS):
        off = active / float(parameters(found).active)
        if abs(off - 1) < 0.01:
            break
        edge *= off ** (1 / 3)
        found = _at(model, edge, active)
    return found


def _at(model: Model, edge: float, active: float) -> Model:
    heads = max(round(model.heads * edge / _HEAD_STEP), 1) * _HEAD_STEP
    values = model.model_dump() | {
        "id": f"{model.id} scaled to {active / 1e9:,.0f}B",
        "layers": max(round(model.layers * edge), 1),
        "hidden": max(round(model.hidden * edge / _WIDTH_STEP), 1) * _WIDTH_STEP,
        "heads": heads,
        "kv_heads": min(model.kv_heads, heads),
        "ffn": max(round(model.ffn * edge / _WIDTH_STEP), 1) * _WIDTH_STEP,
        "params_published_b": None,
        "source": f"proportions of {model.id}",
        "notes": "",
    }
    return Model.model_validate(values)
