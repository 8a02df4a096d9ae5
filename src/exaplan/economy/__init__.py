"""Money and uncertainty: futures and trees, statements, key figures, ruin statistics."""
