"""What must fit together on the demand side of a lab: models of a segment and the runs that make them."""

from __future__ import annotations

from collections.abc import Iterator

from exaplan.domain.lab import Lab
from exaplan.domain.workload import Serve
from exaplan.io.located import did_you_mean
from exaplan.io.recordreader import RecordReader
from exaplan.io.treewalk import at, items
from exaplan.io.yamltree import Listing, Mapping, Node, Scalar


def named_models(workloads: Listing) -> Iterator[Scalar]:
    """Yield every model that the workloads name: run, able to serve, or teaching."""
    for workload in items(workloads):
        for place in (workload, *items(workload.get("models"))):
            teaching = place.get("distil")
            teacher = teaching.get("from") if isinstance(teaching, Mapping) else None
            for name in (place.get("model"), teacher):
                if isinstance(name, Scalar):
                    yield name


def windows_of_demand(root: Mapping) -> Iterator[Mapping]:
    """Yield the windows of launches and distillation runs, to be checked against the horizon."""
    yield from items(root.get("launches"))
    for workload in items(root.get("workloads")):
        for able in items(workload.get("models")):
            run = able.get("distil")
            if isinstance(run, Mapping):
                yield run


def check_demand(root: Mapping, reader: RecordReader, lab: Lab) -> None:
    """Check that every segment can be served in every quarter, and that what has to be distilled can be."""
    _check_launches(root, reader, lab)
    made: dict[str, str] = {}
    for workload in lab.serve:
        place = at(root, "workloads", workload.id, "models")
        _check_coverage(place, reader, lab, workload)
        if workload.trust is not None and not lab.oversee:
            reader.faults.add(
                at(root, "workloads", workload.id, "trust"),
                "no workload of kind safety can earn this trust",
                "add one to workloads",
            )
        for able, node in zip(workload.models, items(place), strict=False):
            if able.distil is None:
                continue
            run = at(node, "distil")
            if not lab.develop:
                reader.faults.add(
                    run, f"no workload of kind train can distil {able.model!r}", "add one to workloads"
                )
            if able.model in made:
                reader.faults.add(
                    run,
                    f"{able.model!r} is distilled for {made[able.model]!r} already: a run is done once",
                    "remove one of them; the model serves both segments",
                )
            made.setdefault(able.model, workload.id)


def _check_launches(root: Mapping, reader: RecordReader, lab: Lab) -> None:
    serving = {workload.id for workload in lab.serve}
    for launch in lab.launches:
        if launch.workload not in serving and launch.workload in {each.id for each in lab.workloads}:
            reader.faults.add(
                at(root, "launches", launch.id, "workload"),
                f"a launch raises the demand of a workload of kind serve; {launch.workload!r} is none",
                did_you_mean(launch.workload, serving),
            )
        if launch.cost.development_flop > 0 and not lab.develop:
            reader.faults.add(
                at(root, "launches", launch.id, "cost"),
                "no workload of kind train can do the development of this launch",
                "add one to workloads",
            )


def _check_coverage(place: Node, reader: RecordReader, lab: Lab, workload: Serve) -> None:
    """Where the largest shares of the models that are there add up to less than all, nothing could be served."""
    for t in range(lab.horizon.quarters if workload.models else 0):
        quarter = lab.horizon.first + t
        there = [
            able.share_max
            for able in workload.models
            if able.distil is None
            and (able.first is None or able.first <= quarter)
            and (able.last is None or quarter <= able.last)
        ]
        if there and sum(there) < 1 - 1e-9:
            reader.faults.add(
                place,
                f"in {quarter} the models able to serve {workload.id!r} may take {sum(there):.0%} of it at most, so"
                " nothing could be served",
                "raise a largest share or let a model serve longer",
            )
            return
