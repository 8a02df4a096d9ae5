"""Peers live in virtual environments of their own, made from the package index in a cache folder, and run as programs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
INSTALL_S, RUN_S = 1800.0, 3600.0


@dataclass(frozen=True)
class Peer:
    """A program compared with ours: what to install, which script asks it, its license and the task it answers."""

    name: str
    requirements: tuple[str, ...]
    script: str
    task: str
    license: str


PEERS = (
    Peer("llm-analysis", ("llm-analysis==0.2.2",), "run_llm_analysis.py", "training", "Apache-2.0"),
    Peer(
        "aiconfigurator",
        ("aiconfigurator==0.12.0", "aiconfigurator-core==0.12.0"),
        "run_aiconfigurator.py",
        "serving",
        "Apache-2.0",
    ),
)
ABSENT = {
    "Calculon": "not on the package index: the name there belongs to a producer-consumer library by somebody else, which is "
    "not installed (looked up 2026-11-22)",
}


class UnavailableError(Exception):
    """A peer could not be installed or did not finish; the message says why."""


def environment_of(peer: Peer, cache: Path) -> Path:
    """Make the peer's environment unless it is there already; return its interpreter.

    Raises
    ------
    UnavailableError
        With the last lines of the installer.
    """
    room = cache / peer.name
    python = room / "bin" / "python"
    stamp = room / "installed.json"
    wanted = json.dumps([sys.version, peer.requirements])
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return python
    _run([sys.executable, "-m", "venv", "--clear", str(room)], INSTALL_S)
    _run([str(python), "-m", "pip", "install", "--quiet", *peer.requirements], INSTALL_S)
    stamp.write_text(wanted, encoding="utf-8")
    return python


def ask(peer: Peer, cases: list[dict[str, Any]], cache: Path) -> dict[str, Any]:
    """Put cases to a peer in its own interpreter, without network; return what its script wrote.

    Raises
    ------
    UnavailableError
        When it cannot be installed or stops with an error.
    """
    python = environment_of(peer, cache)
    question, answer = cache / f"{peer.name}-cases.json", cache / f"{peer.name}-answers.json"
    question.write_text(json.dumps(cases), encoding="utf-8")
    answer.unlink(missing_ok=True)
    _run([str(python), str(HERE / peer.script), str(question), str(answer)], RUN_S, {"HF_HUB_OFFLINE": "1"})
    told: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
    return told


def _run(command: list[str], limit_s: float, extra: dict[str, str] | None = None) -> None:
    # Our own packages must not be seen from a peer's environment.
    kept = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    try:
        done = subprocess.run(  # noqa: S603 - commands are built above from constants and paths
            command, capture_output=True, text=True, timeout=limit_s, check=False, env=kept | (extra or {})
        )
    except subprocess.TimeoutExpired as late:
        raise UnavailableError(f"{command[0]}: not finished in {limit_s:.0f} s") from late
    if done.returncode:
        last = " | ".join(done.stderr.strip().splitlines()[-3:])
        raise UnavailableError(f"exit status {done.returncode}: {last}")
