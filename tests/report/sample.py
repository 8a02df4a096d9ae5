"""A made-up lab's answer: realistic shapes and sizes, no number of it describes anybody."""

from __future__ import annotations

import math
from dataclasses import replace

from exaplan.domain.answer import (
    Allocation,
    Answer,
    Assumption,
    Benchmark,
    Capacity,
    CashBand,
    Certificate,
    DecidingInput,
    Decision,
    Development,
    Flip,
    Kpi,
    Limit,
    Price,
    Replay,
    Service,
    Story,
    Verdict,
)
from exaplan.domain.derivation import Derivation, Operand
from exaplan.domain.quarter import Quarter

FIRST = Quarter(2026, 3)
# source, kind, chip, first quarter live, last quarter live, chips at full ramp
SOURCES = (
    ("azure-h100-2024", "reserved", "h100", 0, 8, 52_000),
    ("owned-b200", "owned", "b200", 0, 15, 34_000),
    ("reserve-gb200", "reserved", "gb200", 2, 15, 60_000),
    ("tpu-v7-deal", "reserved", "tpu-v7", 4, 15, 90_000),
    ("texas-site", "purchase", "gb200", 8, 15, 70_000),
    ("spot-h100", "on-demand", "h100", 0, 15, 6_000),
)
WORKLOADS = (
    ("chat", "serve", 0.24),
    ("api", "serve", 0.17),
    ("coding-agents", "serve", 0.13),
    ("pretrain", "train", 0.22),
    ("rl", "train", 0.18),
    ("safety", "safety", 0.06),
)


def quarters(number: int) -> list[str]:
    return [str(FIRST + step) for step in range(number)]


def _capacity(number: int) -> tuple[Capacity, ...]:
    rows = []
    for step, quarter in enumerate(quarters(number)):
        for source, kind, chip, first, last, full in SOURCES:
            ramp = min(1.0, (step - first + 1) / 3) if first else 1.0
            chips = full * ramp if first <= step <= last else 0.0
            if kind == "on-demand":
                chips = full * (0.5 + 0.5 * math.sin(step / 2.0))
            wide = 0.02 + 0.03 * step
            used = chips * (0.97 if kind != "purchase" else 0.93)
            low, high = chips * max(0.0, 1 - wide), chips * (1 + wide)
            rows.append(Capacity(quarter, source, kind, chip, chips, low, high, used))
    return tuple(rows)


def _allocation(capacity: tuple[Capacity, ...]) -> tuple[Allocation, ...]:
    rows = []
    for quarter in dict.fromkeys(row.quarter for row in capacity):
        here = [row for row in capacity if row.quarter == quarter]
        total = sum(row.chips for row in here)
        shift = 0.03 * math.sin((Quarter.parse(quarter) - FIRST) / 3.0)
        for chip in dict.fromkeys(row.chip for row in here):
            used = sum(row.used for row in here if row.chip == chip)
            for workload, kind, share in WORKLOADS:
                part = share + (shift if workload == "chat" else -shift if workload == "rl" else 0.0)
                chips = used * part
                rows.append(Allocation(quarter, workload, kind, chip, "us", chips, chips / max(total, 1.0)))
    return tuple(rows)


def _service(number: int) -> tuple[Service, ...]:
    rows = []
    for step, quarter in enumerate(quarters(number)):
        for workload, start, growth, price in (
            ("chat", 9e13, 0.12, 2.6e-6),
            ("api", 6e13, 0.16, 2.1e-6),
            ("coding-agents", 2.5e13, 0.24, 4.0e-6),
        ):
            demand = start * (1 + growth) ** step
            missed = max(0.0, 0.10 * math.sin(step / 2.4 + start / 1e13))
            served = demand * (1 - missed)
            revenue = served * price * 0.93**step
            rows.append(
                Service(quarter, workload, demand, served, demand - served, 0.3 * (demand - served), revenue)
            )
    return tuple(rows)


def _cash(number: int) -> tuple[CashBand, ...]:
    rows = []
    for step, quarter in enumerate(quarters(number)):
        middle = 1e9 * (14 - 3.1 * step + 0.27 * step**2)
        wide = 1e9 * (0.4 + 0.85 * step)
        rows.append(
            CashBand(
                quarter, middle - wide, middle - 0.4 * wide, middle, middle + 0.5 * wide, middle + 1.5 * wide,
                middle + 0.1 * wide,
            )
        )  # fmt: skip
    return tuple(rows)


def _prices(number: int) -> tuple[Price, ...]:
    rows = []
    for step, quarter in enumerate(quarters(number)):
        scarce = max(0.0, math.sin(step / 2.4 + 0.4))
        for kind, name, unit, size in (
            ("chips", "gb200", "chip", 21_000.0),
            ("chips", "tpu-v7", "chip", 14_500.0),
            ("power", "texas", "MW", 6.2e5 if step >= 6 else 0.0),
            ("floor", "development floor", "share", -2.9e9),
            ("cash", "cash", "USD", 1.0),
        ):
            worth = size * scarce if kind != "cash" else 1 + 0.22 * scarce
            rows.append(Price(quarter, kind, name, unit, worth, 0.4 * worth, 1.7 * worth, worth * 0.97**step))
    return tuple(rows)


DECISIONS = (
    Decision("reserve-gb200", "gb200", "coreweave", "reserved", "2026-Q3", "2026-Q3", "2027-Q1", 60_000, 4.9e9, 0.61e9, 1.0, True, 310e6),
    Decision("texas-site", "gb200", "own build", "purchase", "2026-Q3", "2026-Q3", "2028-Q3", 70_000, 3.4e9, 0.68e9, 1.0, True, 120e6),
    Decision("spot-h100", "h100", "several", "on-demand", "2026-Q3", "2026-Q3", "2026-Q3", 3_000, 0.014e9, 0.014e9, 1.0, True, None),
    Decision("tpu-v7-deal", "tpu-v7", "google", "reserved", "2026-Q4", "2026-Q4", "2027-Q3", 90_000, 5.6e9, 0.56e9, 0.78, False, None),
    Decision("reserve-gb200", "gb200", "coreweave", "reserved", "2027-Q2", "2027-Q2", "2027-Q4", 22_000, 1.7e9, 0.2e9, 0.41, False, None),
    Decision("texas-site", "gb200", "own build", "purchase", "2028-Q1", "2028-Q1", "2030-Q1", 30_000, 1.4e9, 0.3e9, 0.22, False, None),
)  # fmt: skip

STORIES = tuple(
    Story(
        path,
        -1e9 * (9.5 - 0.8 * rank),
        "2028-Q2" if rank < 4 else None,
        f"Token prices fall {62 - 3 * rank} % a year while the second reserve runs {2 + rank % 2} quarters late; "
        "rent is due before the chips earn.",
    )
    for rank, path in enumerate((417, 88, 263, 12, 301, 155, 490, 37, 222, 349))
)

VERDICT = Verdict(
    offer="tpu-v7-deal", sign=True, quarter="2026-Q4", chips=90_000, advantage_usd=1.35e9,
    cost_of_waiting_usd=0.21e9, replay_advantage_ci=(0.9e9, 1.8e9),
    flips=(
        Flip("workloads.chat.price.change", "-55 %/year", False, -0.4e9),
        Flip("offers.tpu-v7-deal.price", "+35 %", False, -0.2e9),
        Flip("offers.tpu-v7-deal.lead", "5 quarters", True, 0.6e9),
        Flip("workloads.api.growth", "20 %/year", True, 0.3e9),
    ),
    worst=STORIES,
)  # fmt: skip


def _kpis() -> tuple[Kpi, ...]:
    margin = Derivation(
        "gross_margin_share",
        0.58,
        "share",
        "gross margin = (revenue - compute cost) / revenue",
        (
            Operand("revenue", 96.4e9, "USD", "table service, all quarters, replay mean"),
            Operand("compute cost", 40.5e9, "USD", "table cash, contract payments + power + depreciation"),
        ),
        "replay mean, 500 paths",
    )
    return (
        Kpi("value", "Value to equity", 17.8e9, 16.1e9, "USD", "Expected free cash to equity at the cost of equity, on unseen futures."),
        Kpi("p_ruin", "P(ruin)", 0.018, 0.031, "probability", "Share of unseen futures in which cash falls below the minimum although every permitted draw is used."),
        Kpi("served_share", "Demand served", 0.931, 0.872, "share", "Tokens served over tokens asked for, all serving workloads and quarters."),
        Kpi("gross_margin_share", "Gross margin", 0.58, 0.49, "share", "Revenue less compute cost, over revenue.", margin),
        Kpi("cost_per_mtok", "Cost per million tokens", 0.94, 1.31, "USD/Mtok", "Serving compute cost over tokens served."),
        Kpi("development_flop", "Development compute", 3.1e27, 2.4e27, "FLOP", "FLOP of development over the horizon, tree mean."),
        Kpi("take_or_pay", "Committed today", 8.3e9, 0.0, "USD", "Dollars that must be paid whatever happens, by signatures of the first quarter."),
        Kpi("months_of_delay", "Delay survived", 5.5, None, "months", "Longest slip of all open orders that still leaves P(ruin) under its limit."),
    )  # fmt: skip


def _assumptions() -> tuple[Assumption, ...]:
    known = (
        Assumption("finance.cash", "14 GUSD", "made-up.yaml:88:9", "assumed"),
        Assumption("offers.reserve-gb200.price", "3.30 USD/chip/h", "made-up.yaml:31:72", "made-up price list, 2026-06"),
        Assumption("workloads.chat.price.change", "-60 to -20 % /year", "made-up.yaml:52:40", "assumed"),
        Assumption("workloads.chat.growth", "30 to 120 % /year", "made-up.yaml:51:14", "assumed"),
        Assumption("chips.h100.bf16", "989 TFLOP/s", "catalog chips.csv:4", "NVIDIA H100 datasheet, dense, 2023"),
    )  # fmt: skip
    more = tuple(
        Assumption(
            f"chips.example-{k}.hbm", f"{80 + 8 * k} GB", f"catalog chips.csv:{10 + k}", "made-up datasheet"
        )
        for k in range(25)
    )
    return known + more


def answer(number: int = 16) -> Answer:
    """A full answer over `number` quarters."""
    capacity = _capacity(number)
    days = quarters(number)
    return Answer(
        lab="Examplia (made-up lab)", lab_file="made-up.yaml", first_quarter=days[0], quarters=number, nodes=341,
        leaves=96, status="optimal", route="extensive form by simplex: 40,000 columns", objective=16.9e9, bound=16.9e9, gap=0.0,
        certificate=Certificate(3e-11, 8e-10, 2e-12), tree_value=18.3e9, tree_p_rescue=0.012, rescue_price=4.0,
        largest_cash_price=2.7,
        replay=Replay(17.8e9, (17.4e9, 18.2e9), 0.018, (0.009, 0.034), 500, 7, 0.931, 5.5),
        benchmark=Benchmark("rent only", 16.1e9, (15.8e9, 16.5e9), 0.031, (1.2e9, 2.1e9)),
        decisions=DECISIONS, allocation=_allocation(capacity), capacity=capacity, service=_service(number),
        development=tuple(
            Development(day, 1.1e26 * 1.1**k, 0.92 + 0.012 * k, 0.40 + max(0.0, 0.05 * math.sin(k / 2)))
            for k, day in enumerate(days)
        ),
        cash=_cash(number), prices=_prices(number),
        limits=(
            Limit("development floor", "binds", 2.9e9, "share", 0.0, 9),
            Limit("P(ruin) within 3 years", "binds", 48e6, "percentage point"),
            Limit("power at texas", "binds", 0.62e6, "MW", 0.0, 5),
            Limit("safety share", "slack", 0.0, "share"),
            Limit("max order of tpu-v7-deal", "relaxed", 2_100.0, "chip", 4_000.0, 1),
        ),
        deciding_inputs=(
            DecidingInput("workloads.chat.price.change", "-40 %/year", "-60 %/year", "-20 %/year", 9.1e9, 24.9e9, "-55 %/year", "assumed"),
            DecidingInput("workloads.api.growth", "75 %/year", "30 %/year", "120 %/year", 12.2e9, 22.6e9, "34 %/year", "assumed"),
            DecidingInput("offers.texas-site.lead", "8 quarters", "7 quarters", "11 quarters", 18.8e9, 15.4e9, None, "made-up utility queue study, 2026"),
        ),
        kpis=_kpis(), stories=STORIES, assumptions=_assumptions(),
        remarks=("Four more quarters change first-year orders by 3.1 %.",),
        verdict=VERDICT, seed=1, version="0.1.0",
        timings={"load": 0.2, "technology": 0.4, "tree": 0.3, "build": 0.5, "solve": 2.9, "replay": 1.8, "report": 1.4},
    )  # fmt: skip


def empty(number: int = 1) -> Answer:
    """A lab with no offers, nothing signed, nothing priced and no verdict."""
    full = answer(number)
    return replace(
        full, decisions=(), allocation=(), capacity=(), service=(), development=(), prices=(), limits=(),
        deciding_inputs=(), kpis=(), stories=(), assumptions=(), remarks=(), verdict=None, timings={},
    )  # fmt: skip


def losing() -> Answer:
    """A plan that renting only beats, with a long-winded lab and many signatures."""
    full = answer()
    many = tuple(
        replace(item, offer=f"{item.offer}-with-a-rather-long-name-{k}")
        for k in range(12)
        for item in full.decisions
    )
    return replace(
        full, decisions=many, benchmark=Benchmark("rent only", 19e9, (18e9, 20e9), 0.01, (-2.1e9, -0.4e9)),
        remarks=tuple(f"Remark {k}: " + "something worth knowing before signing, " * 4 for k in range(9)),
    )  # fmt: skip


def odd(kind: str) -> Answer:
    """One of the answers that a page must also survive, by name."""
    return {
        "empty": empty,
        "losing": losing,
        "one quarter": lambda: answer(1),
        "forty quarters": lambda: answer(40),
        "no verdict": lambda: replace(answer(), verdict=None),
    }[kind]()
