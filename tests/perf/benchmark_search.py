"""Configurations per second of the parallelism search; run as a program, never as a test."""

import sys
import time

from exaplan.io.catalogue import load_chips, load_models
from exaplan.perf.machine import machine_of
from exaplan.perf.search import search_serving, search_training
from exaplan.perf.serving import ServeRequest
from exaplan.perf.training import TrainRequest

SECONDS = 2.0


def configurations_per_s(search):
    """Repeat a search for two seconds; return configurations per second and the size of one search."""
    start, searched, size = time.perf_counter(), 0, 0
    while time.perf_counter() - start < SECONDS:
        size = search().searched
        searched += size
    return searched / (time.perf_counter() - start), size


def main():
    """Print one line per model, chip and phase."""
    chips, models = load_chips(), load_models()
    for model in (models["Meta-Llama-3.1-70B"], models["DeepSeek-V3"]):
        for name in ("H100-SXM", "GB200-NVL72", "TPU7x-Ironwood"):
            machine = machine_of(chips[name], "fp8")
            searches = {
                "serve": lambda m=machine, a=model: search_serving(a, m, ServeRequest(1200, 300, 0.05, 2.0)),
                "train": lambda m=machine, a=model: search_training(a, m, TrainRequest(4096, 16e6, 2048)),
            }
            for phase, search in searches.items():
                rate, size = configurations_per_s(search)
                sys.stdout.write(
                    f"{model.id:20} {name:16} {phase:6} {size:6,} configurations {rate:12,.0f} /s\n"
                )


if __name__ == "__main__":
    main()
