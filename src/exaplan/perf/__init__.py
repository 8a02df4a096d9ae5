"""From (model, chip, phase) to time, memory and power: counts, operator time, composition, search; knows no money."""
