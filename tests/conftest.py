"""Fixtures that several test files share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("connectors.testing")

from tests import redmine_server  # noqa: E402 - the rewrite has to be registered first
from tests.fakes import deck_model, gitlab_model, openproject_model  # noqa: E402
from tests.fakes.deck import Deck  # noqa: E402
from tests.fakes.gitlab import GitLab  # noqa: E402
from tests.fakes.openproject import OpenProject  # noqa: E402
from tests.mirror import Desk, Mirror  # noqa: E402
from tests.offices import (  # noqa: E402
    CalendarOffice,
    DeckOffice,
    GitLabOffice,
    Makers,
    OpenProjectOffice,
    RedmineOffice,
    WorkbookOffice,
)
from tests.radicale_server import Radicale  # noqa: E402
from tests.redmine_server import Redmine  # noqa: E402
from tests.webdav_server import WebDav  # noqa: E402


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


@pytest.fixture(scope="session")
def webdav() -> Iterator[WebDav]:
    """A real WebDAV server on loopback; every test makes files of its own."""
    with WebDav() as server:
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


@pytest.fixture
def makers(radicale: Radicale, redmine: Redmine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Makers]:
    """One office on every kind of platform; each call makes a new collection of it."""
    monkeypatch.setattr("connectors.workbook.file.REST", 0.0)
    with (
        Deck(clock=deck_model.WallClock()) as deck,
        GitLab(clock=gitlab_model.WallClock()) as gitlab,
        OpenProject(clock=openproject_model.WallClock()) as openproject,
    ):
        yield {
            "rathaus": lambda: DeckOffice(deck),
            "kalender": lambda: CalendarOffice(radicale),
            "entwicklung": lambda: GitLabOffice(gitlab),
            "bau": lambda: RedmineOffice(redmine),
            "vorhaben": lambda: OpenProjectOffice(openproject),
            "plan": lambda: WorkbookOffice(tmp_path),
        }
