"""Everything that the accuracy pages say: four validations, aims, named facts, fitted coefficients, anchors."""

from __future__ import annotations

import ast
import inspect
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

from exaplan.app.accuracy import Left, Tell, document, figures, full_fit, mask_of, predicted, told
from exaplan.domain.calibration import Calibration
from exaplan.domain.measured import Measurements, ServingRow, TrainingRow
from exaplan.domain.technology import Chip
from exaplan.io.catalogue import load_chips
from exaplan.io.measured_serving import POINTS_SOURCE
from exaplan.perf import knobs as knobs_module
from exaplan.perf.calibration.class_knobs import class_knobs
from exaplan.perf.calibration.named_facts import WITHIN, named_facts
from exaplan.perf.calibration.scores import Place, binomial_band, published, root_of, score, worst_groups
from exaplan.perf.calibration.validate import FoldMap, Predictions
from exaplan.perf.knobs import chip_class

Seen: TypeAlias = Literal["in sample", "source", "model", "chip"]
AnyRow: TypeAlias = TrainingRow | ServingRow
LEFT: tuple[Left, ...] = ("source", "model", "chip")
FAMILIES = {
    "ampere": "NVIDIA Ampere and older",
    "hopper": "NVIDIA Hopper and Ada",
    "blackwell": "NVIDIA Blackwell",
    "amd": "AMD Instinct",
    "tpu": "Google TPU",
    "trainium": "AWS Trainium and Inferentia",
    "gaudi": "Intel Gaudi",
}
"""Classes of chips that have a page."""
_STATED_ON = ("A100-40-SXM", "A100-80-SXM", "H100-SXM")
_COVERAGE_AIM = 0.95
_SHOWN = 8


def _dense_training(row: AnyRow) -> bool:
    return isinstance(row, TrainingRow) and row.task == "pretrain" and row.family == "dense"


def _stated_dense(row: AnyRow) -> bool:
    return (
        isinstance(row, TrainingRow)
        and _dense_training(row)
        and row.chip.id in _STATED_ON
        and None not in (row.micro_batch, row.tp, row.pp)
    )


def _sparse_training(row: AnyRow) -> bool:
    return isinstance(row, TrainingRow) and row.task == "pretrain" and row.family == "moe"


def _static_batch(row: AnyRow) -> bool:
    return isinstance(row, ServingRow) and row.mode == "static_batch" and row.metric != "ttft_s"


def _loop_tpot(row: AnyRow) -> bool:
    """Points of the closed-loop table alone: NVIDIA chips, the rows that other tools were measured on."""
    closed = isinstance(row, ServingRow) and row.mode == "closed_loop" and row.metric == "tpot_s"
    return closed and row.source == POINTS_SOURCE


@dataclass(frozen=True)
class Aim:
    """A limit on one figure of a subset of rows, under refits that leave something out."""

    name: str
    wanted: Callable[[AnyRow], bool]
    figure: Literal["median_abs_log_error", "mape", "mape_rows"]
    limit: float
    judged: Left


AIMS = (
    Aim("dense training with stated configuration, A100 and H100", _stated_dense, "median_abs_log_error", 0.08, "source"),
    Aim("dense training, all", _dense_training, "median_abs_log_error", 0.12, "source"),
    Aim("MoE training", _sparse_training, "median_abs_log_error", 0.25, "model"),
    Aim("static-batch inference with known lengths", _static_batch, "median_abs_log_error", 0.20, "source"),
    Aim("serving TPOT of closed loops", _loop_tpot, "mape_rows", 0.20, "model"),
    Aim("serving TPOT of closed loops, groups weighted equally", _loop_tpot, "mape", 0.20, "model"),
)  # fmt: skip
"""A configuration is stated where micro-batch, tensor and pipeline parallel degrees are."""


def material(
    measured: Measurements,
    missing: dict[Place, int],
    calibration: Calibration,
    *,
    map: FoldMap | None = None,  # noqa: A002 - the word of every room for a parallel map
    tell: Tell = lambda _: None,
) -> dict[str, Any]:
    """Validate four ways and lay out what the pages need, as plain values.

    Parameters
    ----------
    measured, missing : Measurements, dict
        Rows, and where the unread ones would have counted.
    calibration : Calibration
        Coefficients for the figures in sample.
    map : callable, optional
        Of the refits; processes where not given.
    tell : callable
        Told what is being done.
    """
    tell("fitting all rows")
    full = full_fit(measured)
    runs: dict[Seen, Predictions] = {"in sample": predicted(measured, calibration)}
    for left in LEFT:
        runs[left] = predicted(measured, calibration, left, full=full, map=map, tell=tell)
    tell("refitting without the named facts")
    chips = load_chips()
    facts, held_out = named_facts(measured, chips)
    documents = {
        seen: document(measured, missing, rows, calibration, None if seen == "in sample" else seen)
        for seen, rows in runs.items()
    }
    return {
        "calibration": {"date": calibration.date, "data": calibration.data},
        "validations": documents,
        "aims": [_reached(aim, measured, runs) for aim in AIMS],
        "coverage_aim": _COVERAGE_AIM,
        "bands": [_held(seen, documents[seen]) for seen in LEFT],
        "facts": [asdict(fact) | {"error": fact.error, "reached": fact.reached} for fact in facts],
        "facts_within": WITHIN,
        "facts_held_out": held_out,
        "loop_makers": sorted({row.chip.designer for row in measured.serving if _loop_tpot(row)}),
        "coverage": coverage_of(measured),
        "families": [
            _family(kind, measured, calibration, chips) | {"worst": _worst(kind, measured, runs["source"])}
            for kind in FAMILIES
        ],
    }


def _reached(aim: Aim, measured: Measurements, runs: dict[Seen, Predictions]) -> dict[str, Any]:
    wanted = mask_of(measured, aim.wanted)
    scores = {seen: figures(score(rows, wanted)) for seen, rows in runs.items()}
    value = scores[aim.judged][aim.figure]
    return {
        "name": aim.name,
        "figure": aim.figure,
        "limit": aim.limit,
        "judged": aim.judged,
        "scores": scores,
        "met": value is not None and value <= aim.limit,
        "worst": [told(one, measured) for one in worst_groups(runs[aim.judged], wanted, _SHOWN)],
    }


def _held(seen: Left, found: dict[str, Any]) -> dict[str, Any]:
    """Shares of rows inside their 80 % intervals against what chance allows, in total and by task and family."""
    rows = [("total", "", found["total"]), *((row["task"], row["family"], row) for row in found["tasks"])]
    return {
        "left": seen,
        "rows": [
            {
                "task": task,
                "family": family,
                "groups": row["interval_groups"],
                "share": row["interval_coverage"],
                "band": binomial_band(row["interval_groups"]),
            }
            for task, family, row in rows
            if row["interval_groups"]
        ],
    }


def coverage_of(measured: Measurements) -> dict[str, Any]:
    """Count rows that were read and reasons of those that were not, rows without a known architecture apart."""
    read = {
        "training": len(measured.training),
        "serving": len({root_of(row.id) for row in measured.serving}),
    }
    reasons = Counter((entry.table, entry.excluded, _general(entry.reason)) for entry in measured.skipped)
    return {
        "read": read,
        "reasons": [
            {"table": table, "counts": not excluded, "reason": reason, "rows": count}
            for (table, excluded, reason), count in sorted(
                reasons.items(), key=lambda item: (item[0][1], -item[1], item[0])
            )
        ],
    }


def _general(reason: str) -> str:
    """Drop the name that a reason is about, so that equal reasons can be counted together."""
    if "linear-attention hybrid" in reason:
        return "a linear-attention hybrid"
    head, found, tail = reason.partition(" is unknown")
    if found and head.startswith("the architecture of "):
        return f"unknown architecture{tail}"
    return reason


def _family(
    kind: str, measured: Measurements, calibration: Calibration, chips: dict[str, Chip]
) -> dict[str, Any]:
    every: list[AnyRow] = [*measured.training, *measured.serving]
    rows = [row for row in every if chip_class(row.chip) == kind]
    own = sorted(chip.id for chip in chips.values() if chip_class(chip) == kind)
    counted = Counter(row.chip.id for row in rows)
    most = max(own, key=lambda name: counted[name])
    sentences = knob_sentences()
    return {
        "kind": kind,
        "title": FAMILIES[kind],
        "chips": [{"chip": name, "rows": counted[name]} for name in own],
        "coefficients": [
            asdict(knob) | {"sentence": sentences.get(knob.name, "")}
            for knob in class_knobs(chips[most], calibration)
        ],
        "anchors": _anchors(rows),
    }


def _worst(kind: str, measured: Measurements, rows: Predictions) -> list[dict[str, Any]]:
    own = published(rows) & (rows.kinds == kind)
    return [told(one, measured) for one in worst_groups(rows, own, _SHOWN)]


def _anchors(rows: list[AnyRow]) -> list[dict[str, Any]]:
    by_source: dict[str, list[AnyRow]] = defaultdict(list)
    for row in rows:
        by_source[row.source].append(row)
    return [
        {
            "source": source,
            "phase": "training" if isinstance(own[0], TrainingRow) else "serving",
            "chips": sorted({row.chip.id for row in own}),
            "models": len({row.model.id for row in own}),
            "rows": len({root_of(row.id) for row in own}),
            "groups": len({row.group for row in own}),
            "dates": sorted({row.date for row in own if row.date}),
        }
        for source, own in sorted(by_source.items())
    ]


def knob_sentences() -> dict[str, str]:
    """Read the sentence under each coefficient where it is defined."""
    tree = ast.parse(inspect.getsource(knobs_module))
    (record,) = (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Knobs")
    found = {}
    for field, after in zip(record.body, record.body[1:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(after, ast.Expr)
            and isinstance(after.value, ast.Constant)
        ):
            found[field.target.id] = (
                inspect.cleandoc(str(after.value.value)).split("\n\n")[0].replace("\n", " ")
            )
    return found
