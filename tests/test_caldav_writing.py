"""Writing to a real Radicale, and to servers that answer as Nextcloud was measured to: nothing lost, nothing twice."""

from __future__ import annotations

import pytest
import requests

from connectors.base import Alive, Gone, Hidden, Moved, Ref
from connectors.caldav import CalDavConnector
from connectors.errors import (
    Lost,
    NotACollection,
    NotFound,
    PlatformError,
    Rejected,
    Transient,
    Unauthorized,
    VersionMismatch,
)
from connectors.testing import find, shown
from tests.caldav_calendar import Calendar, Send, says, tamper
from tests.radicale_server import Radicale
from tests.test_caldav_records import NASTY, lines_of

pytestmark = pytest.mark.radicale


@pytest.fixture
def calendar(radicale: Radicale) -> Calendar:
    return Calendar(radicale)


@pytest.fixture
def connector(calendar: Calendar) -> CalDavConnector:
    return calendar.ready()


def answer_writes(connector: CalDavConnector, status: int, body: str = "") -> None:
    """Let the server refuse every PUT and DELETE like this."""
    writes = ("PUT", "DELETE")
    tamper(connector, lambda method, url, send: says(status, body) if method in writes else send())


# ---- creating -------------------------------------------------------------------------------------------------


def test_a_new_task_lies_under_its_mark(calendar: Calendar, connector: CalDavConnector) -> None:
    start = connector.requests
    record = connector.create({"SUMMARY": "eins"}, "sb-1")
    assert connector.requests - start == 1
    assert (record.ref.native_id, record.mark) == ("sb-1", "sb-1")
    assert record.url == f"{calendar.server.url}{calendar.path}sb-1.ics"
    text = calendar.server.get(f"{calendar.path}sb-1.ics")
    for line in ("UID:sb-1", "SUMMARY:eins", "SEQUENCE:0", "DTSTAMP:", "CREATED:", "LAST-MODIFIED:"):
        assert f"\n{line}" in text


@pytest.mark.parametrize("mark", ["a/b", "../x", "mit blank", "ü", "x" * 300, ".punkt"])
def test_a_mark_that_is_no_file_name_still_makes_one_record(connector: CalDavConnector, mark: str) -> None:
    first = connector.create({"SUMMARY": "eins"}, mark)
    again = connector.create({"SUMMARY": "eins"}, mark)
    assert first.ref == again.ref
    assert first.ref.native_id == connector.id_of(mark)
    assert len(connector.pull(None, {}).records) == 1


def test_a_create_whose_answer_is_lost_is_lost_and_found(calendar: Calendar, connector: CalDavConnector) -> None:
    def lose(method: str, url: str, send: Send) -> requests.Response:
        answer = send()
        if method == "PUT":
            raise requests.ConnectionError("reset")
        return answer

    tamper(connector, lose)
    with pytest.raises(Lost):
        connector.create({"SUMMARY": "eins"}, "sb-1")
    fresh = calendar.ready()
    assert isinstance(fresh.probe(Ref("", fresh.id_of("sb-1"))), Alive)
    assert shown(fresh.create({"SUMMARY": "eins"}, "sb-1"))["SUMMARY"] == "eins"
    assert len(fresh.pull(None, {}).records) == 1


def test_a_created_task_that_was_renamed_is_not_made_again(calendar: Calendar, connector: CalDavConnector) -> None:
    made = connector.create({"SUMMARY": "eins"}, "sb-1")
    destination = {"Destination": f"{calendar.server.url}{calendar.path}neu.ics"}
    assert calendar.server.request("MOVE", f"{calendar.path}sb-1.ics", headers=destination).ok
    assert calendar.ready().create({"SUMMARY": "eins"}, "sb-1").ref == made.ref
    assert len(connector.pull(None, {}).records) == 1


def test_a_put_without_an_etag_is_read_back(connector: CalDavConnector) -> None:
    """Facts: nextcloud, section 8: what the server repaired is answered without ETag."""

    def forget(method: str, url: str, send: Send) -> requests.Response:
        answer = send()
        if method == "PUT":
            del answer.headers["ETag"]
        return answer

    tamper(connector, forget)
    start = connector.requests
    record = connector.create({"SUMMARY": "eins"}, "sb-1")
    assert connector.requests - start == 2
    assert record.version == find(connector, "sb-1").version


def test_a_read_back_that_fails_is_lost(connector: CalDavConnector) -> None:
    def forget(method: str, url: str, send: Send) -> requests.Response:
        if method == "GET":
            return says(500)
        answer = send()
        answer.headers.pop("ETag", None)
        return answer

    tamper(connector, forget)
    with pytest.raises(Lost):
        connector.create({"SUMMARY": "eins"}, "sb-1")


# ---- updating -------------------------------------------------------------------------------------------------


def test_nothing_but_the_named_field_changes_on_the_server(calendar: Calendar, connector: CalDavConnector) -> None:
    calendar.server.put(f"{calendar.path}nasty-1.ics", NASTY.replace("\n", "\r\n").replace("PRIVATE", "PUBLIC"))
    before = lines_of(calendar.server.get(f"{calendar.path}nasty-1.ics").encode())
    record = find(connector, "nasty-1")
    connector.update(record.ref, {"SUMMARY": "Neu", "STATUS": "COMPLETED"}, record.version)
    after = lines_of(calendar.server.get(f"{calendar.path}nasty-1.ics").encode())
    stamps = ("DTSTAMP", "LAST-MODIFIED", "SEQUENCE", "SUMMARY", "STATUS")
    assert [line for line in before if not line.startswith(stamps)] == [
        line for line in after if not line.startswith(stamps)
    ]
    assert {"SUMMARY;LANGUAGE=de:Neu", "STATUS:COMPLETED", "SEQUENCE:8"} <= set(after)
    assert {"SUMMARY:Ausnahme", "SUMMARY:Nicht die Aufgabe"} <= set(after)


def test_an_update_after_a_pull_is_one_request(calendar: Calendar, connector: CalDavConnector) -> None:
    record = find(connector, calendar.add("eins"))
    start = connector.requests
    record = connector.update(record.ref, {"SUMMARY": "zwei"}, record.version)
    connector.update(record.ref, {"SUMMARY": "drei"}, record.version)
    assert connector.requests - start == 2
    fresh = calendar.ready()
    record = find(connector, record.ref.native_id)
    start = fresh.requests
    fresh.update(record.ref, {"SUMMARY": "vier"}, record.version)
    assert fresh.requests - start == 2


def test_an_edit_between_our_read_and_our_write_is_not_overwritten(
    calendar: Calendar, connector: CalDavConnector
) -> None:
    record = find(connector, calendar.add("eins"))
    edits = iter(["von Hand"])

    def meanwhile(method: str, url: str, send: Send) -> requests.Response:
        if method == "PUT":
            for title in edits:
                calendar.edit(record.ref.native_id, "SUMMARY", title)
        return send()

    tamper(connector, meanwhile)
    with pytest.raises(VersionMismatch) as failure:
        connector.update(record.ref, {"SUMMARY": "von uns"}, record.version)
    assert shown(failure.value.record)["SUMMARY"] == "von Hand"  # type: ignore[arg-type]


def test_a_deletion_between_our_read_and_our_write_is_not_undone(
    calendar: Calendar, connector: CalDavConnector
) -> None:
    record = find(connector, calendar.add("eins"))
    calendar.remove(record.ref.native_id)
    with pytest.raises(NotFound):
        connector.update(record.ref, {"SUMMARY": "von uns"}, record.version)
    assert connector.pull(None, {}).present == frozenset()


def test_a_text_kept_from_an_older_version_is_not_written_back(calendar: Calendar, connector: CalDavConnector) -> None:
    uid = calendar.add("eins")
    find(connector, uid)
    calendar.edit(uid, "DESCRIPTION", "von Hand")
    newer = find(calendar.ready(), uid)
    written = connector.update(newer.ref, {"SUMMARY": "zwei"}, newer.version)
    assert shown(written)["DESCRIPTION"] == "von Hand"


def test_the_time_of_our_own_write_is_the_servers(calendar: Calendar, connector: CalDavConnector) -> None:
    record = find(connector, calendar.add("eins"))
    written = connector.update(record.ref, {"SUMMARY": "zwei"}, record.version)
    read = find(calendar.ready(), record.ref.native_id)
    assert written.modified_at is not None
    assert read.modified_at is not None
    assert 0 <= written.modified_at - read.modified_at <= 1


def test_an_etag_that_a_web_server_decorated_is_sent_back_plain(calendar: Calendar) -> None:
    uid = calendar.add("eins")
    connector = calendar.ready()

    def decorate(method: str, url: str, send: Send) -> requests.Response:
        answer = send()
        if method == "GET":
            answer.headers["ETag"] = "W/" + answer.headers["ETag"][:-1] + '-gzip"'
        return answer

    tamper(connector, decorate)
    record = find(connector, uid)
    assert shown(connector.update(record.ref, {"SUMMARY": "zwei"}, record.version))["SUMMARY"] == "zwei"


def test_a_date_beside_a_moment_is_written_as_a_moment(calendar: Calendar, connector: CalDavConnector) -> None:
    calendar.put("u1", "DTSTART;TZID=Europe/Berlin:20261101T090000")
    record = find(connector, "u1")
    record = connector.update(record.ref, {"DUE": "2026-12-01"}, record.version)
    assert shown(record)["DUE"] == "2026-12-01T11:00:00+00:00"
    assert connector.normalises("DUE", "2026-12-01", shown(record)["DUE"])
    assert find(calendar.ready(), "u1").fields == record.fields


def test_a_record_that_cannot_be_read_is_not_written(calendar: Calendar, connector: CalDavConnector) -> None:
    calendar.put("u1", "PRIORITY:hoch", "SUMMARY:alt")
    record = find(connector, "u1")
    connector.update(record.ref, {"PRIORITY": 1}, record.version)
    assert shown(find(connector, "u1"))["PRIORITY"] == 1


# ---- refusals -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (400, "Calendar object validation failed", Rejected, "refuses PUT"),
        (413, "", Rejected, "413"),
        (415, "Validation error in iCalendar", Rejected, "Validation error"),
        (403, '<d:error xmlns:C="urn:ietf:params:xml:ns:caldav"><C:valid-calendar-data/>', Rejected, "valid-calendar"),
        (403, "", Unauthorized, "RATHAUS_USER"),
        (401, "", Unauthorized, "RATHAUS_PASSWORD"),
        (423, "", Transient, "423"),
        (500, "SQLSTATE[HY000]: database is locked", Transient, "database is locked"),
        (500, "UNIQUE constraint failed: oc_calendarobjects", Rejected, "trash bin"),
        (502, "", Lost, "whether it was carried out is unknown"),
        (507, "", Transient, "507"),
    ],
)
def test_a_refused_create_is_said_in_words(
    connector: CalDavConnector, status: int, body: str, kind: type[PlatformError], words: str
) -> None:
    answer_writes(connector, status, body)
    with pytest.raises(kind, match=words) as failure:
        connector.create({"SUMMARY": "eins"}, "sb-1")
    assert isinstance(failure.value, Lost) == (kind is Lost)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (403, "<C:supported-calendar-component/>", Rejected),
        (409, "<C:no-uid-conflict/>", Rejected),
        (415, "", Rejected),
        (500, "database is locked", Transient),
        (504, "", Lost),
        (404, "", VersionMismatch),  # the server lies: the task is there, so it is read again
    ],
)
def test_a_refused_update_is_said_in_words(
    calendar: Calendar, connector: CalDavConnector, status: int, body: str, kind: type[PlatformError]
) -> None:
    record = find(connector, calendar.add("eins"))
    answer_writes(connector, status, body)
    with pytest.raises(kind):
        connector.update(record.ref, {"SUMMARY": "zwei"}, record.version)


def test_a_locked_database_answered(connector: CalDavConnector) -> None:
    answer_writes(connector, 500, "database is locked")
    with pytest.raises(Transient) as failure:
        connector.create({"SUMMARY": "eins"}, "sb-1")
    assert failure.value.answered


def test_an_unknown_field_is_refused_before_anything_is_sent(connector: CalDavConnector) -> None:
    start = connector.requests
    with pytest.raises(Rejected, match="LOCATION"):
        connector.create({"LOCATION": "Rathaus"}, "sb-1")
    assert connector.requests == start


def test_a_read_only_calendar_says_so_and_refuses(radicale: Radicale) -> None:
    radicale.share_read_only("leserecht", "Nur lesen")
    access = Calendar(radicale).access(url=f"{radicale.url}/{radicale.user}/leserecht/")
    connector = CalDavConnector(access)
    assert not connector.identify().writable
    with pytest.raises(Unauthorized):
        connector.create({"SUMMARY": "eins"}, "sb-1")


# ---- what became of a record ----------------------------------------------------------------------------------


def test_a_task_that_lives_on_in_another_calendar_has_moved(calendar: Calendar, connector: CalDavConnector) -> None:
    """Whether it is a move or a copy of one file, only the engine can tell: from what it has linked there (R19)."""
    other = Calendar(calendar.server)
    for each in (calendar, other):
        each.put("moved-1", "SUMMARY:aus einer Datei")
    record = find(connector, "moved-1")
    calendar.remove("moved-1")
    answer = connector.probe(record.ref)
    assert isinstance(answer, Moved)
    assert answer.collection == other.path
    assert isinstance(other.ready().probe(record.ref), Alive)


def test_a_renamed_task_is_alive(calendar: Calendar, connector: CalDavConnector) -> None:
    record = find(connector, calendar.add("eins"))
    uid = record.ref.native_id
    destination = {"Destination": f"{calendar.server.url}{calendar.path}neu.ics"}
    assert calendar.server.request("MOVE", f"{calendar.path}{uid}.ics", headers=destination).ok
    for each in (connector, calendar.ready()):
        answer = each.probe(record.ref)
        assert isinstance(answer, Alive)
        assert answer.record.ref == record.ref


def test_an_event_in_the_place_of_a_task_is_not_the_task(calendar: Calendar) -> None:
    mixed = Calendar(calendar.server, components=None)
    uid = mixed.add("eins")
    record = find(mixed.ready(), uid)
    mixed.remove(uid)
    mixed.put(uid, "SUMMARY:Termin", "DTSTART:20261201T110000Z", kind="VEVENT")
    assert mixed.ready().probe(record.ref) == Gone()


def test_what_may_not_be_read_is_hidden(calendar: Calendar, connector: CalDavConnector) -> None:
    record = find(connector, calendar.add("eins"))
    tamper(connector, lambda method, url, send: says(403) if method == "GET" else send())
    assert connector.probe(record.ref) == Hidden()


def test_a_missing_calendar_proves_nothing_about_its_tasks(calendar: Calendar, connector: CalDavConnector) -> None:
    record = find(connector, calendar.add("eins"))
    calendar.server.delete(calendar.path)
    assert connector.probe(record.ref) == Hidden()
    with pytest.raises(NotACollection, match="RATHAUS_COLLECTION"):
        connector.create({"SUMMARY": "zwei"}, "sb-1")


def test_a_lost_sign_in_proves_nothing(calendar: Calendar, connector: CalDavConnector) -> None:
    record = find(connector, calendar.add("eins"))
    tamper(connector, lambda method, url, send: says(401))
    with pytest.raises(Unauthorized):
        connector.probe(record.ref)


def test_a_server_that_cannot_search_by_uid_still_proves_a_deletion(
    calendar: Calendar, connector: CalDavConnector
) -> None:
    record = find(connector, calendar.add("eins"))
    calendar.remove(record.ref.native_id)
    tamper(connector, lambda method, url, send: says(501) if method == "REPORT" else send())
    with pytest.raises(PlatformError):
        connector.probe(record.ref)
    other = calendar.ready()
    tamper(other, lambda method, url, send: says(415) if method == "REPORT" else send())
    assert other.probe(record.ref) == Gone()


# ---- how many at once -----------------------------------------------------------------------------------------


def test_writes_in_flight_follow_setting_and_server(calendar: Calendar, connector: CalDavConnector) -> None:
    assert connector.abilities.writes == 8
    assert calendar.ready(writes=3).abilities.writes == 3
