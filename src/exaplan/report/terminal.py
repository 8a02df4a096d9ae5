"""The answer in a terminal: at most 45 lines, what to sign first."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable

from exaplan.domain.answer import Answer, Decision, Verdict
from exaplan.report.conduct import conduct_block
from exaplan.report.wording import (
    answer_sentence,
    benchmark_sentence,
    count,
    keep_open,
    later_decisions,
    limit_sentence,
    money_interval,
    now_decisions,
    percent,
    plural,
    price_sentence,
    rescue_sentence,
    share_interval,
    top_prices,
    usd,
    waiting,
)

MAX_LINES = 45
LABEL_WIDTH = 17
_BOLD, _DIM, _RED, _END = "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[0m"
_ASCII = str.maketrans(
    {"·": "-", "−": "-", "–": "-", "—": "-", "±": "+/-", "≤": "<=", "≥": ">=", "…": "...", "×": "x"}
)

Block = list[tuple[str, str]]


def answer_text(
    answer: Answer,
    *,
    width: int = 100,
    color: bool = False,
    ascii_only: bool = False,
    run_folder: str | None = None,
) -> str:
    """Say the answer in plain text, answer first, in at most 45 lines.

    Parameters
    ----------
    answer : Answer
        What one run found.
    width : int
        Columns, at least 60; narrower is treated as 60.
    color : bool
        Bold labels, red warnings and dim provenance by ANSI codes.
    ascii_only : bool
        Replace every character outside ASCII, for terminals that cannot show it.
    run_folder : str or None
        Where the files went; without it the line on files is left out.
    """
    width = max(width, 60)
    lines = _headline(answer, width) + _signatures(answer, width)
    for block in (_figures(answer), conduct_block(answer.conduct), _verdict(answer.verdict), _worth(answer)):
        lines += _block(block, width)
    ending = _block(_proof(answer, run_folder), width)
    room = MAX_LINES - len(ending)
    if len(lines) > room:
        lines = [*lines[: room - 1], f"  {'':<{LABEL_WIDTH}}… more in the report page"]
    text = "\n".join(lines + ending)
    if ascii_only:
        text = text.translate(_ASCII).encode("ascii", "replace").decode("ascii")
    return _colored(text) if color else text


def _block(block: Block, width: int) -> list[str]:
    lines = [line for label, text in block for line in _line(label, text, width)]
    return ["", *lines] if lines else []


def _line(label: str, text: str, width: int) -> list[str]:
    """One labelled entry, wrapped under its text to two lines, cut with an ellipsis beyond."""
    indent = " " * (LABEL_WIDTH + 2)
    unbroken = re.sub(r"(?<=\d) (?=[kMBT%](?!\w))", "\u00a0", text)
    lines = textwrap.wrap(
        unbroken,
        width,
        initial_indent=f"  {label:<{LABEL_WIDTH}}",
        subsequent_indent=indent,
        max_lines=2,
        placeholder=" …",
        break_on_hyphens=False,
    )
    return [line.replace("\u00a0", " ") for line in lines]


def _headline(answer: Answer, width: int) -> list[str]:
    parts = (
        answer.lab,
        answer.lab_file,
        f"{plural(answer.quarters, 'quarter')} from {answer.first_quarter}",
        f"{plural(answer.leaves, 'future')} ({plural(answer.nodes, 'node')})",
        f"{answer.status}, gap {answer.gap:.1g}",
    )
    return textwrap.wrap(" · ".join(parts), width, max_lines=2, placeholder=" …") + textwrap.wrap(
        answer_sentence(answer), width, max_lines=2, placeholder=" …"
    )


HEADER = ("", "", "committed", "due now", "live", "a quarter later")


def _cells(item: Decision) -> tuple[str, ...]:
    """Offer, chips, money, delivery, and why this date: the columns of one signature."""
    chance = "" if item.now else f"in {percent(item.probability, 0)} of futures"
    later = waiting(item.cost_of_waiting_usd).removeprefix("waiting a quarter ")
    return (
        item.offer if len(item.offer) <= 24 else f"{item.offer[:23]}…",
        f"{count(round(item.chips))} {item.chip}",
        usd(item.committed_usd),
        usd(item.due_now_usd),
        item.delivery,
        later or chance,
    )


def _signatures(answer: Answer, width: int) -> list[str]:
    """Lay the dated signatures out as one aligned table, one line each, then what stays open."""
    now, later = now_decisions(answer), later_decisions(answer)
    shown = [*now[:6], *later[: 3 if len(now) > 3 else 4]]
    table = [HEADER, *(_cells(item) for item in shown)]
    labels = ["", *(f"{'Sign by' if item.now else 'Then by'} {item.sign_by}" for item in shown)]
    spans = [max(len(row[column]) for row in table) for column in range(len(HEADER))]
    lines = [""]
    for label, row in zip(labels, table, strict=True):
        money = "  ".join(cell.rjust(span) for cell, span in zip(row[1:4], spans[1:4], strict=True))
        text = (
            f"  {label:<{LABEL_WIDTH}}{row[0]:<{spans[0]}}  {money}  {row[4]:<{spans[4]}}  {row[5]}".rstrip()
        )
        lines.append(text if len(text) <= width else f"{text[: width - 1]}…")
    if len(table) == 1:
        lines = lines[:1] if keep_open(answer) else []
    left = len(now) + len(later) - len(shown)
    if left:
        lines.append(f"  {'':<{LABEL_WIDTH}}… and {left} more in the report page")
    return lines + [line for text in keep_open(answer)[:2] for line in _line("Keep open", text, width)]


def _figures(answer: Answer) -> Block:
    replay, bench = answer.replay, answer.benchmark
    value = (
        f"{usd(replay.value)} ({money_interval(replay.value_ci)}) on {plural(replay.paths, 'unseen future')}"
    )
    ruin = f"{percent(replay.p_ruin)} ({share_interval(replay.p_ruin_ci)}) on the same futures"
    return [
        ("Value", f"{value} · the tree says {usd(answer.tree_value)}"),
        ("P(ruin)", f"{ruin} · the tree needs rescue in {percent(answer.tree_p_rescue)}"),
        ("Served", f"{percent(replay.served_share)} of demand{_delay(replay.months_of_delay_survived)}"),
        (
            bench.name.capitalize(),
            f"{usd(bench.value)}, P(ruin) {percent(bench.p_ruin)}. " + benchmark_sentence(answer, "it"),
        ),
    ]


def _delay(months: float | None) -> str:
    return "" if months is None else f" · survives {count(months)} months of delay"


def _labelled(label: str, texts: Iterable[str]) -> Block:
    return [(label if not number else "", text) for number, text in enumerate(texts)]


def _worth(answer: Answer) -> Block:
    order = {"relaxed": 0, "binds": 1}
    limits = sorted(answer.limits, key=lambda item: order.get(item.state, 2))
    told = [f"{item.name}: {limit_sentence(item)}" for item in limits if item.state != "slack"]
    slack = [item.name for item in limits if item.state == "slack"]
    if slack:
        told = [*told[:4], f"slack: {', '.join(slack)}"]
    inputs = [
        f"{item.name} = {item.value} ({item.source or 'assumed'}): "
        + (
            f"first signature flips at {item.flips_at}"
            if item.flips_at
            else "first signature holds throughout"
        )
        + f"; value {usd(item.value_at_low_usd)} at {item.low}, {usd(item.value_at_high_usd)} at {item.high}"
        for item in answer.deciding_inputs[:3]
    ]
    return [
        *_labelled("Limits", told[:5]),
        *_labelled("Worth most", (price_sentence(price) for price in top_prices(answer))),
        *_labelled("Deciding", inputs),
    ]


def _verdict(verdict: Verdict | None) -> Block:
    if verdict is None:
        return []
    word = "SIGN" if verdict.sign else "DO NOT SIGN"
    turns = [f"{flip.name} at {flip.tried}" for flip in verdict.flips if flip.sign is not verdict.sign]
    text = (
        f"{word} {verdict.offer} in {verdict.quarter}: worth {usd(verdict.advantage_usd, signed=True)} "
        f"({money_interval(verdict.replay_advantage_ci)} in replay); {waiting(verdict.cost_of_waiting_usd)}; "
        + (f"reversed by {', '.join(turns)}" if turns else "reversed by nothing tried")
    )
    return [("Verdict", text)]


def _proof(answer: Answer, run_folder: str | None) -> Block:
    proof = answer.certificate
    block = [
        (
            "Certificate",
            f"primal {proof.primal_residual:.0e}, dual {proof.dual_residual:.0e}, gap {proof.gap:.0e} (relative) · "
            + rescue_sentence(answer),
        )
    ]
    block.append(("Route", answer.route))
    block += [("Note", remark) for remark in answer.remarks[:2]]
    if len(answer.remarks) > 2:
        block.append(("", f"… and {len(answer.remarks) - 2} more in the report page"))
    if answer.timings:
        times = ", ".join(f"{phase} {seconds:.1f}" for phase, seconds in answer.timings.items())
        block.append(("Time", f"{sum(answer.timings.values()):.1f} s: {times}"))
    if run_folder is not None:
        block.append(("Files", f"{run_folder}/ report.html · run.json · *.parquet"))
    block.append(("Next", f"exaplan decide {answer.lab_file} OFFER · exaplan check {answer.lab_file}"))
    return block


def _colored(text: str) -> str:
    out = []
    for line in text.split("\n"):
        label, rest = line[: LABEL_WIDTH + 2], line[LABEL_WIDTH + 2 :]
        if not line.startswith("  "):
            out.append(f"{_BOLD}{line}{_END}" if line else line)
        elif "NOT" in rest or "WARNING" in rest:
            out.append(f"{_BOLD}{label}{_END}{_RED}{rest}{_END}")
        elif label.strip() in {"Certificate", "Route", "Time", "Files", "Next"}:
            out.append(f"{_DIM}{line}{_END}")
        else:
            out.append(f"{_BOLD}{label}{_END}{rest}")
    return "\n".join(out)
