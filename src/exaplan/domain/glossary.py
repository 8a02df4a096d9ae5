"""The words of the field: what each means here, in which unit, and which of several usages is meant.

Record fields carry their own descriptions; this is for the terms that those descriptions, the report and the
documentation use without stopping to explain them.
"""

from __future__ import annotations

from difflib import get_close_matches

from exaplan.domain.errors import InputError, Problem
from exaplan.domain.glossary_finance import FINANCE_TERMS
from exaplan.domain.term import Term

_WORDS: dict[str, Term] = {
    "allocation": Term("allocation", "chip", "Chips at work on one workload in one quarter."),
    "annuity": Term(
        "annuity", "USD/quarter", "Equal payment per quarter with the same present value as a sum paid now."
    ),
    "arithmetic_intensity": Term(
        "arithmetic intensity",
        "FLOP/B",
        "FLOP done per byte moved from main memory; low means bound by bandwidth.",
    ),
    "bf16": Term(
        "BF16", "-", "Sixteen-bit number format with eight exponent bits; the usual format of training."
    ),
    "capability": Term(
        "capability ratio z",
        "ratio",
        "Effective compute of our best model over that of the frontier; 1 is parity.",
    ),
    "capability_lag": Term(
        "capability lag",
        "month",
        "Months since the best of the other labs first had the effective compute that a lab has now.",
    ),
    "capex": Term("capex", "USD", "Cash spent on things that last: chips, servers, network, halls."),
    "capital_window": Term(
        "capital window", "-", "A time in which equity can be raised; it opens and closes at random."
    ),
    "cash_floor": Term("cash floor", "USD", "Cash below which the lab counts as ruined."),
    "certificate": Term(
        "certificate",
        "ratio",
        "Primal residual, dual residual and gap of a solved plan, computed apart from the solver.",
    ),
    "commitment": Term("commitment", "USD", "All payments that a signature makes unavoidable, undiscounted."),
    "compute_lag": Term(
        "compute lag",
        "month",
        "Months since the best of the other labs first had as many H100-equivalents at work as a lab has now.",
    ),
    "cvar": Term(
        "CVaR", "USD", "Mean loss over the worst 1 - level of futures; the tail is always the tail of losses."
    ),
    "deposit": Term("deposit", "share", "Part of a contract's value paid at signature and credited later."),
    "distillation": Term("distillation", "FLOP", "A training run that teaches a model from another one."),
    "effective_flop": Term(
        "effective FLOP",
        "FLOP",
        "Training FLOP times algorithmic progress: what today's recipe would have needed.",
    ),
    "envelope": Term(
        "envelope", "chip", "All chips that can be shared out in a quarter, whatever brought them."
    ),
    "equity_for_compute": Term(
        "equity for compute",
        "-",
        "Money for shares that comes with an obligation to spend with the investor, or to share revenue with him.",
    ),
    "evpi": Term(
        "EVPI", "USD", "Expected value of perfect information: what knowing the future would add to the plan."
    ),
    "exclusivity": Term(
        "exclusivity", "-", "Promise to sign nothing with named suppliers while a deal is in force."
    ),
    "flop": Term(
        "FLOP", "FLOP", "Floating-point operations, a count; a multiply-add is two. A rate is FLOP/s."
    ),
    "fp4": Term("FP4", "-", "Four-bit floating-point format, used for serving with block scales."),
    "fp8": Term(
        "FP8", "-", "Eight-bit floating-point format, used for serving and increasingly for training."
    ),
    "goodput": Term(
        "goodput", "share", "Share of busy time that is useful work, after failures, restarts and reloads."
    ),
    "h100_equivalent": Term(
        "H100-equivalent",
        "chip",
        "Chips weighted by dense 8-bit peak over that of an H100 (1979 TOP/s); for reports only.",
    ),
    "hbm": Term("HBM", "B", "High-bandwidth memory, the main memory on the package of an accelerator."),
    "hfu": Term(
        "HFU", "share", "FLOP executed, recomputation included, over the dense peak of the stated precision."
    ),
    "int8": Term("INT8", "-", "Eight-bit integer format; peaks are counted in OP/s, not FLOP/s."),
    "internal_use": Term(
        "internal use", "chip", "Compute that makes the lab itself work faster or serve cheaper."
    ),
    "irr": Term(
        "IRR", "1/year", "Discount rate at which the net present value of a series of payments is zero."
    ),
    "it_power": Term(
        "IT power", "W", "Power into servers and network; facility power is IT power times PUE."
    ),
    "kappa": Term(
        "kappa", "share", "Share of the demand left unserved in a quarter that stays away in the next."
    ),
    "launch": Term(
        "launch",
        "token/month",
        "A step of demand that may be taken or left, with what it takes in its quarter.",
    ),
    "lead_time": Term(
        "lead time", "quarter", "Signature to energised: from the order until chips do useful work."
    ),
    "leaf": Term("leaf", "-", "A node of the scenario tree in the last quarter: one whole future."),
    "leapfrog": Term(
        "leapfrog",
        "-",
        "Becoming first in capability within a year of a leap of a lab's own recipes, not having been first.",
    ),
    "lease": Term(
        "lease",
        "-",
        "Reservation of chips that stand at an own site, often with the right to buy them at its end.",
    ),
    "life": Term(
        "useful life", "quarter", "Quarters a chip earns; the book life of the accounts may differ."
    ),
    "load_block": Term(
        "load block",
        "-",
        "Part of a quarter's hours in which serving load counts as even: peak, shoulder, trough.",
    ),
    "load_duration_curve": Term(
        "load-duration curve", "-", "Hours of a period sorted from the busiest to the quietest."
    ),
    "lot": Term("lot", "chip", "Smallest amount of which an order is a whole multiple."),
    "mfu": Term(
        "MFU", "share", "Model FLOP, recomputation left out, over the dense peak of the stated precision."
    ),
    "milestone": Term(
        "milestone",
        "share",
        "Part of a price that is due at a date between order and delivery, arrived or not.",
    ),
    "mla": Term("MLA", "-", "Multi-head latent attention: keys and values stored compressed to a low rank."),
    "model_shift": Term(
        "model shift",
        "ratio",
        "New shapes of models that run at another rate on some chips from a drawn date on.",
    ),
    "moe": Term("MoE", "-", "Mixture of experts: each token visits a few of many feed-forward blocks."),
    "must_spend": Term(
        "must-spend", "USD", "Least spending with a partner in a period; what is missing is paid for nothing."
    ),
    "npv": Term("NPV", "USD", "Net present value: payments discounted to the first quarter and added up."),
    "nre": Term("NRE", "USD", "Non-recurring engineering: design, masks and bring-up of a chip, paid once."),
    "opex": Term("opex", "USD/quarter", "Cash spent on running: power, staff, rent."),
    "option_premium": Term("option premium", "USD", "What is paid to be allowed, not obliged, to buy later."),
    "overnight_cost": Term(
        "overnight cost", "USD", "Cost of building at once, before interest during construction."
    ),
    "parity": Term("parity", "-", "As much as the best of all other labs, in compute or in capability."),
    "pinned_future": Term(
        "pinned future", "share", "A named future, such as bear or bull, on a stated share of the paths."
    ),
    "pool": Term("pool", "-", "Locations whose chips can be scheduled as one."),
    "preemptible": Term(
        "preemptible",
        "-",
        "Work whose chips may be taken for serving and given back, at the loss of restarts.",
    ),
    "premium": Term("premium", "share", "Revenue over the stated price that customers pay for safety work."),
    "price_point": Term("price point", "ratio", "One price that may be offered, with the demand at it."),
    "priority": Term(
        "priority",
        "share",
        "Share of a shortfall in a supplier's supply that is made good to us before others.",
    ),
    "pue": Term("PUE", "ratio", "Power usage effectiveness: facility power over IT power, never below 1."),
    "quarter": Term("quarter", "quarter", "A calendar quarter, the time step of every plan: 2,190 hours."),
    "ramp": Term("ramp", "quarter", "Quarters from first delivery, or first port, to the full rate."),
    "re_spin": Term("re-spin", "-", "New masks for silicon that failed: volume comes later and costs more."),
    "recourse": Term("recourse", "-", "What can still be decided once the news of a quarter is known."),
    "regime": Term(
        "regime", "-", "A state of the rental market, such as glut or scarcity, with a mean price of its own."
    ),
    "regret": Term("regret", "USD", "Value lost against the plan that this future would have called for."),
    "renewal": Term("renewal", "-", "Right to keep chips for another term when theirs ends."),
    "rescue_equity": Term(
        "rescue equity",
        "USD",
        "Cash put in by the model so that a future goes on after ruin; its price is far above value.",
    ),
    "research_floor": Term(
        "research floor",
        "share",
        "Share of energised capacity kept for model development, whatever else wants it.",
    ),
    "reserve": Term(
        "availability reserve",
        "share",
        "Chips held ready for serving beyond those at work, idle or on preemptible work.",
    ),
    "roic": Term(
        "ROIC", "1/year", "Return on invested capital: operating profit after tax over capital put in."
    ),
    "routing_mix": Term("routing mix", "share", "Shares of a segment's tokens by the models that serve it."),
    "ruin": Term(
        "ruin",
        "-",
        "First quarter in which cash before rescue is below the cash floor although every permitted draw is used.",
    ),
    "runway": Term("runway", "month", "Months until cash reaches the cash floor if nothing new is raised."),
    "scale_out": Term("scale-out", "-", "The network between scale-up domains: slower, reaches everywhere."),
    "scale_up": Term("scale-up", "-", "The fabric that joins a few chips to one domain with fast links."),
    "scenario_tree": Term(
        "scenario tree",
        "-",
        "Futures that share what is known so far: a decision is made once for all that look alike.",
    ),
    "segment": Term(
        "segment", "-", "Customers with one kind of request and one price, served by one or several models."
    ),
    "shadow_price": Term(
        "shadow price", "USD per unit", "What one more unit of a limited thing adds to the plan's value."
    ),
    "slip": Term("slip", "quarter", "Quarters by which a delivery comes later than signed."),
    "spot": Term("spot", "ratio", "The rental market of chips by the hour, apart from that of contracts."),
    "step_up": Term("step-up", "share", "Agreed rise of price or volume at a date within a contract."),
    "take_or_pay": Term(
        "take-or-pay", "share", "Share of the contracted volume that is paid whether it is used or not."
    ),
    "tape_out": Term("tape-out", "-", "Handing a finished chip design to the foundry."),
    "tdp": Term("TDP", "W", "Thermal design power of the package alone, without server and network."),
    "tpot": Term("TPOT", "s", "Time per output token as one user sees it, after the first."),
    "ttft": Term("TTFT", "s", "Time from a request to its first output token."),
    "vintage": Term("vintage", "-", "Chips that arrived in the same quarter under the same contract."),
    "vss": Term(
        "VSS",
        "USD",
        "Value of the stochastic solution: what planning for many futures adds to planning for the mean.",
    ),
    "wacc": Term("WACC", "1/year", "Weighted average cost of capital, debt and equity together."),
}
"""Every term by its key, sorted."""

GLOSSARY: dict[str, Term] = dict(sorted((_WORDS | FINANCE_TERMS).items()))

UNITS: dict[str, str] = {
    "1": "a bare one: 1/year is a rate per year",
    "B": "byte",
    "FLOP": "floating-point operation, a count; a multiply-add is two",
    "GW": "gigawatt of IT power",
    "H100e": "H100-equivalent, by dense 8-bit peak",
    "J": "joule",
    "Mtok": "million tokens",
    "OP": "integer operation, a count",
    "USD": "US dollar of the date it is paid",
    "W": "watt",
    "chip": "accelerator package",
    "cm^2": "square centimeter",
    "day": "24 hours",
    "h": "hour",
    "mm": "millimeter",
    "mm^2": "square millimeter",
    "month": "a third of a quarter",
    "quarter": "calendar quarter, 2,190 hours",
    "ratio": "one quantity over another of the same kind; may exceed 1",
    "s": "second",
    "share": "part of a whole, 0..1; written 40 % in a lab file",
    "stack": "one stack of high-bandwidth memory",
    "task": "piece of work given to an agent, done in one or more attempts",
    "token": "token of the model's own vocabulary",
    "user": "person with a seat, paying or not",
    "wafer": "one processed wafer",
    "year": "four quarters",
}
"""The atoms that the units of record fields are written with."""


def define(word: str) -> Term:
    """Find a term by its key or its written form, in any case; InputError with the nearest terms otherwise.

    Examples
    --------
    >>> define("take-or-pay").unit
    'share'
    >>> define("mfu").name
    'MFU'
    """
    keys = {term.name.casefold(): key for key, term in GLOSSARY.items()} | {key: key for key in GLOSSARY}
    wanted = word.strip().casefold()
    if wanted in keys:
        return GLOSSARY[keys[wanted]]
    near = [GLOSSARY[keys[match]].name for match in get_close_matches(wanted, keys, n=3)]
    hint = (
        f"did you mean {', '.join(dict.fromkeys(near))}?"
        if near
        else "docs/index.md says where words are defined"
    )
    raise InputError(Problem(reason=f"{word!r} is not in the glossary", suggestion=hint))
