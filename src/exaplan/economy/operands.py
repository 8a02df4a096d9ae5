"""Operands of the key figures: one number per path over the horizon, each from the ledger or the statements."""

from __future__ import annotations

import numpy as np

from exaplan.domain.futures import NEVER
from exaplan.domain.statements import total
from exaplan.economy.drawn_up import shares_of_work
from exaplan.economy.facts import USES, Facts
from exaplan.economy.sections import SECTION_OF, section_of
from exaplan.economy.statements import h100_equivalents

HOURS_OF_AN_EXPERIMENT = 168.0
"""One week on its cluster: assumed."""


def revenue(f: Facts) -> np.ndarray:
    """Revenue by the income statement, USD."""
    return np.asarray(f.line("revenue"))


def _revenues(f: Facts) -> np.ndarray:
    lines = {k: v for k, v in f.statements.income.items() if k.startswith("revenue.")}
    return np.asarray(total(lines) + 0 * f.ledger.cash)


def revenue_last_year(f: Facts) -> np.ndarray:
    """Revenue of the last four quarters, USD."""
    return np.asarray(_revenues(f)[:, -4:].sum(axis=1))


def revenue_last_quarter(f: Facts) -> np.ndarray:
    """Revenue of the last quarter, USD."""
    return _revenues(f)[:, -1]


def cost_of_sales(f: Facts) -> np.ndarray:
    """Cost of sales by the income statement, USD."""
    return -_section(f, "cost of sales")


def _section(f: Facts, *sections: str) -> np.ndarray:
    names = [name for name in f.statements.income if section_of(name, f.statements.switches) in sections]
    return np.asarray(sum((f.statements.income[name].sum(axis=1) for name in names), f.same(0.0)))


def operating_income(f: Facts) -> np.ndarray:
    """Income before interest, tax and winding up, USD."""
    return _section(f, *(s for s in SECTION_OF if s not in ("financial", "tax", "winding up")))


def net_income(f: Facts) -> np.ndarray:
    """Net income, USD."""
    return np.asarray(f.statements.net_income.sum(axis=1))


def compute_cost(f: Facts) -> np.ndarray:
    """Compute expensed, all uses, USD."""
    return np.asarray((f.cost * _open(f)).sum(axis=1))


def _open(f: Facts) -> np.ndarray:
    return np.arange(f.ledger.quarters) <= f.ledger.ended[:, None]


def non_compute_cost(f: Facts) -> np.ndarray:
    """Operating costs that are not compute, before what internal use saves, USD."""
    return np.asarray(revenue(f) + f.line("hours_saved") - compute_cost(f) - operating_income(f))


def capability_value(f: Facts) -> np.ndarray:
    """Progress at its price in the plan, USD of today."""
    return f.same(f.priced.capability_value_usd)


def hours_saved(f: Facts) -> np.ndarray:
    """Sum what internal use saves, USD."""
    return f.line("hours_saved")


def tier_revenue(f: Facts) -> np.ndarray:
    """Revenue of the workload, as it reaches us, USD."""
    return np.asarray(f.ledger.revenues[f.workload].sum(axis=1))


def tier_compute(f: Facts) -> np.ndarray:
    """Sum the serving compute of the workload, free users included, USD."""
    share = shares_of_work(f.ledger)[f.workload]
    return np.asarray((f.cost * share * _open(f)).sum(axis=1))


def tier_revenue_cost(f: Facts) -> np.ndarray:
    """Costs that move with the workload's revenue, USD."""
    return f.lab.finance.revenue_cost * tier_revenue(f)


def tier_tokens(f: Facts) -> np.ndarray:
    """Tokens served by the workload."""
    return np.asarray(f.ledger.activity.output[f.workload].sum(axis=1))


def use_cost(f: Facts) -> np.ndarray:
    """Compute expensed on the use, USD."""
    shares = shares_of_work(f.ledger)
    share = sum((shares[name] for name in f.workloads_of(f.use)), np.zeros_like(f.cost))
    return np.asarray((f.cost * share * _open(f)).sum(axis=1))


def use_gain(f: Facts) -> np.ndarray:
    """Sum what the use brings, USD; nan for safety."""
    if f.use == "serving":
        return f.line("revenue", "resellers", "revenue_cost", "partners")
    gains = {"development": capability_value(f), "internal": hours_saved(f)}
    return np.asarray(gains.get(f.use, f.same(np.nan)))


def use_price(f: Facts) -> np.ndarray:
    """Worth of one more chip-hour in the use, there and then, USD."""
    return f.same(f.priced.use_price_usd_per_chip_h.get(f.use, np.nan))


def cost_of_chip_hour(f: Facts) -> np.ndarray:
    """Compute expensed per chip-hour at work, USD."""
    hours = total(f.ledger.activity.chip_hours).sum(axis=1)
    return np.asarray(np.where(hours > 0, compute_cost(f) / np.maximum(hours, 1e-9), np.nan))


def gw_years(f: Facts) -> np.ndarray:
    """Gigawatt-years of IT power of chips that are up."""
    return np.asarray(f.ledger.activity.live_w.sum(axis=1) / 4e9)


def live_chip_hours(f: Facts) -> np.ndarray:
    """Hours of chips that are up."""
    return np.asarray(f.ledger.activity.live_chip_hours.sum(axis=1))


def live_h100e_hours(f: Facts) -> np.ndarray:
    """H100-equivalent hours that are up."""
    return np.asarray(f.ledger.activity.live_h100e_hours.sum(axis=1))


def working_h100e_hours(f: Facts) -> np.ndarray:
    """H100-equivalent hours at work."""
    return f.hours(*USES)


def _weighted(f: Facts, *, goodput: bool) -> np.ndarray:
    hours = f.ledger.activity.h100e_hours
    parts = [
        hours[w.id] * getattr(w, "utilization", 1.0) * (w.goodput if goodput else 1.0)
        for w in f.lab.workloads
    ]
    return np.asarray(sum(parts, np.zeros_like(f.ledger.cash)).sum(axis=1))


def busy_h100e_hours(f: Facts) -> np.ndarray:
    """H100-equivalent hours at work and filled."""
    return _weighted(f, goodput=False)


def delivered_h100e_hours(f: Facts) -> np.ndarray:
    """H100-equivalent hours of useful work."""
    return _weighted(f, goodput=True)


def model_flop(f: Facts) -> np.ndarray:
    """Model FLOP of all workloads; tokens by the forward pass of their model."""
    output = f.ledger.activity.output
    return np.asarray(
        sum((amount * f.flop_per_token.get(name, 1.0) for name, amount in output.items()), np.zeros_like(f.cost)).sum(axis=1)
    )  # fmt: skip


def useful_peak_flop(f: Facts) -> np.ndarray:
    """Dense BF16 FLOP that chips could have done in their useful time."""
    peak = f.ledger.activity.peak_flop
    parts = [peak[w.id] * getattr(w, "utilization", 1.0) * w.goodput for w in f.lab.workloads]
    return np.asarray(sum(parts, np.zeros_like(f.cost)).sum(axis=1))


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.asarray(np.where(whole > 0, part / np.maximum(whole, 1e-300), np.nan))


def allocated(f: Facts) -> np.ndarray:
    """Hours at work over hours up."""
    return _share(working_h100e_hours(f), live_h100e_hours(f))


def busy(f: Facts) -> np.ndarray:
    """Hours filled over hours at work."""
    return _share(busy_h100e_hours(f), working_h100e_hours(f))


def goodput(f: Facts) -> np.ndarray:
    """Divide useful hours by filled hours."""
    return _share(delivered_h100e_hours(f), busy_h100e_hours(f))


def mfu(f: Facts) -> np.ndarray:
    """Model FLOP over peak FLOP of useful time."""
    return _share(model_flop(f), useful_peak_flop(f))


def utilization_point(f: Facts) -> np.ndarray:
    """Worth of a point of serving utilization, USD."""
    return f.same(f.priced.utilization_point_usd)


def goodput_point(f: Facts) -> np.ndarray:
    """Worth of a point of goodput, USD."""
    return f.same(f.priced.goodput_point_usd)


def opening_cash(f: Facts) -> np.ndarray:
    """Cash at the start, USD."""
    return f.same(f.ledger.opening.cash_usd)


def cash_minimum(f: Facts) -> np.ndarray:
    """Cash below which the lab is ruined, USD."""
    return f.same(f.lab.finance.cash_minimum_usd)


def burn(f: Facts) -> np.ndarray:
    """Cash used by operations and investments a quarter, mean of the first four, USD."""
    used = total(f.statements.operating) + total(f.statements.investing) + np.zeros_like(f.cost)
    leases = f.statements.financing.get("lease_repaid", np.zeros_like(f.cost))
    return -np.asarray((used + leases)[:, :4].mean(axis=1))


def take_or_pay(f: Facts) -> np.ndarray:
    """Rent due whether chips are used or not, USD."""
    names = ("committed_rent", "contract_rent", "contracts_left", "renewed_rent", "rent_of_orders_left")
    return -np.asarray(
        sum((f.ledger.flows[name].sum(axis=1) for name in names if name in f.ledger.flows), f.same(0.0))
    )


def purchases_owed(f: Facts) -> np.ndarray:
    """Payments for what was bought that fall due from the first quarter on, beyond the horizon too, USD."""
    owed = f.same(0.0)
    for quarter, amount in f.ledger.purchases.due:
        owed = owed + np.where((quarter >= 0) & (quarter < NEVER), amount, 0.0).sum(axis=1)
    return np.asarray(owed)


def served_tokens(f: Facts) -> np.ndarray:
    """Tokens served, all serving workloads."""
    output = f.ledger.activity.output
    return np.asarray(sum((output[w.id].sum(axis=1) for w in f.lab.serve), f.same(0.0)))


def wanted_tokens(f: Facts) -> np.ndarray:
    """Tokens demanded, all serving workloads; customers already lost not counted."""
    return np.asarray(sum((each.sum(axis=1) for each in f.ledger.activity.wanted.values()), f.same(0.0)))


def _h100e_of(f: Facts, names: tuple[str, ...]) -> np.ndarray:
    chip = {source.id: source.chip for source in (*f.lab.offers, *f.lab.contracts)}
    peak = [f.lab.chips[chip[name]].dense_8bit_op_per_s if name in chip else 0.0 for name in names]
    return h100_equivalents(1.0, peak)


def most_on_order(f: Facts) -> np.ndarray:
    """Most H100-equivalents signed and not delivered at the end of a quarter."""
    bought, rented = f.ledger.purchases, f.ledger.reservations
    most = f.same(0.0)
    weight, more = _h100e_of(f, bought.name), _h100e_of(f, rented.name)
    signed = bought.due[0][0] if bought.due else np.zeros_like(bought.chips)
    for t in range(f.ledger.quarters):
        waits = (signed <= t) & (t < bought.arrival) & (t < bought.lost)
        rents = (rented.signed <= t) & (t < rented.arrival) & (t < rented.lost)
        held = (bought.chips * weight * waits).sum(axis=1) + (rented.chips * more * rents).sum(axis=1)
        most = np.maximum(most, held)
    return most


def quarters_covered(f: Facts) -> np.ndarray:
    """Quarters for which chips signed by the end of the first grow at least as expected demand; nan without any."""
    bought, rented = f.ledger.purchases, f.ledger.reservations
    weight, more = _h100e_of(f, bought.name), _h100e_of(f, rented.name)
    signed = bought.due[0][0] if bought.due else np.zeros_like(bought.chips)
    if not f.ledger.activity.wanted:
        return f.same(np.nan)
    wanted = total(f.ledger.activity.wanted)
    need = f.same(0.0)
    growth = f.ledger.weight @ wanted / max(float(f.ledger.weight @ wanted[:, 0]), 1e-300)
    covered, open_ = f.same(0.0), np.ones(f.ledger.paths, dtype=bool)
    for t in range(f.ledger.quarters):
        own = (signed <= 0) & (bought.arrival <= t) & (t < bought.retirement)
        rents = (rented.signed <= 0) & (rented.arrival <= t) & (t < rented.retirement)
        held = (bought.chips * weight * own).sum(axis=1) + (rented.chips * more * rents).sum(axis=1)
        need = held if t == 0 else need
        open_ &= held >= need * growth[t] * (1 - 1e-9)
        covered += open_
    return covered


def concentration(f: Facts) -> np.ndarray:
    """Sum of squared shares of H100-equivalents up by supplier, over the horizon; nan without suppliers."""
    if not f.ledger.activity.h100e_by_supplier:
        return f.same(np.nan)
    each = np.stack([amount.sum(axis=1) for amount in f.ledger.activity.h100e_by_supplier.values()], axis=1)
    whole = each.sum(axis=1, keepdims=True)
    return np.asarray((_share(each, np.broadcast_to(whole, each.shape)) ** 2).sum(axis=1))


def rd_hours(f: Facts) -> np.ndarray:
    """H100-equivalent hours on development and safety."""
    return f.hours("development", "safety")


def floor_capacity(f: Facts) -> np.ndarray:
    """Share of capacity at work on what the development floor protects."""
    return f.same(f.priced.floor_capacity_share)


def floor_share(f: Facts) -> np.ndarray:
    """Repeat the development floor."""
    return f.same(f.priced.floor_share)


def floor_price(f: Facts) -> np.ndarray:
    """Cost today of one more point of the development floor, USD."""
    return f.same(f.priced.floor_point_usd)


def _experiments(f: Facts) -> tuple[str, ...]:
    """Workloads that are experiments: those the lab names, else the training of the smallest cluster."""
    named = f.lab.capability.experiments if f.lab.capability else ()
    smallest = sorted(f.lab.develop, key=lambda workload: workload.cluster_chips)[:1]
    return named or tuple(workload.id for workload in smallest)


def experiment_hours(f: Facts) -> np.ndarray:
    """Chip-hours at work on experiments."""
    hours = f.ledger.activity.chip_hours
    return np.asarray(sum((hours[name].sum(axis=1) for name in _experiments(f)), f.same(0.0)))


def one_experiment(f: Facts) -> np.ndarray:
    """Chip-hours of one experiment: its cluster for a week."""
    sizes = [workload.cluster_chips for workload in f.lab.develop if workload.id in _experiments(f)]
    return f.same(float(np.mean(sizes)) * HOURS_OF_AN_EXPERIMENT if sizes else 0.0)


def quarters_open(f: Facts) -> np.ndarray:
    """Quarters in which the books are open, that of ruin included."""
    return np.asarray(_open(f).sum(axis=1), dtype=float)


def log_ratio(f: Facts) -> np.ndarray:
    """Logarithm of the capability ratio in the last quarter; nan without the loop of capability, or after ruin."""
    last = f.ledger.activity.ratio[:, -1]
    known = (last > 0) & f.ledger.alive[:, -1] & (f.lab.capability is not None)
    return np.where(known, np.log(np.maximum(last, 1e-9)), np.nan)


def frontier_pace(f: Facts) -> np.ndarray:
    """Growth of the frontier's effective compute a day, log."""
    law = f.lab.capability
    return f.same(np.log1p(law.frontier_growth.median) / 365 if law else np.nan)


def lost_sales(f: Facts) -> np.ndarray:
    """Revenue that demand not served would have brought, USD."""
    lost = f.same(0.0)
    for name, asked in f.ledger.activity.wanted.items():
        made, earned = f.ledger.activity.output[name], f.ledger.revenues[name]
        price = np.where(made > 0, earned / np.maximum(made, 1e-300), 0.0)
        mean = price.sum(axis=0) / np.maximum((made > 0).sum(axis=0), 1)
        lost += (np.maximum(asked - made, 0.0) * np.where(made > 0, price, mean)).sum(axis=1)
    return lost


def book_at_end(f: Facts) -> np.ndarray:
    """Book value of chips at the end of the horizon, USD."""
    return np.asarray(f.statements.assets["chips"][:, -1])


def value_in_use(f: Facts) -> np.ndarray:
    """Value in use of chips owned at the end, USD."""
    return np.asarray(f.ledger.economic_value["use"][:, -1] * f.ledger.alive[:, -1])


def value_at_rent(f: Facts) -> np.ndarray:
    """Value at market rent of chips owned at the end, USD."""
    return np.asarray(f.ledger.economic_value["rent"][:, -1] * f.ledger.alive[:, -1])
