"""Derive the catalogue in src/exaplan/data from hand-compiled tables of published facts.

    python scripts/compile_catalogue.py FACTS_DIRECTORY

No number is added here: values are renamed, brought to SI units, and dropped (with the reason) where they are
incomplete or known to be wrong. Rows left out are listed in ``left_out.csv``. Chips that the compiled table lacks
stand in ``chips_added.csv`` beside this file, in its columns; what completes a row, and by which document, stands in
``catalogue_words.py`` and ``catalogue_models.py``.
"""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from catalogue_models import models
from catalogue_words import (
    CHIP_ALIASES,
    CHIP_COMPLETIONS,
    CHIP_COOLING,
    LEFT_OUT,
    Row,
    chip_id,
    clean,
    date_in,
    leave_out,
)

ADDED = Path(__file__).with_name("chips_added.csv")
DATA = Path(__file__).resolve().parents[1] / "src" / "exaplan" / "data"

SYSTOLIC = {"TPU": "", "Trainium": "", "Inferentia": "", "Gaudi3": ""}
UNPUBLISHED_TILE = ("TPU7x", "TPU-8")


def main(facts: Path) -> None:
    """Write every table of the catalogue."""
    tables: dict[str, Callable[[list[Row]], list[Row]]] = {
        "chips": chips,
        "models": models,
        "laws": laws,
        "energy": energy,
        "labs": labs,
    }
    sources = {"laws": "scaling_laws", "energy": "energy_dc", "labs": "lab_finance"}
    for name, build in tables.items():
        added = read(ADDED) if name == "chips" else []
        write(name, build([*read(facts / f"{sources.get(name, name)}.csv"), *added]))
    purchase = read(facts / "chips.csv")
    listed = read(facts / "price_catalog_accelerators.csv")
    write("prices", [*rentals(read(facts / "prices.csv")), *purchases(purchase), *cloud_lists(listed)])
    write("left_out", LEFT_OUT)


def read(path: Path) -> list[Row]:
    """Read a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write(name: str, rows: list[Row]) -> None:
    """Write a table; every row has the same columns."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    with (DATA / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows({key: clean(value) for key, value in row.items()} for row in rows)


def scaled(text: str, factor: float) -> str:
    """Multiply a number written as text; blank stays blank."""
    return f"{float(text) * factor:.12g}" if text.strip() else ""


def chips(rows: Iterable[Row]) -> list[Row]:
    """Chips with a peak, a memory size and a bandwidth; dense peaks, one-way bandwidth unless named otherwise."""
    kept = []
    for row in rows:
        name = re.sub(r"[()]", "", row["chip"]).strip().replace(" ", "-")
        if not (row["bf16_tflops"] or row["fp8_tflops"]) or not row["hbm_gb"] or not row["hbm_gbs"]:
            leave_out("chips", name, "no BF16 or FP8 peak, or no memory size or bandwidth, in the source")
            continue
        values, source = CHIP_COMPLETIONS.get(name, ({}, ""))
        filled = {key: row[key] or value for key, value in values.items()}
        cited = "; ".join(filter(None, (row["source"], source)))
        kept.append(chip(name, {**row, **filled, "source": cited}))
    return kept


def chip(name: str, row: Row) -> Row:
    """One chip in SI units."""
    notes = [clean(row["notes"])]
    tile = re.match(r"(\d+)x\d+", row["matrix_tile"])
    systolic = any(name.startswith(prefix) for prefix in SYSTOLIC)
    if systolic and not tile:
        notes.append("matrix tile not in the source: 256 assumed as in TPU v6e, unverified")
    if not systolic and not row["designer"].startswith(("NVIDIA", "AMD")):
        notes.append("matrix unit not published in the source: treated like a tensor core")
    domain = row["scaleup_domain"]
    if "scaleup_domain 4 from memory" in row["notes"]:
        domain, notes = "", ["scale-up domain not in the source"]
    dated = date_in(row["source"])
    liquid, rack, cooling = CHIP_COOLING.get(name, ("", "", ""))
    return {
        "id": name,
        "aliases": CHIP_ALIASES.get(name, ""),
        "designer": row["designer"],
        "launch": row["launch"],
        "announced": "true" if row["kind"].startswith("announced") else "false",
        "bf16_flop_per_s": scaled(row["bf16_tflops"], 1e12),
        "fp8_flop_per_s": scaled(row["fp8_tflops"], 1e12),
        "fp4_flop_per_s": scaled(row["fp4_tflops"], 1e12),
        "int8_op_per_s": scaled(row["int8_tops"], 1e12),
        "hbm_bytes": scaled(row["hbm_gb"], 1e9),
        "hbm_bandwidth_bytes_per_s": scaled(row["hbm_gbs"], 1e9),
        "sram_bytes": scaled(row["sram_mb"], 1e6),
        "matrix_unit": "systolic" if systolic else "tensor_core",
        "matrix_tile": (tile[1] if tile else "256") if systolic else "",
        "scale_up_domain": domain or "1",
        "scale_up_bandwidth_bytes_per_s": scaled(row["scaleup_gbs_per_chip_uni"], 1e9),
        "scale_up_bandwidth_bidirectional_bytes_per_s": scaled(row["scaleup_gbs_per_chip_bidi"], 1e9),
        "scale_up_topology": row["scaleup_topology"],
        "scale_out_bandwidth_bytes_per_s": scaled(row["scaleout_gbs_per_chip_uni"], 1e9),
        "tdp_w": row["tdp_w"],
        "it_power_w": row["it_w_per_chip"],
        "liquid_cooled": liquid,
        "rack_power_w": rack,
        "cooling_source": cooling,
        "price_low_usd": row["price_low_usd"],
        "price_high_usd": row["price_high_usd"],
        "price_basis": row["price_basis"],
        "kind": row["kind"],
        "date": dated or row["launch"],
        "date_of": "source" if dated else "launch",
        "source": clean(row["source"]),
        "notes": "; ".join(note for note in notes if note),
    }


def laws(rows: Iterable[Row]) -> list[Row]:
    """Build the laws with their parameters; the date is the year of publication or of the data where one is stated."""
    rows = list(rows)
    cited = {
        row["law"].split()[0]: found[0]
        for row in reversed(rows)
        if (found := re.search(r"arXiv [\d.]+", row["source"]))
    }
    kept = []
    for row in rows:
        if "VERIFY" in row["kind"]:
            leave_out("laws", row["law"], "signs of exponents are lost in the source")
            continue
        year = (
            re.search(r"20[12]\d", row["law"])
            or re.search(r"arXiv (\d\d)", law_source(row, cited))
            or re.search(r"20[12]\d", row["fit_range"])
        )
        stated = "" if year is None else (year[0] if year.lastindex is None else f"20{year[1]}")
        kept.append(
            {
                "id": re.sub(r"[^a-z0-9]+", "-", row["law"].lower()).strip("-"),
                "law": row["law"],
                "form": row["form"],
                "parameters": row["params"],
                "fit_range": row["fit_range"],
                "kind": row["kind"],
                "date": stated or "2026-09-23",
                "date_of": "publication" if stated else "compilation",
                "source": law_source(row, cited),
                "notes": clean(row["notes"]),
            }
        )
    return kept


def law_source(row: Row, cited: dict[str, str]) -> str:
    """Return the citation of a law; laws of the same authors share the paper that one of them cites."""
    paper = cited.get(row["law"].split()[0], "")
    return row["source"] if not paper or paper in row["source"] else f"{row['source']}; {paper}"


def energy(rows: Iterable[Row]) -> list[Row]:
    """Data-centre figures; IT and facility power are told apart in ``power_basis``."""
    kept = []
    source = ""
    for row in rows:
        source = source if row["source"] == "same" else row["source"]
        if "seed" in row["kind"].lower() or "SEED" in source:
            leave_out("energy", row["item"], "repeats a press text that may be wrong")
            continue
        basis = (
            "IT"
            if "IT" in row["unit"] or row["item"].startswith(("IT ", "DC construction", "TPU/Trainium chip"))
            else ""
        )
        kept.append(
            {
                "id": re.sub(r"[^a-z0-9]+", "-", f"{row['item']} {row['date']}".lower()).strip("-"),
                "item": row["item"],
                "low": row["low"],
                "middle": row["mid"],
                "high": row["high"],
                "unit": row["unit"],
                "power_basis": basis or ("site" if "W" in row["unit"] else ""),
                "kind": row["kind"],
                "date": row["date"],
                "source": clean(source),
                "notes": clean(row["notes"]),
            }
        )
    return kept


def labs(rows: Iterable[Row]) -> list[Row]:
    """Public figures of labs; rows that repeat an unreliable press text are left out."""
    kept = []
    source = ""
    for row in rows:
        source = source if row["source"].startswith("same") else row["source"]
        if "seed" in row["kind"].lower() or "SEED" in row["source"]:
            leave_out("labs", f"{row['lab']} {row['metric']}", "repeats a press text that may be wrong")
            continue
        kept.append(
            {
                "lab": row["lab"],
                "date": row["date"],
                "metric": row["metric"],
                "value": row["value"],
                "unit": row["unit"],
                "kind": row["kind"],
                "source": clean(source),
                "notes": clean(row["notes"]),
            }
        )
    return kept


def rentals(rows: Iterable[Row]) -> list[Row]:
    """Rental prices and owning costs per chip-hour."""
    kept = []
    source = ""
    for row in rows:
        source = source if row["source"] == "same" else row["source"]
        term = row["term"]
        basis = "owning cost" if "TCO" in term else "rental"
        kept.append(
            {
                "chip": chip_id(row["chip"]),
                "chip_as_printed": row["chip"],
                "basis": basis,
                "term": term,
                "seller": row["tier"],
                "region": "",
                "price": row["usd_per_chip_hr"],
                "unit": "USD/chip/h",
                "date": row["date"],
                "kind": row["kind"],
                "source": clean(source),
                "notes": clean(row["notes"]),
            }
        )
    return kept


def purchases(rows: Iterable[Row]) -> list[Row]:
    """Build purchase prices per chip, low and high end as rows of their own."""
    return [purchase(row, end) for row in rows for end in ("low", "high") if row[f"price_{end}_usd"]]


def purchase(row: Row, end: str) -> Row:
    """Build one end of the range of published prices of a chip."""
    years = re.findall(r"20[12]\d", row["price_basis"])
    return {
        "chip": re.sub(r"[()]", "", row["chip"]).strip().replace(" ", "-"),
        "chip_as_printed": row["chip"],
        "basis": "purchase",
        "term": f"{end} end of range",
        "seller": "",
        "region": "",
        "price": row[f"price_{end}_usd"],
        "unit": "USD/chip",
        "date": date_in(row["price_basis"]) or (years or [row["launch"]])[-1],
        "kind": row["kind"].split(";")[-1].strip(),
        "source": clean(row["price_basis"]),
        "notes": "",
    }


def cloud_lists(rows: Iterable[Row]) -> list[Row]:
    """Cloud list prices per chip-hour, without the known traps."""
    kept = []
    for row in rows:
        label = (
            f"{row['cloud']} {row['instance_type']} {row['accelerator']} {row['region']} {row['price_kind']}"
        )
        if float(row["usd_per_instance_hour"] or 0) in (0.0, 700.0):
            leave_out("prices", label, "the list writes 700.0 (or nothing) where the price is missing")
            continue
        if row["cloud"] == "gcp" and "skypilot" in row["source"] and "tpu" not in row["accelerator"].lower():
            leave_out("prices", label, "the row prices the host machine without its GPU")
            continue
        kept.append(
            {
                "chip": chip_id(row["accelerator"]),
                "chip_as_printed": row["accelerator"],
                "basis": "rental",
                "term": row["price_kind"].replace("_", "-"),
                "seller": f"{row['cloud']} {row['instance_type']}".strip(),
                "region": row["region"],
                "price": row["usd_per_accelerator_hour"],
                "unit": "USD/chip/h",
                "date": row["as_of"]
                .replace("unknown", "undated")
                .replace("snapshot commit", "commit in source"),
                "kind": "list price",
                "source": f"{row['source']} ({row['licence']})",
                "notes": f"{row['accelerator_count']} chips per instance"
                + ("; the instance name counts cores, two per chip" if "v5p" in row["accelerator"] else ""),
            }
        )
    return kept


if __name__ == "__main__":
    main(Path(sys.argv[1]))
