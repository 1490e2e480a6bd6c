"""VTODO to native fields and back: nothing is lost that we do not write, however odd the text is."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import icalendar
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.base import Fields, Native
from connectors.caldav import records
from connectors.caldav.ics import Todo, Unreadable, parse, uid_in, writable
from connectors.errors import Rejected

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)

NASTY = """BEGIN:VCALENDAR
PRODID:-//Nextcloud Tasks v0.16.1
VERSION:2.0
X-WR-CALNAME:Öffentlich
BEGIN:VTIMEZONE
TZID:Europe/Berlin
BEGIN:DAYLIGHT
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
DTSTART:19700329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
END:DAYLIGHT
BEGIN:STANDARD
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
END:VTIMEZONE
BEGIN:VTODO
CREATED:20260101T080000Z
DTSTAMP:20260102T080000Z
LAST-MODIFIED:20260102T080000Z
SEQUENCE:7
UID:nasty-1
SUMMARY;LANGUAGE=de:Förderantrag\\, Teil 1\\; Entwurf
DESCRIPTION;ALTREP="CID:part3.msg@example.org":Zeile 1\\nZeile 2 mit \\\\n kein
  Umbruch und einem sehr langen Satz\\, der hier über mehrere gefaltete Zeilen
 \tgeht
DTSTART;TZID=Europe/Berlin:20261101T090000
DUE;TZID=Europe/Berlin;X-FOO="a;b:c":20261201T120000
RRULE:FREQ=MONTHLY;COUNT=3
EXDATE;TZID=Europe/Berlin:20270101T120000
CATEGORIES;LANGUAGE=de:Presse,IT\\, extern
CATEGORIES:presse , Zweite
RELATED-TO;RELTYPE=PARENT;X-A=1:parent-uid
RELATED-TO;RELTYPE=DEPENDS-ON;GAP=P1D:first-uid
RELATED-TO;RELTYPE=CHILD:child-uid
RELATED-TO;RELTYPE=DEPENDS-ON;VALUE=URI:https://example.org/x
STATUS:in-process
PERCENT-COMPLETE:40
PRIORITY:0
CLASS:PRIVATE
ATTENDEE;CN="Müller, Anna";ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION:mailto:anna@example.org
ORGANIZER:mailto:boss@example.org
X-APPLE-SORT-ORDER:123
X-LIC-ERROR;X-LIC-ERRORTYPE=VALUE-PARSE-ERROR:No value for DESCRIPTION
ATTACH;ENCODING=BASE64;VALUE=BINARY:QUJD
GEO:50.77;6.08
BEGIN:VALARM
ACTION:DISPLAY
TRIGGER;RELATED=END:-PT15M
DESCRIPTION:Erinnerung
SUMMARY:Nicht die Aufgabe
END:VALARM
X-AFTER-ALARM:ja
END:VTODO
BEGIN:VTODO
UID:nasty-1
RECURRENCE-ID;TZID=Europe/Berlin:20270101T120000
DTSTAMP:20260102T080000Z
SUMMARY:Ausnahme
DUE;TZID=Europe/Berlin:20270102T120000
END:VTODO
X-TAIL:ende
END:VCALENDAR
"""


def todo_of(*lines: str) -> Todo:
    todo = parse("\r\n".join(["BEGIN:VCALENDAR", "BEGIN:VTODO", "UID:u", *lines, "END:VTODO", "END:VCALENDAR", ""]))
    assert todo is not None
    return todo


def fields_of(*lines: str) -> Fields:
    return records.read(todo_of(*lines))[0]


def lines_of(data: bytes) -> list[str]:
    """The unfolded lines, sorted: what the text means, whatever the order."""
    return sorted(data.decode().replace("\r\n ", "").split("\r\n"))


def changed(before: Todo, fields: Fields) -> tuple[list[str], list[str]]:
    """The lines that writing ``fields`` takes away and brings."""
    old = lines_of(before.text())
    records.write(before, fields)
    new = lines_of(before.text())
    gone, come = list(old), list(new)
    for line in old:
        if line in come:
            come.remove(line)
            gone.remove(line)
    return gone, come


@pytest.fixture(params=["\n", "\r\n"])
def nasty(request: pytest.FixtureRequest) -> Todo:
    todo = parse(NASTY.replace("\n", request.param))
    assert todo is not None
    return todo


# ---- reading --------------------------------------------------------------------------------------------------


def test_everything_is_read_from_the_master(nasty: Todo) -> None:
    fields, locked = records.read(nasty)
    assert fields == {
        "SUMMARY": "Förderantrag, Teil 1; Entwurf",
        "DESCRIPTION": "Zeile 1\nZeile 2 mit \\n kein Umbruch und einem sehr langen Satz, der hier über mehrere "
        "gefaltete Zeilen\tgeht",
        "STATUS": "IN-PROCESS",
        "PERCENT-COMPLETE": 40,
        "COMPLETED": None,
        "PRIORITY": 0,
        "DTSTART": "2026-11-01T08:00:00+00:00",
        "DUE": "2026-12-01T11:00:00+00:00",
        "CATEGORIES": ("IT, extern", "Presse", "Zweite", "presse"),
        "PARENT": "parent-uid",
        "DEPENDS-ON": ("first-uid",),
        "CLASS": "PRIVATE",
    }
    assert locked == {"STATUS", "PERCENT-COMPLETE", "COMPLETED"}, "a series is ended by its own client"
    assert records.uid_of(nasty) == "nasty-1"
    assert records.changed_at(nasty) == datetime(2026, 1, 2, 8, tzinfo=UTC).timestamp()


def test_what_is_not_there_is_empty() -> None:
    assert fields_of() == records.EMPTY
    assert fields_of("SUMMARY:", "DUE:", "PRIORITY:", "CATEGORIES:", "STATUS:") == records.EMPTY


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("DUE;VALUE=DATE:20261201", "2026-12-01"),
        ("DUE:20261201", "2026-12-01"),
        ("DUE:20261201T110000Z", "2026-12-01T11:00:00+00:00"),
        ("DUE:20261201T110000", "2026-12-01T11:00:00"),
        ("DUE;TZID=Europe/Berlin:20260701T120000", "2026-07-01T10:00:00+00:00"),
        ('DUE;TZID="Europe/Berlin":20261201T120000', "2026-12-01T11:00:00+00:00"),
        ("DUE;TZID=W. Europe Standard Time:20261201T120000", "2026-12-01T11:00:00+00:00"),
        ("DUE;TZID=/freeassociation.sourceforge.net/Europe/Berlin:20261201T120000", "2026-12-01T11:00:00+00:00"),
        ("DUE;TZID=Nowhere/Land:20261201T120000", "2026-12-01T12:00:00"),
        ("due;tzid=Europe/Berlin:20261025T023000", "2026-10-25T00:30:00+00:00"),
    ],
)
def test_times_have_the_shapes_of_the_glossary(line: str, shown: str) -> None:
    assert fields_of(line)["DUE"] == shown


def test_a_zone_that_only_the_object_knows_follows_its_own_rules() -> None:
    text = NASTY.replace("Europe/Berlin", "Rathaus Aachen").replace("\n", "\r\n")
    todo = parse(text)
    assert todo is not None
    assert records.read(todo)[0]["DUE"] == "2026-12-01T11:00:00+00:00"
    other = parse(text.replace("+0100", "+0500").replace("+0200", "+0600"))
    assert other is not None
    assert records.read(other)[0]["DUE"] == "2026-12-01T07:00:00+00:00"


def test_zone_rules_that_make_no_sense_leave_a_time_without_a_zone() -> None:
    todo = parse(NASTY.replace("Europe/Berlin", "Rathaus Aachen").replace("TZOFFSETTO:+0100", "TZOFFSETTO:kaputt"))
    assert todo is not None
    assert records.read(todo)[0]["DUE"] == "2026-12-01T12:00:00"


def test_a_duration_instead_of_a_due_date_is_absent_and_locked() -> None:
    fields, locked = records.read(todo_of("DTSTART:20261201T110000Z", "DURATION:P1D"))
    assert "DUE" not in fields
    assert locked == {"DUE"}
    assert fields["DTSTART"] == "2026-12-01T11:00:00+00:00"


def test_an_explicit_due_date_beside_a_duration_is_read() -> None:
    fields, locked = records.read(todo_of("DUE;VALUE=DATE:20261201", "DURATION:P1D"))
    assert (fields["DUE"], locked) == ("2026-12-01", frozenset())


def test_a_related_to_without_a_type_is_the_parent() -> None:
    assert fields_of("RELATED-TO:p")["PARENT"] == "p"


def test_the_order_of_master_and_override_does_not_count() -> None:
    head, one, other, tail = NASTY.partition("BEGIN:VTODO")[0], *NASTY.split("BEGIN:VTODO")[1:], ""
    override, end = other.split("X-TAIL")
    swapped = f"{head}BEGIN:VTODO{override}BEGIN:VTODO{one}X-TAIL{end}{tail}"
    todo = parse(swapped)
    assert todo is not None
    assert records.read(todo)[0]["SUMMARY"] == "Förderantrag, Teil 1; Entwurf"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "there is no task in it"),
        ("Hallo", "does not begin with BEGIN:VCALENDAR"),
        ("<html><body>Wartung</body></html>", "does not begin with BEGIN:VCALENDAR"),
        ("BEGIN:VTODO\nUID:u\nEND:VTODO\n", "does not begin with BEGIN:VCALENDAR"),
        ("BEGIN:VCALENDAR\nBEGIN:VTODO\nUID:u\nSUMM", "END of VTODO is missing"),
        ("BEGIN:VCALENDAR\nBEGIN:VTODO\nUID:u\nEND:VCALENDAR\n", "has no BEGIN"),
        ("BEGIN:VCALENDAR\nBEGIN:VTODO\nUID:u\nohne Doppelpunkt\nEND:VTODO\nEND:VCALENDAR\n", "makes no sense"),
        ("BEGIN:VCALENDAR\nEND:VCALENDAR\n", "there is no task in it"),
        (b"BEGIN:VCALENDAR\nBEGIN:VTODO\nUID:u\nSUMMARY:\xe4\nEND:VTODO\nEND:VCALENDAR\n", "not UTF-8"),
    ],
)
def test_a_text_that_is_no_task_is_said_in_words(text: str | bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        parse(text)


@pytest.mark.parametrize("line", ["DUE:morgen", "DUE:20261301", "DTSTART:20261201T250000", "COMPLETED:2026-12-01"])
def test_a_date_that_is_none_is_said_in_words(line: str) -> None:
    with pytest.raises(Unreadable, match="is no date"):
        fields_of(line)


@pytest.mark.parametrize("line", ["PRIORITY:hoch", "PERCENT-COMPLETE:40%"])
def test_a_number_that_is_none_is_said_in_words(line: str) -> None:
    with pytest.raises(Unreadable, match="is no number"):
        fields_of(line)


@pytest.mark.parametrize("kind", ["VEVENT", "VJOURNAL", "VFREEBUSY"])
def test_other_things_than_tasks_are_nothing(kind: str) -> None:
    assert parse(f"BEGIN:VCALENDAR\nBEGIN:{kind}\nUID:u\nEND:{kind}\nEND:VCALENDAR\n") is None


def test_the_uid_of_a_broken_text_is_found() -> None:
    assert uid_in(b"BEGIN:VCALENDAR\r\nUID;X=1:abc\r\nSUMM") == "abc"
    assert uid_in("nichts") == ""


# ---- writing --------------------------------------------------------------------------------------------------


def test_nothing_is_lost_when_nothing_is_written() -> None:
    todo = parse(NASTY)
    assert todo is not None
    unfolded = NASTY.replace("\n ", "")
    assert lines_of(todo.text()) == sorted(unfolded.split("\n"))


@pytest.mark.parametrize(
    ("fields", "gone", "come"),
    [
        ({"SUMMARY": "Neu"}, ["SUMMARY;LANGUAGE=de:Förderantrag\\, Teil 1\\; Entwurf"], ["SUMMARY;LANGUAGE=de:Neu"]),
        ({"SUMMARY": None}, ["SUMMARY;LANGUAGE=de:Förderantrag\\, Teil 1\\; Entwurf"], []),
        ({"STATUS": "COMPLETED"}, ["STATUS:in-process"], ["STATUS:COMPLETED"]),
        ({"PERCENT-COMPLETE": 100}, ["PERCENT-COMPLETE:40"], ["PERCENT-COMPLETE:100"]),
        ({"COMPLETED": "2026-12-01T11:00:00+00:00"}, [], ["COMPLETED:20261201T110000Z"]),
        ({"COMPLETED": "2026-12-01"}, [], ["COMPLETED:20261201T120000Z"]),
        ({"PRIORITY": None}, ["PRIORITY:0"], []),
        (
            {"CATEGORIES": ("IT, extern", "Neu")},
            ["CATEGORIES:presse , Zweite", "CATEGORIES;LANGUAGE=de:Presse,IT\\, extern"],
            ["CATEGORIES;LANGUAGE=de:IT\\, extern,Neu"],
        ),
        ({"PARENT": "neu"}, ["RELATED-TO;RELTYPE=PARENT;X-A=1:parent-uid"], ["RELATED-TO;RELTYPE=PARENT;X-A=1:neu"]),
        ({"PARENT": None}, ["RELATED-TO;RELTYPE=PARENT;X-A=1:parent-uid"], []),
        ({"DEPENDS-ON": ("first-uid", "b")}, [], ["RELATED-TO;RELTYPE=DEPENDS-ON:b"]),
        ({"DEPENDS-ON": ()}, ["RELATED-TO;RELTYPE=DEPENDS-ON;GAP=P1D:first-uid"], []),
        ({"CLASS": None}, ["CLASS:PRIVATE"], []),
        (
            {"DUE": "2026-12-24T17:00:00+00:00"},
            ['DUE;TZID=Europe/Berlin;X-FOO="a;b:c":20261201T120000'],
            ['DUE;X-FOO="a;b:c";TZID=Europe/Berlin:20261224T180000'],
        ),
        ({"DTSTART": None}, ["DTSTART;TZID=Europe/Berlin:20261101T090000"], []),
    ],
)
def test_only_the_lines_of_the_named_field_change(
    nasty: Todo, fields: dict[str, Native], gone: list[str], come: list[str]
) -> None:
    assert changed(nasty, fields) == (sorted(gone), sorted(come))
    for name, value in fields.items():
        shown = records.read(nasty)[0][name]
        assert shown == value or records.normalises(name, value, shown)


def test_another_form_of_the_old_text_goes_with_it(nasty: Todo) -> None:
    assert changed(nasty, {"DESCRIPTION": "Neu"})[1] == ["DESCRIPTION:Neu"]


def test_a_change_is_stamped(nasty: Todo) -> None:
    records.touch(nasty, NOW)
    text = nasty.text().decode()
    assert "SEQUENCE:8\r\n" in text
    assert text.count("DTSTAMP:20261123T120000Z") == 1
    assert "LAST-MODIFIED:20261123T120000Z" in text


def test_what_is_written_is_read_by_another_library(nasty: Todo) -> None:
    records.write(nasty, {"SUMMARY": "ä" * 200, "DUE": "2026-12-24T17:00:00+00:00"})
    calendar = icalendar.Calendar.from_ical(nasty.text())
    master, override = calendar.walk("VTODO")
    assert str(master["SUMMARY"]) == "ä" * 200
    assert str(master.decoded("DUE")) == "2026-12-24 18:00:00+01:00"
    assert str(override["SUMMARY"]) == "Ausnahme"
    assert len(master.walk("VALARM")) == 1
    assert master.errors == []


def test_a_new_task_has_what_every_task_has_to_have() -> None:
    todo = records.fresh("u-1", NOW)
    records.write(todo, {"SUMMARY": "eins"})
    (task,) = icalendar.Calendar.from_ical(todo.text()).walk("VTODO")
    assert {"UID", "DTSTAMP", "CREATED", "LAST-MODIFIED", "SEQUENCE", "SUMMARY"} == set(task)
    assert records.read(todo)[0] == {**records.EMPTY, "SUMMARY": "eins"}


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(Rejected, match="LOCATION"):
        records.write(todo_of(), {"LOCATION": "Rathaus"})


def test_a_date_that_is_none_is_refused() -> None:
    with pytest.raises(Rejected, match="DUE"):
        records.write(todo_of(), {"DUE": "bald"})


def test_a_due_date_takes_the_place_of_a_duration() -> None:
    todo = todo_of("DTSTART;VALUE=DATE:20261101", "DURATION:P1D")
    assert changed(todo, {"DUE": "2026-12-01"}) == (["DURATION:P1D"], ["DUE;VALUE=DATE:20261201"])
    assert changed(todo_of("DURATION:P1D"), {"DUE": None}) == ([], [])


# Start and due of different value types are refused by Nextcloud with 415 (facts: nextcloud, section 8).
@pytest.mark.parametrize(
    ("lines", "fields", "come"),
    [
        (["DTSTART:20261101T080000Z"], {"DUE": "2026-12-01"}, ["DUE:20261201T120000Z"]),
        (["DTSTART:20261101T080000"], {"DUE": "2026-12-01"}, ["DUE:20261201T120000"]),
        (
            ["DTSTART;TZID=America/New_York:20261101T080000"],
            {"DUE": "2026-12-01"},
            ["DUE;TZID=America/New_York:20261201T120000"],
        ),
        (["DUE:20261201T080000Z"], {"DTSTART": "2026-11-01"}, ["DTSTART:20261101T120000Z"]),
        (["DUE:20261201T080000Z"], {"DTSTART": "2026-12-01"}, ["DTSTART:20261201T080000Z"]),
        (["DTSTART:20261201T180000Z"], {"DUE": "2026-12-01"}, ["DUE:20261201T180000Z"]),
        (["DTSTART;VALUE=DATE:20261101"], {"DUE": "2026-12-01T11:00:00+00:00"}, ["DUE;VALUE=DATE:20261201"]),
        (["DTSTART;VALUE=DATE:20261101"], {"DUE": "2026-12-01T11:00:00"}, ["DUE;VALUE=DATE:20261201"]),
        (
            ["DTSTART;TZID=Europe/Berlin:20261101T080000", "DUE;TZID=Europe/Berlin:20261115T163000"],
            {"DUE": "2026-12-01"},
            ["DUE;TZID=Europe/Berlin:20261201T163000"],
        ),
        (
            ["DTSTART:20261101T080000Z", "DUE:20261115T163000Z"],
            {"DUE": "2026-12-01", "DTSTART": "2026-11-02"},
            ["DTSTART;VALUE=DATE:20261102", "DUE;VALUE=DATE:20261201"],
        ),
        (
            ["DTSTART:20261101T080000Z", "DUE:20261115T163000Z"],
            {"DTSTART": "2026-11-02", "DUE": "2026-12-01T10:00:00+00:00"},
            ["DTSTART:20261102T080000Z", "DUE:20261201T100000Z"],
        ),
        (["DTSTART:20261101T080000Z"], {"DTSTART": "2026-11-02"}, ["DTSTART;VALUE=DATE:20261102"]),
    ],
)
def test_start_and_due_stay_of_one_type_and_on_their_day(
    lines: list[str], fields: dict[str, Native], come: list[str]
) -> None:
    todo = todo_of(*lines)
    assert changed(todo, fields)[1] == come
    shown = records.read(todo)[0]
    for name, value in fields.items():
        assert shown[name] == value or records.normalises(name, value, shown[name])
    assert str(shown["DTSTART"]) <= str(shown["DUE"]) or shown["DUE"] is None


@pytest.mark.parametrize("moment", ["2026-10-25T00:30:00+00:00", "2026-10-25T01:30:00+00:00"])
def test_the_hour_that_comes_twice_is_not_mistaken(moment: str) -> None:
    todo = todo_of("DUE;TZID=Europe/Berlin:20261001T120000")
    records.write(todo, {"DUE": moment})
    assert records.read(todo)[0]["DUE"] == moment


@settings(deadline=None)
@given(st.text(), st.text(), st.sets(st.text()), st.text())
def test_any_text_is_read_as_it_was_written(summary: str, description: str, words: set[str], parent: str) -> None:
    fields: Fields = {
        "SUMMARY": summary,
        "DESCRIPTION": description,
        "CATEGORIES": tuple(sorted(words)),
        "PARENT": parent.replace("\r", "") or None,
    }
    todo = parse(NASTY)
    assert todo is not None
    before = records.read(todo)[0]
    records.write(todo, fields)
    again = parse(todo.text())
    assert again is not None
    shown = records.read(again)[0]
    assert shown["SUMMARY"] == (writable(summary) or None)
    assert shown["DESCRIPTION"] == (writable(description) or None)
    for name in ("SUMMARY", "DESCRIPTION", "CATEGORIES"):
        assert records.normalises(name, fields[name], shown[name])
    assert {**shown, **fields} == {**before, **fields}
    assert max(len(line) for line in todo.text().split(b"\r\n")) <= 75


@settings(deadline=None)
@given(st.text())
def test_no_text_breaks_the_parser(text: str) -> None:
    for whole in (text, f"BEGIN:VCALENDAR\r\nBEGIN:VTODO\r\n{text}\r\nEND:VTODO\r\nEND:VCALENDAR\r\n"):
        with suppress(Unreadable):  # and no other error
            parse(whole)


# ---- alike ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "sent", "shown"),
    [
        ("SUMMARY", "eins ", "eins"),
        ("DESCRIPTION", "a\r\nb  \n", "a\nb"),
        ("SUMMARY", "", None),
        ("CATEGORIES", (" a", "b", ""), ("a", "b")),
        ("DUE", "2026-12-01", "2026-12-01T12:00:00+00:00"),
        ("COMPLETED", "2026-12-01", "2026-12-01T12:00:00+00:00"),
    ],
)
def test_what_servers_make_of_a_value_is_alike(name: str, sent: Native, shown: Native) -> None:
    assert records.normalises(name, sent, shown)


@pytest.mark.parametrize(
    ("name", "sent", "shown"),
    [
        ("SUMMARY", "eins", "Eins"),
        ("SUMMARY", "eins", None),
        ("DESCRIPTION", "a\nb", "a b"),
        ("CATEGORIES", ("a",), ("a", "b")),
        ("DUE", "2026-12-01", "2026-12-02T12:00:00+00:00"),
        ("DUE", "2026-12-01T11:00:00+00:00", "2026-12-01T12:00:00+00:00"),
        ("DUE", "2026-12-01", None),
        ("PRIORITY", 1, 9),
        ("STATUS", "COMPLETED", "NEEDS-ACTION"),
    ],
)
def test_what_people_made_of_a_value_is_not_alike(name: str, sent: Native, shown: Native) -> None:
    assert not records.normalises(name, sent, shown)
