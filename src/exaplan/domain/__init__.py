"""Frozen records in and out of every engine, their units, words and errors."""
