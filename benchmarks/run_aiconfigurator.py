"""Ask aiconfigurator for serving cases. Runs inside that tool's own environment and imports nothing of ours.

    python run_aiconfigurator.py CASES.json ANSWERS.json

Every case is asked in the mode SILICON (measured kernels) and in HYBRID (measured, else modelled). As shipped one call reads
hundreds of YAML files again; ``AS_SHIPPED`` calls are timed so, all others with those files kept in memory, which is the
kinder figure. The answers with and without are compared, and a difference stops the run. Tables are loaded at the first
call of a system and framework; medians leave that out.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

logging.disable(logging.CRITICAL)

import yaml  # noqa: E402
from aiconfigurator.cli.api import cli_estimate  # noqa: E402

MODES = ("SILICON", "HYBRID")
AS_SHIPPED = 10
PATHS = {"meta-llama/Llama-3.1-70B": "meta-llama/Meta-Llama-3.1-70B"}
SAME = 1e-9


def tpot_ms(case: dict[str, Any], mode: str) -> float:
    """Milliseconds per output token, with the row's own precision labels, else with those that the tool infers."""
    whole = {name: case[name] for name in ("isl", "osl", "batch_size", "tp_size", "attention_dp_size")}
    if case["experts"]:
        whole |= {"moe_tp_size": case["moe_tp_size"], "moe_ep_size": case["moe_ep_size"]}
    labels = {"gemm_quant_mode": case["gemm_quant_mode"], "moe_quant_mode": case["moe_quant_mode"]}
    path = PATHS.get(case["model_path"], case["model_path"])
    refusal: Exception | None = None
    for asked in (labels, {}) if any(labels.values()) and case["experts"] else (labels,):
        try:
            answer = cli_estimate(
                path, case["system"], backend_name=case["backend"], database_mode=mode, **whole, **asked
            )
        except Exception as error:  # noqa: BLE001 - a foreign program may refuse in any way it likes
            refusal = refusal or error
        else:
            return float(answer.tpot)
    raise ValueError(f"{type(refusal).__name__}: {str(refusal)[:200]}") from refusal


def keep_yaml() -> None:
    """Make the YAML reader remember what it has read, by the name of the file."""
    known: dict[str, Any] = {}
    original = yaml.safe_load

    def remembered(stream: Any) -> Any:
        name = getattr(stream, "name", None)
        if name is None:
            return original(stream)
        if name not in known:
            known[name] = original(stream)
        return known[name]

    yaml.safe_load = remembered


def ask(cases: list[dict[str, Any]], mode: str) -> tuple[dict[str, float], dict[str, str], list[float]]:
    """Ask all cases in one mode; answers, refusals and the seconds of each answered call."""
    answers, refusals, seconds = {}, {}, []
    for case in cases:
        start = time.perf_counter()
        try:
            answers[case["id"]] = tpot_ms(case, mode)
        except ValueError as error:
            refusals[case["id"]] = str(error)
        else:
            seconds.append(time.perf_counter() - start)
    return answers, refusals, seconds


def main() -> None:
    """Answer every case in every mode; first a few as shipped, then all with YAML kept."""
    cases = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    sample = cases[:: max(len(cases) // AS_SHIPPED, 1)]
    ask(sample, MODES[0])
    before, _, shipped = ask(sample, MODES[0])
    keep_yaml()
    told: dict[str, Any] = {"version": version("aiconfigurator"), "seconds_as_shipped": shipped, "modes": {}}
    for mode in MODES:
        answers, refusals, seconds = ask(cases, mode)
        told["modes"][mode] = {"answers": answers, "refusals": refusals, "seconds": seconds}
    after = told["modes"][MODES[0]]["answers"]
    if moved := [name for name, value in before.items() if abs(after[name] - value) > SAME * value]:
        raise SystemExit(f"keeping YAML in memory changed the answers of {moved}")
    Path(sys.argv[2]).write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main()
