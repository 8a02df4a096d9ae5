"""The core of a plan as plain arrays, for the comparison of model builders, and exaplan's build of it.

    python benchmarks/core_rows.py --data FILE [--solve]        (run by build.py)

Data come from the multistage instance of ``instances.py``; the rows are those that any planner of this kind has, over the nodes n
of a tree, without slips, tail stage, tax and deals, so that they can be written in every language on one page::

    chips       sum_arcs(g) work[n,a] - sum_offers(g) up_o stock[n,o] - sum_hourly(g) up_h rent[n,h] <= signed[n,g]
    technology  output[n,w] - sum_arcs(w) rate[n,a] work[n,a] <= 0
    demand      output[n,s] + unserved[n,s] = wanted[n,s]
    floor       sum_protected weight[n,a] work[n,a] - sum_o floor_stock[n,o] stock[n,o] - sum_h floor_rent[n,h] rent[n,h] >= floor[n]
    power       sum_own_sites power_a work[n,a] <= site_power[n,p]
    stock       stock[n,o] - stock[parent,o] - order[arrives(n,o),o] + order[retires(n,o),o] = 0
    cash        cash[n] - (1+r) cash[parent] - sum_s price[n,s] output[n,s] + sum_h rent_price[n,h] rent[n,h]
                + sum_o payment[n,o] stock[n,o] + sum_o deposit[n,o] order[n,o] - rescue[n] = inflow[n]
    tail        excess[l] - eta + cash[l] >= 0
    objective   max sum_n chance_n (worth_n cash[n] - penalty rescue[n]) + 0.2 (eta - sum_l chance_l / 0.1 excess[l])
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
from measured import as_json, use_of

RESCUE_PRICE, TAIL_WEIGHT, TAIL_SHARE = 5.0, 0.2, 0.1
NODES_OF_A_TREE = 1.09
"""Columns asked of an instance per column of the core, tails and the other rows' columns included; then the nearest tree is taken."""

Data = dict[str, np.ndarray]


def core_data(columns: int, lab: Path) -> Data:
    """Take the arrays of the core from a multistage instance of about the size."""
    from instances import columns_per_node, multistage

    chain = columns_per_node(lab)
    inputs = multistage(int(columns * NODES_OF_A_TREE * chain / core_columns_per_node(lab)), path=lab).inputs
    sets, stage, deals = inputs.sets, inputs.stage, inputs.deals
    tree = inputs.tree_nodes
    nodes, quarter, at = np.arange(tree), inputs.quarter[:tree], inputs.at_quarter[:tree]
    terms = deals.terms
    events = {}
    for name, lag in (("arrives", terms.lead), ("retires", terms.lead + terms.life)):
        when = quarter[:, None] - lag
        events[name] = np.where(when >= 0, at[nodes[:, None], np.maximum(when, 0)], -1)
    protected = np.isin(np.array(sets.workloads)[sets.arc_workload], sets.floors[0][1].workloads)
    weight, share = stage.floor_weight[:tree, 0], stage.floor_share[0]
    signed = np.zeros((tree, len(sets.groups)))
    np.add.at(signed.T, sets.contract_group, stage.contract_chips[:tree].T)
    due = -deals.fixed[:tree] - deals.contract_payment[:tree].sum(axis=1)
    due[0] += inputs.lab.finance.cash_usd / 1e6
    life = np.maximum(terms.life, 1)
    return {
        "parent": inputs.parent[:tree], "leaves": inputs.leaves, "chance": inputs.probability[:tree],
        "worth": inputs.discount[:tree] * inputs.cash_worth[:tree] + inputs.discount[:tree] * (quarter == quarter.max()),
        "arc_group": sets.arc_group, "arc_workload": sets.arc_workload, "offer_group": sets.orderable_group,
        "hourly_group": sets.on_demand_group, "arc_site": sets.group_site[sets.arc_group],
        "workloads": np.array(len(sets.workloads)), "up": stage.available, "hourly_up": stage.rent_available,
        "signed": signed, "rate": stage.rate[:tree], "wanted": stage.demand[:tree], "price": stage.price[:tree],
        "rent_max": stage.rent_max[:tree], "rent_price": stage.rent_price[:tree],
        "floor_work": np.where(protected, weight[:, sets.arc_group], 0.0),
        "floor_stock": share * weight[:, sets.orderable_group] * stage.available,
        "floor_rent": share * weight[:, sets.on_demand_group] * stage.rent_available,
        "floor": share * (weight * signed).sum(axis=1), "power": stage.power[sets.arc_group],
        "site_power": stage.site_power[:tree], **events,
        "payment": deals.rent[:tree] * (1 - terms.deposit) + deals.holding[:tree] + 0.8 * deals.capex[:tree] / life,
        "deposit": deals.rent[:tree] * terms.deposit * terms.life + 0.2 * deals.capex[:tree],
        "max_order": deals.max_order[:tree], "interest": np.array(inputs.lab.finance.cash_rate / 4), "inflow": due,
    }  # fmt: skip


def core_columns_per_node(lab: Path) -> int:
    """Count the columns of the core at a node: stock and order, rent, work, output, unserved, cash, rescue."""
    from instances import inputs_of, technology, with_horizon

    from exaplan.economy.tree import grow_tree

    plan = with_horizon(technology(lab)[0], 1)
    sets = inputs_of(plan, grow_tree(plan), lab).sets
    return (
        2 * len(sets.orderable)
        + len(sets.hourly)
        + len(sets.arc_group)
        + len(sets.workloads)
        + len(sets.serve)
        + 2
    )


def build(data: Data) -> Any:
    """Build the core with exaplan's builder."""
    from exaplan.optimize.blocks import Builder

    nodes, serve = data["wanted"].shape
    leaves, parent, chance = data["leaves"], data["parent"], data["chance"]
    children, before = np.arange(1, nodes), parent[1:]
    make = Builder()
    order = make.variable("order", data["max_order"].shape, upper=data["max_order"])
    stock = make.variable("stock", data["max_order"].shape)
    rent = make.variable("rent", data["rent_max"].shape, upper=data["rent_max"])
    work = make.variable("work", data["rate"].shape)
    output = make.variable("output", (nodes, int(data["workloads"])))
    unserved = make.variable("unserved", (nodes, serve))
    cash = make.variable("cash", (nodes,), cost=chance * data["worth"])
    rescue = make.variable("rescue", (nodes,), cost=-chance * RESCUE_PRICE)
    eta = make.variable("eta", (), lower=-np.inf, cost=TAIL_WEIGHT)
    excess = make.variable("excess", (len(leaves),), cost=-TAIL_WEIGHT / TAIL_SHARE * chance[leaves])

    row = make.rows("chips", data["signed"].shape, upper=data["signed"])
    make.add(row, row.position[:, data["arc_group"]], work.index, 1.0)
    make.add(row, row.position[:, data["offer_group"]], stock.index, -data["up"])
    make.add(row, row.position[:, data["hourly_group"]], rent.index, -data["hourly_up"])
    row = make.rows("technology", output.shape, upper=0.0)
    make.add(row, row.position, output.index, 1.0)
    make.add(row, row.position[:, data["arc_workload"]], work.index, -data["rate"])
    row = make.rows("demand", unserved.shape, lower=data["wanted"], upper=data["wanted"])
    make.add(row, row.position, output.index[:, :serve], 1.0)
    make.add(row, row.position, unserved.index, 1.0)
    row = make.rows("floor", (nodes,), lower=data["floor"])
    make.add(row, row.position[:, None], work.index, data["floor_work"])
    make.add(row, row.position[:, None], stock.index, -data["floor_stock"])
    make.add(row, row.position[:, None], rent.index, -data["floor_rent"])
    row = make.rows("power", data["site_power"].shape, upper=data["site_power"])
    own = np.flatnonzero(data["arc_site"] >= 0)
    make.add(row, row.position[:, data["arc_site"][own]], work.index[:, own], data["power"][own])
    row = make.rows("stock_balance", stock.shape, lower=0.0, upper=0.0)
    make.add(row, row.position, stock.index, 1.0)
    make.add(row, row.position[children], stock.index[before], -1.0)
    for event, sign in (("arrives", -1.0), ("retires", 1.0)):
        node, offer = np.nonzero(data[event] >= 0)
        make.add(row, row.position[node, offer], order.index[data[event][node, offer], offer], sign)
    row = make.rows("cash_balance", (nodes,), lower=data["inflow"], upper=data["inflow"])
    make.add(row, row.position, cash.index, 1.0)
    make.add(row, children, cash.index[before], -(1 + float(data["interest"])))
    make.add(row, row.position[:, None], output.index[:, :serve], -data["price"])
    make.add(row, row.position[:, None], rent.index, data["rent_price"])
    make.add(row, row.position[:, None], stock.index, data["payment"])
    make.add(row, row.position[:, None], order.index, data["deposit"])
    make.add(row, row.position, rescue.index, -1.0)
    row = make.rows("tail", (len(leaves),), lower=0.0)
    make.add(row, row.position, excess.index, 1.0)
    make.add(row, row.position, eta.index, -1.0)
    make.add(row, row.position, cash.index[leaves], 1.0)
    return make.build("max")


def main() -> None:
    """Build from a file of arrays in this process and write what it took as one line of JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--solve", action="store_true")
    arguments = parser.parse_args()
    with np.load(arguments.data) as archive:
        data = dict(archive)
    from exaplan.optimize.handover import loaded

    def work() -> tuple[Any, Any]:
        model = build(data)
        return model, loaded(model)

    used, (model, solver) = use_of(work)
    more: dict[str, Any] = {
        "columns": model.column_count, "rows": model.row_count, "entries": model.entry_count,
    }  # fmt: skip
    if arguments.solve:
        solver.run()
        more["objective"] = solver.getObjectiveValue()
    sys.stdout.write(as_json(used, **more))


if __name__ == "__main__":
    main()
