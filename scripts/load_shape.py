"""Mean requests by hour of the day of a serving trace: how data/load_shape.csv was derived, and can be again.

    python scripts/load_shape.py BurstGPT_1.csv            # column Timestamp, seconds from the start of the trace
    python scripts/load_shape.py trace.csv --column t_s --weight tokens_out --blocks 3

Prints ``hour,mean`` and, with ``--blocks``, the load blocks that exaplan would cut from it.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
import polars as pl

from exaplan.economy.load import block_names, blocks_of

HOURS = 24


def by_hour(seconds: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Mean weight per hour of the day, over the days the trace covers, shape [24]."""
    days = max(1, int(np.ceil(seconds.max() / 86_400)))
    return np.bincount((seconds % 86_400 // 3_600).astype(int), weights=weight, minlength=HOURS) / days


def main() -> None:
    """Read a trace, print its shape."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("trace", help="CSV with one row per request")
    parser.add_argument("--column", default="Timestamp", help="seconds from the start of the trace")
    parser.add_argument("--weight", help="column that weighs a request, such as its tokens")
    parser.add_argument("--blocks", type=int, help="also cut the shape into load blocks")
    given = parser.parse_args()
    rows = pl.read_csv(given.trace)
    seconds = rows[given.column].to_numpy().astype(float)
    weight = rows[given.weight].to_numpy().astype(float) if given.weight else np.ones(len(seconds))
    shape = by_hour(seconds - seconds.min(), weight)
    for hour, mean in enumerate(shape):
        sys.stdout.write(f"{hour},{mean:.1f}\n")
    if given.blocks:
        block = blocks_of(shape, given.blocks)
        for number, name in enumerate(block_names(given.blocks)):
            of = block == number
            sys.stdout.write(
                f"{name}: {of.mean():.1%} of hours, {shape[of].sum() / shape.sum():.1%} of demand\n"
            )


if __name__ == "__main__":
    main()
