"""Serving with continuous batching: prefill, decode step, their interference, limits. Arrays over configurations."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from exaplan.domain.technology import Model
from exaplan.perf.collectives import send_s
from exaplan.perf.counts import kv_bytes, layer_split, mean_causal_context, mean_context
from exaplan.perf.layers import MESSAGE_BYTES, Split, Terms, forward_terms, head_s, kv_shards
from exaplan.perf.machine import Machine
from exaplan.perf.memory import local_parameters, serving_bytes, weights_bytes
from exaplan.perf.shapes import Architecture, Array, Flag, Number, either

PREFILL_TOKENS = 8192.0
"""Prompt tokens that one prefill pass takes at most when prompts are short; default budget of common engines."""


@dataclass(frozen=True)
class ServeRequest:
    """An average request and the limits on its latency. Numbers, or arrays over rows."""

    input_tokens: Number
    output_tokens: Number
    tpot_s: Number = np.inf
    ttft_s: Number | None = None
    prefix_share: Number = 0.0
    """Share of the prompt found in a cache of prefixes: attended to, not computed again."""
    draft_tokens: Number = 0.0
    """Tokens proposed ahead per step by speculative decoding or multi-token prediction."""
    acceptance: Number = 0.0
    """Chance that a proposed token is accepted, given those before it."""
    draft_cost_share: Number = 0.0
    """Time of proposing one token over that of a decode step without proposals."""
    disaggregated: Flag = False
    """Whether other chips do the prefill, so that it never delays a token."""
    absorbed: Flag = True
    """Whether MLA decodes on the latent itself; otherwise keys and values are expanded again for every step."""

    @property
    def context_tokens(self) -> Number:
        """Cache length of a sequence, averaged over its life: input + output/2."""
        return self.input_tokens + self.output_tokens / 2

    @property
    def prompt_tokens(self) -> Number:
        """Prompt tokens that must be computed."""
        return np.maximum(self.input_tokens * (1 - self.prefix_share), 1.0)  # the last one is never known

    @property
    def tokens_per_step(self) -> Number:
        """Tokens that a decode step yields: (1 - p^(q+1))/(1 - p), Leviathan et al., arXiv 2211.17192, equation 1."""
        chance = np.minimum(self.acceptance, 1 - 1e-9)
        return np.asarray((1 - chance ** (self.draft_tokens + 1)) / (1 - chance))


@dataclass(frozen=True)
class ServeMesh:
    """Candidate configurations, one per element of each array.

    ``dp`` counts attention-data-parallel groups inside one replica (they share experts); ``slots`` counts sequences in
    flight per such group and pipeline stage.
    """

    tp: Array
    pp: Array
    ep: Array
    dp: Array
    slots: Array

    def take(self, index: np.ndarray | list[int]) -> ServeMesh:
        """Pick configurations by index or mask."""
        return ServeMesh(**{field.name: getattr(self, field.name)[index] for field in fields(self)})

    @property
    def chips(self) -> Array:
        """Chips of one replica."""
        return self.tp * self.pp * self.dp

    @property
    def etp(self) -> Array:
        """Split of one expert within a stage."""
        return self.tp * self.dp / self.ep

    @property
    def batch(self) -> Array:
        """Sequences in flight in one replica."""
        return self.slots * self.pp * self.dp


@dataclass(frozen=True)
class ServeResult:
    """What a serving configuration reaches; arrays over configurations."""

    tpot_s: Array
    ttft_s: Array
    tokens_per_s_per_chip: Array  # input and output
    output_tokens_per_s_per_chip: Array
    memory_bytes: Array
    terms: Terms  # seconds per output token


def serving_memory_bytes(
    model: Architecture, machine: Machine, request: ServeRequest, mesh: ServeMesh
) -> Array:
    """Bytes on the fullest chip of each configuration."""
    local = local_parameters(model, mesh.tp, mesh.pp, mesh.ep, mesh.etp)
    return serving_bytes(
        model, machine, local, tp=mesh.tp, slots=mesh.slots, context_tokens=request.context_tokens
    )


def capacity_slots(model: Architecture, machine: Machine, request: ServeRequest, mesh: ServeMesh) -> Array:
    """Sequences whose cache fits beside the weights, per attention group and stage; below 1 where none does."""
    local = local_parameters(model, mesh.tp, mesh.pp, mesh.ep, mesh.etp)
    knobs = machine.knobs
    free = machine.memory_bytes * knobs.usable_share - weights_bytes(machine, local) - knobs.workspace_bytes
    one = kv_bytes(model, request.context_tokens, machine.cache_value_bytes) / kv_shards(model, mesh.tp)
    return np.asarray(free / one)


def pass_terms(
    model: Architecture,
    machine: Machine,
    mesh: ServeMesh,
    tokens: Array,
    *,
    context_tokens: Number,
    decode: bool,
    queries: Number = 1.0,
    absorbed: Flag | None = None,
) -> Terms:
    """Time of all layers for ``tokens`` per attention group, by term; the whole pipeline once through, seconds."""
    split = Split(mesh.tp, mesh.ep, mesh.etp, tokens, tokens * mesh.dp, mesh.dp > 1, queries)
    layer = forward_terms(
        model, machine, split, context_tokens=context_tokens, decode=decode, absorbed=absorbed
    )
    knobs = machine.knobs
    slow = (
        mesh.pp
        * np.ceil(model.layers / mesh.pp)
        / knobs.serving_share
        / (1.0 if decode else knobs.prefill_share)
    )
    terms = {name: slow * seconds for name, seconds in layer.items()}
    fixed = model.layers * knobs.layer_overhead_s + layer_split(model)[1] * knobs.sparse_overhead_s
    terms["small kernels"] = np.full(mesh.tp.shape, fixed)
    rows = tokens if decode else np.ones_like(tokens)
    terms["head"] = head_s(model, machine, rows, mesh.tp) / knobs.serving_share
    terms["between steps"] = np.full(mesh.tp.shape, knobs.step_overhead_s)
    staged = mesh.pp > 1
    if staged.any():
        far = mesh.tp * mesh.dp >= machine.domain
        hop = send_s(tokens * (model.hidden * MESSAGE_BYTES) / mesh.tp, far, machine)
        terms["pipeline messages"] = staged * mesh.pp * hop
    return terms


def _total(terms: Terms) -> Array:
    """Sum of terms, in their order."""
    first, *others = terms.values()
    total = first.copy()
    for seconds in others:
        total += seconds
    return total


def _some(values: Number) -> bool:
    """Whether a number, or any of an array, is positive."""
    return bool((values > 0).any()) if isinstance(values, np.ndarray) else values > 0


def _decode_step(model: Architecture, machine: Machine, request: ServeRequest, mesh: ServeMesh) -> Terms:
    """Seconds per output token of a sequence by term, proposals and their checking included."""
    proposed = request.draft_tokens
    context = mean_context(model, request.context_tokens)
    rows = mesh.slots * (1 + proposed)
    terms = pass_terms(
        model,
        machine,
        mesh,
        rows,
        context_tokens=context,
        decode=True,
        queries=1 + proposed,
        absorbed=request.absorbed,
    )
    if _some(proposed):
        gained = request.tokens_per_step
        plain = pass_terms(
            model, machine, mesh, mesh.slots, context_tokens=context, decode=True, absorbed=request.absorbed
        )
        terms["proposals"] = proposed * request.draft_cost_share * _total(plain)
        terms = {name: seconds / gained for name, seconds in terms.items()}
    return terms


def _prefill_pass(
    model: Architecture, machine: Machine, request: ServeRequest, mesh: ServeMesh, prompts: Array
) -> Array:
    """Seconds for ``prompts`` prompts together, the whole pipeline once through.

    A pass does not see the slots: neighbouring rows that differ in nothing else are timed once.
    """
    fresh = _fresh_context(model, request)
    back: np.ndarray | None = None
    if _of_one_kind(model, machine, request):
        first, back = _runs(mesh.tp, mesh.pp, mesh.ep, mesh.dp, prompts)
        mesh, prompts = mesh.take(first), prompts[first]
    rows = prompts * request.prompt_tokens
    terms = pass_terms(model, machine, mesh, rows, context_tokens=fresh, decode=False)
    whole = _total(terms)
    return whole if back is None else whole[back]


def _fresh_context(model: Architecture, request: ServeRequest) -> Number:
    """Tokens that a computed prompt token attends to: the causal sum over all tokens less that over the known ones."""
    whole, known = request.input_tokens, request.input_tokens - request.prompt_tokens
    if not _some(known):
        return mean_causal_context(model, whole)
    before = np.maximum(known, 1e-9)
    total = whole * mean_causal_context(model, whole) - before * mean_causal_context(model, before)
    return total / request.prompt_tokens


def _of_one_kind(model: Architecture, machine: Machine, request: ServeRequest) -> bool:
    """Whether only the mesh has rows: one model, one machine, one request."""
    values = (*vars(machine).values(), *vars(machine.knobs).values(), *vars(request).values())
    return isinstance(model, Model) and not any(isinstance(value, np.ndarray) for value in values)


def _runs(*columns: Array) -> tuple[np.ndarray, np.ndarray]:
    """First row of each run of equal rows, and the run that each row belongs to."""
    new = np.ones(columns[0].size, dtype=bool)
    new[1:] = np.logical_or.reduce([column[1:] != column[:-1] for column in columns])
    return np.flatnonzero(new), np.cumsum(new) - 1


def serve_closed_loop(
    model: Architecture, machine: Machine, request: ServeRequest, mesh: ServeMesh, *, memory: bool = True
) -> ServeResult:
    """Latency and throughput with every slot filled.

    TPOT = t_step(b) + gamma (c - 1) t_pre / (output pp): between two tokens of a sequence its neighbours' prompts pass.
    TTFT = t_pass (1 + rho/(2 (1 - rho))) + w (c - 1) t_pre + t_step: one prefill pass, the wait of an M/D/1 queue
    (Pollaczek-Khinchine) at the share rho of time spent in prefill, the prompts of clients that started at the same
    moment, and the step under way. Throughput = c / (t_pre + output TPOT), which with
    gamma = 1 conserves machine time. All slots decode, which is slightly pessimistic for the step.

    Disaggregated, gamma is 0, the prompt's cache crosses the network once, and the chips of prefill count: rates per
    chip add as resistances, 1/X = 1/X_prefill + 1/X_decode.

    Parameters
    ----------
    model, machine, request : Architecture, Machine, ServeRequest
        What runs where, and the average request.
    mesh : ServeMesh
        Configurations.
    memory : bool
        Whether to count bytes too; otherwise they read NaN.

    Returns
    -------
    ServeResult
        Seconds, tokens/s per chip, bytes, seconds per output token by term.
    """
    decode = _decode_step(model, machine, request, mesh)
    step = _total(decode)
    in_flight = mesh.slots * mesh.pp
    most = np.maximum(np.floor(PREFILL_TOKENS / request.prompt_tokens), 1.0)
    prompts = np.minimum(most, np.maximum(in_flight, 1.0))
    whole_pass = _prefill_pass(model, machine, request, mesh, prompts)
    per_prompt = whole_pass / prompts / mesh.pp  # machine time of one stage
    output, apart = request.output_tokens, request.disaggregated
    busy = in_flight * per_prompt
    waiting = np.maximum(in_flight - 1, 0.0) * per_prompt  # prompts of all neighbours
    interference = either(apart, lambda: 0.0, lambda: waiting * (machine.knobs.prefill_interference / output))
    tpot = step + interference
    rho = np.minimum(busy / (busy + output * step), 0.95)
    ttft = whole_pass * (1 + rho / (2 * (1 - rho))) + machine.knobs.first_wave * waiting + step
    cycle, chips = either(apart, lambda: 0.0, lambda: per_prompt) + output * tpot, mesh.chips
    if np.any(apart):
        cache = kv_bytes(model, request.input_tokens, machine.cache_value_bytes) / mesh.tp
        ttft = ttft + np.where(apart, cache / machine.network_bytes_per_s, 0.0)
        # a second of decoding needs in_flight per_prompt / cycle seconds of a prefill replica of the same layout
        chips = chips * (1 + np.where(apart, busy / cycle, 0.0))
    requests = mesh.dp * in_flight / (cycle * chips)  # per second and chip
    decode["prefill of other requests"] = np.broadcast_to(interference, tpot.shape)
    held = serving_memory_bytes(model, machine, request, mesh) if memory else np.full_like(mesh.tp, np.nan)
    return ServeResult(
        tpot_s=tpot,
        ttft_s=ttft,
        tokens_per_s_per_chip=requests * (request.input_tokens + output),
        output_tokens_per_s_per_chip=requests * output,
        memory_bytes=held,
        terms=decode,
    )


def serve_static_batch(
    model: Architecture, machine: Machine, request: ServeRequest, mesh: ServeMesh, *, memory: bool = True
) -> ServeResult:
    """Latency and throughput of a batch that starts together and ends together, nobody joining.

    TTFT = one prefill pass of the whole batch; latency = TTFT + (output - 1) TPOT. The batch passes a pipeline as one
    group per stage; a single sequence visits the stages in turn.

    Returns
    -------
    ServeResult
        As of ``serve_closed_loop``; rates are tokens of the batch over its whole latency.
    """
    decode = _decode_step(model, machine, request, mesh)
    tpot = _total(decode)
    sequences = mesh.slots * mesh.pp  # of an attention group
    groups = np.clip(sequences, 1.0, mesh.pp)
    whole_pass = _prefill_pass(model, machine, request, mesh, sequences / groups)
    # groups follow one another through pp stages: groups + pp - 1 stage times, a stage is 1/pp of a pass
    ttft = whole_pass * (groups + mesh.pp - 1) / mesh.pp
    held = serving_memory_bytes(model, machine, request, mesh) if memory else np.full_like(mesh.tp, np.nan)
    latency = ttft + np.maximum(request.output_tokens - 1, 0.0) * tpot
    rate = mesh.batch / latency / mesh.chips
    return ServeResult(
        tpot_s=tpot,
        ttft_s=ttft,
        tokens_per_s_per_chip=rate * (request.input_tokens + request.output_tokens),
        output_tokens_per_s_per_chip=rate * request.output_tokens,
        memory_bytes=held,
        terms=decode,
    )
