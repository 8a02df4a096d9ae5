"""Options of ``exaplan capability reach`` and ``rl`` turned into questions, with every fault at once."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exaplan.app.cli.perf_names import found_chips
from exaplan.app.cli.perf_prices import chip_price
from exaplan.domain.errors import InputError, Problem

if TYPE_CHECKING:
    from exaplan.app.scaling.learning import RlAsk
    from exaplan.app.scaling.reach import Ask

_TARGETS = {
    "loss": "--loss",
    "flop": "--flop",
    "months_ahead": "--months-ahead",
    "parameters": "--parameters",
}


def ask_of(options: dict[str, Any], known: tuple[str, ...]) -> Ask:
    """Build the question of ``reach``.

    Raises
    ------
    InputError
        With every fault found.
    """
    from exaplan.app.scaling.reach import Ask
    from exaplan.capability.laws import LAWS
    from exaplan.capability.progress import Frontier, Progress
    from exaplan.capability.target import Target

    name, given, start, power = _checked(options, known)
    (chip,) = found_chips([options["chip"]])
    price = chip_price(chip.id, options["price"])
    kind = {"months_ahead": "months"}.get(given, given)
    progress = (
        Progress(months=float("inf"), log_sd=0.0, unevenness=0.0) if options["no_progress"] else Progress()
    )
    return Ask(
        target=Target(kind, options[given], options["tokens_per_parameter"]),  # type: ignore[arg-type]
        law=LAWS[name],
        chip=chip,
        usd_per_chip_h=None if price is None else price.usd_per_chip_h,
        price_source="" if price is None else price.source,
        frontier=Frontier(options["frontier"], options["growth"], progress),
        expansion=options["expansion"],
        served=options["served"],
        days=None if options["chips"] is not None else options["days"] or 100.0,
        chips=options["chips"],
        lead_months=options["lead"],
        start=start,
        pue=options["pue"],
        site_power_w=power,
        days_max=min(options["days_max"], options["days"] or options["days_max"]),
        unique_tokens=options["unique_tokens"],
        precision=options["precision"],
        draws=options["draws"],
        seed=options["seed"],
    )


def _checked(
    options: dict[str, Any], known: tuple[str, ...]
) -> tuple[str, str, tuple[int, int] | None, float]:
    """Law, target, first month and site power, every fault reported at once."""
    from exaplan.io.located import did_you_mean
    from exaplan.io.units import QuantityError, convert

    problems: list[Problem] = []
    given = [name for name in _TARGETS if options[name] is not None]
    if len(given) != 1:
        what = "no target" if not given else f"{len(given)} targets"
        problems.append(
            Problem(f"{what}: one is needed", suggestion=f"give one of {', '.join(_TARGETS.values())}")
        )
    if options["days"] is not None and options["chips"] is not None:
        problems.append(
            Problem("--days and --chips are both given", suggestion="give one; the other follows")
        )
    if options["tokens_per_parameter"] is not None and given != ["parameters"]:
        problems.append(
            Problem("--tokens-per-parameter needs --parameters", suggestion="other targets set the tokens")
        )
    name = options["law_name"] or ("abnar" if options["expansion"] > 1 else "besiroglu")
    if name not in known:
        problems.append(
            Problem(f"--law: there is no law {name!r} of loss", suggestion=did_you_mean(name, known))
        )
    start = _month(options["begin"], problems)
    power = 0.0
    try:
        power = convert(options["site_power"], "W")
    except QuantityError as error:
        problems.append(Problem(f"--site-power: {error.reason}", suggestion=error.suggestion))
    if problems:
        raise InputError(*problems)
    return name, given[0], start, power


def _month(text: str, problems: list[Problem]) -> tuple[int, int] | None:
    found = re.fullmatch(r"(\d{4})-(\d{2})", text.strip())
    if found is None or not 1 <= int(found[2]) <= 12:
        problems.append(Problem(f"--from: {text!r} is not a month", suggestion="write it like 2026-11"))
        return None
    return int(found[1]), int(found[2])


def rl_ask_of(points: Path | None, options: dict[str, Any]) -> RlAsk:
    """Build the question of ``rl``: points, or the numbers of a curve.

    Raises
    ------
    InputError
        With every fault found.
    """
    import numpy as np

    from exaplan.app.scaling.learning import Points, RlAsk
    from exaplan.capability.rl import Sigmoid
    from exaplan.io.runs_csv import read_columns

    (chip,) = found_chips([options["chip"]])
    typed = {name: options[name] for name in ("ceiling", "exponent", "midpoint")}
    if points is None and None in typed.values():
        missing = ", ".join(f"--{name}" for name, value in typed.items() if value is None)
        raise InputError(
            Problem(
                f"no points, and no {missing}",
                suggestion="give a CSV with flop (or chip_h) and reward, or the curve",
            )
        )
    found, curve, unit = None, None, "FLOP"
    if points is not None:
        given = [f"--{name}" for name, value in typed.items() if value is not None]
        if given:
            raise InputError(
                Problem(
                    f"{', '.join(given)} beside points", suggestion="points fit them: drop one of the two"
                )
            )
        read = read_columns(points, ("flop|chip_h", "reward"), optional=("sd",), least=4)
        unit = "FLOP" if "flop" in read else "chip-hours"
        compute = np.array(read["flop"] if "flop" in read else read["chip_h"])
        sd = np.array(read["sd"]) if "sd" in read else None
        found = Points(compute, np.array(read["reward"]), sd, unit, str(points))
    else:
        start = options["start"] or 0.0
        if start >= options["ceiling"]:
            raise InputError(Problem(f"--start {start:g} is not below --ceiling {options['ceiling']:g}"))
        curve = Sigmoid(start, options["ceiling"], options["exponent"], options["midpoint"])
    price = chip_price(chip.id, options["price"])
    usd = None
    if price is not None:
        peak = chip.bf16_flop_per_s or (chip.fp8_flop_per_s or 0.0) / 2
        usd = price.usd_per_chip_h / (3600 * peak * options["mfu"] if unit == "FLOP" else 1.0)
    return RlAsk(
        found, curve, unit, options["start"], options["value"], usd, options["draws"], options["seed"]
    )
