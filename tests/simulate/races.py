"""Small races for tests: two or more like labs, every number dated."""

from __future__ import annotations

from exaplan.domain.race import RaceFile
from exaplan.io.racefile import parse_race

MARKET = """
market:
  growth: {growth}  # 2025-12-31, test
  cooling: 0 %/year  # 2025-12-31, test
  volatility: {volatility}  # 2025-12-31, test
  common: 50 %  # 2025-12-31, test
  elasticity: 1  # 2025-12-31, test
  pass_through: 80 %  # 2025-12-31, test
  efficiency: 100 %/year  # 2025-12-31, test
  earning: 6 USD/chip/h  # 2025-12-31, test
  cost: 2 USD/chip/h  # 2025-12-31, test
  cost_change: -30 %/year  # 2025-12-31, test
  term: 16 quarters  # 2025-12-31, test
  shipments: 2M chips/quarter  # 2025-12-31, test
  shipments_growth: 100 %/year  # 2025-12-31, test
  density: 1000 chips/MW  # 2025-12-31, test
  density_growth: 0 %/year  # 2025-12-31, test
  retirement: 2 %/quarter  # 2025-12-31, test
  past_growth: 300 %/year  # 2025-12-31, test
  progress: 100 %/year  # 2025-12-31, test
  private_progress: {private}  # 2025-12-31, test
  leapfrog_chance: {leaps}/year  # 2025-12-31, test
  leapfrog_size: 1.5 to 3  # 2025-12-31, test
  diffusion: 20 %/quarter  # 2025-12-31, test
  diffusion_lag: 1 quarter  # 2025-12-31, test
  sensitivity: {sensitivity}  # 2025-12-31, test
  switching: 30 %/quarter  # 2025-12-31, test
  access: 0  # 2025-12-31, test
"""
LAB = """
  {id}:
    region: {region}
    fleet: {fleet} chips  # 2025-12-31, test
    revenue: {revenue} GUSD/year  # 2025-12-31, test
    cash: {cash} GUSD  # 2025-12-31, test
    funding: {funding} GUSD/year  # 2025-12-31, test
    funding_growth: {funding_growth}  # 2025-12-31, test
    capability: {capability}  # 2025-12-31, test
    chips: {{share: {share}, lead: 2 quarters, on_order: {on_order} chips}}  # 2025-12-31, test
    power:
      now: {now} MW  # 2025-12-31, test
      lead: 4 quarters  # 2025-12-31, test
      build: {build} MW/quarter  # 2025-12-31, test
      sites: {{hall: {{ready: {ready}, power: {site} MW, slip: {slip}}}}}  # 2025-12-31, test
    policy: {{commit: {commit}, expects: {expects}/year, serve: 40 %, overhead: 30 %, draw: 10 %/quarter, reserve: 0 GUSD}}  # 2025-12-31, test
"""


def lab(name: str, **changes: object) -> str:
    """Write one lab; ``changes`` replace what follows."""
    given: dict[str, object] = {
        "id": name, "region": "us", "fleet": 500_000, "revenue": 8, "cash": 10, "funding": 20, "funding_growth": "0 % to 100 %/year",
        "capability": 1, "share": "5 % to 15 %", "on_order": 50_000, "now": 700, "build": 300, "ready": "2026-Q3", "site": 500,
        "slip": "20 %", "commit": "60 %", "expects": "50 %",
    } | changes  # fmt: skip
    return LAB.format(**given)


def race(*labs: str, horizon: str = "2025-Q4 .. 2028-Q3", shocks: str = "", **market: object) -> RaceFile:
    """Build a race of the given labs."""
    given: dict[str, object] = {
        "growth": "80 % to 200 %/year", "volatility": "25 %", "private": "20 %", "leaps": "20 %", "sensitivity": 0.35,
    } | market  # fmt: skip
    text = f"race: test\nas_of: 2025-12-31\nhorizon: {horizon}\n{MARKET.format(**given)}\nlabs:{''.join(labs)}\n{shocks}"
    return parse_race(text, "race.yaml")
