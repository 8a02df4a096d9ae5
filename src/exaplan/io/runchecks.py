"""What must fit together in runs, the rules that bind them, and the loans of suppliers. Every fault is located."""

from __future__ import annotations

from exaplan.domain.lab import Lab
from exaplan.io.located import did_you_mean
from exaplan.io.recordreader import RecordReader
from exaplan.io.treewalk import at, items
from exaplan.io.yamltree import Mapping, Scalar


def check_runs(root: Mapping, reader: RecordReader, lab: Lab) -> None:
    """Check that runs train, lift what serves, and are due in time; that rules ask safety work; that lenders supply."""
    kinds = {workload.id: workload.kind for workload in lab.workloads}
    named = [
        *(("runs", run.id, "workload", "train", (run.workload,)) for run in lab.runs),
        *(("runs", run.id, "uplift_workloads", "serve", run.uplift_workloads) for run in lab.runs),
        *(("rules", rule.id, "workload", "safety", (rule.workload,)) for rule in lab.rules),
    ]
    for collection, item, key, kind, names in named:
        for name in names:
            if kinds.get(name, kind) != kind:
                reader.faults.add(
                    at(root, collection, item, key),
                    f"{collection}.{item}.{key} takes workloads of kind {kind}; {name!r} is of kind {kinds[name]}",
                    did_you_mean(name, [other for other, each in kinds.items() if each == kind]),
                )
    span = f"{lab.horizon.first} .. {lab.horizon.last}"
    for run in lab.runs:
        for key, quarter in (("first", run.first), ("due", run.due)):
            if quarter is not None and not lab.horizon.first <= quarter <= lab.horizon.last:
                reader.faults.add(
                    at(root, "runs", run.id, key),
                    f"{quarter} is outside the horizon",
                    f"choose a quarter in {span}",
                )
    for lender in items(at(root, "finance", "supplier_finance")):
        lent_by = lender.get("supplier")
        if isinstance(lent_by, Scalar) and lent_by.text not in lab.suppliers:
            reason = f"finance.supplier_finance refers to no supplier: {lent_by.text!r}"
            reader.faults.add(lent_by, reason, did_you_mean(lent_by.text, lab.suppliers))
