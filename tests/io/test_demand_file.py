"""The demand side of a lab file: read as it is written, and told where it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from ruamel.yaml import YAML
from tests.io.test_lint_and_schema import fits

from exaplan.domain.errors import InputError
from exaplan.domain.quarter import Quarter
from exaplan.io.labfile import read_lab
from exaplan.io.schema import lab_schema

TEXT = Path(__file__).with_name("small.yaml").read_text(encoding="utf-8")
ONE = "model: llama-3.1-70b"
SEVERAL = """models: {llama-3.1-70b: {share_min: 20 %}, llama3-8b: {share: 10 % .. 60 %, tokens_ratio: 1.3},
     qwen3-32b: {last: 2027-Q4}, deepseek-v3: {distil: {from: llama-3.1-70b, flop: 1e23 FLOP, window: 2026-Q4 .. 2027-Q4}}}"""


def written(tmp_path: Path, *changes: tuple[str, str]) -> Path:
    text = TEXT
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    path = tmp_path / "lab.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def told(tmp_path: Path, *changes: tuple[str, str]) -> str:
    with pytest.raises(InputError) as caught:
        read_lab(written(tmp_path, *changes))
    return str(caught.value)


def test_a_segment_lists_the_models_able_to_serve_it(tmp_path):
    chat = read_lab(written(tmp_path, (ONE, SEVERAL))).serve[0]
    assert chat.model is None
    assert [each.model for each in chat.models] == ["llama-3.1-70b", "llama3-8b", "qwen3-32b", "deepseek-v3"]
    assert (chat.models[1].share_min, chat.models[1].share_max, chat.models[1].tokens_ratio) == (
        0.1,
        0.6,
        1.3,
    )
    assert chat.models[2].last == Quarter(2027, 4)
    run = chat.models[3].distil
    assert (run.source, run.flop, run.first, run.last) == (
        "llama-3.1-70b",
        1e23,
        Quarter(2026, 4),
        Quarter(2027, 4),
    )


def test_names_alone_will_do_and_the_catalogue_knows_them(tmp_path):
    lab = read_lab(written(tmp_path, (ONE, "models: [llama-3.1-70b, qwen3-32b]")))
    assert [each.model for each in lab.serve[0].models] == ["llama-3.1-70b", "qwen3-32b"]
    assert {"llama-3.1-70b", "qwen3-32b"} <= set(lab.models)


def test_one_figure_of_a_model_can_be_replaced(tmp_path):
    path = written(tmp_path, (ONE, SEVERAL))
    lab = read_lab(path, overrides={"workloads.chat.models.llama3-8b.share_max": "30 %"})
    assert lab.serve[0].models[1].share_max == 0.3


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("share_min: 20 %", "share_min: 95 %", "add up to more than 100 %"),
        ("10 % .. 60 %", "60 % .. 10 %", "the share is turned round"),
        ("share_min: 20 %", "share_max: 20 %", "in 2028-Q1 the models able to serve 'chat' may take 80% of it at most"),
        ("from: llama-3.1-70b", "from: deepseek-v3", "cannot teach itself"),
        ("from: llama-3.1-70b", "from: lama-3.1-70b", "did you mean 'llama-3.1-70b'?"),
        ("2026-Q4 .. 2027-Q4", "2026-Q4 .. 2029-Q4", "2029-Q4 is outside the horizon"),
        ("tokens_ratio: 1.3", "tokens_ratio: 0", "must be above 0"),
        ("qwen3-32b: {last: 2027-Q4}", "qwen3-32b: {last: 2027-Q4, distil: {from: llama3-8b, flop: 1e23 FLOP, window: 2027-Q1 .. 2027-Q2}, share_min: 1 %}",
         "cannot have a least share"),
        ("models: {", "model: llama3-8b, models: {", "give either model or models"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told(tmp_path, old, new, reason):
    assert reason in told(tmp_path, (ONE, SEVERAL), (old, new))


def test_a_run_is_done_once(tmp_path):
    again = (
        "{id: batch, kind: serve, models: [llama3-8b, deepseek-v3], input: 1200 tokens, output: 300 tokens, tpot: 90 ms,"
        " utilization: 60 %, goodput: 95 %, demand: 1e12 tokens/month, growth: 0 %/year, price: {input: 1 USD/Mtok,"
        " output: 2 USD/Mtok}}"
    )
    place = "  - {id: pretrain, kind: train"
    both = (ONE, SEVERAL), (place, f"  - {again}\n{place}")
    assert read_lab(written(tmp_path, *both)).serve[1].models[1].distil is None
    run = "deepseek-v3: {distil: {from: llama3-8b, flop: 1e22 FLOP, window: 2027-Q1 .. 2027-Q2}}"
    twice = both[0], (place, f"  - {again.replace('[llama3-8b, deepseek-v3]', '{' + run + '}')}\n{place}")
    assert "'deepseek-v3' is distilled for 'chat' already" in told(tmp_path, *twice)


def test_the_schema_knows_how_it_is_written(tmp_path):
    schema, plain = lab_schema(), YAML(typ="safe", pure=True)
    for models in (
        SEVERAL,
        "models: [llama-3.1-70b, qwen3-32b]",
        "models: [{model: llama3-8b, share: 5 % .. 9 %}]",
    ):
        assert fits(plain.load(TEXT.replace(ONE, models)), schema, schema)
    assert not fits(plain.load(TEXT.replace(ONE, "models: [{model: llama3-8b, shar: 5 %}]")), schema, schema)


EARNED = "price: {input: 0.9 USD/Mtok, output: 3.6 USD/Mtok, change: -40 % to -10 % /year}"
BY_TASK = "tasks: {per_month: 2M tasks/month, tokens_per_task: 80k tokens/task, success: 70 %, price_per_success: 0.50 USD/task, retries: 2}"
DEMAND = "demand: 4e12 tokens/month, "


def test_agents_are_paid_by_task(tmp_path):
    chat = read_lab(written(tmp_path, (EARNED, BY_TASK), (DEMAND, ""))).serve[0]
    assert chat.tasks.tasks_per_month == 2e6
    assert chat.tasks.retries == 2
    assert chat.starting_tokens_per_month == pytest.approx((2e6 * 80e3 * (1 + 0.3 + 0.09),))


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("80k tokens/task", "80k tokens", "tokens does not measure this; it needs token/task"),
        ("retries: 2", "retries: -1", "retries are 0 or more"),
        ("retries: 2", "retries: 1.5", "not a whole number"),
        ("success: 70 %", "success: 0 %", "must be above 0"),
        (DEMAND, "demand: 4e12 tokens/month, price: {input: 1 USD/Mtok, output: 1 USD/Mtok}, ", "give either price"),
    ],
)  # fmt: skip
def test_tasks_that_make_no_sense_are_told(tmp_path, old, new, reason):
    assert reason in told(tmp_path, (EARNED, BY_TASK), (old, new))


def test_prices_with_the_demand_at_each(tmp_path):
    points = (
        "price_points: [{price: 0.7, demand: 1.6}, {price: 1, demand: 1}, {price: 1.4, demand: 0.5}], level:"
    )
    chat = read_lab(written(tmp_path, ("level:", points))).serve[0]
    assert [(each.price_factor, each.demand_factor) for each in chat.price_points] == [
        (0.7, 1.6),
        (1, 1),
        (1.4, 0.5),
    ]


@pytest.mark.parametrize(
    ("points", "reason"),
    [
        ("[{price: 1, demand: 1}]", "give 2 to 5 price points, not 1"),
        ("[{price: 1, demand: 1}, {price: 0.8, demand: 1.2}]", "from the cheapest up"),
        ("[{price: 1, demand: 1}, {price: 1.2, demand: 1}]", "each with less demand"),
        ("[{price: 0, demand: 1}, {price: 1.2, demand: 1}]", "must be above 0"),
    ],
)
def test_prices_among_which_there_is_nothing_to_choose_are_told(tmp_path, points, reason):
    assert reason in told(tmp_path, ("level:", f"price_points: {points}, level:"))


TRUST = "trust: {premium: [{safety: 0 %, premium: 0 %}, {safety: 5 %, premium: 4 %}], churn: [{safety: 0 %, churn: 3 %/quarter}, {safety: 4 %, churn: 1 %/quarter}]}, level:"


def test_what_safety_work_earns(tmp_path):
    trust = read_lab(written(tmp_path, ("level:", TRUST))).serve[0].trust
    assert trust.premium_lines == (pytest.approx((0, 0.8)), (0.04, 0.0))
    assert trust.churn_lines == (pytest.approx((0.03, -0.5)), (0.01, 0.0))


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("safety: 5 %, premium: 4 %", "safety: 5 %, premium: -4 %", "must be at least 0"),
        ("{safety: 5 %, premium: 4 %}", "{safety: 5 %, premium: 4 %}, {safety: 6 %, premium: 9 %}", "rises by less and less"),
        ("{safety: 0 %, churn: 3 %/quarter}, ", "", "two or more points of churn"),
        ("churn: 3 %/quarter", "churn: 3 %", "lacks its time"),
    ],
)  # fmt: skip
def test_a_trust_that_cannot_be_is_told(tmp_path, old, new, reason):
    assert reason in told(tmp_path, ("level:", TRUST), (old, new))


LAUNCHES = """
launches:
  spring: {workload: chat, window: 2026-Q4 .. 2027-Q2, demand_step: 5e11 tokens/month, decay: 10 %/quarter,
    cost: {serving_chip_hours: 300k chip*h, development: 2e23 FLOP}, cost_usd: 20 MUSD}
  autumn: {workload: chat, window: 2027-Q3 .. 2027-Q4, demand_share: 12 %, cost: {serving_share: 3 %}}

policy:
"""


def test_launches(tmp_path):
    spring, autumn = read_lab(written(tmp_path, ("\npolicy:\n", LAUNCHES))).launches
    assert (spring.id, spring.workload, spring.first, spring.last) == (
        "spring",
        "chat",
        Quarter(2026, 4),
        Quarter(2027, 2),
    )
    assert (spring.step_tokens_per_month, spring.decay, spring.cost_usd) == (5e11, 0.1, 2e7)
    assert (spring.cost.serving_chip_hours, spring.cost.development_flop) == (3e5, 2e23)
    assert (autumn.step_share, autumn.cost.serving_chip_hours, autumn.cost.serving_share) == (0.12, 0, 0.03)
    schema, plain = lab_schema(), YAML(typ="safe", pure=True)
    assert fits(plain.load(TEXT.replace("\npolicy:\n", LAUNCHES)), schema, schema)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("workload: chat, window: 2027-Q3", "workload: pretrain, window: 2027-Q3", "'pretrain' is none"),
        ("workload: chat, window: 2027-Q3", "workload: chta, window: 2027-Q3", "did you mean 'chat'?"),
        ("2027-Q3 .. 2027-Q4", "2027-Q3 .. 2029-Q4", "2029-Q4 is outside the horizon"),
        ("2027-Q3 .. 2027-Q4", "2027-Q4 .. 2027-Q3", "window is turned round"),
        (
            "demand_share: 12 %",
            "demand_share: 12 %, demand_step: 1e9 tokens/month",
            "give either demand_step",
        ),
        ("300k chip*h", "300k chips", "it needs chip*h"),
    ],
)
def test_a_launch_that_cannot_be_is_told(tmp_path, old, new, reason):
    assert reason in told(tmp_path, ("\npolicy:\n", LAUNCHES), (old, new))
