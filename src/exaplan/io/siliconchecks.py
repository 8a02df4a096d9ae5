"""What must fit together in the chip programs of a lab, and in the offers that they unlock. Every fault is located."""

from __future__ import annotations

from exaplan.domain.die_cost import dies_per_wafer
from exaplan.domain.lab import Lab
from exaplan.domain.silicon import Silicon
from exaplan.io.recordreader import RecordReader
from exaplan.io.treewalk import at
from exaplan.io.yamltree import Mapping


def check_silicon(root: Mapping, reader: RecordReader, lab: Lab) -> None:
    """Check names, wafers, cooling, stages, and that what is unlocked names a program."""
    taken = {offer.id for offer in lab.offers} | {contract.id for contract in lab.contracts}
    for program in lab.silicon:
        for foundry in program.foundries:
            place = at(root, "silicon", program.id, "foundries", foundry.id)
            if program.offer_id(foundry) in taken:
                reason = f"duplicate id {program.offer_id(foundry)!r}: the chips of a foundry bear this name"
                reader.faults.add(place, reason, "rename the offer or contract, the program or the foundry")
            taken.add(program.offer_id(foundry))
            if dies_per_wafer(foundry.die_area_mm2, foundry.wafer_diameter_mm) < 1:
                reader.faults.add(
                    place, "not one whole die fits on the wafer", "check die_area and wafer_diameter"
                )
        _check_hall(root, reader, lab, program)
    _check_names(root, reader, lab)


def _check_hall(root: Mapping, reader: RecordReader, lab: Lab, program: Silicon) -> None:
    hall = next((site for site in lab.sites if site.id == program.site), None)
    chip = lab.chips.get(program.chip)
    if hall is not None and chip is not None and chip.liquid_cooled and not hall.liquid:
        reason = f"{program.chip!r} needs liquid cooling; the hall of {program.site!r} has none"
        reader.faults.add(at(root, "silicon", program.id, "site"), reason, "choose another site or chip")


def _check_names(root: Mapping, reader: RecordReader, lab: Lab) -> None:
    """Programs and suppliers share one list of who can be late."""
    signed = {o.supplier for o in lab.offers} | {c.supplier for c in lab.contracts}
    signed |= {foundry.delivered_by for program in lab.silicon for foundry in program.foundries}
    for program in lab.silicon:
        for name in {program.id, program.respin_name} & signed:
            reason = f"{name!r} is the name of a supplier as well"
            reader.faults.add(at(root, "silicon", program.id), reason, "rename the program")
