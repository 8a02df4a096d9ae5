"""Every door: the lab file, the catalogue and the run folder."""
