"""Calendars as they are: dates of two types, other forms of a text, done without a status, costs, the way there."""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from connectors.base import Access, Native
from connectors.caldav import CalDavConnector, ics, records
from connectors.caldav import connector as caldav
from connectors.caldav.ics import parse
from connectors.errors import Forbidden, NotACollection
from connectors.testing import ConnectorContract
from mappings.canonical import Value
from tests import caldav_calendar
from tests.caldav_calendar import Calendar, Send, says, tamper
from tests.mirror import Desk, Mirror
from tests.radicale_server import Radicale
from tests.translating import AT, CALDAV, NOBODY, PLAIN

pytestmark = pytest.mark.radicale


# ---- a start and a due date of different types (R14) -----------------------------------------------------------

ZONES = ("Europe/Berlin", "America/New_York", "Pacific/Kiritimati", "W. Europe Standard Time", "Kennt Keiner")


def shapes(day: str) -> list[str]:
    """How programs write a day: not at all, as a date, as a time without a zone, in UTC, in some zone."""
    times = ("003000", "235959")
    zoned = [f";TZID={zone}:{day}T{clock}" for zone in ZONES for clock in times]
    return ["", f";VALUE=DATE:{day}", *(f":{day}T{clock}{utc}" for clock in times for utc in ("", "Z")), *zoned]


def is_timed(written: str) -> bool:
    return re.search(r"\d{8}T", written) is not None


WISHES: tuple[dict[str, Value], ...] = (
    {"due": "2026-12-24"},
    {"start": "2026-10-25"},
    {"start": "2026-03-29", "due": "2026-03-29"},
    {"start": None, "due": "2026-12-24"},
    {"start": "2026-10-25", "due": None},
)


@pytest.mark.parametrize("start", shapes("20261110"))
def test_the_day_that_is_wanted_is_the_day_that_is_shown(start: str) -> None:
    for due, wish in itertools.product(shapes("20261120"), WISHES):
        lines = [f"DTSTART{start}"] * bool(start) + [f"DUE{due}"] * bool(due)
        todo = parse(caldav_calendar.ics("u", "SUMMARY:x", *lines))
        assert todo is not None
        before = records.read(todo)[0]
        days = {name: CALDAV.read(before, PLAIN, NOBODY).asserted(name) for name in ("start", "due")}
        records.write(todo, CALDAV.write(wish, before, PLAIN, NOBODY, AT).fields)
        after = CALDAV.read(records.read(todo)[0], PLAIN, NOBODY)
        wanted = days | {name: frozenset({day}) for name, day in wish.items()}
        assert {name: after.asserted(name) for name in wanted} == wanted, f"{lines} {wish}"
        if "" in (start, due) or is_timed(start) == is_timed(due):
            both = [found.value for name in ("DTSTART", "DUE") if (found := todo.first(name))]
            assert len(set(map(is_timed, both))) <= 1, f"{lines} {wish}: {both}"


def test_a_due_date_beside_a_start_of_another_type_keeps_its_day_and_its_type(
    mirror: Mirror, rathaus: Desk, entwicklung: Desk
) -> None:
    """The last second of a day, as programs write it: in Berlin that is the next day."""
    rathaus.adds("Frist", "DTSTART;VALUE=DATE:20261101", "DUE:20261120T235959Z")
    mirror.begins()
    assert entwicklung.task("Frist")["DUE"] == "20261121"
    entwicklung.edits("Frist", "DUE;VALUE=DATE:20261224")
    mirror.sync()
    assert rathaus.task("Frist")["DUE"] == "20261223T235959Z"
    assert rathaus.task("Frist")["DTSTART"] == "20261101"
    mirror.rests()
    assert entwicklung.task("Frist")["DUE"] == "20261224"


# ---- other forms of a description ------------------------------------------------------------------------------

FORMS = (
    "X-ALT-DESC;FMTTYPE=text/html:<html><body>alt</body></html>",
    "STYLED-DESCRIPTION;VALUE=TEXT;FMTTYPE=text/html:<b>alt</b>",
    "STYLED-DESCRIPTION;VALUE=URI:https://example.org/alt.html",
)


@pytest.mark.parametrize(("text", "shown"), [("neu", ["DESCRIPTION:neu"]), (None, [])])
def test_the_other_forms_of_a_description_go_with_the_old_text(text: str | None, shown: list[str]) -> None:
    """A program that shows them would show the old words, and bring them back with its next save."""
    todo = parse(caldav_calendar.ics("u", "SUMMARY:x", "DESCRIPTION;DERIVED=TRUE:alt", *FORMS))
    assert todo is not None
    records.write(todo, {"SUMMARY": "y"})
    assert [str(each) for each in todo.properties if "alt" in str(each)] == ["DESCRIPTION;DERIVED=TRUE:alt", *FORMS]
    records.write(todo, {"DESCRIPTION": text})
    assert [str(each) for each in todo.properties if "DESC" in each.name] == shown


# ---- a task that says by COMPLETED alone that it is done ---------------------------------------------------------


def test_a_task_that_is_completed_without_a_status_is_done_elsewhere(
    mirror: Mirror, rathaus: Desk, entwicklung: Desk
) -> None:
    rathaus.adds("Netz", "COMPLETED:20261101T100000Z", "PERCENT-COMPLETE:100")
    rathaus.adds("Offen", "PERCENT-COMPLETE:100")
    mirror.begins()
    done = entwicklung.task("Netz")
    assert (done["STATUS"], done["COMPLETED"]) == ("COMPLETED", "20261101T110000Z")
    assert entwicklung.task("Offen")["STATUS"] == "NEEDS-ACTION"
    mirror.rests()
    entwicklung.edits("Netz", "STATUS:NEEDS-ACTION", clear="COMPLETED PERCENT-COMPLETE")
    mirror.sync()
    assert (rathaus.task("Netz").get("STATUS"), rathaus.task("Netz").get("COMPLETED")) == ("NEEDS-ACTION", "")
    mirror.rests()


STAMP = "COMPLETED:20261101T100000Z"


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ([STAMP], "COMPLETED"),
        ([STAMP, "STATUS:IN-PROCESS"], "IN-PROCESS"),
        ([STAMP, "STATUS:"], "COMPLETED"),
        (["COMPLETED:"], None),
        (["PERCENT-COMPLETE:100"], None),
    ],
)
def test_without_a_status_the_time_of_completion_says_it(lines: list[str], status: str | None) -> None:
    """RFC 5545, 3.8.2.1. A progress of 100 is what an assignee reports of their portion (3.8.1.8)."""
    todo = parse(caldav_calendar.ics("u", *lines))
    assert todo is not None
    assert records.read(todo)[0]["STATUS"] == status


@pytest.mark.parametrize(
    ("lines", "fields", "after"),
    [
        ([], {"COMPLETED": "2026-11-01T10:00:00+00:00"}, ["STATUS:NEEDS-ACTION", STAMP]),
        ([STAMP], {"COMPLETED": None}, ["STATUS:COMPLETED"]),
        ([STAMP], {"COMPLETED": None, "STATUS": "NEEDS-ACTION"}, ["STATUS:NEEDS-ACTION"]),
        ([STAMP], {"PERCENT-COMPLETE": 100}, ["PERCENT-COMPLETE:100", STAMP]),
        (["STATUS:CANCELLED"], {"COMPLETED": "2026-11-01T10:00:00+00:00"}, ["STATUS:CANCELLED", STAMP]),
        ([], {"COMPLETED": None}, []),
    ],
)
def test_a_status_that_nobody_wrote_does_not_change_with_the_time_of_completion(
    lines: list[str], fields: dict[str, Native], after: list[str]
) -> None:
    todo = parse(caldav_calendar.ics("u", *lines))
    assert todo is not None
    records.write(todo, fields)
    assert sorted(str(each) for each in todo.properties if each.name not in ("UID", "DTSTAMP")) == sorted(after)


# ---- costs -----------------------------------------------------------------------------------------------------


class Counted(list[int]):
    """The lines of a component, and how often somebody went through them."""

    walks = 0

    def __iter__(self) -> Iterator[int]:
        Counted.walks += 1
        return super().__iter__()


def test_a_long_task_is_not_read_once_for_each_of_its_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    block = ics._Block
    monkeypatch.setattr(ics, "_Block", lambda name, start: block(name, start, own=Counted()))
    walks = []
    for people in (1, 100):
        Counted.walks = 0
        assert parse(caldav_calendar.ics("u", *[f"ATTENDEE:mailto:p{n}@example.org" for n in range(people)]))
        walks.append(Counted.walks)
    assert walks[0] == walks[1] > 0


class Names(dict[str, str]):
    """The names of objects, and how often one was noted here."""

    noted = 0

    def __setitem__(self, name: str, uid: str) -> None:
        self.noted += 1
        super().__setitem__(name, uid)


def test_the_names_of_objects_are_not_copied_for_each_object(
    radicale: Radicale, monkeypatch: pytest.MonkeyPatch
) -> None:
    calendar, names = Calendar(radicale), Names()
    connector = calendar.ready()
    for number in range(5):
        calendar.put(f"u-{number}", "SUMMARY:Netz", name=f"n{number}.ics")
    monkeypatch.setattr(caldav, "opened", lambda cursor: (cursor or "", names))
    changes = connector.pull(None, {})
    assert names.noted == 5
    assert changes.cursor is not None
    assert all(f'"n{number}.ics": "u-{number}"' in changes.cursor for number in range(5))


def test_no_more_threads_write_at_once_than_the_host_bears(radicale: Radicale) -> None:
    """Nextcloud on SQLite answers 500 to the second (facts: nextcloud, preface): the engine never does that."""
    calendar: Any = Calendar(radicale)
    connector = calendar.ready(writes=2)
    room = threading.BoundedSemaphore(2)

    def narrow(method: str, url: str, send: Send) -> requests.Response:
        if method != "PUT":
            return send()
        if not room.acquire(blocking=False):
            return says(500, "database is locked")
        try:
            return send()
        finally:
            room.release()

    tamper(connector, narrow)
    ConnectorContract().test_several_threads_may_write_at_once(calendar, connector)


# ---- the way to a calendar ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def town() -> Iterator[Radicale]:
    """A server on which somebody shares calendars as Nextcloud does: with another title, and at another address."""
    with Radicale() as server:
        server.calendar("eigene", "Eigene Aufgaben")
        server.calendar("aufgaben_shared_by_berta", "Aufgaben (Berta Meier (Amt 61))")
        server.calendar("alt_shared_by_berta", "Bau (alt) (Berta Meier (Amt 61))")
        server.calendar("netz_shared_by_berta", "Netz (Berta)")
        server.calendar("netz_shared_by_carla", "Netz (Carla)")
        server.calendar("plan_shared_by_carla", "Plan (Carla)")
        server.calendar("plan", "Plan")
        server.calendar("skizze-1", "Skizze (Carla)")
        yield server


def to(server: Radicale, collection: str, path: str = "/") -> CalDavConnector:
    return CalDavConnector(Access("rathaus", server.url + path, server.user, server.password, collection=collection))


@pytest.mark.parametrize(
    ("name", "path", "found"),
    [
        ("Aufgaben", "/", "aufgaben_shared_by_berta"),
        ("aufgaben ", "/anna/", "aufgaben_shared_by_berta"),
        ("Aufgaben", "/anna/aufgaben_shared_by_berta/", "aufgaben_shared_by_berta"),
        ("Aufgaben (Berta Meier (Amt 61))", "/", "aufgaben_shared_by_berta"),
        ("Bau (alt)", "/", "alt_shared_by_berta"),
        ("Netz (Carla)", "/", "netz_shared_by_carla"),
        ("Plan", "/", "plan"),
        ("Plan", "/anna/plan_shared_by_carla/", "plan_shared_by_carla"),
    ],
)
def test_a_calendar_that_somebody_shares_is_found_by_its_own_title(
    town: Radicale, name: str, path: str, found: str
) -> None:
    assert to(town, name, path).identify().collection == f"/anna/{found}/"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Netz", "several calendars “Netz”: .*/anna/netz_shared_by_berta/, /anna/netz_shared_by_carla/"),
        ("Bau", "has no calendar “Bau”"),
        ("Skizze", "has no calendar “Skizze”"),
    ],
)
def test_what_is_shared_is_not_guessed(town: Radicale, name: str, said: str) -> None:
    with pytest.raises(NotACollection, match=said):
        to(town, name).identify()


def forbids(connector: CalDavConnector, *paths: str, **moved: str) -> CalDavConnector:
    """Something in front of the server forbids these paths, and knows the well-known address if that is moved."""

    def front(method: str, url: str, send: Send) -> requests.Response:
        path = urlsplit(url).path or "/"
        if path == "/.well-known/caldav" and moved:
            return says(301, Location=moved["to"])
        return says(403, "<html>Forbidden</html>", Content_Type="text/html") if path in paths else send()

    tamper(connector, front)
    return connector


def test_a_root_that_is_forbidden_does_not_hide_the_well_known_address(town: Radicale) -> None:
    """RFC 6764, section 6: that is where one begins who knows no more than the host."""
    assert forbids(to(town, "Plan"), "/", to="/anna/").identify().collection == "/anna/plan/"
    with pytest.raises(NotACollection, match=r"has no calendar “Flan”; there are: .*Plan"):
        forbids(to(town, "Flan"), "/", to="/anna/").identify()


def test_a_forbidden_address_is_said_where_nothing_else_is_found(town: Radicale) -> None:
    with pytest.raises(Forbidden, match="forbids PROPFIND on /: check the rights"):
        forbids(to(town, "Plan"), "/", "/.well-known/caldav").identify()
    with pytest.raises(Forbidden, match="forbids PROPFIND on /anna/: check the rights"):
        forbids(to(town, "Plan"), "/anna/").identify()


def test_an_address_of_somebody_elses_leads_to_no_calendar_of_ours(town: Radicale) -> None:
    """ "Plan" at an address of Berta's is not the "Plan" of ours that the well-known address would lead to."""
    with pytest.raises(Forbidden, match="forbids PROPFIND on /berta/"):
        to(town, "Plan", "/berta/").identify()


def test_a_well_known_address_that_is_forbidden_is_one_that_is_not_there(town: Radicale) -> None:
    """Many servers forbid everything that begins with a dot."""
    with pytest.raises(NotACollection, match="There is no calendar at /anna/nix/"):
        forbids(to(town, "Plan", "/anna/nix/"), "/.well-known/caldav").identify()


def test_a_place_that_the_well_known_address_leads_to_may_forbid_us(town: Radicale) -> None:
    with pytest.raises(Forbidden, match="forbids PROPFIND on /berta/"):
        forbids(to(town, "Plan", "/anna/nix/"), to="/berta/").identify()
