"""Model architectures of the catalogue: which rows of the compiled table are complete, and what completes them."""

from __future__ import annotations

import re

from catalogue_words import COUNTS, MODEL_ALIASES, Row, clean, date_in, leave_out

# Whether input and output embeddings share weights, where the file read does not say: only one of the two gives the
# parameter count that the publisher states (billions, as on the model's page or in its name).
TIED = {
    "litgpt:falcon-180B": (False, "179.5"), "litgpt:falcon-40b": (True, "41.3"), "litgpt:falcon-7b": (True, "6.92"),
    "litgpt:Falcon3-7B": (False, "7.46"), "litgpt:Falcon3-10B": (False, "10.3"), "litgpt:Llama-3.2-1B": (True, "1.24"),
    "litgpt:Llama-3.2-3B": (True, "3.21"), "litgpt:OLMo-7B-hf": (False, "6.89"), "litgpt:OLMo-2-1124-7B": (False, "7.30"),
    "litgpt:OLMo-2-1124-13B": (False, "13.7"), "litgpt:CodeLlama-13b-hf": (False, "13.0"), "litgpt:CodeLlama-34b-hf": (False, "33.7"),
    "litgpt:tiny-llama-1.1b": (False, "1.1"), "litgpt:Qwen2.5-0.5B": (True, "0.49"), "litgpt:Qwen2.5-1.5B": (True, "1.54"),
    "litgpt:Qwen2.5-3B": (True, "3.09"), "litgpt:Qwen2.5-7B": (False, "7.61"), "litgpt:Qwen2.5-14B": (False, "14.8"),
    "litgpt:Qwen2.5-32B": (False, "32.8"), "litgpt:Qwen2.5-72B": (False, "72.7"), "litgpt:QwQ-32B": (False, "32.8"),
    "litgpt:Mixtral-8x7B-v0.1": (False, "46.7"), "MegatronGPT-1.7B": (False, "1.7"), "MegatronGPT-7.1B": (False, "7.1"),
    "MegatronGPT-16B": (False, "16"), "MegatronGPT-32B": (False, "32"), "MegatronGPT-70B": (False, "70"),
    "MegatronGPT-119B": (False, "119"), "MegatronGPT-177B": (False, "177"), "MegatronGPT-314B": (False, "314"),
    "MegatronGPT-462B": (False, "462"),
}  # fmt: skip

# Query heads of the models of arXiv 2104.04473, Table 1, which the compiled table leaves blank.
HEADS = {
    "MegatronGPT21-1.7B": 24, "MegatronGPT21-3.6B": 32, "MegatronGPT21-7.5B": 32, "MegatronGPT21-18B": 48,
    "MegatronGPT21-39B": 64, "MegatronGPT21-76B": 80, "MegatronGPT21-145B": 96, "MegatronGPT21-310B": 128,
    "MegatronGPT21-530B": 128, "MegatronGPT21-1T": 160,
}  # fmt: skip


# Nodes that routing is limited to, which the compiled table does not hold.
ROUTED_NODES = {
    "DeepSeek-V3": (4, "arXiv 2412.19437, section 2.1.2"), "DeepSeek-R1": (4, "the architecture of DeepSeek-V3"),
    "DeepSeek-V3.2": (4, "the architecture of DeepSeek-V3"),
    "deepseek2-236b": (3, "arXiv 2405.04434, section 2.2.2"),
}  # fmt: skip


def completed(row: Row) -> Row:
    """Fill in heads and sharing of embeddings where another figure of the publisher decides them, and say so."""
    name, told = row["model_id"], row["notes"]
    if heads := HEADS.get(name):
        layers, hidden, vocab = (int(row[column]) for column in ("n_layers", "hidden", "vocab"))
        total = f"{(12 * layers * hidden**2 + vocab * hidden) / 1e9:.3f}"
        return row | {
            "heads": str(heads), "kv_heads": str(heads), "head_dim": str(hidden // heads),
            "params_total_B_calc": total, "params_active_B_calc": total,
            "notes": f"{told}; heads from arXiv 2104.04473, Table 1",
        }  # fmt: skip
    if row["tied_embeddings"] == "" and name in TIED:
        tied, published = TIED[name]
        shared = int(row["vocab"]) * int(row["hidden"]) / 1e9 if tied else 0.0
        counts = {
            column: f"{float(row[column]) - shared:.3f}"
            for column in ("params_total_B_calc", "params_active_B_calc")
        }
        word = "tied" if tied else "untied"
        note = f"{word} embeddings assumed: only so do the dimensions give the published {published} billion parameters"
        return row | counts | {"tied_embeddings": str(tied), "notes": "; ".join(filter(None, (told, note)))}
    return row


def models(rows: list[Row]) -> list[Row]:
    """Models whose counts follow from the architecture as stated."""
    kept: dict[str, Row] = {}
    for row in map(completed, rows):
        name = row["model_id"].split(":")[-1]
        reason = incomplete(row)
        if not reason and name.casefold() in kept:
            reason = "the same model is in the catalogue from another source"
        if reason:
            leave_out("models", row["model_id"], reason)
            continue
        kept[name.casefold()] = model(name, row)
    return list(kept.values())


def incomplete(row: Row) -> str:
    """Say why a row does not give exact counts; empty where it does."""
    if row["linear_attn_or_ssm"].strip() or "V4" in row["arch_type"]:
        return "attention other than softmax over a cache: not counted"
    if not row["params_total_B_calc"]:
        return "architecture incomplete in the source"
    if row["tied_embeddings"] == "" and not row["arch_type"].startswith("Llama4"):
        return "the source does not say whether embeddings are tied"
    if row["sliding_window"] and not window_layers(row):
        return "the source does not say which layers use the sliding window"
    if not row["kv_lora_rank"] and not (row["kv_heads"] and row["head_dim"]):
        return "heads incomplete in the source"
    return ""


def window_layers(row: Row) -> int:
    """Count the layers that use the sliding window from the stated pattern."""
    layers, pattern = int(row["n_layers"]), row["sliding_pattern"]
    if found := re.match(r"(\d+) sliding of (\d+) layers", pattern):
        return int(found[1])
    if found := re.match(r"(\d+):(\d+) local:global", pattern):
        return layers - layers // (int(found[1]) + int(found[2]))
    return 0


def model(name: str, row: Row) -> Row:
    """One architecture in the catalogue's words."""
    notes = [clean(row["notes"])]
    if row["arch_type"].startswith("Llama4"):
        notes.append("untied embeddings as in MaxText's config of the same model")
    if "Dsa" in row["arch_type"] or "V32" in row["arch_type"]:
        notes.append("sparse-attention indexer not counted: attention is counted as full MLA")
    if row["mtp_layers"] not in ("", "0"):
        notes.append("multi-token-prediction layer not counted")
    nodes, where = ROUTED_NODES.get(name, (0, ""))
    if where:
        notes.append(f"a token's experts lie on at most {nodes} nodes: {where}")
    counts = {ours: row[theirs] for theirs, ours in COUNTS.items()}
    all_sparse = (
        bool(row["experts"])
        and not int(row["first_dense_layers"] or 0)
        and int(row["moe_layer_freq"] or 1) == 1
    )
    if all_sparse:
        counts["ffn"] = "0"
    counts["moe_layer_every"] = counts["moe_layer_every"] or "1"
    counts["kv_heads"] = counts["kv_heads"] or counts["heads"]
    counts["head_dim"] = counts["head_dim"] or str(
        int(row["qk_nope_head_dim"] or 0) + int(row["qk_rope_head_dim"] or 0)
    )
    published = re.match(r"([\d.]+)[bB]\b|([\d.]+)[bB]-", row["params_published"])
    return {
        "id": name,
        "aliases": MODEL_ALIASES.get(name, ""),
        "family": row["family"],
        **{key: value or "0" for key, value in counts.items()},
        "routed_nodes_max": str(nodes),
        "tied_embeddings": "true" if row["tied_embeddings"] == "True" else "false",
        "window": row["sliding_window"] or "0",
        "window_layers": str(window_layers(row)) if row["sliding_window"] else "0",
        "params_published_b": next((group for group in published.groups() if group), "") if published else "",
        "params_counted_b": row["params_total_B_calc"],
        "params_active_counted_b": row["params_active_B_calc"],
        "max_position_tokens": row["max_position"],
        "kind": "architecture file",
        "date": date_in(row["source_version"]),
        "source": clean(f"{row['source']}: {row['source_locator']} @{row['source_version']}"),
        "notes": "; ".join(note for note in notes if note),
    }
