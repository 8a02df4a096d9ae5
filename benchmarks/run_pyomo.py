"""Build the core rows (see core_rows.py) with Pyomo and its HiGHS interface; runs in an environment of its own.

    python benchmarks/run_pyomo.py --data FILE [--solve]

As Pyomo's documentation recommends for large models: indexed variables and constraints by rules, ``LinearExpression`` and
``quicksum`` instead of ``sum``, the persistent interface ``appsi_highs``, which takes the model without a file.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
from measured import as_json, use_of

RESCUE_PRICE, TAIL_WEIGHT, TAIL_SHARE = 5.0, 0.2, 0.1


def places(owner: np.ndarray, count: int) -> list[list[int]]:
    """List the members of each owner."""
    return [np.flatnonzero(owner == number).tolist() for number in range(count)]


class Core:
    """A concrete model of the core rows; numbers become Python lists first, which Pyomo reads fastest."""

    def __init__(self, data: dict[str, np.ndarray]) -> None:
        import pyomo.environ as pyo

        self.d = {name: value.tolist() for name, value in data.items()}
        self.arcs, self.offers = len(data["arc_group"]), data["max_order"].shape[1]
        self.hourly, self.serve = data["rent_max"].shape[1], data["wanted"].shape[1]
        self.interest = float(data["interest"])
        groups, sites = data["signed"].shape[1], data["site_power"].shape[1]
        self.arcs_of_group, self.offers_of_group = (
            places(data[k], groups) for k in ("arc_group", "offer_group")
        )
        self.hourly_of_group = places(data["hourly_group"], groups)
        self.arcs_of_workload = places(data["arc_workload"], int(data["workloads"]))
        self.arcs_of_site = places(data["arc_site"], sites)
        self.model = model = pyo.ConcreteModel()
        sizes = {
            "node": len(data["parent"]), "offer": self.offers, "hour": self.hourly, "arc": self.arcs, "group": groups,
            "workload": int(data["workloads"]), "serve": self.serve, "site": sites, "leaf": len(data["leaves"]),
        }  # fmt: skip
        for name, size in sizes.items():
            setattr(model, name, pyo.RangeSet(0, size - 1))
        self.declare()
        self.constrain()

    def declare(self) -> None:
        """Declare the variables."""
        import pyomo.environ as pyo

        model, d, positive = self.model, self.d, pyo.NonNegativeReals
        model.order = pyo.Var(model.node, model.offer, bounds=lambda _, n, o: (0, d["max_order"][n][o]))
        model.rent = pyo.Var(model.node, model.hour, bounds=lambda _, n, h: (0, d["rent_max"][n][h]))
        for name, axis in (
            ("stock", "offer"),
            ("work", "arc"),
            ("output", "workload"),
            ("unserved", "serve"),
        ):
            setattr(model, name, pyo.Var(model.node, getattr(model, axis), domain=positive))
        model.cash, model.rescue = pyo.Var(model.node, domain=positive), pyo.Var(model.node, domain=positive)
        model.eta, model.excess = pyo.Var(), pyo.Var(model.leaf, domain=positive)

    def constrain(self) -> None:
        """Declare the rows and the objective."""
        import pyomo.environ as pyo

        m = self.model
        m.chips = pyo.Constraint(m.node, m.group, rule=self.chips)
        m.technology = pyo.Constraint(m.node, m.workload, rule=self.technology)
        m.demand = pyo.Constraint(m.node, m.serve, rule=self.demand)
        m.floor = pyo.Constraint(m.node, rule=self.floor)
        m.power = pyo.Constraint(m.node, m.site, rule=self.power)
        m.stock_balance = pyo.Constraint(m.node, m.offer, rule=self.balance)
        m.cash_balance = pyo.Constraint(m.node, rule=self.money)
        m.tail = pyo.Constraint(m.leaf, rule=self.tail)
        chance, worth = self.d["chance"], self.d["worth"]
        goal = [(chance[n] * worth[n], m.cash[n]) for n in m.node]
        goal += [(-chance[n] * RESCUE_PRICE, m.rescue[n]) for n in m.node] + [(TAIL_WEIGHT, m.eta)]
        last = self.d["leaves"]
        goal += [(-TAIL_WEIGHT / TAIL_SHARE * chance[last[k]], m.excess[k]) for k in m.leaf]
        m.goal = pyo.Objective(expr=linear(goal), sense=pyo.maximize)

    def chips(self, m: Any, n: int, g: int) -> Any:
        """Chips at work are chips that are up."""
        left = [(1.0, m.work[n, a]) for a in self.arcs_of_group[g]]
        left += [(-self.d["up"][o], m.stock[n, o]) for o in self.offers_of_group[g]]
        left += [(-self.d["hourly_up"][h], m.rent[n, h]) for h in self.hourly_of_group[g]]
        return linear(left) <= self.d["signed"][n][g]

    def technology(self, m: Any, n: int, w: int) -> Any:
        """Output needs chips."""
        rate = self.d["rate"][n]
        return (
            linear([(1.0, m.output[n, w])] + [(-rate[a], m.work[n, a]) for a in self.arcs_of_workload[w]])
            <= 0.0
        )

    def demand(self, m: Any, n: int, s: int) -> Any:
        """Demand is served or not."""
        return linear([(1.0, m.output[n, s]), (1.0, m.unserved[n, s])]) == self.d["wanted"][n][s]

    def floor(self, m: Any, n: int) -> Any:
        """Protect development."""
        left = [(self.d["floor_work"][n][a], m.work[n, a]) for a in range(self.arcs)]
        left += [(-self.d["floor_stock"][n][o], m.stock[n, o]) for o in range(self.offers)]
        left += [(-self.d["floor_rent"][n][h], m.rent[n, h]) for h in range(self.hourly)]
        return linear(left) >= self.d["floor"][n]

    def power(self, m: Any, n: int, p: int) -> Any:
        """Feed what a site can."""
        import pyomo.environ as pyo

        if not self.arcs_of_site[p]:
            return pyo.Constraint.Skip
        left = [(self.d["power"][a], m.work[n, a]) for a in self.arcs_of_site[p]]
        return linear(left) <= self.d["site_power"][n][p]

    def balance(self, m: Any, n: int, o: int) -> Any:
        """Carry the stock from node to node."""
        parent = self.d["parent"][n]
        left = [(1.0, m.stock[n, o])] + ([(-1.0, m.stock[parent, o])] if parent >= 0 else [])
        for event, sign in (("arrives", -1.0), ("retires", 1.0)):
            if self.d[event][n][o] >= 0:
                left.append((sign, m.order[self.d[event][n][o], o]))
        return linear(left) == 0.0

    def money(self, m: Any, n: int) -> Any:
        """Carry cash from node to node."""
        parent, d = self.d["parent"][n], self.d
        left = [(1.0, m.cash[n]), (-1.0, m.rescue[n])]
        left += [(-(1 + self.interest), m.cash[parent])] if parent >= 0 else []
        left += [(-d["price"][n][s], m.output[n, s]) for s in range(self.serve)]
        left += [(d["rent_price"][n][h], m.rent[n, h]) for h in range(self.hourly)]
        left += [(d["payment"][n][o], m.stock[n, o]) for o in range(self.offers)]
        left += [(d["deposit"][n][o], m.order[n, o]) for o in range(self.offers)]
        return linear(left) == d["inflow"][n]

    def tail(self, m: Any, leaf: int) -> Any:
        """Bound the tail of the loss."""
        last = self.d["leaves"][leaf]
        return linear([(1.0, m.excess[leaf]), (-1.0, m.eta), (1.0, m.cash[last])]) >= 0.0


def linear(terms: list[tuple[float, Any]]) -> Any:
    """Make a linear expression of the terms that are not zero."""
    from pyomo.core.expr.numeric_expr import LinearExpression

    kept = [term for term in terms if term[0] != 0.0]
    return LinearExpression(linear_coefs=[a for a, _ in kept], linear_vars=[v for _, v in kept])


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
    import highspy
    import pyomo.version
    from pyomo.contrib.appsi.solvers.highs import Highs

    def work() -> tuple[Any, Any]:
        model, solver = Core(data).model, Highs()
        solver.set_instance(model)
        return model, solver

    used, (model, solver) = use_of(work)
    lp = solver._solver_model.getLp()
    more: dict[str, Any] = {"columns": lp.num_col_, "rows": lp.num_row_, "entries": len(lp.a_matrix_.value_)}
    more["versions"] = f"Pyomo {pyomo.version.version}, highspy {highspy.Highs().version()}"
    if arguments.solve:
        solver.solve(model)
        more["objective"] = solver._solver_model.getObjectiveValue()
    sys.stdout.write(as_json(used, **more))


if __name__ == "__main__":
    main()
