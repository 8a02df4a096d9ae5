"""The cases there are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from exaplan.app.casebook import (
    api_or_own,
    appreciating_asset,
    budget_misses,
    constitutional,
    cost_pass_through,
    early_commitment,
    equity_compute,
    expert_width,
    floor_cost,
    flop_threshold,
    foundry,
    hundred_trillion,
    idle_troughs,
    joint_codesign,
    laggard_parity,
    lock_in,
    multislice_decay,
    one_cloud,
    one_year_early,
    own_share,
    parallel_bets,
    power_or_chips,
    rent_or_own,
    revenue_miss,
    safety_premium,
    second_source,
    sparse_dense,
    supplier_default,
    the_loop,
    two_more_years,
    two_trillion,
    wrong_law,
)
from exaplan.app.casebook.inquiry import Inquiry
from exaplan.domain.casebook import CaseRecord, Word


@dataclass(frozen=True)
class Flip:
    """A question and one change of it that flips the verdict, both cheap to measure."""

    question: Any
    changed: dict[str, Any]
    becomes: Word


@dataclass(frozen=True)
class Case:
    """A name on the command line, the functions that answer it, and how its verdict flips.

    ``run`` answers it as it was asked; ``measure`` gives metric and verdict of any question; ``module`` is the file that
    says so, beside which stand others of the same beginning.
    """

    name: str
    question: str
    systems: tuple[int, ...]
    module: str
    run: Callable[[], CaseRecord]
    measure: Callable[[Any], tuple[float, Word]]
    flip: Flip

    def answer(self) -> CaseRecord:
        """Answer it, with the systems that it speaks of."""
        return replace(self.run(), systems=self.systems)


def _performance(module: Any, systems: tuple[int, ...], flip: Flip) -> Case:
    """Take a case on the performance model: a module with a question, an answer and a cheap half."""
    return Case(
        module.NAME, module.ASKED.question, systems, module.__name__, module.answer, module.measure, flip
    )


def _inquiry(module: Any) -> Case:
    """Take a case that is data."""
    case: Inquiry[Any] = module.CASE
    flip = Flip(case.question, *case.flip)
    return Case(
        case.name, case.asked.question, case.systems, module.__name__, case.answer, case.measure, flip
    )


CASES: tuple[Case, ...] = (
    _performance(
        sparse_dense,
        (13,),
        Flip(
            sparse_dense.Question(
                batches=(4.0,), widths=(2048,), domains=(8,), chips=("GB200-NVL72", "TPU-v6e-Trillium", "TPU-v5p")
            ),
            {"batches": (256.0,)},
            "fails",
        ),
    ),
    _performance(expert_width, (12,), Flip(expert_width.Question(), {"split": 1}, "fails")),
    _performance(
        joint_codesign,
        (12,),
        Flip(joint_codesign.Question(tiles=(16,), served_tokens=1e15, margin=0.0), {"margin": 1e6}, "fails"),
    ),
    _performance(
        two_trillion,
        (14,),
        Flip(
            two_trillion.Question(domains=(72,), sites=(1, 2), limit=0.5, link_bytes_per_s=1e15),
            {"link_bytes_per_s": 1e9},
            "depends",
        ),
    ),
    _performance(
        hundred_trillion,
        (14,),
        Flip(
            hundred_trillion.Question(chips=("GB300-NVL72",), domains=(72,), days_max=1e4, usd_max=1e6),
            {"usd_max": 1e-3},
            "fails",
        ),
    ),
    _performance(
        multislice_decay,
        (14,),
        Flip(multislice_decay.Question(held_out=False, tolerance=0.5), {"tolerance": 1e-9}, "fails"),
    ),
    _inquiry(one_year_early),
    _inquiry(floor_cost),
    _inquiry(rent_or_own),
    _inquiry(appreciating_asset),
    _inquiry(one_cloud),
    _inquiry(revenue_miss),
    _inquiry(lock_in),
    _inquiry(constitutional),
    _inquiry(two_more_years),
    _inquiry(second_source),
    _inquiry(own_share),
    _inquiry(foundry),
    _inquiry(safety_premium),
    _inquiry(flop_threshold),
    _inquiry(laggard_parity),
    _inquiry(early_commitment),
    _inquiry(cost_pass_through),
    _inquiry(idle_troughs),
    _inquiry(wrong_law),
    _inquiry(parallel_bets),
    _inquiry(api_or_own),
    _inquiry(power_or_chips),
    _inquiry(the_loop),
    _inquiry(supplier_default),
    _inquiry(equity_compute),
    _inquiry(budget_misses),
)  # fmt: skip
