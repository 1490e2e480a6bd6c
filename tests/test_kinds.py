"""One platform of every kind at once: what a city's offices see of each other's work.

A Deck board, a GitLab and an OpenProject project, a project in a real Redmine, a task list on a real Radicale and an
.xlsx file, mirrored together. `tests.test_machine_kinds` plays random histories over them.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.mirror import Mirror, written
from tests.offices import Makers, Office, Seen

pytestmark = [pytest.mark.radicale, pytest.mark.redmine, pytest.mark.xdist_group("redmine")]

DAYS = ("2018-03-25", "2018-10-28", "")
"""The days on which the clocks changed in the year of the strategy, and none."""

NASTY = "\n".join(
    (
        "# Fördermittel für Straßen & Gäßchen 👩\u200d💻",
        "",
        "- [ ] Antrag stellen",
        "- [x] Rücksprache mit @all, @anna und @bruecke",
        "",
        "| Posten | Betrag |",
        "| --- | --- |",
        "| Planung | 12.000 € |",
        "",
        "```sh",
        "/close",
        "echo *.txt @anna #1",
        "```",
        "",
        "/close",
        "/label ~fremd",
        "",
        "**Wichtig:** siehe #1, !3, [[Wiki]], {{macro}} und <https://social.example/@amt/#1>",
        "",
        "Absatz von rathaus",
        "",
        "Absatz von kalender",
        "",
        "Absatz von entwicklung",
        "",
        "Absatz von bau",
        "",
        "Absatz von vorhaben",
        "",
        "Absatz von plan",
        "",
        *(f"{number}. Zeile mit Umlauten: äöü ß „so“ und <b>HTML</b>" for number in range(1, 400)),
    )
)
"""The text of a person who means well; 20,000 characters."""


def together(folder: Path, makers: Makers) -> tuple[dict[str, Office], Mirror]:
    """New offices, and a bridge between all of them that has not run yet."""
    offices, mirror = {name: make() for name, make in makers.items()}, Mirror(folder)
    mirror.sets(bridge_connectors=",".join(offices))
    for name, office in offices.items():
        mirror.sets(**office.settings(name))
    return offices, mirror


def seen(office: Office, tag: str) -> Seen:
    """The one task with this tag."""
    [found] = [one for one in office.all() if one.tag == tag]
    return found


def test_every_office_shows_what_its_people_did(makers: Makers) -> None:
    """The offices themselves, without a bridge: what people do there is what is seen there."""
    for name, make in makers.items():
        office = make()
        office.adds("Netz 1", "2018-03-25")
        office.adds("Portal 2")
        office.sets("2", "title", "Portal; neu, 2")
        office.sets("2", "text", "eine Zeile")
        office.sets("2", "due", "2018-10-28")
        office.sets("2", "done", True)
        office.sets("1", "due", "")
        if office.has_labels:
            office.toggles("2", "Presse")
            office.toggles("2", "IT")
            office.toggles("2", "IT")
        labels = frozenset({"Presse"}) if office.has_labels else None
        none = frozenset() if office.has_labels else None
        expected = [
            Seen("Netz 1", "", "", False, none),
            Seen("Portal; neu, 2", "eine Zeile", "2018-10-28", True, labels),
        ]
        assert sorted(office.all(), key=lambda seen: seen.tag) == expected, name
        office.deletes("1")
        assert [one.tag for one in office.all()] == ["2"], name


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Tokyo"])
def test_a_day_is_the_same_day_everywhere(
    makers: Makers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    """R14: whatever the zone of the machine that the bridge and some of the servers run on."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        offices, mirror = together(tmp_path, makers)
        for number, (office, day) in enumerate(((office, day) for office in offices.values() for day in DAYS), 1):
            office.adds(f"Termin {number}", day)
        expected = {str(number): DAYS[(number - 1) % len(DAYS)] for number in range(1, len(offices) * len(DAYS) + 1)}
        mirror.begins()
        for name, office in offices.items():
            assert {one.tag: one.due for one in office.all()} == expected, name
        swapped = dict(zip(expected, (*list(expected.values())[1:], DAYS[0]), strict=True))
        for number, (office, _) in enumerate(((office, day) for office in offices.values() for day in DAYS), 1):
            office.sets(str(number), "due", swapped[str(number)])
        mirror.sync("--accept")
        for name, office in offices.items():
            assert {one.tag: one.due for one in office.all()} == swapped, name
        assert written(mirror.sync()) == 0
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_text_is_the_same_text_everywhere_and_back(makers: Makers, tmp_path: Path) -> None:
    """R11, R15: it goes through all platforms, each office changes a paragraph, and nothing else changes anywhere."""
    assert len(NASTY) > 20_000
    offices, mirror = together(tmp_path, makers)
    offices["rathaus"].adds("Antrag 1")
    offices["rathaus"].sets("1", "text", NASTY)
    mirror.begins()
    expected = NASTY
    for name, office in offices.items():
        was = seen(office, "1")
        assert not was.done, name
        assert f"Absatz von {name}" in was.text, name
        office.sets("1", "text", was.text.replace(f"Absatz von {name}", f"Änderung von {name}"))
        expected = expected.replace(f"Absatz von {name}", f"Änderung von {name}")
        mirror.sync()
        for plain in ("rathaus", "kalender", "plan"):
            assert seen(offices[plain], "1").text == expected, (name, plain)
    assert written(mirror.sync()) == 0
    assert {name: (one.done, one.gone) for name, office in offices.items() for one in office.all()} == dict.fromkeys(
        offices, (False, False)
    )
