"""The CalDAV connector on a real Radicale: the contract, reading, and every trap that was measured on the way."""

from __future__ import annotations

import shutil
import time
from urllib.parse import quote

import pytest
import requests

from connectors.base import Changes, Record
from connectors.caldav import CalDavConnector
from connectors.errors import CursorExpired, NotACollection, Transient, Unauthorized
from connectors.http import moment
from connectors.testing import ConnectorContract, find, shown, versions_of
from tests.caldav_calendar import Calendar, Send, edited, ics, says, tamper
from tests.radicale_server import Radicale

pytestmark = pytest.mark.radicale


@pytest.fixture
def calendar(radicale: Radicale) -> Calendar:
    return Calendar(radicale)


@pytest.fixture
def connector(calendar: Calendar) -> CalDavConnector:
    return calendar.ready()


class TestContract(ConnectorContract):
    @pytest.fixture
    def platform(self, calendar: Calendar) -> Calendar:
        return calendar


class TestContractInACalendarWithEvents(ConnectorContract):
    """The same where events lie beside the tasks and the server does not say what the calendar is for."""

    @pytest.fixture
    def platform(self, radicale: Radicale) -> Calendar:
        calendar = Calendar(radicale, components=None)
        calendar.put("termin", "SUMMARY:Sitzung", "DTSTART:20261201T110000Z", kind="VEVENT")
        return calendar


class TestContractWithoutDeltas(ConnectorContract):
    """The same on a server that knows no sync-collection."""

    @pytest.fixture
    def platform(self, radicale: Radicale) -> Calendar:
        return WithoutDeltas(radicale)


class WithoutDeltas(Calendar):
    expired_cursor = None  # type: ignore[assignment]

    def connect(self) -> CalDavConnector:
        connector = CalDavConnector(self.access())
        tamper(connector, lambda method, url, send: _without_deltas(method, send))
        return connector


def _without_deltas(method: str, send: Send) -> requests.Response:
    answer = send()
    return says(415) if method == "REPORT" and b"sync-collection" in asked(answer) else answer


def asked(answer: requests.Response) -> bytes:
    """The body of the request that was answered."""
    body = answer.request.body
    return body if isinstance(body, bytes) else b""


def by_id(changes: Changes) -> dict[str, Record]:
    return {record.ref.native_id: record for record in changes.records}


def spent(connector: CalDavConnector, since: int) -> int:
    return connector.requests - since


# ---- what a pull costs ----------------------------------------------------------------------------------------


def test_a_quiet_pass_is_one_report(calendar: Calendar, connector: CalDavConnector) -> None:
    calendar.add("eins")
    cursor = connector.pull(None, {}).cursor
    fresh = CalDavConnector(calendar.access())
    methods: list[str] = []

    def count(method: str, url: str, send: Send) -> requests.Response:
        methods.append(method)
        return send()

    tamper(fresh, count)
    fresh.identify(connector.memory())
    fresh.pull(cursor, {})
    assert methods == ["REPORT"]


def test_one_change_costs_two_requests(calendar: Calendar, connector: CalDavConnector) -> None:
    uid = calendar.add("eins")
    before = connector.pull(None, {})
    calendar.edit(uid, "SUMMARY", "zwei")
    start = connector.requests
    assert set(by_id(connector.pull(before.cursor, versions_of(before)))) == {uid}
    assert spent(connector, start) == 2


def test_many_changes_are_read_a_hundred_at_a_time(calendar: Calendar, connector: CalDavConnector) -> None:
    whole = "".join(ics(f"u{n}", f"SUMMARY:Aufgabe {n}").replace("\r\nEND:VCALENDAR\r\n", "") for n in range(105))
    blocks = [block[block.index("BEGIN:VTODO") :] for block in whole.split("BEGIN:VCALENDAR")[1:]]
    calendar.server.put(
        calendar.path, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n" + "\r\n".join([*blocks, "END:VCALENDAR", ""])
    )
    start = connector.requests
    changes = connector.pull(None, {})
    assert len(changes.records) == 105
    assert spent(connector, start) == 1 + 2 + 1  # the report, two multigets, and the times
    assert all(record.modified_at and record.modified_at > time.time() - 600 for record in changes.records)
    start = connector.requests
    assert connector.pull(None, versions_of(changes)).present == changes.present
    assert spent(connector, start) == 1


# ---- when something was changed -------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 3, 12])
def test_the_time_of_a_change_is_the_servers_not_the_clients(calendar: Calendar, count: int) -> None:
    for number in range(count):
        calendar.put(f"u{number}", "LAST-MODIFIED:20200101T000000Z", "SUMMARY:alt")
    told = moment(calendar.server.request("GET", f"{calendar.path}u0.ics").headers["Last-Modified"])
    changes = by_id(calendar.ready().pull(None, {}))
    assert len(changes) == count
    assert changes["u0"].modified_at == told
    assert told is not None
    assert abs(told - time.time()) < 600


def test_without_a_server_time_the_clients_is_taken(calendar: Calendar) -> None:
    calendar.put("u1", "LAST-MODIFIED:20200101T000000Z")
    calendar.put("u2")

    def forget(method: str, url: str, send: Send) -> requests.Response:
        answer = send()
        answer.headers.pop("Last-Modified", None)
        return answer

    connector = calendar.ready()
    tamper(connector, forget)
    changes = by_id(connector.pull(None, {}))
    assert changes["u1"].modified_at == 1577836800
    assert changes["u2"].modified_at == 1767225600  # its DTSTAMP


# ---- names of files -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["zufall.ics", "mit blank & ümlaut.ics", "100%.ics", "ohne-endung", "a+b@c.ics"])
def test_a_file_may_have_any_name(calendar: Calendar, connector: CalDavConnector, name: str) -> None:
    calendar.put("andere-uid", "SUMMARY:eins", name=quote(name, safe=""))
    first = connector.pull(None, {})
    (record,) = first.records
    assert record.ref.native_id == "andere-uid"
    fresh = CalDavConnector(calendar.access())
    fresh.identify(connector.memory())
    assert fresh.pull(first.cursor, versions_of(first)).records == ()
    record = fresh.update(record.ref, {"SUMMARY": "zwei"}, record.version)
    calendar.server.delete(f"{calendar.path}{quote(name, safe='')}")
    other = CalDavConnector(calendar.access())
    other.identify(connector.memory())
    (tombstone,) = other.pull(first.cursor, {}).records
    assert (tombstone.ref.native_id, tombstone.fields) == ("andere-uid", None)


def test_an_odd_name_is_found_without_a_pull(calendar: Calendar, connector: CalDavConnector) -> None:
    calendar.put("andere-uid", "SUMMARY:eins", name="zufall.ics")
    calendar.put("andere-uid-2", "SUMMARY:nicht ich", name="zufall-2.ics")
    record = find(connector, "andere-uid")
    fresh = calendar.ready()
    assert shown(fresh.update(record.ref, {"SUMMARY": "zwei"}, record.version))["SUMMARY"] == "zwei"
    record = find(connector, "andere-uid")
    calendar.ready().delete(record.ref, record.version)
    assert set(by_id(connector.pull(None, {}))) == {"andere-uid-2"}


def test_a_uid_may_hold_what_no_file_name_can(calendar: Calendar, connector: CalDavConnector) -> None:
    calendar.put("../ein/ß%20:uid@rathaus", "SUMMARY:eins", name="x.ics")
    record = find(connector, "../ein/ß%20:uid@rathaus")
    record = calendar.ready().update(record.ref, {"SUMMARY": "zwei"}, record.version)
    assert shown(record)["SUMMARY"] == "zwei"


def test_a_renamed_file_is_the_same_task(calendar: Calendar, connector: CalDavConnector) -> None:
    calendar.put("u1", "SUMMARY:eins")
    before = connector.pull(None, {})
    answer = calendar.server.request(
        "MOVE", f"{calendar.path}u1.ics", headers={"Destination": f"{calendar.server.url}{calendar.path}neu.ics"}
    )
    assert answer.ok
    after = connector.pull(before.cursor, {})
    assert shown(by_id(after)["u1"])["SUMMARY"] == "eins"
    assert [record for record in after.records if record.fields is None] == []


# ---- claims, gaps and nonsense --------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 12])
def test_a_false_claim_of_deletion_is_not_believed(calendar: Calendar, connector: CalDavConnector, count: int) -> None:
    """Facts: nextcloud, section 8: what was deleted and restored since the token is reported as 404."""
    uids = [calendar.add(f"a{number}") for number in range(count)]
    before = connector.pull(None, {})
    for uid in uids:
        calendar.edit(uid, "SUMMARY", "wieder da")

    def claim(method: str, url: str, send: Send) -> requests.Response:
        answer = send()
        if method != "REPORT" or b"sync-collection" not in asked(answer):
            return answer
        gone = "".join(
            f"<response><href>{calendar.path}{uid}.ics</href><status>HTTP/1.1 404 Not Found</status></response>"
            for uid in uids
        )
        token = answer.text[answer.text.index("<sync-token>") : answer.text.index("</sync-token>")]
        return says(207, f'<multistatus xmlns="DAV:">{token}</sync-token>{gone}</multistatus>')

    tamper(connector, claim)
    found = by_id(connector.pull(before.cursor, versions_of(before)))
    assert set(found) == set(uids)
    assert {shown(record)["SUMMARY"] for record in found.values()} == {"wieder da"}


def test_many_true_deletions_are_tombstones(calendar: Calendar, connector: CalDavConnector) -> None:
    uids = [calendar.add(f"a{number}") for number in range(13)]
    before = connector.pull(None, {})
    for uid in uids[1:]:
        calendar.remove(uid)
    after = connector.pull(before.cursor, {})
    assert {record.ref.native_id for record in after.records if record.fields is None} == set(uids[1:])


def test_events_are_not_ours(calendar: Calendar) -> None:
    mixed = Calendar(calendar.server, components=None)
    mixed.put("termin", "SUMMARY:Sitzung", "DTSTART:20261201T110000Z", kind="VEVENT")
    mixed.put("aufgabe", "SUMMARY:Protokoll")
    connector = mixed.ready()
    first = connector.pull(None, {})
    assert first.present == {"aufgabe"}
    mixed.put("termin-2", "SUMMARY:Sitzung", "DTSTART:20261201T110000Z", kind="VEVENT")
    mixed.put("notiz", "SUMMARY:Notiz", kind="VJOURNAL")
    second = connector.pull(first.cursor, versions_of(first))
    assert second.records == ()
    assert connector.pull(None, {}).present == {"aufgabe"}


def test_a_sweep_does_not_read_the_events(calendar: Calendar) -> None:
    mixed = Calendar(calendar.server, components=None)
    mixed.put("aufgabe", "SUMMARY:Protokoll")
    for number in range(3):
        mixed.put(f"termin-{number}", "SUMMARY:Sitzung", "DTSTART:20261201T110000Z", kind="VEVENT")
    connector = mixed.ready()
    known = versions_of(connector.pull(None, {}))
    start = connector.requests
    assert connector.pull(None, known).present == {"aufgabe"}
    assert spent(connector, start) == 2


def test_a_task_that_cannot_be_read_stops_nothing(calendar: Calendar) -> None:
    for number in range(12):
        calendar.put(f"u{number}", "SUMMARY:gut")
    calendar.put("schlecht", "SUMMARY:x", "PRIORITY:hoch")
    connector = calendar.ready()
    changes = connector.pull(None, {})
    found = by_id(changes)
    assert len(found) == 13
    assert "PRIORITY is no number: hoch" in found["schlecht"].problem
    assert found["schlecht"].fields == {}
    assert {record.problem for uid, record in found.items() if uid != "schlecht"} == {""}
    known = {uid: record.version for uid, record in found.items()}
    assert connector.pull(None, known).records == ()
    assert connector.pull(changes.cursor, known).records == ()
    calendar.put("schlecht", "SUMMARY:x", "PRIORITY:1")
    assert by_id(connector.pull(changes.cursor, known))["schlecht"].problem == ""


@pytest.mark.parametrize(
    ("old", "new", "native_id"),
    [
        ("SUMMARY:gut", "SUMMARY", "u1"),
        ("UID:u1\r\n", "", "u1.ics"),
        ("BEGIN:VTODO", "BEGIN:VTOD", "u1"),
        ("SUMMARY:gut", "DUE:bald", "u1"),
    ],
)
def test_broken_text_is_a_problem_of_this_record(calendar: Calendar, old: str, new: str, native_id: str) -> None:
    calendar.put("u1", "SUMMARY:gut")
    connector = calendar.ready()
    tamper(connector, lambda method, url, send: edited(send(), old, new) if method == "GET" else send())
    (record,) = connector.pull(None, {}).records
    assert record.ref.native_id == native_id
    assert "cannot be read" in record.problem
    assert record.fields == {}
    assert record.version


def test_what_a_multiget_leaves_out_is_read_by_itself(calendar: Calendar) -> None:
    """Facts: nextcloud, section 8: a missing address is silently absent."""
    for number in range(12):
        calendar.put(f"u{number}", "SUMMARY:gut")
    connector = calendar.ready()

    def leave_out(method: str, url: str, send: Send) -> requests.Response:
        answer = send()
        if method == "REPORT" and b"multiget" in asked(answer):
            text = answer.text
            start = text.index("<response>", text.index("u7.ics") - 60)
            answer._content = (text[:start] + text[text.index("</response>", start) + 11 :]).encode()
        return answer

    tamper(connector, leave_out)
    assert len(connector.pull(None, {}).records) == 12


def test_one_character_does_not_spoil_a_whole_multiget(calendar: Calendar) -> None:
    for number in range(12):
        calendar.put(f"u{number}", "SUMMARY:gut")
    connector = calendar.ready()

    def spoil(method: str, url: str, send: Send) -> requests.Response:
        answer = send()
        multiget = method == "REPORT" and b"multiget" in asked(answer)
        return edited(answer, "SUMMARY:gut", "SUMMARY:g\x07t") if multiget else answer

    tamper(connector, spoil)
    assert {shown(record)["SUMMARY"] for record in connector.pull(None, {}).records} == {"gut"}


def test_two_files_with_one_uid_are_said(calendar: Calendar, connector: CalDavConnector) -> None:
    calendar.put("u1", "SUMMARY:eins")
    (stored,) = calendar.server.folder.glob(f"data/collection-root{calendar.path}u1.ics")
    shutil.copy(stored, stored.with_name("kopie.ics"))
    found = by_id(connector.pull(None, {}))
    assert sorted(bool(record.problem) for record in found.values()) == [False, True]
    assert [record for record in found.values() if "the same UID" in record.problem]


def test_an_edit_during_the_pull_comes_with_the_next(calendar: Calendar, connector: CalDavConnector) -> None:
    uid = calendar.add("eins")
    edits = iter(["zwei"])

    def meanwhile(method: str, url: str, send: Send) -> requests.Response:
        answer = send()
        if method == "REPORT":
            for title in edits:
                calendar.edit(uid, "SUMMARY", title)
        return answer

    tamper(connector, meanwhile)
    first = connector.pull(None, {})
    second = connector.pull(first.cursor, {})
    assert shown(by_id(second)[uid])["SUMMARY"] == "zwei"


def test_a_deletion_during_the_pull_is_told_by_the_next(calendar: Calendar, connector: CalDavConnector) -> None:
    uid, other = calendar.add("eins"), calendar.add("zwei")
    deletions = iter([uid])

    def meanwhile(method: str, url: str, send: Send) -> requests.Response:
        answer = send()
        if method == "REPORT":
            for each in deletions:
                calendar.remove(each)
        return answer

    tamper(connector, meanwhile)
    first = connector.pull(None, {})
    assert first.present == {other}
    assert connector.pull(first.cursor, {}).records[0].fields is None


# ---- tokens ---------------------------------------------------------------------------------------------------


def test_a_server_without_deltas_lists_everything_every_time(calendar: Calendar) -> None:
    uid = calendar.add("eins")
    connector = calendar.ready()
    tamper(connector, lambda method, url, send: _without_deltas(method, send))
    first = connector.pull(None, {})
    assert first.complete
    assert first.present == {uid}
    assert first.cursor is None
    start = connector.requests
    assert connector.pull(None, versions_of(first)).complete
    assert spent(connector, start) == 1


def test_a_token_that_the_server_lost_its_deltas_for_is_expired(calendar: Calendar, connector: CalDavConnector) -> None:
    cursor = connector.pull(None, {}).cursor
    tamper(connector, lambda method, url, send: _without_deltas(method, send))
    with pytest.raises(CursorExpired):
        connector.pull(cursor, {})


@pytest.mark.parametrize(
    ("status", "body"),
    [(403, '<d:error xmlns:d="DAV:"><d:valid-sync-token/></d:error>'), (409, ""), (507, ""), (410, "")],
)
def test_a_token_that_is_refused_is_expired(connector: CalDavConnector, status: int, body: str) -> None:
    tamper(connector, lambda method, url, send: says(status, body))
    with pytest.raises(CursorExpired):
        connector.pull("http://sabre.io/ns/sync/7", {})


def test_lost_rights_are_no_expired_token(connector: CalDavConnector) -> None:
    tamper(connector, lambda method, url, send: says(403))
    with pytest.raises(Unauthorized):
        connector.pull("http://sabre.io/ns/sync/7", {})


def test_a_token_from_the_future_is_noticed(connector: CalDavConnector) -> None:
    """Facts: nextcloud, section 8: after a restored backup the answer is empty, and its token smaller."""
    body = '<multistatus xmlns="DAV:"><sync-token>http://sabre.io/ns/sync/41</sync-token></multistatus>'
    tamper(connector, lambda method, url, send: says(207, body))
    with pytest.raises(CursorExpired):
        connector.pull("http://sabre.io/ns/sync/42", {})
    assert connector.pull("http://sabre.io/ns/sync/41", {}).cursor == "http://sabre.io/ns/sync/41"


def test_a_report_that_the_server_cuts_is_read_to_its_end(calendar: Calendar, connector: CalDavConnector) -> None:
    """RFC 6578, 3.6: a 507 for the collection itself, and the token to go on with."""
    one, other = calendar.add("eins"), calendar.add("zwei")

    def page(uid: str, token: str, cut: bool) -> requests.Response:
        more = f"<response><href>{calendar.path}</href><status>HTTP/1.1 507 x</status></response>" if cut else ""
        entry = (
            f"<response><href>{calendar.path}{uid}.ics</href><propstat><prop><getetag>&quot;x&quot;</getetag></prop>"
            "<status>HTTP/1.1 200 OK</status></propstat></response>"
        )
        return says(207, f'<multistatus xmlns="DAV:"><sync-token>{token}</sync-token>{entry}{more}</multistatus>')

    def cut(method: str, url: str, send: Send) -> requests.Response:
        if method != "REPORT":
            return send()
        pages.append(len(pages))
        return page(one, "t1", True) if len(pages) == 1 else page(other, "t2", False)

    pages: list[int] = []
    tamper(connector, cut)
    changes = connector.pull(None, {})
    assert changes.present == {one, other}
    assert (changes.cursor, len(pages)) == ("t2", 2)


def test_a_report_without_a_token_is_a_failed_read(connector: CalDavConnector) -> None:
    tamper(connector, lambda method, url, send: says(207, '<multistatus xmlns="DAV:"></multistatus>'))
    with pytest.raises(Transient, match="broke off"):
        connector.pull(None, {})


@pytest.mark.parametrize("body", ["<html><body>Wartung</body></html>", "", '<multistatus xmlns="DAV:"><resp'])
@pytest.mark.parametrize("status", [200, 207])
def test_a_web_page_is_a_failed_read_and_no_empty_calendar(connector: CalDavConnector, status: int, body: str) -> None:
    tamper(connector, lambda method, url, send: says(status, body, Content_Type="text/html"))
    with pytest.raises(Transient, match="where XML was expected"):
        connector.pull(None, {})


@pytest.mark.parametrize("dtd", ['[<!ENTITY a "b">]', 'SYSTEM "http://127.0.0.1:9/x.dtd"'])
def test_document_types_and_entities_in_an_answer_are_refused(connector: CalDavConnector, dtd: str) -> None:
    body = f'<!DOCTYPE m {dtd}><multistatus xmlns="DAV:"><sync-token>t</sync-token></multistatus>'
    tamper(connector, lambda method, url, send: says(207, body))
    with pytest.raises(Transient):
        connector.pull(None, {})


def test_a_calendar_that_is_gone_is_no_empty_calendar(calendar: Calendar, connector: CalDavConnector) -> None:
    calendar.add("eins")
    cursor = connector.pull(None, {}).cursor
    calendar.server.delete(calendar.path)
    for each in (cursor, None):
        with pytest.raises(NotACollection, match="RATHAUS_COLLECTION"):
            connector.pull(each, {})
