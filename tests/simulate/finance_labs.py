"""Plans with every kind of money in them, and their ledgers."""

from __future__ import annotations

from functools import cache

import numpy as np
from tests.plan.combined_lab import combined_lab
from tests.simulate.test_replay import other_futures, own_futures

from exaplan.domain.deals import Renewal
from exaplan.domain.futures import World
from exaplan.domain.lab import Lab
from exaplan.domain.ledger import Ledger
from exaplan.domain.supply import Contract, Instalment, Tranche
from exaplan.plan.inputs import collect
from exaplan.plan.solve import Solved, solve_plan
from exaplan.simulate.replay import replay

RICH = (
    "deals",
    "renewals",
    "exits",
    "metered",
    "volume",
    "steps",
    "loans",
    "tax",
    "late",
    "milestones",
    "internal",
    "launches",
    "silicon",
    "shocks",
    "covenant",
)


@cache
def rich_plan() -> Solved:
    """A plan of four quarters with deals, loans, halls, renewals, exits, taxes, late customers, failures."""
    lab, rates, tree = combined_lab(RICH)
    under_way = Contract(
        id="under-way", chip="b", supplier="maker", kind="owned", pool="here", site="here", availability=0.9,
        tranches=(Tranche(date=lab.horizon.first + 1, chips=60), Tranche(date=lab.horizon.first + 2, chips=40)),
        term_quarters=9, deposit_paid_usd=3e5,
        instalments=(Instalment(date=lab.horizon.first, amount_usd=4e5), Instalment(date=lab.horizon.first + 3, amount_usd=2e5)),
    )  # fmt: skip
    first = lab.contracts[0].model_copy(
        update={"deposit_paid_usd": 2e5, "renewal": Renewal(term_quarters=3, payment_usd_per_chip=900.0)}
    )
    lab = lab.model_copy(update={"contracts": (first, *lab.contracts[1:], under_way)})
    return solve_plan(collect(lab, rates, tree))


def lab_of(solved: Solved) -> Lab:
    return solved.program.inputs.lab


def failing(world: World, solved: Solved) -> World:
    """The same futures with suppliers that fail on some paths."""
    suppliers = len(lab_of(solved).suppliers)
    gone = np.zeros((*world.slip.shape[:2], suppliers), dtype=np.int64)
    rng = np.random.default_rng(8)
    for path in range(0, len(gone), 3):
        gone[path, rng.integers(1, 4) :, rng.integers(suppliers)] = 1
    return World(**{**vars(world), "gone": gone})


@cache
def rich_ledger(*, absorbing: bool = True, paths: int = 60) -> Ledger:
    solved = rich_plan()
    world = failing(other_futures(solved.program.inputs.tree, paths), solved)
    ledger = replay(solved, world, seed=1, itemize=True, absorbing=absorbing).ledger
    assert ledger is not None
    return ledger


@cache
def tree_ledger() -> Ledger:
    solved = rich_plan()
    ledger = replay(
        solved, own_futures(solved.program.inputs.tree), seed=1, itemize=True, absorbing=False
    ).ledger
    assert ledger is not None
    return ledger
