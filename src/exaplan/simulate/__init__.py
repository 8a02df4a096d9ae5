"""Replay of a plan on futures it has not seen: the off-tree policy, the quarter's dispatch, cash and ruin."""
