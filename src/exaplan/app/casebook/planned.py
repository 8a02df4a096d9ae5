"""What cases on labs share: a small lab file with changes, its plan, and that plan on common futures; each made once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from exaplan.app.again import Made, make_base, world_of
from exaplan.app.pipeline import Clock
from exaplan.domain.futures import World
from exaplan.domain.lab import Lab
from exaplan.domain.outcome import Outcome
from exaplan.domain.supply import Reserved
from exaplan.io.examples import case_lab
from exaplan.io.labfile import read_lab
from exaplan.plan.accounts import by_quarter
from exaplan.plan.result import to_plan
from exaplan.simulate.replay import replay

BATCH = 128
"""Futures of one batch; more futures are more batches, each with a seed of its own."""


@dataclass(frozen=True)
class Setting:
    """A lab of ``examples/cases`` and what is changed in it, as ``--set`` would write it."""

    lab: str
    changes: tuple[tuple[str, str], ...] = ()

    def but(self, changes: Mapping[str, str]) -> Setting:
        """Change more, or again."""
        return Setting(self.lab, tuple(sorted({**dict(self.changes), **changes}.items())))


@lru_cache(maxsize=256)
def lab_of(setting: Setting) -> Lab:
    """Read the lab.

    Raises
    ------
    InputError
        As :func:`exaplan.io.labfile.read_lab`.
    """
    return read_lab(case_lab(setting.lab), overrides=dict(setting.changes))


@lru_cache(maxsize=256)
def plan_of(setting: Setting) -> Made:
    """Plan it, always from nothing: the plan does not depend on what was planned before."""
    return make_base(lab_of(setting), Clock())


@lru_cache(maxsize=64)
def futures_of(setting: Setting, seed: int) -> World:
    """Sample a batch of the lab's futures."""
    return world_of(lab_of(setting), paths=BATCH, seed=seed, purpose="report")


@lru_cache(maxsize=64)
def outcome_of(
    setting: Setting, seed: int, *, truth: Setting | None = None, absorbing: bool = True
) -> Outcome:
    """Replay the plan on a batch of futures; the same seed gives the same random numbers whatever was changed.

    With ``truth`` the plan was made believing ``setting``, and the futures are those of ``truth``: both need the same
    horizon, workloads, suppliers and sites. ``absorbing`` false carries a ruined lab on at face value.
    """
    return replay(plan_of(setting).solved, futures_of(truth or setting, seed), seed=seed, absorbing=absorbing)


def signed_contract(setting: Setting, offer: str, *, quarters: int) -> dict[str, str]:
    """Turn what a plan expects to sign of a reservation in its first quarters into tranches of a contract.

    The changes that come back put them into a lab of the same horizon whose contract ``signed`` has the offer's terms: that
    lab has signed and plans on from there.
    """
    made = plan_of(setting)
    plan, inputs = to_plan(made.solved), made.solved.program.inputs
    terms = next(one for one in made.lab.offers if one.id == offer)
    if not isinstance(terms, Reserved):
        raise TypeError(f"{offer} is no reservation")
    chips = by_quarter(inputs, plan.ordered[:, plan.offers.index(offer)])[:quarters]
    tranches = [
        f"{{date: {made.lab.horizon.first + quarter + terms.lead_quarters}, chips: {amount:.0f} chips}}"
        for quarter, amount in enumerate(chips)
        if amount >= 1
    ]
    return {"contracts.signed.tranches": f"[{', '.join(tranches)}]"} if tranches else {}
