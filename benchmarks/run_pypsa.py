"""Build a problem of like size with PyPSA; runs in an environment of its own.

    python benchmarks/run_pypsa.py --columns N

PyPSA's language is power systems and it knows two stages, so this is *another* problem of about as many columns: 180 extendable
generators on nine buses over 20 snapshots, as many equally likely scenarios as the size asks for (demand and fuel price differ), CVaR in
the objective. Components are added in bulk (``Network.add`` with arrays) and the model is made by
``Network.optimize.create_model``, as its documentation recommends.
"""

from __future__ import annotations

import argparse
import logging
import sys
import warnings
from typing import Any

import numpy as np
from measured import as_json, use_of

GENERATORS, BUSES, SNAPSHOTS = 180, 9, 20
CVAR_LEVEL, CVAR_WEIGHT = 0.9, 0.2


def build(scenarios: int) -> tuple[Any, Any]:
    """Make the network and its model, and hand it to HiGHS."""
    import pandas as pd
    import pypsa
    from linopy.io import to_highspy

    rng = np.random.default_rng(1)
    network = pypsa.Network()
    network.set_snapshots(pd.RangeIndex(SNAPSHOTS))
    buses = [f"bus{k}" for k in range(BUSES)]
    names = [f"chip{k}" for k in range(GENERATORS)]
    network.add("Bus", buses)
    network.add(
        "Generator", names, bus=[buses[k % BUSES] for k in range(GENERATORS)], p_nom_extendable=True,
        capital_cost=5 + rng.random(GENERATORS), marginal_cost=1 + rng.random(GENERATORS), p_nom_max=100.0,
        p_max_pu=pd.DataFrame(0.9 + 0.1 * rng.random((SNAPSHOTS, GENERATORS)), columns=names),
    )  # fmt: skip
    loads = [f"load{k}" for k in range(BUSES)]
    level = pd.DataFrame(50 + 10 * rng.random((SNAPSHOTS, BUSES)), columns=loads)
    network.add("Load", loads, bus=buses, p_set=level)
    network.add("Generator", [f"lost{k}" for k in range(BUSES)], bus=buses, p_nom=1e4, marginal_cost=100.0)
    labels = [f"s{k}" for k in range(scenarios)]
    network.set_scenarios(dict.fromkeys(labels, 1 / scenarios))
    growth = np.exp(0.3 * rng.standard_normal(scenarios))
    load = network.c["Load"].dynamic["p_set"]
    factor = pd.Series(growth, index=labels).reindex(load.columns.get_level_values(0)).to_numpy()
    network.c["Load"].dynamic["p_set"] = load * factor
    network.set_risk_preference(alpha=CVAR_LEVEL, omega=CVAR_WEIGHT)
    model = network.optimize.create_model()
    return (network, model), to_highspy(model)


def main() -> None:
    """Build in this process and write what it took as one line of JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--columns", type=int, required=True)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    import highspy
    import linopy
    import pypsa

    scenarios = max(2, round(arguments.columns / ((GENERATORS + BUSES) * SNAPSHOTS)))
    used, (_, solver) = use_of(lambda: build(scenarios))
    lp = solver.getLp()
    more: dict[str, Any] = {"columns": lp.num_col_, "rows": lp.num_row_, "entries": len(lp.a_matrix_.value_)}
    more["versions"] = (
        f"PyPSA {pypsa.__version__}, linopy {linopy.__version__}, highspy {highspy.Highs().version()}"
    )
    sys.stdout.write(as_json(used, scenarios=scenarios, **more))


if __name__ == "__main__":
    main()
