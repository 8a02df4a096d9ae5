"""The made-up answers that the report's tests look at."""

from __future__ import annotations

import pytest
from tests.report import sample

from exaplan.domain.answer import Answer
from exaplan.report.page import page_html


@pytest.fixture(scope="session")
def full() -> Answer:
    return sample.answer()


@pytest.fixture(scope="session")
def empty() -> Answer:
    return sample.empty()


@pytest.fixture(scope="session")
def losing() -> Answer:
    return sample.losing()


@pytest.fixture(scope="session")
def page(full: Answer) -> str:
    return page_html(full)


@pytest.fixture(scope="session", params=["empty", "losing", "one quarter", "forty quarters", "no verdict"])
def odd_page(request: pytest.FixtureRequest) -> str:
    return page_html(sample.odd(request.param))
