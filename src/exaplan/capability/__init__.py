"""Capability: from FLOP, tokens and sparsity to loss, with the uncertainty of the published fits."""
