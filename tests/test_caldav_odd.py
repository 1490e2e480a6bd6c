"""Odd things that real calendars hold: seen at the right size, none of them stops a calendar or kills a task (R27)."""

from __future__ import annotations

import pytest

from connectors.base import Alive, OutOfScope, Ref
from connectors.caldav import CalDavConnector, records
from connectors.caldav.ics import parse
from connectors.caldav.objects import Body, Objects
from connectors.errors import Transient
from tests.caldav_calendar import Calendar, ics
from tests.radicale_server import Radicale

pytestmark = pytest.mark.radicale

OUTLOOK = "040000008200E00074C5B7101A82E008" + "0" * 80
"""A UID as Outlook makes them: longer than a line of iCalendar text may be."""


@pytest.fixture
def calendar(radicale: Radicale) -> Calendar:
    return Calendar(radicale)


@pytest.fixture
def connector(calendar: Calendar) -> CalDavConnector:
    return calendar.ready()


def test_a_task_with_a_web_page_in_it_is_no_web_page(calendar: Calendar, connector: CalDavConnector) -> None:
    """Outlook keeps its own form of the text beside ours."""
    first = connector.pull(None, {})
    calendar.put("netz", "SUMMARY:Netz", "X-ALT-DESC;FMTTYPE=text/html:<html><body>Text</body></html>")
    (record,) = connector.pull(first.cursor, {}).records
    assert record.fields is not None
    assert record.fields["SUMMARY"] == "Netz"


@pytest.mark.parametrize("uid", [OUTLOOK, "kurz"])
def test_a_task_that_stops_to_parse_is_still_there(calendar: Calendar, connector: CalDavConnector, uid: str) -> None:
    calendar.put(uid, "SUMMARY:Netz")
    first = connector.pull(None, {})
    calendar.put(uid, "SUMMARY:Netz", "PRIORITY:hoch")
    (record,) = connector.pull(first.cursor, {}).records
    assert record.ref.native_id == uid
    assert record.problem
    (record,) = connector.pull(None, {}).records
    assert record.ref.native_id == uid
    probe = connector.probe(Ref(record.ref.instance, uid))
    assert isinstance(probe, Alive)
    assert probe.record.problem


def test_the_uid_of_an_alarm_is_not_the_tasks(calendar: Calendar, connector: CalDavConnector) -> None:
    alarm = ("BEGIN:VALARM", "UID:wecker", "ACTION:DISPLAY", "DESCRIPTION:x", "TRIGGER:-PT5M", "END:VALARM")
    calendar.put("netz", *alarm, "SUMMARY:Netz", "PRIORITY:hoch")
    (record,) = connector.pull(None, {}).records
    assert record.ref.native_id == "netz"


@pytest.mark.parametrize(
    "line",
    [
        "DTSTART;TZID=Europe/Berlin:00010101T000000",
        "DUE;TZID=America/New_York:99991231T235959",
    ],
)
def test_a_date_at_the_edge_of_the_calendar_stops_nothing(
    calendar: Calendar, connector: CalDavConnector, line: str
) -> None:
    calendar.put("rand", "SUMMARY:Rand", line)
    calendar.put("netz", "SUMMARY:Netz")
    found = {record.ref.native_id: record for record in connector.pull(None, {}).records}
    assert found["netz"].fields
    assert found["rand"].fields or found["rand"].problem


def test_a_day_of_the_first_centuries_has_four_digits(calendar: Calendar, connector: CalDavConnector) -> None:
    calendar.put("alt", "SUMMARY:Alt", "DUE;VALUE=DATE:20260101")
    (record,) = connector.pull(None, {}).records
    after = connector.update(record.ref, {"DUE": "0801-12-25"}, record.version)
    assert after.fields is not None
    assert after.fields["DUE"] == "0801-12-25"


@pytest.mark.parametrize("label", ["PRIVATE", "CONFIDENTIAL", "private"])
def test_what_its_owner_keeps_private_is_not_shown_to_the_bridge(
    calendar: Calendar, connector: CalDavConnector, label: str
) -> None:
    """“When shared, hide this event”: a copy elsewhere would be there for all to read."""
    calendar.put("netz", "SUMMARY:Netz")
    first = connector.pull(None, {})
    calendar.put("netz", "SUMMARY:Personalgespräch", f"CLASS:{label}")
    (record,) = connector.pull(first.cursor, {}).records
    assert record.fields is None
    assert isinstance(connector.probe(record.ref), OutOfScope)
    whole = connector.pull(None, {})
    assert (whole.records, whole.present) == ((), frozenset())
    calendar.put("netz", "SUMMARY:Netz", "CLASS:PUBLIC")
    assert isinstance(connector.probe(record.ref), Alive)


def test_a_connector_that_is_marked_as_fit_is_shown_what_is_private(calendar: Calendar) -> None:
    connector = calendar.ready(confidential=True)
    calendar.put("netz", "SUMMARY:Personalgespräch", "CLASS:PRIVATE")
    (record,) = connector.pull(None, {}).records
    assert record.fields is not None
    assert record.fields["CLASS"] == "PRIVATE"
    assert isinstance(connector.probe(record.ref), Alive)


def test_one_object_that_the_server_does_not_hand_out_stops_nothing(
    calendar: Calendar, connector: CalDavConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = connector.pull(None, {})
    calendar.put("netz", "SUMMARY:Netz")
    calendar.put("bad", "SUMMARY:Schlecht")
    right = Objects.get

    def spoilt(objects: Objects, name: str) -> Body | None:
        if name == "bad.ics":
            raise Transient("The server failed (500).")
        return right(objects, name)

    monkeypatch.setattr(Objects, "get", spoilt)
    monkeypatch.setattr(Objects, "_multiget", lambda *_: iter(()))
    found = {record.ref.native_id: record for record in connector.pull(first.cursor, {}).records}
    assert found["netz"].fields
    assert found["bad"].problem


def test_a_zone_whose_clocks_change_every_second_is_no_zone(calendar: Calendar, connector: CalDavConnector) -> None:
    zone = (
        "BEGIN:VTIMEZONE\r\nTZID:Boese\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nRRULE:FREQ=SECONDLY\r\n"
        "TZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
    )
    text = ics("netz", "SUMMARY:Netz", "DUE;TZID=Boese:20261201T120000").replace("BEGIN:VTODO", zone + "BEGIN:VTODO")
    todo = parse(text)
    assert todo is not None
    fields, _ = records.read(todo)
    assert fields["DUE"] == "2026-12-01T12:00:00"
