"""Fixtures that several test files share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.register_assert_rewrite("connectors.testing")

from tests.radicale_server import Radicale  # noqa: E402 - the rewrite has to be registered first


@pytest.fixture(scope="session")
def radicale() -> Iterator[Radicale]:
    """A real Radicale on loopback; every test makes calendars of its own."""
    with Radicale() as server:
        yield server
