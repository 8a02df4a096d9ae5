"""Models beyond those published: their shapes by explicit scaling, what trains and serves them, what waiting costs.

Shapes keep the proportions of a published sparse model. With s the ratio of total and a that of active parameters,

    a = s^b                            b fitted over published sparse models (``active_exponent``)
    layers, width, heads, expert width   ~ a^(1/3), so that layers x width^2, hence active parameters, grow as a
    experts                            2^n or 3 x 2^n, nearest to what the total asks for; top-k and shared experts stay
    expert width                       takes up what that rounding leaves, in steps of 128
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from exaplan.domain.technology import Model
from exaplan.perf.codesign.shapes import LossLaw, granularity
from exaplan.perf.counts import parameters
from exaplan.perf.machine import Machine
from exaplan.perf.search import search_training
from exaplan.perf.serving import ServeMesh, ServeRequest, serve_closed_loop, serving_memory_bytes
from exaplan.perf.shapes import Array
from exaplan.perf.sites import (
    OuterSync,
    WideLink,
    outer_exposed_s,
    share_lost,
    synchronous_exposed_s,
)
from exaplan.perf.training import TrainRequest, TrainResult, training_memory_bytes

_WIDTH_STEP = 256  # widths stay whole tiles of the largest array in the catalogue
_HEAD_STEP = 64  # so that tensor parallelism up to 64 divides them
_EXPERT_WIDTH_STEP = 128
_EXPERTS_MIN = 32
_WAITS = ("traffic", "messages", "bubble")
_SLOTS_MAX = 1024.0


def active_exponent(models: Sequence[Model]) -> float:
    """Slope of log active over log total parameters, least squares over sparse models, one vote per pair of counts.

    Raises
    ------
    ValueError
        For fewer than two distinct sparse models.
    """
    counts = {
        (float(count.total), float(count.active))
        for count in (parameters(model) for model in models if model.experts)
    }
    if len(counts) < 2:
        raise ValueError("a slope needs two sparse models")
    total, active = np.log(np.array(sorted(counts))).T
    return float(np.polyfit(total, active, 1)[0])


def scaled(model: Model, total: float, *, exponent: float) -> Model:
    """Sparse model with about ``total`` parameters in the proportions of a published one.

    Parameters
    ----------
    model : Model
        Published sparse model; its head sizes, latent ranks, vocabulary, top-k and shared experts stay.
    total : float
        Parameters, input embedding counted.
    exponent : float
        b: active parameters grow as total ones to this power.

    Returns
    -------
    Model
        Total within half a step of the expert width (a few per cent); depth is rounded to whole layers, width to 256,
        heads to 64. Experts in powers of two spread over as many ranks: layouts are not an accident of rounding.

    Raises
    ------
    ValueError
        For a dense ``model``, or a total that leaves room for fewer than 32 experts.
    """
    if model.experts == 0:
        raise ValueError(f"{model.id} has no experts")
    edge = (total / float(parameters(model).total)) ** (exponent / 3)
    values = model.model_dump() | {
        "id": f"{model.id} scaled to {total / 1e12:g}T",
        "layers": round(model.layers * edge),
        "hidden": _stepped(model.hidden * edge, _WIDTH_STEP),
        "heads": _stepped(model.heads * edge, _HEAD_STEP),
        "ffn": _stepped(model.ffn * edge, _WIDTH_STEP) if model.ffn else 0,
        "expert_ffn": _stepped(model.expert_ffn * edge, _EXPERT_WIDTH_STEP),
        "shared_expert_ffn": _stepped(
            (model.shared_expert_ffn or model.expert_ffn) * edge, _EXPERT_WIDTH_STEP
        ),
        "params_published_b": None,
        "source": f"proportions of {model.id}",
        "notes": "",
    }
    count = parameters(Model.model_validate(values))
    routed = total - float(count.total) + float(count.sparse_layers * model.experts * count.expert)
    wanted = routed / float(count.sparse_layers * count.expert)
    if wanted < _EXPERTS_MIN:
        raise ValueError(f"{model.id}: {total:g} parameters leave room for {wanted:.0f} experts only")
    experts = _round_count(wanted)
    width = _stepped(values["expert_ffn"] * wanted / experts, _EXPERT_WIDTH_STEP)
    return Model.model_validate(values | {"experts": experts, "expert_ffn": width})


def _round_count(wanted: float) -> int:
    """2^n or 3 x 2^n, the nearest in ratio."""
    near = [int(base * 2**power) for base in (1, 3) for power in range(4, 20)]
    return min(near, key=lambda count: abs(np.log(count / wanted)))


def _stepped(value: float, step: int) -> int:
    return max(round(value / step), 1) * step


def compute_optimal_tokens(law: LossLaw, model: Model) -> float:
    """Tokens at which a shape is the compute-optimal size of its family under a law.

    Along a budget C = 6 N_active D with sparsity and granularity held, the loss is least where
    dL/dlnN = dL/dlnD; the tokens are found by bisection of that balance in ln D.

    Parameters
    ----------
    law : LossLaw
        Scaling law of plain numbers.
    model : Model
        Shape.

    Returns
    -------
    float
        Tokens.
    """
    count = parameters(model)
    active = np.array([float(count.active)])
    total = np.array([float(count.total - count.embedding)])
    grains = np.array([granularity(model)])
    step = 1e-3

    def slopes(tokens: float) -> tuple[float, float]:
        up, down = np.exp(step), np.exp(-step)
        size = law.loss(active * up, total * up, tokens, grains) - law.loss(
            active * down, total * down, tokens, grains
        )
        data = law.loss(active, total, tokens * up, grains) - law.loss(active, total, tokens * down, grains)
        return float(size[0]), float(data[0])

    low, high = np.log(1e8), np.log(1e18)
    for _ in range(60):
        middle = (low + high) / 2
        by_size, by_data = slopes(float(np.exp(middle)))
        # more tokens are worth it as long as they lower the loss faster than more parameters would
        low, high = (middle, high) if by_data < by_size else (low, middle)
    return float(np.exp((low + high) / 2))


@dataclass(frozen=True)
class Training:
    """The fastest layout of a training job: where its step goes, and what it holds."""

    layout: str
    step_s: float
    messages_s: float  # exposed, inside the site
    bubble_s: float
    tokens_per_s_per_chip: float
    memory_bytes: float

    @property
    def lost_share(self) -> float:
        """Share of the step that waits for other chips: exposed messages and bubbles."""
        return (self.messages_s + self.bubble_s) / self.step_s


def waiting_s(result: TrainResult) -> tuple[Array, Array]:
    """Seconds of exposed messages and of pipeline bubbles in a step. Axis of both: configuration."""
    zero = np.zeros_like(result.step_s)
    named = {name: sum((s for key, s in result.terms.items() if key.endswith(name)), zero) for name in _WAITS}
    return named["traffic"] + named["messages"], named["bubble"]


def train_giant(model: Model, machine: Machine, request: TrainRequest) -> Training | None:
    """Search a training job and split the step of its fastest layout; None where nothing fits in memory."""
    found = search_training(model, machine, request)
    if found.order.size == 0:
        return None
    best = int(found.order[0])
    messages, bubble = waiting_s(found.result)
    mesh = found.mesh
    layout = (
        f"tp{mesh.tp[best]:.0f} pp{mesh.pp[best]:.0f} ep{mesh.ep[best]:.0f} dp{mesh.dp[best]:.0f} "
        f"mbs{mesh.micro[best]:.0f}"
    )
    return Training(
        layout=layout,
        step_s=float(found.result.step_s[best]),
        messages_s=float(messages[best]),
        bubble_s=float(bubble[best]),
        tokens_per_s_per_chip=float(found.result.tokens_per_s_per_chip[best]),
        memory_bytes=float(training_memory_bytes(model, machine, request, mesh.take([best]))[0]),
    )


def lost_over_sites(
    training: Training,
    model: Model,
    sites: int,
    link: WideLink,
    *,
    sync: OuterSync | None = None,
    hidden_share: float = 0.0,
    gradient_bytes: float = 2.0,
) -> float:
    """Share of the time that goes to synchronization when a job spans sites: inside each, and between them.

    Parameters
    ----------
    training : Training
        The job inside one site, with that site's chips and its share of the batch.
    model : Model
        Its parameters cross.
    sites : int
        Sites; one exchanges nothing.
    link : WideLink
        Between sites.
    sync : OuterSync, optional
        Rare synchronization (DiLoCo); every step is synchronized where not given.
    hidden_share : float
        Share of a step that runs beside a synchronous exchange.
    gradient_bytes : float
        Bytes per parameter of a synchronous exchange.

    Returns
    -------
    float
        Between 0 and 1.
    """
    total = float(parameters(model).total)
    if sync is None:
        exposed = synchronous_exposed_s(
            training.step_s, total * gradient_bytes, sites, link, hidden_share=hidden_share
        )
    else:
        exposed = outer_exposed_s(training.step_s, total, sites, link, sync=sync)
    between = float(share_lost(training.step_s, exposed))
    return 1 - (1 - training.lost_share) * (1 - between)


@dataclass(frozen=True)
class Serving:
    """The cheapest replica of a model under its limits."""

    layout: str
    chips: int
    batch: float  # sequences in flight
    tpot_s: float
    tokens_per_s_per_chip: float  # input and output
    memory_bytes: float

    def usd_per_million_tokens(self, usd_per_chip_h: float) -> float:
        """Price of a million tokens, input and output, at full load.

        Examples
        --------
        >>> Serving("", 1, 1.0, 0.05, 1000.0, 1e9).usd_per_million_tokens(3.6)
        1.0
        """
        return usd_per_chip_h / 3600 / self.tokens_per_s_per_chip * 1e6


def wide_serving_mesh(model: Model, machine: Machine, chips_max: float) -> ServeMesh:
    """Layouts of replicas far larger than published ones: tp x attention groups x stages x slots, experts spread.

    Tensor parallelism stays inside the scale-up domain and up to 16; every rank of a stage holds experts.
    """
    powers = [2.0**power for power in range(int(np.log2(chips_max)) + 1)]
    limit = min(float(machine.domain), 16.0)
    layouts = [
        (tp, pp, tp * dp, dp)
        for tp, dp, pp in product([p for p in powers if p <= limit], powers, powers)
        if tp * dp * pp <= chips_max
        and pp <= min(model.layers, 64)
        and model.heads % tp == 0
        and model.experts % (tp * dp) == 0
    ]
    slots = np.unique(np.round(2.0 ** np.arange(0, np.log2(_SLOTS_MAX) + 0.01, 0.5)))
    columns = np.repeat(np.array(layouts).T, slots.size, axis=1)
    tp_, pp_, ep_, dp_ = columns
    return ServeMesh(tp=tp_, pp=pp_, ep=ep_, dp=dp_, slots=np.tile(slots, len(layouts)))


def serve_giant(
    model: Model, machine: Machine, request: ServeRequest, *, chips_max: float = 4096.0
) -> Serving | None:
    """Search replicas up to ``chips_max`` chips; None where none fits in memory within the limits."""
    mesh = wide_serving_mesh(model, machine, chips_max)
    usable = machine.memory_bytes * machine.knobs.usable_share
    mesh = mesh.take(serving_memory_bytes(model, machine, request, mesh) <= usable)
    if mesh.tp.size == 0:
        return None
    result = serve_closed_loop(model, machine, request, mesh)
    allowed = result.tpot_s <= request.tpot_s
    if request.ttft_s is not None:
        allowed &= result.ttft_s <= request.ttft_s
    if not allowed.any():
        return None
    best = int(np.argmax(np.where(allowed, result.tokens_per_s_per_chip, 0.0)))
    return Serving(
        layout=f"tp{mesh.tp[best]:.0f} pp{mesh.pp[best]:.0f} ep{mesh.ep[best]:.0f} dp{mesh.dp[best]:.0f}",
        chips=int(mesh.chips[best]),
        batch=float(mesh.batch[best]),
        tpot_s=float(result.tpot_s[best]),
        tokens_per_s_per_chip=float(result.tokens_per_s_per_chip[best]),
        memory_bytes=float(result.memory_bytes[best]),
    )
