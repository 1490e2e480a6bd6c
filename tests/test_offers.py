"""What there is to choose from: every connector lists the collections of its account, and each can be taken by name."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest

from bridge.registry import load_type
from connectors.base import Access, ConnectorType, ListsCollections, Offer
from connectors.errors import NotACollection, Unauthorized
from tests.fakes.deck import Deck
from tests.fakes.gitlab import GitLab
from tests.fakes.openproject import OpenProject
from tests.radicale_server import Radicale
from tests.redmine_server import Redmine


@pytest.fixture(scope="module")
def radicale() -> Iterator[Radicale]:
    """A server of its own: to list what is there takes long where hundreds of tests have left their calendars."""
    with Radicale() as server:
        yield server


def offered(kind: ConnectorType, access: Access) -> tuple[Offer, ...]:
    """What a fresh connector offers; each is found by the name that it is offered under."""
    connector = kind.connect(access)
    assert isinstance(connector, ListsCollections)
    offers = tuple(connector.collections())
    for offer in offers:
        found = kind.connect(replace(access, collection=offer.name)).identify()
        assert offer.writable in (found.writable, None)
        assert found.title == offer.title or offer.title.startswith(found.title)
    return offers


@pytest.mark.radicale
@pytest.mark.parametrize("place", ["", "/anna/"])
def test_a_calendar_server_offers_the_calendars_that_take_tasks(radicale: Radicale, place: str) -> None:
    number = len(place)
    path = radicale.calendar(f"angebot-{number}", "Straße & Rat 100 %")
    locked = radicale.share_read_only(f"leserecht-angebot-{number}", "Nur zum Lesen")
    radicale.calendar(f"termine-angebot-{number}", "Termine", components=("VEVENT",))
    access = Access("rathaus", radicale.url + place, radicale.user, radicale.password)
    offers = offered(load_type("caldav"), access)
    assert Offer(path, "Straße & Rat 100 %", True) in offers
    assert Offer(locked, "Nur zum Lesen", False) in offers
    assert "Termine" not in [offer.title for offer in offers]


@pytest.mark.radicale
def test_an_odd_path_can_be_taken_by_the_name_that_is_offered(radicale: Radicale) -> None:
    radicale.request("MKCALENDAR", f"/{radicale.user}/100%25%20odd/")
    access = Access("rathaus", f"{radicale.url}/{radicale.user}/100%25%20odd/", radicale.user, radicale.password)
    (offer,) = offered(load_type("caldav"), access)
    whole = load_type("caldav").connect(replace(access, url=radicale.url, collection=offer.name)).identify()
    assert whole.collection == f"/{radicale.user}/100% odd/"


@pytest.mark.radicale
def test_a_calendar_s_own_address_offers_that_one_alone(radicale: Radicale) -> None:
    path = radicale.calendar("allein", "Allein")
    access = Access("rathaus", radicale.url + path, radicale.user, radicale.password)
    assert offered(load_type("caldav"), access) == (Offer(path, "Allein", True),)


@pytest.mark.radicale
def test_a_wrong_password_is_told(radicale: Radicale) -> None:
    connector = load_type("caldav").connect(Access("rathaus", radicale.url, radicale.user, "falsch"))
    assert isinstance(connector, ListsCollections)
    with pytest.raises(Unauthorized):
        connector.collections()


def test_a_deck_offers_its_boards() -> None:
    with Deck() as deck:
        board, gone = deck.board(), deck.board("Gelöscht")
        gone.deleted_at = 1
        login, password = "bridge", deck.accounts["bridge"][1]
        access = Access("rathaus", deck.url, login, password)
        offers = offered(load_type("nextcloud-deck"), access)
        assert Offer(str(board.id), "Digitale Strategie", True) in offers
        assert "Gelöscht" not in [offer.title for offer in offers]


def test_a_gitlab_offers_the_projects_of_its_account() -> None:
    with GitLab() as gitlab:
        gitlab.project("amt/strategie")
        access = Access("it", gitlab.url, token="glpat-bridge")
        assert [offer.name for offer in offered(load_type("gitlab"), access)] == ["amt/strategie"]
        with pytest.raises(NotACollection, match="IT_URL"):
            load_type("gitlab").connect(replace(access, url=gitlab.url + "/nowhere")).collections()  # type: ignore[attr-defined]


def test_an_openproject_offers_the_projects_that_are_not_archived() -> None:
    with OpenProject() as server:
        server.project("strategie")
        server.project("archiv").active = False
        access = Access("amt", server.url, token="opapi-bridge")
        assert [offer.name for offer in offered(load_type("openproject"), access)] == ["strategie"]
        with pytest.raises(Unauthorized):
            load_type("openproject").connect(replace(access, token="falsch")).collections()  # type: ignore[attr-defined]


@pytest.mark.redmine
@pytest.mark.xdist_group("redmine")
def test_a_redmine_offers_its_projects_and_notices_a_bad_key(redmine: Redmine) -> None:
    project = redmine.project()["identifier"]
    access = Access("rathaus", redmine.url, token=redmine.keys["bruecke"])
    assert project in str(offered(load_type("redmine"), access))
    with pytest.raises(Unauthorized):
        load_type("redmine").connect(replace(access, token="falsch")).collections()  # type: ignore[attr-defined]


def test_memory_offers_the_one_platform_that_the_address_names() -> None:
    assert offered(load_type("memory"), Access("m", "memory://angebot")) == (Offer("", "angebot", True),)


def test_a_workbook_offers_its_tables_and_a_folder_its_files(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for title, head in (("Plan", "Titel"), ("Kosten", "Betrag"), ("Ideen", "Titel")):
        book.create_sheet(title).append([head])
    path = tmp_path / "Plan.xlsx"
    book.save(path)
    (tmp_path / "liste.csv").write_text("Titel;Status\n", encoding="utf-8")
    (tmp_path / "brief.txt").write_text("", encoding="utf-8")
    for each in tmp_path.iterdir():  # a save comes to rest
        os.utime(each, (1_000_000_000, 1_000_000_000))
    kind = load_type("workbook")
    assert [offer.title for offer in offered(kind, Access("plan", "", collection=str(path)))] == [
        "Plan.xlsx · Plan",
        "Plan.xlsx · Ideen",
    ]
    (sheet,) = offered(kind, Access("plan", "", collection=f"{path}#Ideen"))
    assert sheet.name == f"{path}#Ideen"
    folder = load_type("workbook").connect(Access("plan", "", collection=str(tmp_path)))
    assert [offer.title for offer in folder.collections()] == ["Plan.xlsx", "liste.csv"]  # type: ignore[attr-defined]
