"""Programs of any size from a lab file, made by the product's own code: the problems that all benchmarks here solve.

    python benchmarks/instances.py [--lab FILE] [--json FILE]

prints each kind at a small size with the value of the stochastic solution. What is changed of the lab, in both kinds:
every order takes at least two quarters to arrive, and the tree is cut to the size asked for.

``two_stage``: a horizon of eight quarters, four of them common to all futures, then one chain per scenario; each scenario is
one sampled path, all equally likely (sample average approximation: Kleywegt, Shapiro and Homem-de-Mello 2002, doi
10.1137/S1052623499363220). ``multistage``: the lab's own horizon, branching in the second, fourth, sixth and tenth quarter
(in eight quarters of it, branching in the first three of these, where the whole horizon would be too large).

Trees are cut from sampled paths by the functions that ``grow_tree`` is made of, not by ``grow_tree`` itself: a thousand
children of one node would need the distance of every path to every child, which is gigabytes, and the thirty paths that it
wants in the thinnest of a thousand leaves take a minute to sample and cut.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from exaplan.domain.futures import Tree
    from exaplan.domain.lab import Lab
    from exaplan.domain.rates import RateTable
    from exaplan.plan.formulation import Program
    from exaplan.plan.inputs import Inputs

FRONTIER = Path(__file__).resolve().parent.parent / "examples" / "frontier-2026.yaml"
LEAST_LEAD = 2
TWO_STAGE_QUARTERS, TWO_STAGE_BRANCH = 8, 4
BRANCH_AT = (1, 3, 5, 9)
MOST_CHILDREN = 12
NEARLY, SPARE = 0.97, 1.04
SHORT = 8
"""Quarters of the horizon where a chain of the whole horizon would already be too large."""
MOST_OF_A_CHAIN = 0.9
PATHS_PER_LEAF = 15
FIRST_YEAR = 4
SIBLINGS = {"two_stage": 40, "multistage": 50_000}
"""Sizes at which the value of the stochastic solution is computed: scenarios, columns."""


@dataclass(frozen=True)
class Instance:
    """A planning problem of a stated size."""

    kind: str
    size: int  # scenarios of a two-stage problem, columns asked of a multistage one
    inputs: Inputs

    def build(self) -> Program:
        """Build the linear program anew."""
        from exaplan.plan.formulation import build_program

        return build_program(self.inputs)

    @property
    def words(self) -> str:
        """Say what it is."""
        tree = f"{self.inputs.tree_nodes:,} nodes, {len(self.inputs.leaves):,} leaves, {self.inputs.quarters} quarters"
        return f"{self.kind.replace('_', '-')} {self.size:,}: {tree}"


@cache
def technology(path: Path) -> tuple[Lab, RateTable]:
    """Read a lab, lengthen its shortest leads to ``LEAST_LEAD`` quarters, and fill its rates."""
    from exaplan.io.calibration import load_calibration
    from exaplan.io.labfile import read_lab
    from exaplan.perf.rate_table import fill_rates

    lab = read_lab(path)
    offers = tuple(
        offer.model_copy(update={"lead_quarters": max(offer.lead_quarters, LEAST_LEAD)})
        if hasattr(offer, "lead_quarters")
        else offer
        for offer in lab.offers
    )
    lab = lab.model_copy(update={"offers": offers})
    return lab, fill_rates(lab, calibration=load_calibration())


def with_horizon(lab: Lab, quarters: int) -> Lab:
    """Cut a lab's horizon to that many quarters."""
    horizon = lab.horizon.model_copy(update={"last": lab.horizon.first + (quarters - 1)})
    branches = tuple(branch for branch in lab.futures.branches if branch.date <= horizon.last)
    return lab.model_copy(
        update={"horizon": horizon, "futures": lab.futures.model_copy(update={"branches": branches})}
    )


def two_stage(scenarios: int, *, path: Path = FRONTIER, seed: int = 1) -> Instance:
    """Make a two-stage problem: four common quarters, then ``scenarios`` chains of sampled paths."""
    from exaplan.economy.sampling import sample_world
    from exaplan.economy.state import money_scale
    from exaplan.economy.tree import condense

    lab = with_horizon(technology(path)[0], TWO_STAGE_QUARTERS)
    world = sample_world(lab, paths=scenarios, seed=seed, purpose="tree", antithetic=scenarios % 2 == 0)
    node = np.zeros((scenarios, TWO_STAGE_QUARTERS), dtype=np.int64)
    node[:, TWO_STAGE_BRANCH:] = np.arange(scenarios)[:, None]
    tree = condense(world, node, scale=money_scale(lab, world))
    return Instance("two_stage", scenarios, inputs_of(lab, tree, path))


def multistage(columns: int, *, path: Path = FRONTIER, seed: int = 1) -> Instance:
    """Make a multistage problem of about ``columns`` columns, at least as many, on the lab's own horizon and futures."""
    from exaplan.economy.sampling import sample_world
    from exaplan.economy.state import money_scale
    from exaplan.economy.tree import condense, partition

    lab = technology(path)[0]
    per_node = columns_per_node(path)
    if columns < MOST_OF_A_CHAIN * per_node * (lab.horizon.quarters + 1):
        lab = with_horizon(lab, SHORT)
    quarters = lab.horizon.quarters
    into = np.ones(quarters, dtype=int)
    for at, count in zip(BRANCH_AT, children(columns / per_node, quarters), strict=True):
        into[min(at, quarters - 1)] *= count
    world = sample_world(lab, paths=2 * PATHS_PER_LEAF * int(into.prod()), seed=seed, purpose="tree")
    scale = money_scale(lab, world)
    node = partition(world, into=into.tolist(), scale=scale, least=PATHS_PER_LEAF // 3)
    return Instance("multistage", columns, inputs_of(lab, condense(world, node, scale=scale), path))


def children(nodes: float, quarters: int) -> tuple[int, ...]:
    """Choose how many children the branches have so that a tree with its tail has about ``nodes`` nodes.

    Among trees that reach the number and exceed it by no more than 4 %, the one whose branches differ least; else the one
    that exceeds it least. Earlier branches have at least as many children as later ones.
    """

    def count(into: tuple[int, ...]) -> int:
        widths = np.ones(quarters + 1)
        for at, many in zip(BRANCH_AT, into, strict=True):
            widths[at:] *= many
        return int(widths.sum())

    trees = [
        into
        for into in product(range(1, MOST_CHILDREN + 1), repeat=len(BRANCH_AT))
        if tuple(sorted(into, reverse=True)) == into and count(into) >= NEARLY * nodes
    ]
    return min(trees, key=lambda into: (max(count(into) / nodes, SPARE), max(into) - min(into)))


@cache
def columns_per_node(path: Path) -> float:
    """Count the columns that a node brings, on a plan without branches."""
    from exaplan.economy.tree import grow_tree
    from exaplan.plan.formulation import build_program

    lab = technology(path)[0]
    lab = lab.model_copy(update={"futures": lab.futures.model_copy(update={"branches": ()})})
    inputs = inputs_of(lab, grow_tree(lab), path)
    return build_program(inputs).model.column_count / inputs.nodes


def inputs_of(lab: Lab, tree: Tree, path: Path) -> Inputs:
    """Collect the arrays of a plan."""
    from exaplan.plan.inputs import collect

    return collect(lab, technology(path)[1], tree)


def mean_chain(instance: Instance, path: Path) -> Inputs:
    """Replace the futures by their mean: one chain."""
    from exaplan.economy.tree import condense

    tree, leaves = instance.inputs.tree, instance.inputs.leaves
    history = instance.inputs.at_quarter[leaves]  # [leaf, quarter]
    weight = tree.probability[leaves]
    copies = np.repeat(
        np.arange(len(leaves)), np.maximum(np.round(weight / weight.sum() * 10_000), 1).astype(int)
    )
    world = type(tree.world)(**{name: value[history[copies]] for name, value in vars(tree.world).items()})
    chain = condense(world, np.zeros(history[copies].shape, dtype=np.int64), scale=tree.scale)
    return inputs_of(instance.inputs.lab, chain, path)


def stochastic_value(instance: Instance, *, path: Path = FRONTIER) -> dict[str, Any]:
    """Compute the value of the stochastic solution over the first year, as a share of the plan's value.

    VSS = value of the plan - value of the best plan whose orders of the first four quarters are those of the plan for the
    mean future (Birge 1982, doi 10.1007/BF01585113; by stage as in Escudero et al. 2007, doi 10.1007/s11750-007-0005-4).
    """
    from exaplan.optimize.highs import solve, values
    from exaplan.plan.formulation import build_program

    program, mean = instance.build(), build_program(mean_chain(instance, path))
    best, deterministic = solve(program.model), solve(mean.model)
    signed = values(deterministic, mean.columns.order)
    order, tree = program.columns.order, instance.inputs.tree_nodes
    stage = instance.inputs.quarter[:tree]
    early = stage < FIRST_YEAR
    wanted = np.minimum(
        signed[np.minimum(stage, len(signed) - 1)], program.model.upper[order.span].reshape(order.shape)
    )
    limits = {name: np.where(early[:, None], wanted, getattr(program.model, name)[order.span].reshape(order.shape))
              for name in ("lower", "upper")}  # fmt: skip
    fixed = solve(program.model.with_changes(**{name: {"order": limit} for name, limit in limits.items()}))
    return {
        "instance": instance.words,
        "columns": program.model.column_count,
        "status": [best.status, deterministic.status, fixed.status],
        "value_musd": best.objective,
        "with_orders_for_the_mean_musd": fixed.objective,
        "vss_share": (best.objective - fixed.objective) / abs(best.objective),
    }


def main() -> None:
    """Print each kind at its sibling's size."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--lab", type=Path, default=FRONTIER, metavar="FILE", help="default: the frontier example"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    arguments = parser.parse_args()
    made = (
        two_stage(SIBLINGS["two_stage"], path=arguments.lab),
        multistage(SIBLINGS["multistage"], path=arguments.lab),
    )
    found = [stochastic_value(instance, path=arguments.lab) for instance in made]
    for row in found:
        sys.stdout.write(
            f"{row['instance']}: {row['columns']:,} columns, value {row['value_musd']:,.0f} M$, with the first year's orders "
            f"for the mean future {row['with_orders_for_the_mean_musd']:,.0f} M$: VSS {100 * row['vss_share']:.1f} %\n"
        )
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
