"""Build the core rows (see core_rows.py) with linopy; runs in an environment that has linopy and highspy, not exaplan.

    python benchmarks/run_linopy.py --data FILE [--solve]

As linopy's documentation recommends: one labelled variable and one vectorised constraint per family, sums by ``groupby`` and by
dimension, parents by selecting nodes with an array, no Python loop over nodes.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from measured import as_json, use_of

RESCUE_PRICE, TAIL_WEIGHT, TAIL_SHARE = 5.0, 0.2, 0.1


@dataclass
class Labelled:
    """The arrays of a problem with their axes."""

    data: dict[str, np.ndarray]
    index: dict[str, Any]

    def array(self, name: str, *dims: str) -> Any:
        """Label an array of the data."""
        return self.label(self.data[name], *dims)

    def label(self, values: np.ndarray, *dims: str) -> Any:
        """Label any array; an axis shorter than its index is the first part of it."""
        import xarray as xr

        coords = [self.index[d][:size] for d, size in zip(dims, values.shape, strict=True)]
        return xr.DataArray(values, dims=dims, coords=coords)

    def at(self, variable: Any, *dims: str, **places: Any) -> Any:
        """Select a variable at computed places; the result carries the axes of the places."""
        import xarray as xr

        chosen = variable.isel({d: xr.DataArray(place, dims=dims) for d, place in places.items()})
        return chosen.assign_coords({d: self.index[d] for d in dims})

    def total(self, expression: Any, owner: str, dim: str, target: str) -> Any:
        """Sum an expression over the members of each owner, every owner present."""
        by = self.array(owner, dim).rename(target)
        return expression.groupby(by).sum().reindex({target: self.index[target]})


def axes(data: dict[str, np.ndarray]) -> dict[str, Any]:
    """Give each set its numbers."""
    import pandas as pd

    sizes = {
        "node": len(data["parent"]), "offer": data["max_order"].shape[1], "hourly": data["rent_max"].shape[1],
        "arc": len(data["arc_group"]), "workload": int(data["workloads"]), "group": data["signed"].shape[1],
        "site": data["site_power"].shape[1], "leaf": len(data["leaves"]),
    }  # fmt: skip
    return {name: pd.RangeIndex(size, name=name) for name, size in sizes.items()}


def declare(model: Any, of: Labelled) -> dict[str, Any]:
    """Declare the variables."""
    index, serve = of.index, of.data["wanted"].shape[1]
    node = index["node"]
    coords = {
        "stock": [node, index["offer"]], "work": [node, index["arc"]], "output": [node, index["workload"]],
        "unserved": [node, index["workload"][:serve]], "cash": [node], "rescue": [node], "excess": [index["leaf"]],
    }  # fmt: skip
    made = {name: model.add_variables(0, coords=axis, name=name) for name, axis in coords.items()}
    made["order"] = model.add_variables(0, of.array("max_order", "node", "offer"), name="order")
    made["rent"] = model.add_variables(0, of.array("rent_max", "node", "hourly"), name="rent")
    made["eta"] = model.add_variables(name="eta")
    return made


def quarter_rows(model: Any, of: Labelled, v: dict[str, Any]) -> None:
    """Add the rows of one quarter."""
    stock, rent, work, serve = v["stock"], v["rent"], v["work"], of.data["wanted"].shape[1]
    left = of.total(1 * work, "arc_group", "arc", "group")
    left = left - of.total(of.array("up", "offer") * stock, "offer_group", "offer", "group")
    left = left - of.total(of.array("hourly_up", "hourly") * rent, "hourly_group", "hourly", "group")
    model.add_constraints(left <= of.array("signed", "node", "group"), name="chips")
    made = of.total(of.array("rate", "node", "arc") * work, "arc_workload", "arc", "workload")
    model.add_constraints(v["output"] - made <= 0, name="technology")
    sold = v["output"].isel(workload=slice(serve))
    model.add_constraints(sold + v["unserved"] == of.array("wanted", "node", "workload"), name="demand")
    left = (of.array("floor_work", "node", "arc") * work).sum("arc")
    left = left - (of.array("floor_stock", "node", "offer") * stock).sum("offer")
    left = left - (of.array("floor_rent", "node", "hourly") * rent).sum("hourly")
    model.add_constraints(left >= of.array("floor", "node"), name="floor")
    own = np.flatnonzero(of.data["arc_site"] >= 0)
    site = of.array("arc_site", "arc").isel(arc=own).rename("site")
    drawn = (of.array("power", "arc").isel(arc=own) * work.isel(arc=own)).groupby(site).sum()
    model.add_constraints(drawn <= of.array("site_power", "node", "site"), name="power")


def linking_rows(model: Any, of: Labelled, v: dict[str, Any]) -> None:
    """Add the rows between quarters, and the objective."""
    data, stock, order, rent, cash = of.data, v["stock"], v["order"], v["rent"], v["cash"]
    parent, known = np.maximum(data["parent"], 0), of.label(data["parent"] >= 0, "node")
    left = stock - of.at(stock, "node", node=parent).where(known)
    offers = np.broadcast_to(np.arange(stock.shape[1]), data["arrives"].shape)
    for event, sign in (("arrives", -1), ("retires", 1)):
        moved = of.at(order, "node", "offer", node=np.maximum(data[event], 0), offer=offers)
        left = left + sign * moved.where(of.label(data[event] >= 0, "node", "offer"))
    model.add_constraints(left == 0, name="stock_balance")
    sold = v["output"].isel(workload=slice(data["price"].shape[1]))
    left = cash - (1 + float(data["interest"])) * of.at(cash, "node", node=parent).where(known)
    left = left - (of.array("price", "node", "workload") * sold).sum("workload")
    left = left + (of.array("rent_price", "node", "hourly") * rent).sum("hourly")
    left = left + (of.array("payment", "node", "offer") * stock).sum("offer")
    left = left + (of.array("deposit", "node", "offer") * order).sum("offer") - v["rescue"]
    model.add_constraints(left == of.array("inflow", "node"), name="cash_balance")
    last = of.at(cash, "leaf", node=data["leaves"])
    model.add_constraints(v["excess"] - v["eta"] + last >= 0, name="tail")
    chance = of.array("chance", "node")
    goal = (chance * of.array("worth", "node") * cash).sum() - (RESCUE_PRICE * chance * v["rescue"]).sum()
    leaf_chance = of.label(data["chance"][data["leaves"]], "leaf")
    goal = goal + TAIL_WEIGHT * v["eta"] - (TAIL_WEIGHT / TAIL_SHARE * leaf_chance * v["excess"]).sum()
    model.add_objective(goal, sense="max")


def build(data: dict[str, np.ndarray]) -> Any:
    """Build the model and hand it to HiGHS."""
    import linopy
    from linopy.io import to_highspy

    model, of = linopy.Model(), Labelled(data, axes(data))
    variables = declare(model, of)
    quarter_rows(model, of, variables)
    linking_rows(model, of, variables)
    return model, to_highspy(model)


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
    warnings.simplefilter("ignore")
    import highspy
    import linopy

    used, (_, solver) = use_of(lambda: build(data))
    lp = solver.getLp()
    more: dict[str, Any] = {"columns": lp.num_col_, "rows": lp.num_row_, "entries": len(lp.a_matrix_.value_)}
    more["versions"] = f"linopy {linopy.__version__}, highspy {highspy.Highs().version()}"
    if arguments.solve:
        solver.setOptionValue("output_flag", False)
        solver.run()
        more["objective"] = solver.getObjectiveValue()
    sys.stdout.write(as_json(used, **more))


if __name__ == "__main__":
    main()
