"""The rate table of a lab: what is in a rate, when it starts, and what it says about itself."""

import numpy as np
import pytest

from exaplan.domain.errors import InputError
from exaplan.domain.lab import Finance, Horizon, Lab
from exaplan.domain.quarter import Quarter
from exaplan.domain.segment import ServingModel
from exaplan.domain.uncertain import Uncertain
from exaplan.domain.workload import Safety, Serve, Software, TokenPrice, Train
from exaplan.io.catalogue import load_chips, load_models
from exaplan.perf.estimate import estimate
from exaplan.perf.rate_table import fill_rates
from exaplan.perf.spread import prior_log_sd

CHIPS, MODELS = load_chips(), load_models()
CHAT = Serve(
    id="chat", model="v3", goodput=0.95, input_tokens=1200, output_tokens=300, tpot_s=0.05, utilization=0.6,
    demand_tokens_per_month=(4e12,), price=TokenPrice(input=2e-6, output=1e-5), growth=Uncertain.point(0.3),
)  # fmt: skip
PRETRAIN = Train(
    id="pretrain",
    model="llama",
    goodput=0.9,
    sequence_tokens=8192,
    batch_tokens=16e6,
    cluster_chips=8192,
    precision="fp8",
)
OVERSIGHT = Safety(
    id="oversight",
    model="small",
    goodput=0.9,
    sequence_tokens=8192,
    batch_tokens=1e6,
    cluster_chips=64,
    precision="bf16",
)


def lab(**changes):
    values = {
        "lab": "toy",
        "horizon": Horizon(first=Quarter(2026, 3), last=Quarter(2028, 2)),
        "chips": {"h100": CHIPS["H100-SXM"], "a100": CHIPS["A100-80-SXM"], "tpu": CHIPS["TPU-v6e-Trillium"]},
        "models": {
            "v3": MODELS["DeepSeek-V3"],
            "llama": MODELS["Meta-Llama-3.1-405B"],
            "small": MODELS["Meta-Llama-3.1-8B"],
        },
        "workloads": (CHAT, PRETRAIN, OVERSIGHT),
        "finance": Finance(cash_usd=1e9, cash_rate=0.04, cost_of_equity=0.15, tax_rate=0.21),
    }
    return Lab(**(values | changes))


def test_a_serving_rate_is_the_modelled_one_times_utilization_and_goodput():
    table = fill_rates(lab())
    best = estimate(
        MODELS["DeepSeek-V3"], CHIPS["H100-SXM"], input_tokens=1200, output_tokens=300, tpot_s=0.05, top=1
    )[0]
    assert table.mean[0, 0] == pytest.approx(np.full(8, best.tokens_per_s_per_chip * 0.6 * 0.95))
    assert table.configuration[0, 0] == best.configuration
    assert table.bottleneck[0, 0] == best.bottleneck
    assert table.power_w[0, 0] == best.power_w > table.idle_power_w[0]


def test_a_training_rate_is_delivered_model_flop_per_chip():
    table = fill_rates(lab())
    best = estimate(
        MODELS["Meta-Llama-3.1-8B"], CHIPS["H100-SXM"], phase="train", sequence_tokens=8192, batch_tokens=1e6,
        cluster_chips=64, precision="bf16", top=1,
    )[0]  # fmt: skip
    assert table.mean[0, 2, 0] == pytest.approx(0.9 * best.mfu * 989.4e12)


def test_fp8_on_a_chip_without_it_runs_bf16_and_says_so():
    table = fill_rates(lab())
    assert "A100-80-SXM has no fp8 peak: products in bf16" in table.provenance[1, 1]
    assert table.configuration[1, 1].endswith("bf16")


def test_every_rate_opens_to_a_derivation_that_multiplies_out():
    table = fill_rates(lab())
    by_key = {item.key: item for item in table.derivations}
    for c, chip in enumerate(table.chips):
        for w, workload in enumerate(table.workloads):
            if table.feasible[c, w, 0]:
                derivation = by_key[f"rate.{chip}.{workload}"]
                assert np.prod([operand.value for operand in derivation.operands]) == pytest.approx(
                    table.mean[c, w, 0]
                )


def test_software_starts_late_climbs_and_then_stays():
    rule = Software(chip="tpu", workloads=("chat",), ready=Quarter(2027, 1), maturity=0.5, ramp_quarters=2)
    table = fill_rates(lab(software=(rule,)))
    full = fill_rates(lab()).mean[2, 0, 0]
    assert table.mean[2, 0] / full == pytest.approx([0, 0, 0.5, 0.75, 1, 1, 1, 1])
    assert table.feasible[2, 0].tolist() == [False, False] + [True] * 6
    assert (table.mean[2, 1] == fill_rates(lab()).mean[2, 1]).all()


def test_software_older_than_the_horizon_has_climbed_already():
    rule = Software(chip="tpu", workloads=("chat",), ready=Quarter(2026, 1), maturity=0.5, ramp_quarters=4)
    table, full = fill_rates(lab(software=(rule,))), fill_rates(lab())
    assert (table.mean[2, 0] / full.mean[2, 0])[:3] == pytest.approx([0.75, 0.875, 1.0])


def test_maturity_without_a_ramp_stays():
    rule = Software(chip="tpu", workloads=("chat",), ready=Quarter(2026, 1), maturity=0.7)
    table, full = fill_rates(lab(software=(rule,))), fill_rates(lab())
    assert table.mean[2, 0] == pytest.approx(0.7 * full.mean[2, 0])


def test_what_cannot_run_is_zero_infeasible_and_explained():
    impossible = CHAT.model_copy(update={"tpot_s": 1e-4})
    table = fill_rates(lab(workloads=(impossible,)))
    assert not table.feasible.any()
    assert (table.mean == 0).all()
    assert all(text.startswith("TPOT") for text in table.bottleneck.ravel())
    assert np.isfinite(table.power_w).all()


def test_missing_models_and_unknown_power_are_told_together():
    dark = CHIPS["H100-SXM"].model_copy(update={"tdp_w": None, "it_power_w": None})
    with pytest.raises(InputError) as caught:
        fill_rates(lab(chips={"dark": dark}, models={}))
    assert "power of chip dark is not published; give it tdp or it_power" in str(caught.value)
    assert len(caught.value.problems) == 4


def test_spread_widens_without_anchors():
    dense, sparse = MODELS["Meta-Llama-3.1-8B"], MODELS["DeepSeek-V3"]
    h100, b200, other = CHIPS["H100-SXM"], CHIPS["B200-SXM"], CHIPS["Trainium2"]
    announced = b200.model_copy(update={"announced": True})
    order = [prior_log_sd(chip, dense, serving=False) for chip in (h100, b200, other)]
    assert order == [0.15, 0.25, 0.35]
    assert prior_log_sd(announced, dense, serving=False) > 0.35
    assert prior_log_sd(h100, sparse, serving=False) > prior_log_sd(h100, dense, serving=False)
    assert fill_rates(lab()).log_sd[0, 2] == 0.15


def test_a_segment_has_a_column_for_each_model_able_to_serve_it():
    able = (
        ServingModel(model="v3"),
        ServingModel(model="small", tokens_ratio=1.25, first=Quarter(2026, 4), last=Quarter(2027, 1)),
    )
    alone = fill_rates(lab(workloads=(CHAT, CHAT.model_copy(update={"id": "mini", "model": "small"}))))
    table = fill_rates(lab(workloads=(CHAT.model_copy(update={"model": None, "models": able}),)))
    assert table.workloads == ("chat/v3", "chat/small")
    assert table.mean[:, 0] == pytest.approx(alone.mean[:, 0])
    assert table.mean[:, 1, 1:3] == pytest.approx(alone.mean[:, 1, 1:3] / 1.25)
    assert not table.feasible[:, 1, [0, *range(3, 8)]].any()


def test_a_parallel_map_gives_the_same_table():
    def backwards(function, tasks):
        return reversed([function(task) for task in reversed(list(tasks))])

    one, other = fill_rates(lab()), fill_rates(lab(), map=backwards)
    assert (one.mean == other.mean).all()
    assert (one.configuration == other.configuration).all()


def test_seven_chips_times_seven_workloads_all_find_a_layout():
    names = ["H100-SXM", "H200-SXM", "B200-SXM", "GB200-NVL72", "TPU-v5p", "TPU7x-Ironwood", "Trainium2"]
    workloads = [
        *(CHAT.model_copy(update={"id": f"s{i}", "tpot_s": 0.03 + 0.01 * i}) for i in range(4)),
        *(
            PRETRAIN.model_copy(update={"id": f"t{i}", "model": "v3", "cluster_chips": 4096.0 + i})
            for i in range(3)
        ),
    ]
    big = lab(chips={name: CHIPS[name] for name in names}, workloads=tuple(workloads))
    assert fill_rates(big).feasible.all()
