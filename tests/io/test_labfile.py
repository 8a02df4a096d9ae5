"""A lab file means what it says: short forms, origins, overrides, series from CSV."""

from __future__ import annotations

from pathlib import Path

import pytest

from exaplan.domain.errors import InputError
from exaplan.domain.lab import Lab
from exaplan.domain.quarter import Quarter
from exaplan.domain.supply import Purchase, Reserved
from exaplan.io.labfile import read_lab

SMALL = Path(__file__).with_name("small.yaml")
TEXT = SMALL.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def small() -> Lab:
    return read_lab(SMALL)


def changed(folder: Path, *edits: tuple[str, str]) -> Lab:
    text = TEXT
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    path = folder / "lab.yaml"
    path.write_text(text, encoding="utf-8")
    return read_lab(path)


def test_the_short_forms_stand_for_the_fields_of_the_records(small: Lab) -> None:
    reserve = next(offer for offer in small.offers if isinstance(offer, Reserved))
    assert (reserve.first, reserve.last) == (Quarter(2026, 3), Quarter(2028, 1))
    own = next(offer for offer in small.offers if isinstance(offer, Purchase))
    assert own.pool == own.site == "texas"
    assert own.life_quarters == 20
    assert [(train.share_min, train.share_max) for train in small.develop] == [(0.3, 0.9), (0.1, 0.7)]
    assert small.policy.safety is not None
    assert (small.policy.safety.workloads, small.policy.safety.share) == (("evals",), 0.04)
    assert [(cost.id, cost.amount_usd_per_quarter, cost.growth) for cost in small.finance.fixed_costs] == [
        ("payroll", (6e6,), 0.1),
        ("data", (1e6,), 0.0),
    ]
    assert [branch.date for branch in small.futures.branches] == [
        Quarter(2026, 4),
        Quarter(2027, 2),
        Quarter(2027, 4),
    ]
    assert {branch.into for branch in small.futures.branches} == {2}
    assert [(slip.supplier, slip.probability) for slip in small.futures.slips] == [("nvidia", 0.2)]
    assert (small.serve[0].price_change.low, small.serve[0].price_change.high) == (-0.4, -0.1)


def test_a_model_of_the_catalogue_may_be_named_directly_and_joins_the_lab(small: Lab) -> None:
    assert small.models["llama-3.1-70b"].layers == 80
    assert set(small.models) == {"llama-3.1-70b", "llama3-8b"}


def test_a_chip_of_the_catalogue_keeps_its_figures_and_one_that_is_typed_over_says_so(
    small: Lab, tmp_path: Path
) -> None:
    assert small.chips["h100"].bf16_flop_per_s == 989.4e12
    lab = changed(
        tmp_path, ("b200: B200-SXM", "b200: {like: TPU-v7x, bf16: 1.2 PFLOP/s, scale_up_bandwidth: 1 TB/s}")
    )
    chip = lab.chips["b200"]
    assert (chip.bf16_flop_per_s, chip.hbm_bytes, chip.matrix_unit) == (1.2e15, 192e9, "systolic")
    assert chip.kind == "typed, like TPU7x-Ironwood"
    assert chip.scale_up_bandwidth_bidirectional_bytes_per_s is None


def test_every_value_knows_where_it_was_read_and_the_remark_beside_it(small: Lab) -> None:
    price = small.origins["offers.rent-h100.price"]
    assert (price.line, price.column, price.note) == (17, 12, "SemiAnalysis contract index, 2026-06")
    assert small.origins["offers.own-b200.price"].note == "assumed", (
        "the remark at the closing brace covers the item"
    )
    assert small.origins["offers.reserve-h100.lead"].note == ""
    chip = small.origins["chips.h100.bf16"]
    assert chip.file == "catalogue/chips.csv"
    assert "Epoch" in chip.note
    assert "2026-04" in chip.note


@pytest.mark.parametrize(
    ("path", "value", "read"),
    [
        ("policy.floor.share", "45 %", lambda lab: lab.policy.floor.share == 0.45),
        ("policy.safety.share", "10 %", lambda lab: lab.policy.safety.share == 0.1),
        ("policy.safety", "10 %", lambda lab: lab.policy.safety.workloads == ("evals",)),
        ("offers.own-b200.lead", "10 quarters", lambda lab: lab.offers[2].lead_quarters == 10),
        ("offers.own-b200.market_exposure", "0.5", lambda lab: lab.offers[2].market_exposure == 0.5),
        ("workloads.pretrain.share", "40 % .. 50 %", lambda lab: lab.develop[0].share_max == 0.5),
        ("workloads.chat.price_change", "5 %/year", lambda lab: lab.serve[0].price_change.low == 0.05),
        (
            "finance.fixed_costs.data",
            "7 MUSD/quarter",
            lambda lab: lab.finance.fixed_costs[1].amount_usd_per_quarter == (7e6,),
        ),
        ("futures.slips.nvidia", "50 %", lambda lab: lab.futures.slips[0].probability == 0.5),
        ("chips.b200.bf16", "3 PFLOP/s", lambda lab: lab.chips["b200"].bf16_flop_per_s == 3e15),
        ("horizon", "2026-Q3 .. 2028-Q4", lambda lab: lab.horizon.quarters == 10),
        ("sites.texas.power", "[10 MW, 20 MW]", lambda lab: lab.sites[0].power_w == (1e7, 2e7)),
    ],
)
def test_an_override_changes_one_value_and_becomes_its_origin(path: str, value: str, read: object) -> None:
    lab = read_lab(SMALL, overrides={path: value})
    assert read(lab)  # type: ignore[operator]
    assert any(origin.file == f"override {path}" for origin in lab.origins.values())


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("policy.flor.share", "45 %", "did you mean 'floor'?"),
        ("offers.own-b20.lead", "1 quarter", "did you mean 'own-b200'?"),
        ("finance.cash.more", "1 USD", "which is a single value"),
        ("policy.floor.share", "45", "for example 40 %"),
        ("policy.floor.share", "", "needs a path and a value"),
        ("policy.floor.share", "[", "not YAML"),
    ],
)
def test_an_override_that_leads_nowhere_is_told_so(path: str, value: str, told: str) -> None:
    with pytest.raises(InputError) as caught:
        read_lab(SMALL, overrides={path: value})
    assert told in str(caught.value)
    assert path in str(caught.value)


def power_from(folder: Path, csv: str, address: str = "{csv: power.csv#mw, unit: MW}") -> tuple[float, ...]:
    (folder / "power.csv").write_text(csv, encoding="utf-8")
    return changed(folder, ("power: 20 MW", f"power: {address}")).sites[0].power_w


def test_a_series_may_stand_in_a_csv_file_beside_the_lab(tmp_path: Path) -> None:
    assert power_from(tmp_path, "mw\n10\n20\n") == (1e7, 2e7)
    assert power_from(tmp_path, "mw [MW],note\n10,a\n20,b\n", "csv:power.csv#mw") == (1e7, 2e7)
    assert power_from(tmp_path, "mw\n10 MW\n0.02 GW\n", "'csv: power.csv#mw'") == (1e7, 2e7)


def test_a_csv_with_quarters_is_aligned_to_the_horizon_whatever_its_order(tmp_path: Path) -> None:
    quarters = [Quarter(2026, 1) + step for step in range(12)]
    rows = "".join(f"{quarter},{100 + place}\n" for place, quarter in reversed(list(enumerate(quarters))))
    power = power_from(tmp_path, "quarter,mw\n" + rows)
    assert power == tuple((102 + step) * 1e6 for step in range(8))


@pytest.mark.parametrize(
    ("csv", "place", "told"),
    [
        ("mw\n10\nten\n", "power.csv:3:1", "cannot read 'ten'"),
        ("name,mw\na,10\nb,-3\n", "power.csv:3:3", "must be at least 0 W"),
        ("name,mw\na,10\nb,\n", "power.csv:3:3", "the cell is empty"),
        ("watts\n10\n", "lab.yaml:10:30", "has no column 'mw'"),
        ("quarter,mw\n2026-Q3,10\n2026-Q5,10\n", "power.csv:3:1", "'2026-Q5' is not a quarter"),
        ("quarter,mw\n2026-Q3,10\n", "lab.yaml:10:30", "has no row for 2026-Q4"),
        ("mw\n" + "10\n" * 9, "lab.yaml:10:30", "has 9 rows; the horizon has 8 quarters"),
        ("mw\n", "lab.yaml:10:30", "has no rows"),
    ],
)
def test_a_fault_in_a_csv_is_told_at_its_cell(csv: str, place: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        power_from(tmp_path, csv)
    assert place in str(caught.value)
    assert told in str(caught.value)


def test_a_stranger_may_leave_out_the_floor_the_offers_and_the_cash(tmp_path: Path) -> None:
    start, end = TEXT.index("offers:"), TEXT.index("contracts:")
    lab = changed(
        tmp_path,
        (TEXT[start:end], "offers: []\n\n"),
        ("  floor: {workloads: [pretrain, experiments], share: 25 %}\n", ""),
        ("cash: 120 MUSD", "cash: 0 USD"),
        ("horizon: 2026-Q3 .. 2028-Q2", "horizon: 2026-Q3 .. 2036-Q2"),
        ("  slips: {nvidia: 20 %}\n", ""),
        ("decision: own-b200\n", ""),
    )
    assert lab.offers == ()
    assert lab.policy.floor is None
    assert lab.finance.cash_usd == 0
    assert lab.horizon.quarters == 40


def test_collections_may_be_mappings_by_id_and_anchors_may_be_merged(tmp_path: Path) -> None:
    lab = changed(
        tmp_path,
        ("  - {id: pretrain, kind: train,", "  - &run {id: pretrain, kind: train,"),
        ("\npolicy:", "  - {<<: *run, id: more, share: 0 % .. 10 %}\n\npolicy:"),
        ("  - {id: texas, power", "  texas: {power"),
    )
    assert lab.sites[0].id == "texas"
    assert (lab.develop[2].id, lab.develop[2].batch_tokens, lab.develop[2].share_max) == ("more", 4e6, 0.1)


def test_reading_the_same_file_twice_gives_the_same_lab(small: Lab) -> None:
    assert read_lab(SMALL) == small
    assert read_lab(SMALL).origins == small.origins


def test_a_floor_written_as_a_share_protects_all_work_of_its_kind() -> None:
    lab = read_lab(SMALL, overrides={"policy.floor": "40 %"})
    assert lab.policy.floor is not None
    assert (lab.policy.floor.workloads, lab.policy.floor.share) == (("pretrain", "experiments"), 0.4)


def test_a_section_whose_lines_are_all_commented_out_is_not_there(tmp_path: Path) -> None:
    start, end = TEXT.index("\ncapability:"), TEXT.index("\nfutures:")
    lab = changed(tmp_path, (TEXT[start:end], "\ncapability:\n  # nothing yet\n"))
    assert lab.capability is None


def test_shocks_of_suppliers_and_sites_are_written_by_name(tmp_path: Path) -> None:
    more = """  slips: {nvidia: 20 %}
  supply: {nvidia: 70 % to 110 %}
  defaults: {nvidia: 3 %/year}
  site_delays: {texas: 15 %}
"""
    futures = changed(tmp_path, ("  slips: {nvidia: 20 %}\n", more)).futures
    assert [(s.supplier, s.level.family, s.level.low, s.level.high) for s in futures.supply] == [
        ("nvidia", "lognormal", pytest.approx(0.7), pytest.approx(1.1))
    ]
    assert [(d.supplier, d.chance_per_year) for d in futures.defaults] == [("nvidia", pytest.approx(0.03))]
    assert [(d.site, d.probability) for d in futures.site_delays] == [("texas", pytest.approx(0.15))]


DEALS = """deals:
  stake:
    kind: equity
    supplier: nvidia
    window: 2026-Q3 .. 2027-Q2
    investment: 2 GUSD
    dilution_cost: 0.1
    must_spend: {amount: 500 MUSD, every: 2 quarters, times: 4}
    revenue_share: {share: 5 %, quarters: 3 years}
    channels: [{workload: chat, share: 0.1, after: 2 quarters}]
  only:
    kind: exclusive
    supplier: nvidia
    term: 2 years
    priority: 50 %
"""


def test_deals_are_written_with_windows_and_plain_amounts(tmp_path: Path) -> None:
    lab = changed(
        tmp_path, ("workloads:", DEALS + "workloads:"), ("id: own-b200", "id: own-b200, unlocked_by: only")
    )
    stake, only = lab.deals
    assert stake.kind == "equity"
    assert only.kind == "exclusive"
    assert (stake.first, stake.last) == (Quarter(2026, 3), Quarter(2027, 2))
    assert [(payment.after_quarters, payment.amount_usd) for payment in stake.investment] == [(0, 2e9)]
    assert stake.must_spend is not None
    assert (stake.must_spend.amount_usd, stake.must_spend.every_quarters, stake.must_spend.times) == (
        5e8,
        2,
        4,
    )
    assert stake.revenue_share is not None
    assert (stake.revenue_share.share, stake.revenue_share.quarters) == (0.05, 12)
    assert (stake.channels[0].workload, stake.channels[0].after_quarters) == ("chat", 2)
    assert (only.term_quarters, only.priority) == (8, 0.5)
    assert next(offer for offer in lab.offers if offer.id == "own-b200").unlocked_by == "only"


def test_every_fault_of_a_deal_is_told_at_its_place(tmp_path: Path) -> None:
    wrong = DEALS.replace("workload: chat", "workload: evals").replace("priority: 50 %", "excludes: [fab]")
    wrong = wrong.replace("supplier: nvidia\n    window", "supplier: nvdia\n    window")
    with pytest.raises(InputError) as error:
        changed(
            tmp_path,
            ("workloads:", wrong + "workloads:"),
            ("id: own-b200", "id: own-b200, unlocked_by: onli"),
        )
    reasons = {problem.reason for problem in error.value.problems}
    assert reasons == {
        "'evals' serves no customers",
        "'fab' is no supplier of this lab",
        "'stake' asks to spend with 'nvdia', who offers nothing in this lab",
        "offers.own-b200.unlocked_by refers to no option: 'onli'",
    }


def test_clauses_of_offers_are_read(tmp_path: Path) -> None:
    lab = changed(
        tmp_path,
        ("    deposit: 10 %\n", "    deposit: 10 %\n    step_up: 4 %/year\n    renewal: {term: 1 year, price: 1.5 USD/chip/h}\n"),
        ("id: own-b200", "id: own-b200, milestones: [{after: 1 quarter, share: 30 %}]"),
        ("id: fleet", "id: fleet, renewal: {term: 2 quarters, market_exposure: 1}"),
    )  # fmt: skip
    reserve, own = lab.offers[1:]
    assert isinstance(reserve, Reserved)
    assert isinstance(own, Purchase)
    assert reserve.step_up == pytest.approx(0.04)
    assert reserve.renewal is not None
    assert (reserve.renewal.term_quarters, reserve.renewal.price_usd_per_chip_h) == (4, 1.5)
    assert [(m.after_quarters, m.share) for m in own.milestones] == [(1, 0.3)]
    assert lab.contracts[0].renewal is not None
    assert lab.contracts[0].renewal.term_quarters == 2
