"""The formulation: rates and futures become arrays, rows, and a plan with its prices."""
