"""The futures in a lab file: short forms, units, and every fault at its line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.app.test_futures_cli import MORE, text_with

from exaplan.domain.errors import InputError
from exaplan.io.labfile import read_lab
from exaplan.io.schema import lab_schema


def read(tmp_path: Path, text: str):
    file = tmp_path / "lab.yaml"
    file.write_text(text, encoding="utf-8")
    return read_lab(file)


def test_every_process_is_read_with_its_short_forms(tmp_path):
    futures = read(tmp_path, text_with()).futures
    assert [regime.id for regime in futures.rental.regimes] == ["glut", "balance", "scarcity"]
    assert [(way.to, way.rate) for way in futures.rental.regimes[1].switches] == [
        ("glut", 1.0),
        ("scarcity", 0.6),
    ]
    assert futures.rental.first_regime == 1
    assert futures.rental.spot is not None
    (delay,) = futures.demand_delay
    assert (delay.workload, delay.chance, delay.months.family, delay.months.high) == (
        None,
        0.4,
        "uniform",
        9.0,
    )
    assert (futures.renewals[0].supplier, futures.renewals[0].jump.family, futures.renewals[0].refusal) == (
        "neocloud",
        "lognormal",
        0.1,
    )
    assert (futures.capital_window[0].id, futures.capital_window[0].closes) == ("capital", 0.4)
    assert futures.model_shifts[0].factor.values == (0.6, 0.8)
    assert futures.rates == "sampled"
    assert [(p.id, p.probability, p.quantiles) for p in futures.pinned] == [
        ("bear", 0.2, {"demand": 0.1, "delay": 0.9}), ("bull", 0.1, {"demand": 0.9}),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "workload", "low", "high"),
    [
        ("{chance: 40 %, by: 0 to 9 months}", "0 to 9 months", None, 0.0, 9.0),
        ("{chance: 40 %, by: 0 to 9 months}", "1 quarter to 3 quarters", None, 3.0, 9.0),
        ("{chance: 40 %, by: 0 to 9 months}", "{chat: 0 to 6 months}", "chat", 0.0, 6.0),
    ],
)
def test_a_delay_may_be_one_interval_or_one_by_workload(tmp_path, old, new, workload, low, high):
    (delay,) = read(tmp_path, text_with(MORE.replace(old, new))).futures.demand_delay
    assert (delay.workload, delay.chance) == (workload, 1.0)
    assert (delay.months.low, delay.months.high) == pytest.approx((low, high))


def test_progress_of_recipes_may_be_a_range(tmp_path):
    text = text_with().replace("algorithmic_progress: 100 %/year", "algorithmic_progress: 70 % to 400 %/year")
    law = read(tmp_path, text).capability
    assert law.algorithmic_progress.family == "growth"


CASES = {
    "unknown regime": ("glut: 100 %/year, scarcity", "boom: 100 %/year, scarcity", "switches to 'boom'"),
    "levels out of order": ("level: 60 %", "level: 110 %", "in the order of their levels"),
    "no reversion": ("    reversion: 200 %/year\n", "", "regimes act through reversion"),
    "rate without time": ("balance: 150 %/year", "balance: 150 %", "lacks its time"),
    "workload that does not serve": ("{chance: 40 %, by: 0 to 9 months}", "{pretrain: 0 to 6 months}", "is no serving workload"),
    "supplier": ("{neocloud: {jump", "{neoclout: {jump", "futures.renewals refers to no supplier"),
    "round": ("{closes: 40 %/year,", "{rounds: [x], closes: 40 %/year,", "'x' is no round of finance.rounds"),
    "chip": ("chips: [b200]", "chips: [b20]", "refers to no chip"),
    "more than all": ("bull: {probability: 10 %", "bull: {probability: 90 %", "add up to 110 %"),
    "quantile": ("demand: 90 %}", "demand: 100 %}", "must be below 100 %"),
    "nothing held": ("bull: {probability: 10 %, demand: 90 %}", "bull: {probability: 10 %}", "'bull' holds nothing"),
    "certain recipes": ("demand: 90 %}", "algorithm: 90 %}", "holds algorithm, of which nothing is uncertain"),
    "switch of rates": ("rates: sampled", "rates: drawn", "'drawn' is not one of the choices"),
    "negative chance": ("refusal: 10 %", "refusal: 110 %", "must be below 100 %"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_is_wrong_is_told_at_its_line(tmp_path, case):
    old, new, reason = CASES[case]
    text = text_with()
    assert old in text
    wrong = text.replace(old, new, 1)
    with pytest.raises(InputError) as caught:
        read(tmp_path, wrong)
    told = [problem for problem in caught.value.problems if reason in str(problem)]
    assert told, str(caught.value)
    first = text[: text.index(old)].count("\n") + 1
    line = int(str(told[0]).split(":")[1])
    assert first - 12 <= line <= first + 3, f"{line} is far from {first}"


def test_the_schema_knows_the_short_forms():
    definitions = lab_schema()["$defs"]
    keys = set(definitions["Futures"]["properties"])
    assert {"demand_delay", "renewals", "capital_window", "model_shifts", "rates", "pinned"} <= keys
    assert "regimes" in definitions["RentalMarket"]["properties"]
    json.dumps(definitions)
