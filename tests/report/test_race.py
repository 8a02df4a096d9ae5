"""A race in words and charts: intervals beside every share, 'never' where a lag does not end, five labs in the picture."""

from __future__ import annotations

import csv
import io
import json
import math

import pytest
from tests.simulate.races import lab, race

from exaplan.report.race import race_csv, race_document, race_text, sentences
from exaplan.report.race_charts import race_chart
from exaplan.simulate.race import run_race
from exaplan.simulate.race_measures import answer_of


@pytest.fixture(scope="module")
def answer():
    stuck = lab("stuck", fleet=90_000, capability=0.1, share="0.5 %", build=0, site=1, now=95, on_order=1)
    found = run_race(race(lab("ahead"), lab("near", capability=0.8), stuck), paths=200, seed=1)
    return answer_of(found, "2025-12-31")


def test_the_first_sentence_says_who_leads_and_the_rest_who_is_behind(answer):
    told = sentences(answer)
    assert len(told) == 3
    assert "leads in compute at the end of 2025-Q4" in told[0]
    assert all("% (" in sentence and ") of" in sentence for sentence in told)


def test_a_forward_lag_that_does_not_end_is_never_in_words_and_null_in_json(answer):
    assert answer.compute[2].until_parity_censored == 1
    assert math.isinf(answer.compute[2].until_parity_now.p50)
    assert "never (100.0 % never)" in race_text(answer)
    document = json.loads(json.dumps(race_document(answer), allow_nan=False))
    assert document["compute"][2]["until_parity_now"]["p50"] is None


def test_rows_carry_every_lab_measure_and_quarter(answer):
    rows = list(csv.DictReader(io.StringIO(race_csv(answer))))
    assert len(rows) == 3 * 2 * 12
    assert all(float(row["p10"]) <= float(row["p50"]) <= float(row["p90"]) for row in rows)
    assert all(
        float(row["parity_low"]) <= float(row["parity_share"]) <= float(row["parity_high"]) for row in rows
    )


def test_the_chart_holds_six_panels_and_every_lab(answer):
    spec = race_chart(answer).to_dict()
    assert [len(row["hconcat"]) for row in spec["vconcat"]] == [3, 3]
    assert all(f'"{name}"' in json.dumps(spec) for name in ("ahead", "near", "stuck"))
