"""A small lab for the economy's tests, built in Python."""

from __future__ import annotations

from typing import Any

import pytest

from exaplan.domain.capability import Capability
from exaplan.domain.lab import Branch, Finance, Futures, Horizon, Lab, RentalMarket, Slip
from exaplan.domain.quarter import Quarter
from exaplan.domain.supply import OnDemand, Reserved
from exaplan.domain.technology import Chip
from exaplan.domain.uncertain import Uncertain
from exaplan.domain.workload import Serve, TokenPrice

FIRST = Quarter(2026, 3)
GROWTH = Uncertain(family="growth", low=0.3, high=1.2)


def _serve(name: str = "chat", **changes: Any) -> Serve:
    """A workload of 4e12 tokens a month at 4 USD per million."""
    given = {
        "id": name,
        "model": "m",
        "goodput": 0.95,
        "input_tokens": 1200.0,
        "output_tokens": 300.0,
        "tpot_s": 0.04,
        "utilization": 0.7,
        "demand_tokens_per_month": (4e12,),
        "price": TokenPrice(input_usd_per_token=2.5e-6, output_usd_per_token=10e-6),
        "growth": GROWTH,
        "volatility": 0.25,
        "sensitivity": 0.2,
    }
    return Serve(**(given | changes))


def _futures(**changes: Any) -> Futures:
    """Five branches, 32 leaves; a rental market and two suppliers that slip."""
    given = {
        "branches": tuple(Branch(date=FIRST + t, into=2) for t in (1, 2, 4, 7, 10)),
        "samples": 4000,
        "demand_correlation": 0.5,
        "rental": RentalMarket(start=1.3, volatility=0.3, reversion=0.8),
        "slips": (Slip(supplier="foundry", probability=0.2), Slip(supplier="cloud", probability=0.1)),
    }
    return Futures(**(given | changes))


@pytest.fixture(scope="session")
def serve():
    """Build a serving workload."""
    return _serve


@pytest.fixture(scope="session")
def futures():
    """Build the futures of a lab."""
    return _futures


@pytest.fixture(scope="session")
def make_lab():
    """Build the lab with other workloads, futures, capability or offers."""

    def make(**changes: Any) -> Lab:
        offer = {"chip": "h100", "availability": 0.95, "price_usd_per_chip_h": (3.0,)}
        given = {
            "lab": "Northlab",
            "horizon": Horizon(first=FIRST, last=FIRST + 15),
            "chips": {
                "h100": Chip(
                    id="H100", bf16_flop_per_s=989e12, hbm_bytes=80e9, hbm_bandwidth_bytes_per_s=3.35e12
                )
            },
            "workloads": (
                _serve(),
                _serve("code", price_change=Uncertain(family="growth", low=-0.5, high=0.1)),
            ),
            "offers": (
                OnDemand(id="spot", supplier="cloud", max_chips=(1e5,), market_exposure=1.0, **offer),
                Reserved(
                    id="term",
                    supplier="foundry",
                    lead_quarters=2,
                    term_quarters=12,
                    max_order=(1e5,),
                    **offer,
                ),
            ),
            "finance": Finance(cash_usd=1e10, cash_rate=0.03, cost_of_equity=0.12, tax_rate=0.2),
            "capability": Capability(
                start=1.0,
                parity_flop_per_quarter=1e25,
                frontier_growth=Uncertain(family="growth", low=1.5, high=4.0),
                algorithmic_progress=1.0,
                decay=0.1,
                returns=0.7,
            ),
            "futures": _futures(),
        }
        return Lab(**(given | changes))

    return make
