"""Fixtures that several test files share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("connectors.testing")

from tests import redmine_server  # noqa: E402 - the rewrite has to be registered first
from tests.mirror import Desk, Mirror  # noqa: E402
from tests.radicale_server import Radicale  # noqa: E402
from tests.redmine_server import Redmine  # noqa: E402


@pytest.fixture(scope="session")
def radicale() -> Iterator[Radicale]:
    """A real Radicale on loopback; every test makes calendars of its own."""
    with Radicale() as server:
        yield server


@pytest.fixture(scope="session")
def redmine() -> Iterator[Redmine]:
    """A real Redmine on loopback with German default data; every test makes projects of its own."""
    if reason := redmine_server.lacking():
        pytest.skip(reason)
    with Redmine() as server:
        yield server


@pytest.fixture
def rathaus(radicale: Radicale) -> Desk:
    """The town hall's calendar."""
    return Desk(radicale)


@pytest.fixture
def entwicklung(radicale: Radicale) -> Desk:
    """The developers' calendar."""
    return Desk(radicale)


@pytest.fixture
def mirror(tmp_path: Path, rathaus: Desk, entwicklung: Desk) -> Mirror:
    """A bridge between the two, that has not run yet."""
    return Mirror(tmp_path, rathaus=rathaus, entwicklung=entwicklung)
