"""Chips and architectures of published measurements: from the catalogue, else from the row's own dimensions."""

from __future__ import annotations

import re
from functools import lru_cache

from pydantic import ValidationError

from exaplan.domain.errors import InputError
from exaplan.domain.technology import Chip, Model
from exaplan.io.catalogue import find, load_chips, load_models
from exaplan.io.measured_words import RefusedRowError, Row, stated

# Families whose layers are not all softmax attention over a cache, by their publishers' names.
HYBRIDS = re.compile(
    r"nemotron[-_ ]?v?3(?![0-9]|[-_ ]?(8b|22b))|nemotron[-_ ]?h\b|nemotron[-_ ]nano|qwen3[-_ ]?next|qwen3[._]5|qwen3[._]6"
    r"|deepseek[-_ ]?v?4|dsv4|kimi[-_ ]?k3|kimi[-_ ]linear|minimax[-_ ](text[-_ ])?(01|m1)|mamba|jamba|zamba|rwkv"
    r"|falcon[-_ ]?h1|granite[-_ ]?4|recurrentgemma|ring[-_ ]?(mini|flash)?[-_ ]?linear|lfm2",
    re.IGNORECASE,
)
PLAIN_BLOCKS = ("gpt", "bloom", "mpt", "opt", "falcon", "nemotron", "megatron", "gopher")
TIED = ("gpt", "bloom", "mpt", "opt", "gemma", "megatron")
# Families with sliding windows whose layers the compiled architectures do not tell.
UNTOLD_WINDOWS = re.compile(r"gemma[-_ ]?(4|3n)|olmo[-_ ]?3", re.IGNORECASE)
# Dimensions that a row leaves blank and a document states: NeMo-Megatron-Launcher @0c6c960 (2024), conf/training/gpt3;
# arXiv 2406.11704 and 2402.16819 (vocabulary of 256,000, untied), NVIDIA's card of Nemotron-3-8B.
DIMENSIONS: dict[str, dict[str, str]] = {
    "gpt3-5b": {"n_layers": "24", "hidden": "4096", "ffn": "16384", "heads": "32", "vocab": "50304"},
    "gpt3-20b": {"n_layers": "44", "hidden": "6144", "ffn": "24576", "heads": "48", "vocab": "50304"},
    "nemotron-4-340b": {"vocab": "256000"},
    "nemotron-4-15b": {"vocab": "256000"},
    "nemotron-3-8b": {"vocab": "256000"},
}
DRESSING = re.compile(
    r"[-_ ]?(instruct|chat|it|hf|base|nvfp4|mxfp4|fp8|fp4|bf16|awq|gptq|int4|int8|kv|dynamic|lora|eagle3"
    r"|2507|2508|0528|0324|0905|v0\.[123])$",
    re.IGNORECASE,
)


@lru_cache(maxsize=512)
def chip_named(name: str) -> Chip:
    """Return the chip of the catalogue that a table means.

    Raises
    ------
    RefusedRowError
        Where the catalogue has no such chip.
    """
    try:
        return load_chips()[find(name, load_chips())]
    except InputError:
        raise RefusedRowError(f"the chip {name!r} is not in the catalogue") from None


@lru_cache(maxsize=1024)
def model_named(name: str) -> Model | None:
    """Return the architecture of the catalogue that a name means, whatever its precision and tuning; None where none.

    Prefixes of the table (``maxtext:``, ``litgpt:``), organizations and suffixes such as ``-FP8`` or ``-Instruct``
    do not change the architecture.
    """
    bare = name.strip().split(":")[-1].split("/")[-1]
    while bare:
        for candidate in (bare, f"Meta-{bare}", f"{bare}-Instruct"):
            try:
                return load_models()[find(candidate, load_models())]
            except InputError:
                continue
        shorter = DRESSING.sub("", bare)
        if shorter == bare:
            return None
        bare = shorter
    return None


def is_hybrid(*names: str) -> bool:
    """Whether a name is one of a family that mixes linear attention or state-space layers into attention."""
    return any(HYBRIDS.search(name) for name in names)


def model_of(row: Row) -> Model:
    """Return the architecture of a row of the training or inference table.

    The catalogue's entry counts where its layers and width are those of the row; else the row's own dimensions, where
    they are complete (layers, width, feed-forward width, heads, vocabulary).

    Raises
    ------
    RefusedRowError
        For a linear-attention hybrid and for an architecture that is neither known nor stated.
    """
    names = [row.get(column, "").strip() for column in ("model_id", "model")]
    if is_hybrid(*names):
        raise RefusedRowError(f"{names[0] or names[1]} is a linear-attention hybrid", excluded=True)
    for name in filter(None, names):
        known = model_named(name)
        if known is not None and _agrees(known, row):
            return known
    name = names[0] or names[1]
    if UNTOLD_WINDOWS.search(name):
        raise RefusedRowError(
            f"the architecture of {name} is unknown: which layers use its sliding window", excluded=True
        )
    told = DIMENSIONS.get(name.casefold(), {})
    return _built(name, {**row, **{column: row[column].strip() or text for column, text in told.items()}})


def _agrees(known: Model, row: Row) -> bool:
    layers, hidden = stated(row, "n_layers"), stated(row, "hidden")
    return layers in (None, known.layers) and hidden in (None, known.hidden)


def _built(name: str, row: Row) -> Model:
    """Build an architecture from the dimensions of a row."""
    columns = {"n_layers": "layers", "hidden": "width", "ffn": "feed-forward width", "heads": "heads"}
    values = {column: _whole(row, column) for column in (*columns, "vocab")}
    lacking = [word for column, word in {**columns, "vocab": "vocabulary"}.items() if not values[column]]
    if lacking:
        raise RefusedRowError(
            f"the architecture of {name} is unknown: the row lacks {', '.join(lacking)}", excluded=True
        )
    if row.get("experts", "").strip():
        raise RefusedRowError(
            f"the architecture of {name} is unknown: shared experts and dense layers are not columns",
            excluded=True,
        )
    told = re.search(r"\bhd(\d+)\b", row.get("notes", ""))
    head_dim, rest = (int(told[1]), 0) if told else divmod(values["hidden"], values["heads"])
    if rest:
        raise RefusedRowError(f"the width of {name} is not a multiple of its heads", excluded=True)
    family = row.get("family", "").strip().casefold()
    try:
        return Model(
            id=name,
            family=row.get("family", "").strip(),
            layers=values["n_layers"],
            hidden=values["hidden"],
            heads=values["heads"],
            kv_heads=_whole(row, "kv_heads") or values["heads"],
            head_dim=head_dim,
            ffn=values["ffn"],
            ffn_matrices=_matrices(name, family, values, row),
            vocab=values["vocab"],
            tied_embeddings=family.startswith(TIED),
            source=row.get("source", "").strip(),
            notes="built from the dimensions in the row of the measurement; "
            "tied embeddings assumed from the habit of the family",
        )
    except ValidationError as fault:
        raise RefusedRowError(f"the dimensions of {name} make no model: {fault.errors()[0]['msg']}") from None


def _matrices(name: str, family: str, values: dict[str, int], row: Row) -> int:
    """Gated (3) or plain (2) feed-forward blocks: what the row's parameter count says, else the family."""
    published = row.get("params_total_B", "").strip()
    if not re.fullmatch(r"\d+(\.\d+)?", published) or float(published) == 0.0:
        return 2 if family.startswith(PLAIN_BLOCKS) else 3
    groups = (_whole(row, "kv_heads") or values["heads"]) / values["heads"]
    embedding = values["vocab"] * values["hidden"]
    misses = {}
    for matrices in (2, 3):
        block = values["hidden"] * ((2 + 2 * groups) * values["hidden"] + matrices * values["ffn"])
        misses[matrices] = min(
            abs((values["n_layers"] * block + copies * embedding) / (float(published) * 1e9) - 1)
            for copies in (1, 2)
        )
    matrices = min(misses, key=lambda count: misses[count])
    if misses[matrices] > 0.05:
        raise RefusedRowError(
            f"the dimensions of {name} do not give its {published} billion parameters", excluded=True
        )
    return matrices


def _whole(row: Row, column: str) -> int:
    """Return a whole number, also with a remark about it ('~250000 (README)'); 0 where the cell states none."""
    found = re.match(r"~?\s*(\d[\d,]*)(?:\.0*)?(?=\s|\(|$)", row.get(column, "").strip())
    return int(found[1].replace(",", "")) if found else 0
