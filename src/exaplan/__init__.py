"""Plan AI compute: what to buy, rent or build, when to sign, for whom, at what risk.

The public face. A name is imported from its room on first use, so ``import exaplan`` itself loads nothing heavy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exaplan.app.handles import cases, race
    from exaplan.app.study import load
    from exaplan.domain.errors import ExaplanError, InputError, MissingExtraError, NoAnswerError
    from exaplan.domain.lab import Lab
    from exaplan.domain.quarter import Quarter

__version__ = "0.1.0"

__all__ = [
    "ExaplanError",
    "InputError",
    "Lab",
    "MissingExtraError",
    "NoAnswerError",
    "Quarter",
    "__version__",
    "cases",
    "load",
    "race",
]

_HOMES = {
    "ExaplanError": "exaplan.domain.errors",
    "InputError": "exaplan.domain.errors",
    "Lab": "exaplan.domain.lab",
    "MissingExtraError": "exaplan.domain.errors",
    "NoAnswerError": "exaplan.domain.errors",
    "Quarter": "exaplan.domain.quarter",
    "cases": "exaplan.app.handles",
    "load": "exaplan.app.study",
    "race": "exaplan.app.handles",
}
"""The module that each name of the face lives in."""


def __getattr__(name: str) -> object:
    """Import ``name`` from its home on first use; AttributeError for a name that is not part of the face."""
    if name not in _HOMES:
        raise AttributeError(f"module 'exaplan' has no attribute {name!r}; it offers {', '.join(__all__)}")
    value: object = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the face, for completion in a notebook."""
    return list(__all__)
