"""What a second source is worth against an incumbent: the break-even discount, and the price that bargaining ends at.

With V(p) the value of the lab's plan when the incumbent's offers cost p times their list price, D that of the plan
without them, and P(p) what the incumbent is paid, its margin at list price m: the price of a deal maximizes

    (V(p) - D)^a (P(p) - (1 - m) P(p) / p)^(1 - a)

over p (Nash, Econometrica 18 (1950) 155; with bargaining powers a and 1 - a: Binmore, Rubinstein and Wolinsky, RAND
Journal of Economics 17 (1986) 176). The incumbent's chips cost (1 - m) of their list price; what it does not sell here
it sells nowhere. Own silicon raises D and lowers V - D: the price falls, and that fall is the discount it implies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from exaplan.domain.lab import Lab
from exaplan.domain.options import Bargain, LeverageAnswer, PricePoint
from exaplan.domain.silicon import Leverage
from exaplan.domain.supply import Purchase
from exaplan.optimize.branching import Brancher
from exaplan.optimize.model import Model
from exaplan.optimize.solution import Basis
from exaplan.plan.formulation import Program, build_program
from exaplan.plan.inputs import Inputs, collect
from exaplan.plan.layout import USD

FACTORS = (0.4, 0.55, 0.7, 0.8, 0.9, 1.0, 1.15, 1.4)
"""Prices over list price at which plans are solved; between them values are interpolated, smoothly and monotonely."""

POWERS = (0.2, 0.35, 0.5, 0.65, 0.8)
"""Bargaining powers of the lab that are shown."""

FINE = 2201
"""Prices between the first and the last factor that the Nash product is evaluated at."""

STEPS = 3
"""Secant steps from the interpolated break-even discount."""


Side = tuple[float, float]
"""Value of a plan and present value of what the incumbent is paid, M$."""

Map = Callable[
    [Callable[[np.ndarray], dict[float | None, Side]], Iterable[np.ndarray]],
    Iterable[dict[float | None, Side]],
]


def leverage_of(
    program: Program,
    x: np.ndarray,
    *,
    start: Basis | None = None,
    map: Map = map,  # noqa: A002
) -> LeverageAnswer | None:
    """Say what own silicon is worth against ``lab.leverage.incumbent``; None without one, or where nothing is started.

    ``x`` is the best plan at list prices. With the second source a plan keeps these starts of own silicon or drops
    them, whichever is better at the price; other lumps are kept as planned or all dropped, whichever is better.
    """
    inputs = program.inputs
    terms = inputs.lab.leverage
    if terms is None or "silicon_start" not in program.model.columns:
        return None
    variable = program.model.columns["silicon_start"]
    chosen = np.round(x[variable.span]).reshape(variable.shape)
    if not chosen.any():
        return None
    none = np.zeros_like(chosen)
    bench = _Bench(inputs, terms, start, program.model, x)
    without, kept = map(bench.chain, (none, chosen))
    with_ = {factor: max(without[factor], kept[factor]) for factor in without}
    points = tuple(
        PricePoint(factor, a[0] * USD, b[0] * USD, a[1] * USD, b[1] * USD)
        for factor, a, b in ((factor, without[factor], with_[factor]) for factor in FACTORS)
    )
    return LeverageAnswer(
        incumbent=terms.incumbent,
        margin=terms.margin,
        walk_without_usd=without[None][0] * USD,
        walk_with_usd=with_[None][0] * USD,
        points=points,
        break_even=_break_even(points, lambda price: bench.solve(price, none)[0] * USD),
        bargains=tuple(
            bargained(points, without[None][0] * USD, with_[None][0] * USD, terms.margin, a) for a in POWERS
        ),
        typed_discount=terms.discount,
    )


def priced(lab: Lab, offers: tuple[str, ...], factor: float) -> Lab:
    """Return the lab with the prices of some offers multiplied."""
    changed = []
    for offer in lab.offers:
        name = "price_usd_per_chip" if isinstance(offer, Purchase) else "price_usd_per_chip_h"
        given = tuple(factor * price for price in getattr(offer, name))
        changed.append(offer.model_copy(update={name: given}) if offer.id in offers else offer)
    return lab.model_copy(update={"offers": tuple(changed)})


def bargained(
    points: tuple[PricePoint, ...], walk_without: float, walk_with: float, margin: float, power: float
) -> Bargain:
    """Prices of the Nash bargain without and with the second source.

    Examples
    --------
    A buyer of one thing worth 10 at a list price of 4 that costs the seller 2, equal powers: the price is halfway between
    2 and 10, so 1.5 times list. With a second source the buyer walks away with 4: halfway between 2 and 6, so list.

    >>> points = tuple(PricePoint(p, 10 - 4 * p, 10 - 4 * p, 4 * p, 4 * p) for p in (0.5, 2.5))
    >>> found = bargained(points, 0.0, 4.0, 0.5, 0.5)
    >>> round(found.without, 2), round(found.with_, 2), round(found.discount, 2)
    (1.5, 1.0, 0.33)
    """
    factors = np.array([point.factor for point in points])
    price = np.linspace(factors[0], factors[-1], FINE)
    found: list[float | None] = []
    for value, paid, walk in (
        ([point.without_usd for point in points], [point.paid_without_usd for point in points], walk_without),
        ([point.with_usd for point in points], [point.paid_with_usd for point in points], walk_with),
    ):
        lab = smooth(price, factors, np.array(value)) - walk
        # what is bought, at list price, lies between the plans' own: payments are not linear in the price, volume nearly is
        volume = smooth(price, factors, np.array(paid) / factors)
        seller = volume * (price - (1 - margin))
        possible = (lab > 0) & (seller > 0)
        if not possible.any():
            found.append(None)
            continue
        product = power * np.log(lab[possible]) + (1 - power) * np.log(seller[possible])
        found.append(float(price[possible][np.argmax(product)]))
    return Bargain(power, found[0], found[1])


def smooth(at: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Interpolate by piecewise cubics that rise and fall with the data and nowhere else.

    Fritsch and Carlson, SIAM J. Numer. Anal. 17 (1980) 238; slopes by the harmonic mean (Fritsch and Butland, 1984).

    Examples
    --------
    >>> smooth(np.array([0.5, 1.5]), np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 1.0])).round(3).tolist()
    [0.625, 1.0]
    """
    step = np.diff(x)
    rise = np.diff(y) / step
    both = rise[:-1] * rise[1:]
    inner = np.divide(2 * both, rise[:-1] + rise[1:], out=np.zeros_like(both), where=both > 0)
    slope = np.concatenate([rise[:1], inner, rise[-1:]])
    piece = np.clip(np.searchsorted(x, at, side="right") - 1, 0, len(step) - 1)
    h, t = step[piece], (at - x[piece]) / step[piece]
    start, end = (1 + 2 * t) * (1 - t) ** 2, t**2 * (3 - 2 * t)
    bend = h * t * (1 - t) * ((1 - t) * slope[piece] - t * slope[piece + 1])
    return np.asarray(start * y[piece] + end * y[piece + 1] + bend)


def present_value(inputs: Inputs) -> np.ndarray:
    """Present value of what an order obliges to pay, M$ per thousand chips, times its probability [tree node, orderable].

    Must-pay of a reservation over its term, the price of a purchase, deposits at signature; discounted at the cost of
    equity. Use beyond take-or-pay and residuals are left out.
    """
    terms, deals, beta = inputs.deals.terms, inputs.deals, inputs.tail_discount
    tree = inputs.tree_nodes
    annuity = terms.life if beta == 1.0 else (1 - beta**terms.life) / (1 - beta)
    rented = terms.take_or_pay * (
        terms.deposit * terms.life + (1 - terms.deposit) * beta**terms.lead * annuity
    )
    bought = terms.deposit + (1 - terms.deposit) * beta**terms.lead
    now = (inputs.probability * inputs.discount)[:tree, None]
    return np.asarray(now * (deals.rent[:tree] * rented + deals.capex[:tree] * bought))


def _break_even(points: tuple[PricePoint, ...], value_at: Callable[[float], float]) -> float | None:
    """Discount at which the plan without the second source is worth what the one with it is at list price."""
    (target,) = (point.with_usd for point in points if point.factor == 1.0)
    known = {point.factor: point.without_usd - target for point in points}
    low = max((p for p, short in known.items() if short >= 0 and p < 1), default=None)
    if low is None:
        return 0.0 if known[1.0] >= 0 else None
    high = min(p for p, short in known.items() if p > low)
    for _ in range(STEPS):
        guess = low + (high - low) * known[low] / (known[low] - known[high])
        known[guess] = value_at(guess) - target
        if known[guess] >= 0:
            low = guess
        else:
            high = guess
        if abs(known[guess]) < 1e-6 * abs(target):
            return 1 - guess
    return 1 - (low + (high - low) * known[low] / (known[low] - known[high]))


class _Bench:
    """Solves the same lab at other prices of the incumbent, each plan from the basis of the last."""

    def __init__(
        self, inputs: Inputs, terms: Leverage, start: Basis | None, model: Model, x: np.ndarray
    ) -> None:
        self._inputs, self._terms, self._start = inputs, terms, start
        self._others = {
            name: np.round(x[variable.span]).reshape(variable.shape)
            for name, variable in model.columns.items()
            if name != "silicon_start" and model.integer is not None and model.integer[variable.start]
        }

    def chain(self, starts: np.ndarray) -> dict[float | None, Side]:
        """Solve every price with the same starts of own silicon [tree node, item], and the plan without the incumbent."""
        down = [factor for factor in reversed(FACTORS) if factor <= 1.0]
        up = [factor for factor in FACTORS if factor > 1.0]
        found: dict[float | None, Side] = {}
        basis = first = self._start
        for factor in (*down, *up, None):
            basis = first if factor == min(up) else basis
            found[factor], basis = self._solve(factor, starts, basis)
            first = basis if factor == down[0] else first
        return found

    def solve(self, factor: float, starts: np.ndarray) -> Side:
        """Solve one price."""
        return self._solve(factor, starts, self._start)[0]

    def _solve(
        self, factor: float | None, starts: np.ndarray, basis: Basis | None
    ) -> tuple[Side, Basis | None]:
        """Solve one price, or with None the plan that may sign nothing with the incumbent."""
        given, names = self._inputs, self._terms.incumbent
        lab = priced(given.lab, names, 1.0 if factor is None else factor)
        inputs = collect(lab, given.rates, given.tree).around(given.reference_ratio)
        program = build_program(inputs)
        named = [number for number, offer in enumerate(inputs.sets.orderable) if offer.id in names]
        most = inputs.deals.max_order[: inputs.tree_nodes].copy()
        most[:, named] = 0.0 if factor is None else most[:, named]
        held = program.model.with_changes(
            lower={"silicon_start": starts}, upper={"silicon_start": starts, "order": most}
        )
        brancher = Brancher(held, start=basis)
        found = [brancher.best(lower=low, upper=low) for low in self._kept(held)]
        best = max(found, key=lambda each: each.value)
        order = best.solution.x[program.columns.order.span].reshape(program.columns.order.shape)
        paid = float((present_value(inputs)[:, named] * order[:, named]).sum())
        return (best.value, paid), brancher.basis()

    def _kept(self, held: Model) -> Iterable[np.ndarray]:
        """Yield all starts with the other lumps as planned, and, where there are any, without them [integer column]."""
        if held.integer is None:
            return
        for share in (1.0, 0.0) if self._others else (1.0,):
            low = held.lower.copy()
            for name, made in self._others.items():
                low[held.columns[name].span] = share * made.ravel()
            yield low[held.integer]
