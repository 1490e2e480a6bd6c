"""What people try on two calendars, one at a time: every field both ways, dates, references, and what is not ours.

Nothing is replaced here: the command runs as its users run it, against a real Radicale, and people change raw
iCalendar text. What is expected is said in that text too, since this is what they see.
"""

from __future__ import annotations

import unicodedata

import pytest

from tests.mirror import Desk, Mirror, ics, written
from tests.radicale_server import Radicale

pytestmark = pytest.mark.radicale

# ---- fields -----------------------------------------------------------------------------------------------------

EVERYTHING = (
    "DESCRIPTION:Zeile eins\\nZeile zwei\\, mit Komma\\; und mehr",
    "STATUS:IN-PROCESS",
    "PERCENT-COMPLETE:40",
    "PRIORITY:1",
    "DTSTART;VALUE=DATE:20261102",
    "DUE;VALUE=DATE:20261201",
    "CATEGORIES:IT,Presse\\, extern,öffentlich",
)


def test_every_field_arrives(mirror: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    rathaus.adds("Breitband", *EVERYTHING)
    mirror.begins()
    there = entwicklung.task("Breitband")
    here = rathaus.task("Breitband")
    for name in ("SUMMARY", "DESCRIPTION", "STATUS", "PERCENT-COMPLETE", "PRIORITY", "DTSTART", "DUE", "CATEGORIES"):
        assert there[name] == here[name], name
    assert "DUE;VALUE=DATE:20261201" in there.raw
    assert there.uid != here.uid
    mirror.rests()


@pytest.mark.parametrize("back", [False, True], ids=["there", "and back"])
def test_every_field_changes(mirror: Mirror, rathaus: Desk, entwicklung: Desk, back: bool) -> None:
    rathaus.adds("Breitband", *EVERYTHING)
    mirror.begins()
    writer, reader = (entwicklung, rathaus) if back else (rathaus, entwicklung)
    writer.edits(
        "Breitband",
        "DESCRIPTION:Ganz anders",
        "STATUS:NEEDS-ACTION",
        "PERCENT-COMPLETE:55",
        "PRIORITY:9",
        "DTSTART;VALUE=DATE:20261103",
        "DUE;VALUE=DATE:20261205",
        "CATEGORIES:IT,Haushalt",
        "SUMMARY:Glasfaser",
    )
    told = mirror.sync()
    assert written(told) == 1
    seen = reader.task("Glasfaser")
    assert seen["DESCRIPTION"] == "Ganz anders"
    assert (seen["STATUS"], seen["PERCENT-COMPLETE"], seen["PRIORITY"]) == ("NEEDS-ACTION", "55", "9")
    assert (seen["DTSTART"], seen["DUE"]) == ("20261103", "20261205")
    assert seen.categories == {"IT", "Haushalt"}
    mirror.rests()


@pytest.mark.parametrize("back", [False, True], ids=["there", "and back"])
def test_what_is_cleared_is_cleared(mirror: Mirror, rathaus: Desk, entwicklung: Desk, back: bool) -> None:
    rathaus.adds("Breitband", *EVERYTHING)
    mirror.begins()
    writer, reader = (entwicklung, rathaus) if back else (rathaus, entwicklung)
    writer.edits("Breitband", clear="DESCRIPTION PERCENT-COMPLETE PRIORITY DTSTART DUE CATEGORIES")
    assert written(mirror.sync()) == 1
    seen = reader.task("Breitband")
    for name in ("DESCRIPTION", "PERCENT-COMPLETE", "DTSTART", "DUE", "CATEGORIES"):
        assert seen.get(name) == "", name
    assert seen.get("PRIORITY") in ("", "0")
    assert seen["STATUS"] == "IN-PROCESS"
    mirror.rests()


def test_one_change_writes_one_field_of_one_task(mirror: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    for number in range(5):
        rathaus.adds(f"Aufgabe {number}", *EVERYTHING)
    mirror.begins()
    before, untouched = entwicklung.files(), entwicklung.task("Aufgabe 3")
    rathaus.edits("Aufgabe 3", "DUE;VALUE=DATE:20270101")
    assert written(mirror.sync()) == 1
    changed = {name for name, text in entwicklung.files().items() if text != before[name]}
    assert changed == {untouched.file}
    now = entwicklung.task("Aufgabe 3")
    moved = {name for name in now.properties if now[name] != untouched.get(name)}
    assert moved - {"DTSTAMP", "LAST-MODIFIED", "SEQUENCE"} == {"DUE"}


TITLES = [
    "Straßenbäume für Übach-Palenberg: ‚Größe‘ – „Maß“",
    unicodedata.normalize("NFD", "Bürgerbüro öffnen"),
    "Ampel 🚦 und Familie 👨‍👩‍👧",
    "a;b,c\\d:e \"f\" 'g' [bold]h[/bold] $(i) {j}",
    "مدينة 都市 город",
]


@pytest.mark.parametrize("title", TITLES, ids=["umlauts", "nfd", "emoji", "signs", "scripts"])
def test_titles_survive(mirror: Mirror, rathaus: Desk, entwicklung: Desk, title: str) -> None:
    escaped = title.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    uid = rathaus.adds(escaped, f"DESCRIPTION:{escaped}", f"CATEGORIES:{escaped}")
    mirror.begins()
    (there,) = entwicklung.all()
    assert there.title == title
    assert (there["DESCRIPTION"], there.categories) == (title, {title})
    entwicklung.edits(there.uid, "PRIORITY:1")
    assert written(mirror.sync()) == 1
    assert (rathaus.task(uid).title, rathaus.task(uid)["PRIORITY"]) == (title, "1")
    mirror.rests()


def test_one_title_in_two_spellings_is_one_task(mirror: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    composed, taken_apart = (unicodedata.normalize(form, "Bürgerbüro öffnen") for form in ("NFC", "NFD"))
    rathaus.adds(composed, "DUE;VALUE=DATE:20261201")
    entwicklung.adds(f" {taken_apart.upper()}", "PRIORITY:1")
    mirror.begins()
    (here,), (there,) = rathaus.all(), entwicklung.all()
    assert (here["DUE"], here["PRIORITY"]) == (there["DUE"], there["PRIORITY"]) == ("20261201", "1")
    mirror.rests()


def test_a_long_description_merges_line_by_line(mirror: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    lines = [f"Zeile {number}: {'lang und breit ' * 8}ä{number}" for number in range(30)]
    rathaus.adds("Konzept", "DESCRIPTION:" + "\\n".join(lines))
    mirror.begins()
    first, second = list(lines), list(lines)
    first[2] = "Zeile 2 aus dem Rathaus"
    second[20] = "Zeile 20 aus der Entwicklung"
    second.append("Und noch eine")
    rathaus.edits("Konzept", "DESCRIPTION:" + "\\n".join(first))
    entwicklung.edits("Konzept", "DESCRIPTION:" + "\\n".join(second))
    told = mirror.sync()
    merged = [*first[:20], second[20], *first[21:], "Und noch eine"]
    assert rathaus.task("Konzept")["DESCRIPTION"].split("\n") == merged
    assert entwicklung.task("Konzept")["DESCRIPTION"].split("\n") == merged
    assert told["conflicts"] == 0
    mirror.rests()


# ---- dates ------------------------------------------------------------------------------------------------------

BERLIN = (
    "BEGIN:VTIMEZONE",
    "TZID:Europe/Berlin",
    "BEGIN:DAYLIGHT",
    "TZOFFSETFROM:+0100",
    "TZOFFSETTO:+0200",
    "TZNAME:CEST",
    "DTSTART:19700329T020000",
    "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU",
    "END:DAYLIGHT",
    "BEGIN:STANDARD",
    "TZOFFSETFROM:+0200",
    "TZOFFSETTO:+0100",
    "TZNAME:CET",
    "DTSTART:19701025T030000",
    "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU",
    "END:STANDARD",
    "END:VTIMEZONE",
)


def test_a_time_of_day_stays_where_it_was_set(mirror: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    timed = ("SUMMARY:Abgabe", "DUE;TZID=Europe/Berlin:20261201T173000")
    rathaus.stores("abgabe", ics("abgabe", *timed, before=BERLIN), ago=100)
    mirror.begins()
    assert entwicklung.task("Abgabe")["DUE"] == "20261201"
    entwicklung.edits("Abgabe", "PRIORITY:1")
    mirror.sync()
    assert rathaus.task("Abgabe")["DUE"] == "Europe/Berlin:20261201T173000"
    entwicklung.edits("Abgabe", "DUE;VALUE=DATE:20270714")
    mirror.sync()
    assert rathaus.task("Abgabe")["DUE"] == "Europe/Berlin:20270714T173000"
    assert "BEGIN:VTIMEZONE" in rathaus.task("Abgabe").raw
    rathaus.edits("Abgabe", "DUE;TZID=Europe/Berlin:20270714T090000")
    assert written(mirror.sync()) == 0
    assert entwicklung.task("Abgabe")["DUE"] == "20270714"
    mirror.rests()


def test_the_day_is_the_citys_day(mirror: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    rathaus.adds("Nachts", "DUE:20261201T230000Z")
    rathaus.adds("Abends", "DUE:20260630T215959Z")
    mirror.begins()
    assert entwicklung.task("Nachts")["DUE"] == "20261202"
    assert entwicklung.task("Abends")["DUE"] == "20260630"
    mirror.rests()


@pytest.mark.parametrize("day", ["20260329", "20261025"], ids=["spring", "autumn"])
def test_clock_change_days_survive(mirror: Mirror, rathaus: Desk, entwicklung: Desk, day: str) -> None:
    due = f"DUE;TZID=Europe/Berlin:{day}T023000"  # there is no such time in spring, and there are two in autumn
    rathaus.stores("mit", ics("mit", "SUMMARY:Mit Uhrzeit", due, before=BERLIN), ago=100)
    rathaus.adds("Ohne Uhrzeit", f"DUE;VALUE=DATE:{day}", f"DTSTART;VALUE=DATE:{day}")
    rathaus.adds("Später", "DUE;TZID=Europe/Berlin:20260501T023000")
    mirror.begins()
    for title in ("Mit Uhrzeit", "Ohne Uhrzeit"):
        assert entwicklung.task(title)["DUE"] == day
    assert entwicklung.task("Ohne Uhrzeit")["DTSTART"] == day
    entwicklung.edits("Später", f"DUE;VALUE=DATE:{day}")
    entwicklung.edits("Mit Uhrzeit", "PRIORITY:1")
    entwicklung.edits("Ohne Uhrzeit", "PRIORITY:1")
    mirror.sync()
    assert rathaus.task("Mit Uhrzeit")["DUE"] == f"Europe/Berlin:{day}T023000"
    assert rathaus.task("Ohne Uhrzeit")["DUE"] == day
    assert day in rathaus.task("Später")["DUE"]
    mirror.rests()
    assert entwicklung.task("Später")["DUE"] == day


def test_a_due_date_before_the_start_is_settled_as_a_whole(mirror: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    rathaus.adds("Bau", "DTSTART;VALUE=DATE:20260601", "DUE;VALUE=DATE:20260630")
    mirror.begins()
    rathaus.edits("Bau", "DUE;VALUE=DATE:20260610", ago=4)
    entwicklung.edits("Bau", "DTSTART;VALUE=DATE:20260615")
    assert mirror.sync()["conflicts"] == 1
    for desk in (rathaus, entwicklung):
        task = desk.task("Bau")
        assert (task["DTSTART"], task["DUE"]) == ("20260615", "20260630")
    mirror.rests()


# ---- what is not ours -------------------------------------------------------------------------------------------

FOREIGN = (
    "RRULE:FREQ=WEEKLY;BYDAY=MO",
    "X-APPLE-SORT-ORDER:12345",
    'X-OWN;X-PARAM="a;b":Wert mit \\, und \\;',
    "GEO:50.77;6.08",
    "ATTENDEE;CN=Anna:mailto:anna@example.org",
    "BEGIN:VALARM",
    "ACTION:DISPLAY",
    "TRIGGER:-PT15M",
    "DESCRIPTION:Wecker",
    "END:VALARM",
)


def test_what_is_not_ours_stays_letter_for_letter(mirror: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    rathaus.adds("Jour fixe", "DTSTART;VALUE=DATE:20260601", "DUE;VALUE=DATE:20260602", *FOREIGN)
    kept = sorted(set(rathaus.task("Jour fixe").raw.splitlines()))
    mirror.begins()
    entwicklung.edits("Jour fixe", "DUE;VALUE=DATE:20260603", "CATEGORIES:neu", "DESCRIPTION:Tagesordnung")
    mirror.sync()
    now = rathaus.task("Jour fixe")
    gone = {line for line in kept if line not in now.raw.splitlines()}
    assert {line.split(":")[0].split(";")[0] for line in gone} == {"DUE", "DTSTAMP"}
    assert now["DESCRIPTION"] == "Tagesordnung"
    assert "DESCRIPTION:Wecker" in now.raw
    assert "Wecker" not in entwicklung.task("Jour fixe").raw
    mirror.rests()


def test_an_override_of_one_occurrence_stays(mirror: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    text = ics("serie", "SUMMARY:Serie", "DTSTART:20260601T080000Z", "DUE:20260601T090000Z", "RRULE:FREQ=DAILY;COUNT=5")
    override = (
        "BEGIN:VTODO\r\nUID:serie\r\nDTSTAMP:20260101T000000Z\r\nRECURRENCE-ID:20260602T080000Z\r\n"
        "DTSTART:20260602T100000Z\r\nDUE:20260602T110000Z\r\nSUMMARY:Ausnahme\r\nEND:VTODO\r\n"
    )
    rathaus.stores("serie", text.replace("END:VCALENDAR", override + "END:VCALENDAR"), ago=100)
    mirror.begins()
    assert [task.title for task in entwicklung.all()] == ["Serie"]
    entwicklung.edits("Serie", "SUMMARY:Serie neu")
    mirror.sync()
    assert rathaus.task("serie").title == "Serie neu"
    assert "SUMMARY:Ausnahme" in rathaus.task("serie").raw
    mirror.rests()


def test_events_beside_the_tasks_are_left_alone(mirror: Mirror, radicale: Radicale, entwicklung: Desk) -> None:
    mixed = Desk(radicale, components=None)
    mirror.points("rathaus", mixed)
    event = ics("termin", "SUMMARY:Ratssitzung", "DTSTART:20261201T170000Z", kind="VEVENT")
    mixed.stores("termin", event)
    mixed.adds("Aufgabe")
    mirror.begins()
    assert set(entwicklung.tasks()) == {"Aufgabe"}
    before = mixed.files()["termin.ics"]
    mixed.stores("termin", event.replace("Ratssitzung", "Ausschuss"))
    mixed.edits("Aufgabe", "PRIORITY:5")
    told = mirror.sync()
    assert written(told) == 1
    assert entwicklung.task("Aufgabe")["PRIORITY"] == "5"
    assert mixed.files()["termin.ics"] == before.replace("Ratssitzung", "Ausschuss")
    mixed.server.delete(f"{mixed.path}termin.ics")
    assert written(mirror.sync()) == 0
    assert set(entwicklung.tasks()) == {"Aufgabe"}


# ---- references -------------------------------------------------------------------------------------------------


def test_subtasks_keep_their_parents(mirror: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    """The names sort so that every child is read before its parent."""
    rathaus.adds("Enkel", "RELATED-TO:b-kind", uid="a-enkel")
    rathaus.adds("Kind", "RELATED-TO;RELTYPE=PARENT:c-mutter", uid="b-kind")
    rathaus.adds("Mutter", uid="c-mutter")
    rathaus.adds("Tante", uid="d-tante")
    mirror.begins()
    there = entwicklung.tasks()
    assert there["Enkel"]["RELATED-TO"] == there["Kind"].uid
    assert there["Kind"]["RELATED-TO"] == there["Mutter"].uid
    assert there["Mutter"].get("RELATED-TO") == ""
    entwicklung.edits("Kind", f"RELATED-TO:{there['Tante'].uid}")
    entwicklung.edits("Enkel", clear="RELATED-TO")
    mirror.sync()
    assert rathaus.task("Kind")["RELATED-TO"] == "d-tante"
    assert rathaus.task("Enkel").get("RELATED-TO") == ""
    mirror.rests()


def test_a_parent_that_comes_later_is_found(mirror: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    rathaus.adds("Kind", "RELATED-TO:spaeter")
    mirror.begins()
    assert entwicklung.task("Kind").get("RELATED-TO") == ""
    rathaus.adds("Mutter", uid="spaeter", ago=0)
    mirror.sync()
    there = entwicklung.tasks()
    assert there["Kind"]["RELATED-TO"] == there["Mutter"].uid
    assert rathaus.task("Kind")["RELATED-TO"] == "spaeter"
    mirror.rests()


def test_dependencies_come_along(mirror: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    rathaus.adds("Dann", "RELATED-TO;RELTYPE=DEPENDS-ON:erst", "RELATED-TO;RELTYPE=SIBLING:fremd")
    rathaus.adds("Erst", uid="erst")
    mirror.begins()
    there = entwicklung.tasks()
    assert f"RELATED-TO;RELTYPE=DEPENDS-ON:{there['Erst'].uid}" in there["Dann"].raw
    entwicklung.edits("Dann", clear="RELATED-TO")
    mirror.sync()
    assert "DEPENDS-ON" not in rathaus.task("Dann").raw
    assert "RELATED-TO;RELTYPE=SIBLING:fremd" in rathaus.task("Dann").raw
    mirror.rests()


def test_a_milestone_and_its_tasks(mirror: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    rathaus.adds("Netz steht", "CATEGORIES:Meilenstein")
    rathaus.adds("Kabel legen", "CATEGORIES:Netz steht,IT")
    mirror.begins()
    assert entwicklung.task("Netz steht").categories == {"Meilenstein"}
    assert entwicklung.task("Kabel legen").categories == {"Netz steht", "IT"}
    kinds = {item["title"]: item["kind"] for item in mirror.json("items")}
    assert kinds == {"Netz steht": "milestone", "Kabel legen": "task"}
    shown = mirror.json("show", "Kabel legen")["fields"]
    assert (shown["milestone"], shown["labels"]) == ("Netz steht", ["IT"])
    mirror.rests()
