"""What is typed after --what-if and --over."""

from __future__ import annotations

import pytest

from exaplan.domain.errors import InputError
from exaplan.io.asked import read_axis, read_changes


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("finance.cash=20 GUSD", {"finance.cash": "20 GUSD"}),
        ("finance.cash=20 GUSD,policy.floor.share=45 %", {"finance.cash": "20 GUSD", "policy.floor.share": "45 %"}),
        ("offers.a.max_order=[1k chips, 2k chips], offers.a.lead=3 quarters",
         {"offers.a.max_order": "[1k chips, 2k chips]", "offers.a.lead": "3 quarters"}),
        ("policy.ruin={probability: 2 %, within: 3 years}", {"policy.ruin": "{probability: 2 %, within: 3 years}"}),
    ],
)  # fmt: skip
def test_changes_of_one_what_if_are_told_apart_and_lists_stay_whole(
    text: str, changes: dict[str, str]
) -> None:
    assert read_changes(text) == changes


@pytest.mark.parametrize(
    ("text", "settings", "numbers"),
    [
        ("k=30 %..60 %:4", ("30 %", "40 %", "50 %", "60 %"), (30.0, 40.0, 50.0, 60.0)),
        ("k=30..60 %:2", ("30 %", "60 %"), (30.0, 60.0)),
        ("k=1..2:3", ("1", "1.5", "2"), (1.0, 1.5, 2.0)),
        ("k=1 quarter..3 quarters:3", ("1 quarters", "2 quarters", "3 quarters"), (1.0, 2.0, 3.0)),
        ("k=60k chips/quarter..100k chips/quarter:2", ("60k chips/quarter", "100k chips/quarter"), (60.0, 100.0)),
        ("k=-30 %/year..-10 %/year:3", ("-30 %/year", "-20 %/year", "-10 %/year"), (-30.0, -20.0, -10.0)),
        ("k=1e15..2e15 tokens/month:2", ("1e+15 tokens/month", "2e+15 tokens/month"), (1e15, 2e15)),
        ("k=2026-Q4..2027-Q2:3", ("2026-Q4", "2027-Q1", "2027-Q2"), None),
        ("k=H100-SXM,GB200-NVL72", ("H100-SXM", "GB200-NVL72"), None),
        ("k=1 GW,2 GW,4 GW", ("1 GW", "2 GW", "4 GW"), (1.0, 2.0, 4.0)),
        ("k=1 to 2 %/year,1 to 4 %/year", ("1 to 2 %/year", "1 to 4 %/year"), None),
    ],
)  # fmt: skip
def test_a_range_is_cut_into_settings_in_the_units_of_the_file(text, settings, numbers) -> None:
    axis = read_axis(text)
    assert (axis.key, axis.settings, axis.numbers) == ("k", settings, numbers)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("policy.floor.share", "not KEY=VALUE"),
        ("=3", "not KEY=VALUE"),
        ("k=30 %..60 %", "number of settings"),
        ("k=30 %..60 %:1", "number of settings"),
        ("k=30 %..60 %:5000", "at most"),
        ("k=1 GW..20 MUSD:3", "one unit"),
        ("k=low..high:3", "two numbers or two quarters"),
        ("k=one", "at least two"),
        ("k=one,", "at least two"),
    ],
)
def test_what_is_no_sweep_is_refused_with_an_example(text: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        read_axis(text)


@pytest.mark.parametrize("text", ["finance.cash", "finance.cash=", "a=1,a=2"])
def test_what_is_no_change_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        read_changes(text)
