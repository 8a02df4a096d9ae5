"""Ask llm-analysis for training cases. Runs inside that tool's own environment and imports nothing of ours.

    python run_llm_analysis.py CASES.json ANSWERS.json

The tool's efficiency is an input that a user must guess; 0.5 is the value its own source names for Megatron-LM. Its time is
inversely proportional to it, so that another guess needs no second run.
"""

from __future__ import annotations

import json
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from llm_analysis.analysis import ActivationRecomputation, DSZeRO, train
from llm_analysis.config import ModelConfig, model_configs

EFFICIENCY = 0.5
GPUS = {
    "H100-SXM5-80GB": "h100-sxm-80gb",
    "A100-SXM4-80GB": "a100-sxm-80gb",
    "A100-SXM4-40GB": "a100-sxm-40gb",
}


def step_s(case: dict[str, Any]) -> float:
    """Seconds per step of one case."""
    name = case["id"]
    model_configs[name] = ModelConfig(
        name=name,
        num_layers=case["layers"],
        n_head=case["heads"],
        hidden_dim=case["hidden"],
        vocab_size=case["vocab"],
        max_seq_len=case["sequence_tokens"],
        num_key_value_heads=case["kv_heads"],
        ffn_embed_dim=case["ffn"],
        expansion_ratio=case["ffn"] / case["hidden"],
    )
    answer = train(
        model_name=name,
        gpu_name=GPUS[case["chip"]],
        dtype_name="w8a8e16" if case["precision"] == "fp8" else "w16a16e16",
        log_level="CRITICAL",
        batch_size_per_gpu=case["micro_batch"],
        global_batch_size=case["global_batch"],
        seq_len=case["sequence_tokens"],
        activation_recomputation=ActivationRecomputation[case["recompute"].upper()].value,
        ds_zero=DSZeRO.STAGE_1.value,
        tp_size=case["tp"],
        pp_size=case["pp"],
        total_num_gpus=case["chips"],
        flops_efficiency=EFFICIENCY,
    )
    return float(answer["latency_per_iter"])


def main() -> None:
    """Answer every case, timing each call; a case that the tool refuses is told with its words."""
    cases = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    answers, refusals, seconds = {}, {}, []
    for case in cases:
        start = time.perf_counter()
        try:
            answers[case["id"]] = step_s(case)
        except (AssertionError, KeyError, ValueError, ZeroDivisionError, StopIteration) as error:
            refusals[case["id"]] = f"{type(error).__name__}: {error}"
        else:
            seconds.append(time.perf_counter() - start)
    told = {"version": version("llm-analysis"), "efficiency": EFFICIENCY}
    told |= {"answers": answers, "refusals": refusals, "seconds": seconds}
    Path(sys.argv[2]).write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main()
