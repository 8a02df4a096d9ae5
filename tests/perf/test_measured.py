"""Where this uncalibrated version lands on published measurements; no coefficient is fitted to these rows here."""

import csv

import numpy as np

from exaplan.io.catalogue import load_chips, load_models
from exaplan.perf.machine import machine_of
from exaplan.perf.search import training_mesh
from exaplan.perf.serving import ServeMesh, ServeRequest, serve_closed_loop
from exaplan.perf.training import TrainRequest, train_step, training_memory_bytes

CHIPS, MODELS = load_chips(), load_models()
TRAINED_ON = {"H100-SXM5-80GB": "H100-SXM", "A100-SXM4-80GB": "A100-80-SXM", "A100-SXM4-40GB": "A100-40-SXM"}
SERVED_ON = {"h100_sxm": "H100-SXM", "h200_sxm": "H200-SXM", "b200_sxm": "B200-SXM", "b300_sxm": "B300-SXM"}
SERVED = {
    "meta-llama/Llama-3.1-70B": "Meta-Llama-3.1-70B",
    "deepseek-ai/DeepSeek-V3": "DeepSeek-V3",
    "deepseek-ai/DeepSeek-R1": "DeepSeek-R1",
    "openai/gpt-oss-120b": "gpt-oss-120b",
    "MiniMaxAI/MiniMax-M2.5": "MiniMax-M2.5",
    "Qwen/Qwen3-235B-A22B-FP8": "Qwen3-235B-A22B",
}


def rows(shared, name):
    with (shared / "measured" / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def training_log_error(row):
    """Log of modelled over measured tokens/s/chip at the published split; None where the row does not say."""
    needed = ("tokens_per_s_per_chip", "seq_len", "global_batch", "n_chips", "TP", "PP")
    if (
        row["chip"] not in TRAINED_ON
        or row["model_id"] not in MODELS
        or not all(row[name] for name in needed)
    ):
        return None
    model = MODELS[row["model_id"]]
    if row["task"] != "pretrain" or row["CP"] not in ("", "1") or model.experts:
        return None
    machine = machine_of(
        CHIPS[TRAINED_ON[row["chip"]]], "fp8" if "fp8" in row["precision"].lower() else "bf16"
    )
    sequence = float(row["seq_len"])
    request = TrainRequest(sequence, float(row["global_batch"]) * sequence, float(row["n_chips"]))
    mesh = training_mesh(model, machine, request)
    mesh = mesh.take((mesh.tp == float(row["TP"])) & (mesh.pp == float(row["PP"])))
    mesh = mesh.take(training_memory_bytes(model, machine, request, mesh) <= 0.92 * machine.memory_bytes)
    if row["micro_batch"] and (mesh.micro == float(row["micro_batch"])).any():
        mesh = mesh.take(mesh.micro == float(row["micro_batch"]))
    if not mesh.tp.size:
        return None
    rate = train_step(model, machine, request, mesh).tokens_per_s_per_chip.max()
    return np.log(rate / float(row["tokens_per_s_per_chip"]))


def serving_log_error(row):
    """Log of modelled over measured time per output token at the published split; None where it is not one we know."""
    if row["system"] not in SERVED_ON or row["model_path"] not in SERVED or float(row["adp"]) != 1:
        return None
    machine = machine_of(CHIPS[SERVED_ON[row["system"]]], row["precision"])
    tp, ep, batch = float(row["tp_size"]), float(row["moe_ep_size"] or 1), float(row["c"])
    mesh = ServeMesh(*(np.array([value]) for value in (tp, 1.0, min(ep, tp), 1.0, batch)))
    request = ServeRequest(float(row["isl"]), float(row["osl"]))
    tpot = serve_closed_loop(MODELS[SERVED[row["model_path"]]], machine, request, mesh).tpot_s[0]
    return np.log(1e3 * tpot / float(row["silicon_tpot_ms"]))


def test_dense_training_on_a100_and_h100_is_within_a_fifth_at_the_median(shared):
    errors = [training_log_error(row) for row in rows(shared, "training.csv")]
    known = np.array([error for error in errors if error is not None])
    assert known.size > 90
    assert np.median(np.abs(known)) < 0.20
    assert (
        -0.05 < np.median(known) < 0.20
    )  # on the fast side: the best recomputation and interleaving are taken


def test_time_per_output_token_is_within_a_fifth_at_the_median(shared):
    errors = [serving_log_error(row) for row in rows(shared, "serving_points.csv")]
    known = np.array([error for error in errors if error is not None])
    assert known.size > 1000
    assert np.median(np.abs(known)) < 0.20
    assert abs(np.median(known)) < 0.10
