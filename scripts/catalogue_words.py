"""The words of the catalogue: usual names, printed names, and how remarks are put."""

from __future__ import annotations

import re

Row = dict[str, str]
LEFT_OUT: list[Row] = []

CHIP_ALIASES = {
    "H100-SXM": "H100|H100-SXM5|H100-SXM5-80GB|H100-SXM-80GB|H100-80GB-HBM3", "H200-SXM": "H200|H200-SXM-141GB",
    "B200-SXM": "B200|B200-SXM-180GB", "B300-SXM": "B300|B300-SXM-270GB|B300-SXM-288GB", "GB200-NVL72": "GB200|GB200-186GB",
    "GB300-NVL72": "GB300|GB300-288GB", "A100-80-SXM": "A100|A100-80|A100-SXM4-80GB|A100-SXM-80GB",
    "A100-40-SXM": "A100-40|A100-SXM4-40GB|A100-SXM-40GB", "TPU7x-Ironwood": "TPU-v7x|TPU7x|Ironwood|TPU-v7x-Ironwood|TPU-v7",
    "TPU-v6e-Trillium": "TPU-v6e|Trillium", "MI455X-Helios": "MI455X", "Trainium1": "Trn1", "Trainium2": "Trn2", "Trainium3": "Trn3",
    "Inferentia2": "Inf2", "H800-SXM": "H800|H800-SXM5-80GB", "H100-PCIe": "H100-PCIe-80GB", "H20-SXM": "H20|H20-SXM-96GB",
    "V100-SXM2-32GB": "V100|V100-SXM2", "A800-80-SXM": "A800|A800-SXM4-80GB", "H100-NVL-94GB": "H100-NVL", "H200-NVL-141GB": "H200-NVL",
    "GH200-96GB-HBM3": "GH200|GH200-96GB", "GH200-144GB-HBM3e": "GH200-144GB", "L40S": "L40S-48GB", "L40": "L40-48GB", "L4": "L4-24GB",
    "RTX-PRO-6000-Blackwell-SE": "RTX-PRO-6000|RTX-PRO-6000-Blackwell|RTX-PRO-6000-Blackwell-Server-Edition", "A10": "A10-24GB",
    "DGX-Spark-GB10": "DGX-Spark|GB10", "MI250X-1GCD": "MI250X-GCD", "Intel-Arc-Pro-B60": "Arc-Pro-B60", "Gaudi2": "HL-225H",
    "MI300X": "MI300X-192GB", "MI325X": "MI325X-256GB", "MI350X": "MI350X-288GB", "MI355X": "MI355X-288GB", "T4": "T4-16GB",
}  # fmt: skip

# Figures that the compiled table leaves blank, each with the document that states it.
# (needs liquid cooling, power of one rack in W, where it says so); blank where no public document was found.
CHIP_COOLING: dict[str, tuple[str, str, str]] = {
    "H100-SXM": ("false", "", "MLPerf Inference v3.1 (2023-09), closed/Dell/systems/XE9680_H100_SXM_80GBx8_TRT.json: air-cooled"),
    "H200-SXM": ("false", "", "MLPerf Inference v4.1 (2024-08), closed/NVIDIA/systems/H200-SXM-141GBx8_TRT_MaxQ.json: air-cooled"),
    "MI300X": ("false", "", "MLPerf Inference v4.1 (2024-08), closed/AMD/systems/8xMI300X_2xEPYC-9374F.json: air-cooled"),
    "MI350X": ("false", "", "ServeTheHome, AMD MI350 and CDNA 4 launched (2025-06-12): air-cooled platform"),
    "MI355X": ("true", "", "ServeTheHome, AMD MI350 and CDNA 4 launched (2025-06-12): liquid-cooled platform; The Register (2025-06-12)"),
    "GB200-NVL72": (
        "true", "120000",
        "cooling: NVIDIA DGX GB200 user guide, Hardware (docs.nvidia.com, 2026); rack: introl.com, GB200 NVL72 deployment (2025-12): 120 kW",
    ),
    "GB300-NVL72": (
        "true", "132000",
        "introl.com, GB300 NVL72 (2025), quoting NVIDIA (liquid-cooled rack) and Supermicro (132 kW of its power shelves); typical draw about 120 kW",
    ),
    "TPU-v3": ("true", "", "Google Cloud, What is a TPU (2024): liquid cooling was added with TPU v3"),
    "TPU7x-Ironwood": ("true", "", "The New Stack with Google's product manager (2025-05-13): fourth generation of liquid cooling in Ironwood"),
    "Trainium2": ("false", "", "AWS VP of infrastructure in Fierce Network (2024-07): the current generation does not require liquid cooling"),
}  # fmt: skip

CHIP_COMPLETIONS = {
    "H800-SXM": (
        {"fp8_tflops": "1979", "scaleup_gbs_per_chip_uni": "200", "scaleup_gbs_per_chip_bidi": "400", "scaleout_gbs_per_chip_uni": "50"},
        "NVLink 400 GB/s both ways and one 400 Gb/s InfiniBand port per chip: arXiv 2505.09343, section 2; FP8 as the H100: same die",
    ),
    "GB200-NVL72": (
        {"scaleout_gbs_per_chip_uni": "50"},
        "four ConnectX-7 at 400 Gb/s per four GPUs: system descriptions of MLPerf Training v5.1",
    ),
    "Inferentia2": (
        {"scaleup_domain": "12", "scaleup_gbs_per_chip_uni": "96", "scaleup_gbs_per_chip_bidi": "192", "scaleup_topology": "ring"},
        "NeuronLink-v2 at 192 GB/s per chip, 12 chips in Inf2.48xlarge: awsdocs-neuron inf2-arch.html (latest, 2026); taken as both ways",
    ),
    "Trainium1": (
        {"scaleup_gbs_per_chip_uni": "192", "scaleup_gbs_per_chip_bidi": "384"},
        "NeuronLink-v2 derived: four links of the 4D hypercube (awsdocs-neuron trn1-arch, v2.9.1) at the rate of Inferentia2's two",
    ),
    "Gaudi2": (
        {"scaleout_gbs_per_chip_uni": "37.5"},
        "three of 24 ports scale out, as in the Gaudi3 server: docs.habana.ai Network Configuration (latest, 2026), here at 100 Gb/s",
    ),
    "Gaudi3": (
        {"scaleout_gbs_per_chip_uni": "75"},
        "three ports of 200 Gb/s scale out: docs.habana.ai Network Configuration (latest, 2026)",
    ),
}  # fmt: skip
MODEL_ALIASES = {
    "Meta-Llama-3.1-405B": "llama-3.1-405b|llama-3-405b", "Meta-Llama-3.1-70B": "llama-3.1-70b",
    "Meta-Llama-3.1-8B": "llama-3.1-8b", "Kimi-K2-Instruct": "kimi-k2|Kimi-K2-Instruct-0905|Kimi-K2-Thinking", "Qwen3-Coder-480B-A35B-Instruct": "qwen3-coder-480b|qwen3-480b",
    "Llama-4-Maverick-17B-128E-Instruct": "llama-4-maverick|llama4-17b-128e|Llama-4-Maverick-17B-128E",
    "Llama-4-Scout-17B-16E-Instruct": "llama-4-scout|llama4-17b-16e|Llama-4-Scout-17B-16E", "MiniMax-M2.5": "MiniMax-M2",
    "DeepSeek-V3": "DeepSeek-V3.1|DeepSeek-V3.1-Terminus|deepseek3-671b", "mistral-7b": "Mistral-7B-v0.1",
    "Qwen3-235B-A22B": "qwen3-235b", "Qwen3-30B-A3B": "qwen3-30b", "Mixtral-8x22B-v0.1": "mixtral-8x22b",
    "Mixtral-8x7B-v0.1": "mixtral-8x7b", "deepseek2-236b": "deepseek-v2", "deepseek2-16b": "deepseek-v2-lite",
}  # fmt: skip


COUNTS = {
    "n_layers": "layers", "hidden": "hidden", "heads": "heads", "kv_heads": "kv_heads", "head_dim": "head_dim",
    "ffn_dense": "ffn", "mlp_matrices": "ffn_matrices", "vocab": "vocab", "experts": "experts", "top_k": "top_k",
    "shared_experts": "shared_experts", "expert_ffn": "expert_ffn", "shared_expert_ffn": "shared_expert_ffn",
    "first_dense_layers": "first_dense_layers", "moe_layer_freq": "moe_layer_every", "q_lora_rank": "q_lora_rank",
    "kv_lora_rank": "kv_lora_rank", "qk_nope_head_dim": "qk_nope_head_dim", "qk_rope_head_dim": "qk_rope_head_dim",
    "v_head_dim": "v_head_dim",
}  # fmt: skip

WORDING = [
    (r"scaling-laws reading notes(, stored GitHub file id \d+)? \(read from arXiv PDFs, compiled ([\d-]+)\)", r"read from the arXiv PDF, compiled \2"),
    (r"stored code |[,;]? ?\(?(stored GitHub )?file ids? [\d,]+\)?|read_file, ", ""),
    (r"MXU tile not in text read \(256x256 from memory, unverified\)", "MXU tile not in the source"),
    (r"\(400 GB/s bidi from memory, unverified -> left blank\)", "(figure not in the source: left blank)"),
    (r"not in (the )?text read", "not in the source"),
    (r"my arithmetic", "computed"),
    (r"is my reading of", "is read from"),
    (r"measured by me, same", "measured, as above"),
    (r"measured by me", "measured"),
    (r"; verify$", ""),
    (r" sec [\d.]+(?=;|$)", ""),
    (r"\s+", " "),
]  # fmt: skip

PRINTED = [
    (r"H100 ?PCIe", "H100-PCIe"), (r"H100 NVL", ""), (r"H100", "H100-SXM"), (r"H200", "H200-SXM"), (r"H800", "H800-SXM"),
    (r"GB300", "GB300-NVL72"), (r"GB200", "GB200-NVL72"), (r"B300", "B300-SXM"), (r"B200", "B200-SXM"),
    (r"A100.*80", "A100-80-SXM"), (r"A100.*40", "A100-40-SXM"), (r"L40S", "L40S"), (r"MI300X", "MI300X"), (r"MI325X", "MI325X"),
    (r"MI355X", "MI355X"), (r"TPU ?7x|Ironwood|TPU v7", "TPU7x-Ironwood"), (r"[vV]6e", "TPU-v6e-Trillium"), (r"[vV]5e|v5litepod", "TPU-v5e"),
    (r"[vV]5p", "TPU-v5p"), (r"TPU v4|tpu-v4", "TPU-v4"), (r"TPU v3", "TPU-v3"), (r"TPU v2", "TPU-v2"), (r"Trainium1|trn1", "Trainium1"),
    (r"Trainium2|trn2", "Trainium2"), (r"Trainium3|trn3", "Trainium3"), (r"Inferentia2", "Inferentia2"), (r"Gaudi2", "Gaudi2"), (r"Gaudi3", "Gaudi3"),
]  # fmt: skip


def chip_id(printed: str) -> str:
    """Return the catalogue's chip for a printed name; empty where it is another chip, a fleet or unclear."""
    if "H100e" in printed:
        return ""
    return next((name for pattern, name in PRINTED if re.search(pattern, printed)), "")


def clean(text: str) -> str:
    """Put a remark into the catalogue's words: one line, nothing addressed to its compiler."""
    for pattern, words in WORDING:
        text = re.sub(pattern, words, text)
    return text.strip()


def leave_out(table: str, row: str, reason: str) -> None:
    """Remember a row that the catalogue does not carry."""
    LEFT_OUT.append({"table": table, "row": row, "reason": reason})


def date_in(text: str) -> str:
    """Return the latest date (year-month-day, year-month) that a citation states, or nothing."""
    return max(re.findall(r"20[12]\d-[01]\d(?:-[0-3]\d)?", text), default="")
