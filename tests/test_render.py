"""What people see: complete at 80 columns, without colours, in both languages, and harmless for the terminal."""

from __future__ import annotations

import dataclasses
import io
import json
import re
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console, RenderableType

from bridge import contact, outcomes, render, words
from bridge.book import Book
from bridge.memory_store import MemoryStore
from bridge.screen import Screen
from bridge.state import Binding
from bridge.texts import LANGUAGES, texts
from bridge.views import (
    Change,
    CheckView,
    ConflictView,
    EntryView,
    FieldView,
    HeldView,
    ItemRow,
    ItemView,
    PairView,
    ParkedView,
    PlaceView,
    StatusRow,
    Step,
    SummaryRow,
)
from connectors.base import Identity
from mappings.canonical import FIELDS, PRIORITY, STATUS, VISIBILITY, Kind
from tests.world import World

ZONE = ZoneInfo("Europe/Berlin")
DE, EN = texts("de"), texts("en")
AT = 1_795_000_000  # 2026-11-18 12:06:40 +0100
LONG = "Prüfung der vorgeschlagenen Kollaborationsplattform ‚Digitale Strategie‘ – gemeinsam mit den Dezernaten I und V"
ID = "7f3a9c1e5b2d4f60"

STEPS = (
    Step("rathaus", "create", "milestone", "Eckpunktepapier", (Change("due", None, "2026-12-01"),), "new elsewhere"),
    Step(
        "rathaus",
        "update",
        "task",
        LONG,
        (
            Change("status", "planned", "in_progress"),
            Change("due", None, "2026-03-29"),
            Change("priority", 2, 1),
            Change("labels:presse", None, "Presse"),
            Change("labels:alt", "Alt", None),
        ),
        "changed in entwicklung",
    ),
    Step("entwicklung", "archive", "task", "Altes Papier", (), "deleted elsewhere"),
)
CONFLICT = ConflictView(
    "c0ffee00c0ffee00", LONG, "due", "2026-11-30", "2026-12-05", "rathaus", "2026-12-01", "entwicklung", "R3", AT
)
PARKED = ParkedView("rathaus", LONG, "status", "this platform keeps replacing the value", AT)
HELD = HeldView(
    "entwicklung", "4 of 20 records would be deleted, closed or blanked within a day", "0123456789ab", STEPS
)
ITEM = ItemView(
    ID,
    "task",
    LONG,
    (
        FieldView("title", LONG, "rathaus", AT),
        FieldView("status", "on_hold", "entwicklung", AT),
        FieldView("due", "2026-12-01", "rathaus", AT),
        FieldView("progress", 40),
        FieldView("labels", ("Presse", "FB 02")),
        FieldView("description", None),
    ),
    (
        PlaceView("rathaus", "live", "https://cloud.example.org/apps/deck/board/3/card/" + "9" * 60),
        PlaceView("entwicklung", "frozen", "", "moved to another collection"),
    ),
    (EntryView(AT, "rathaus", "edit", Change("due", "2026-11-30", "2026-12-01"), "R2"),),
    (CONFLICT,),
    (PARKED,),
)

PICTURES = {
    "check": lambda t: render.check(
        t,
        [
            CheckView("rathaus", "nextcloud-deck", "cloud.example.org", "Digitale Strategie"),
            CheckView("archiv", "caldav", "dav.example.org", "Archiv", read_only=True, warnings=("Unknown stack",)),
            CheckView(
                "entwicklung",
                "caldav",
                "dav.example.org",
                "Digitale Strategi",
                problems=("dav.example.org has no collection of that name.",),
                found=("Digitale Strategie", LONG),
            ),
        ],
    ),
    "plan": lambda t: render.plan(t, STEPS, [HELD]),
    "pairing": lambda t: render.pairing(
        t,
        [
            PairView("pair", "task", (("rathaus", LONG), ("entwicklung", LONG)), (Change("due", "2026-12-01", None),)),
            PairView("close", "task", (("rathaus", "Plattform prüfen"), ("entwicklung", "Plattform prüfen!"))),
            PairView("ambiguous", "task", (("rathaus", "Termin"), ("rathaus", "Termin"), ("entwicklung", "Termin"))),
            PairView("new", "milestone", (("rathaus", "Eckpunktepapier"),)),
        ],
    ),
    "summary": lambda t: render.summary(
        t,
        12,
        3.456,
        2,
        [
            SummaryRow("rathaus", 1234, 1000, 20, 3, 1, 1300),
            SummaryRow("entwicklung", 41, requests=2),
            SummaryRow("archiv", error="dav.example.org does not accept our sign-in: check ARCHIV_PASSWORD."),
        ],
    ),
    "status": lambda t: render.status(
        t,
        ZONE,
        [
            StatusRow("rathaus", "Digitale Strategie", "cloud.example.org", 1234, AT, -3599.5, 0.5),
            StatusRow("entwicklung", LONG, "dav.example.org", 41, AT),
            StatusRow("archiv", "Archiv", "dav.example.org", 0, 0, error="cannot be reached"),
        ],
        [PARKED],
        1,
    ),
    "items": lambda t: render.items(
        t,
        [
            ItemRow(ID, "milestone", LONG, "in_progress", "2026-12-01", ("rathaus", "entwicklung")),
            ItemRow("00" * 8, "task", "Ohne Datum", None, None, ()),
        ],
    ),
    "item": lambda t: render.item(t, ZONE, ITEM),
    "conflicts": lambda t: render.conflicts(t, ZONE, [CONFLICT]),
}


def seen(picture: RenderableType, width: int = 80, **how: object) -> str:
    """What a person without a terminal reads."""
    stream = io.StringIO()
    console = Console(file=stream, width=width, highlight=False, markup=False, emoji=False, **how)  # type: ignore[arg-type]
    console.print(picture)
    return stream.getvalue()


def flowing(text: str) -> str:
    """The text without line ends, columns and frames, so that wrapped sentences can be found."""
    return " ".join(re.sub(r"[│╭╮╰╯─━]", " ", text).split())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", sorted(PICTURES))
def test_a_picture_fits_into_80_columns_and_says_everything_without_colours(name: str, language: str) -> None:
    text = seen(PICTURES[name](texts(language)))
    assert max(map(len, text.splitlines())) <= 80
    assert "\x1b" not in text
    assert "…" not in text


@pytest.mark.parametrize("name", ["plan", "item", "conflicts", "check"])
def test_a_long_title_wraps_and_is_never_cut(name: str) -> None:
    assert LONG in flowing(seen(PICTURES[name](DE)))


@pytest.mark.parametrize("name", ["status", "items", "pairing"])
def test_a_long_title_in_a_column_keeps_every_word(name: str) -> None:
    text = seen(PICTURES[name](DE))
    assert all(word in text for word in LONG.split()), text


def test_dates_are_said_as_the_language_says_them() -> None:
    assert "Fällig: leer → 29.03.2026" in seen(PICTURES["plan"](DE))
    assert "Due: empty → 2026-03-29" in seen(PICTURES["plan"](EN))


def test_a_plan_says_what_and_why() -> None:
    text = flowing(seen(PICTURES["plan"](DE)))
    for words_ in (
        "+ anlegen: Meilenstein Eckpunktepapier Fällig: 01.12.2026 weil: anderswo neu",
        "Status: ○ geplant → ◐ in Umsetzung",
        "Priorität: mittel → hoch",
        "Schlagwort: + Presse",
        "Schlagwort: − Alt",
        "− archivieren: Aufgabe Altes Papier",
        "rathaus · 2 Schritte",
        "entwicklung · ein Schritt",
    ):
        assert words_ in text, words_


def test_an_empty_plan_says_so() -> None:
    assert "✓ Alle Seiten zeigen dasselbe: nichts zu tun." in seen(render.plan(DE, []))


def test_an_empty_plan_does_not_speak_for_what_could_not_be_read() -> None:
    text = seen(render.plan(DE, [], whole=False))
    assert "! Was sich lesen ließ, zeigt überall dasselbe" in text
    assert "Alle Seiten" not in text


def test_what_is_held_names_the_exact_command_on_one_line() -> None:
    lines = [line.strip("│ ") for line in seen(PICTURES["plan"](DE)).splitlines()]
    assert "strategy-bridge sync --accept 0123456789ab" in lines


def test_a_check_lists_what_is_there_when_the_collection_is_not() -> None:
    text = flowing(seen(PICTURES["check"](EN)))
    assert "✗ entwicklung not ready" in text
    assert "What is there: · Digitale Strategie ·" in text
    assert "One connector is not ready." in text
    assert "Everything is ready" in seen(render.check(EN, [CheckView("a", "caldav", "h", "c")]))


def test_a_check_does_not_list_what_its_sentence_has_listed() -> None:
    problem = "dav.example.org has no calendar “Plan”; there are: Ämter, Digitale Strategie. Check A_COLLECTION."
    view = CheckView(
        "a", "caldav", "dav.example.org", "Plan", problems=(problem,), found=("Digitale Strategie", "Ämter")
    )
    text = flowing(seen(render.check(DE, [view])))
    assert (text.count("Ämter"), text.count("Digitale Strategie")) == (1, 1)
    assert "Dort gibt es:" not in text


def test_a_summary_has_every_number_and_every_failure() -> None:
    text = flowing(seen(PICTURES["summary"](DE)))
    assert "! rathaus 1.234 1.000 20 3 1 1.300" in text
    assert "✗ archiv 0 0 0 0 0 0" in text
    assert "check ARCHIV_PASSWORD" in text or "ARCHIV_PASSWORD" in text
    assert "2 Konflikte wurden nach den Regeln entschieden" in text
    assert "nach 3,5 s zu Ende, aber nicht überall gelungen" in text
    assert "✓ Run 1 is done after 0.1 s." in seen(render.summary(EN, 1, 0.1, 0, [SummaryRow("a")]))
    assert "! Run 1 ended after 0.1 s; something waits" in seen(
        render.summary(EN, 1, 0.1, 0, [SummaryRow("a")], waits=True)
    )


def test_status_shows_clocks_and_what_is_parked() -> None:
    text = flowing(seen(PICTURES["status"](DE)))
    for words_ in ("18.11.2026 12:06", "noch nie", "−3599,5 ±0,5 s", "seit 18.11.2026 12:06", "· Status"):
        assert words_ in text, words_


def test_records_that_nobody_can_tell_apart_are_parked_in_one_line() -> None:
    twins = [ParkedView("rathaus", "Termin", "", "it is left alone", AT + n) for n in (60, 0)]
    text = flowing(
        seen(render.parked_table(DE, ZONE, [*twins, ParkedView("archiv", "Termin", "", "it is left alone")]))
    )
    assert "Geparkt · 3" in text
    assert "rathaus Termin 2× it is left alone (seit 18.11.2026 12:06) archiv Termin it is left alone" in text


def test_status_is_not_content_with_what_was_never_read() -> None:
    text = flowing(seen(render.status(EN, ZONE, [StatusRow("neu", "", "dav.example.org", 0, 0)])))
    assert "! neu 0 never unknown dav.example.org" in text


def test_a_conflict_shows_both_values_and_where_they_came_from() -> None:
    text = flowing(seen(PICTURES["conflicts"](DE)))
    assert "gilt 05.12.2026 rathaus" in text
    assert "unterlegen 01.12.2026 entwicklung" in text
    assert "vorher 30.11.2026" in text
    assert "Keine Konflikte." in seen(render.conflicts(DE, ZONE, []))


@pytest.mark.parametrize(
    ("later", "shown"), [(0, ("12:06", "12:06")), (7, ("12:06:47", "12:06:40")), (60, ("12:07", "12:06"))]
)
def test_a_conflict_that_seconds_decided_shows_them(later: int, shown: tuple[str, str]) -> None:
    view = dataclasses.replace(CONFLICT, winner_at=AT + later, loser_at=AT)
    text = flowing(seen(render.conflicts(DE, ZONE, [view])))
    assert f"gilt 05.12.2026 rathaus, 18.11.2026 {shown[0]} unterlegen" in text
    assert f"unterlegen 01.12.2026 entwicklung, 18.11.2026 {shown[1]} vorher" in text


def test_a_history_counts_its_steps_and_tells_fields_as_the_model_lists_them() -> None:
    cells = (("visibility", "internal"), ("due", "2026-12-01"), ("title", LONG))
    steps = [EntryView(AT, "rathaus", "edit", Change(cell, None, value), "R2") for cell, value in cells]
    view = ItemView(
        ID, "task", LONG, (), (), (*steps, EntryView(AT, "archiv", "edit", Change("life", "live", "deleted")))
    )
    text = flowing(seen(render.item(DE, ZONE, view)))
    assert "Verlauf · 2 " in text
    history = text.partition("Verlauf")[2]
    assert (
        history.index("Titel:") < history.index("Fällig:") < history.index("Sichtbarkeit:") < history.index("Gelöscht:")
    )


def test_items_come_from_the_strategy_down_and_none_is_no_table() -> None:
    rows = [ItemRow(ID, kind, f"ein {kind}", "planned", None, ("a", "b", "a")) for kind in sorted(Kind)]
    text = flowing(seen(render.items(EN, rows)))
    assert re.findall(r"ein (\w+)", text) == [*Kind]
    assert "task · a, b" in text
    assert seen(render.items(EN, [])).strip() == "0 items"


@pytest.mark.parametrize(
    ("host", "title", "german"),
    [
        ("dav.example.org", "Ämter", "zeigt jetzt auf »Ämter«, vorher auf »Plan«"),
        (
            "c.example.org",
            "Plan",
            "zeigt jetzt auf »Plan« unter c.example.org, vorher auf die gleichnamige Sammlung unter dav.example.org",
        ),
        (
            "dav.example.org",
            "Plan",
            "zeigt jetzt auf »Plan« unter /neu/, vorher auf die gleichnamige Sammlung unter /alt/",
        ),
    ],
)
def test_a_connector_that_points_elsewhere_says_what_differs(host: str, title: str, german: str) -> None:
    book = Book(MemoryStore())
    for number, (place, old) in enumerate((("/uralt/", "Ganz alt"), ("/alt/", "Plan"))):
        book.keep_binding(Binding(str(number), "a", "caldav", "dav.example.org", place, old, True, complete_run=number))
    peer = dataclasses.replace(World().peers()[0], name="a")
    met = contact.recognise(book, peer, Identity("caldav", host, "/neu/", title))
    assert words.reason(DE, met.reason) == german


def test_a_first_contact_counts_no_side_twice_where_a_connector_pointed_elsewhere_before() -> None:
    world = World("ab")
    world.person("A").creates("t1")
    world.sync_until_quiet()
    world.builds("X", "b")
    world.platforms["X"].add("t1")
    world.connects("B", "X")
    (pair,) = outcomes.pairs(world.sync(accept=False))
    assert (pair.verdict, [name for name, _ in pair.sides]) == ("pair", ["A", "B"])


def test_text_from_a_platform_is_neither_markup_nor_control_sequence() -> None:
    nasty = "[bold]fett[/bold] :smile: \x1b[31mrot\x07 \u202egespiegelt"
    step = Step("rathaus", "create", "task", nasty, (Change("description", None, nasty),))
    text = seen(render.plan(DE, [step]), force_terminal=True, color_system=None)
    assert text.count("[bold]fett[/bold] :smile:") == 2
    assert not {"\x1b[31m", "\x07", "\u202e"} & {part for part in ("\x1b[31m", "\x07", "\u202e") if part in text}


def test_every_state_is_told_by_word_and_symbol() -> None:
    for language in LANGUAGES:
        said = [words.status(texts(language), name).plain for name in STATUS]
        assert len({one.split()[0] for one in said}) == len(STATUS)
        assert len({one.split(maxsplit=1)[1] for one in said}) == len(STATUS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_of_the_model_has_a_name(language: str) -> None:
    t = texts(language)
    named = [f"kind.{kind}" for kind in Kind] + [f"field.{name}" for name in FIELDS] + [f"status.{s}" for s in STATUS]
    named += [f"priority.{p}" for p in PRIORITY] + [f"visibility.{v}" for v in VISIBILITY]
    assert [key for key in named if key not in t] == []


# ---- the streams ---------------------------------------------------------------------------------------------


def test_for_machines_stdout_holds_one_object_and_nothing_else() -> None:
    out, err = io.StringIO(), io.StringIO()
    screen = Screen(DE, for_machines=True, out=out, err=err)
    screen.warnings(("Achtung",))
    screen.show(PICTURES["plan"](DE))
    with screen.progress() as progress:
        progress.advance(progress.add_task("lesen", total=2))
    screen.result({"title": LONG})
    assert json.loads(out.getvalue()) == {"title": LONG}
    assert "Achtung" in err.getvalue()
    assert "archivieren" in err.getvalue()


def test_for_people_stdout_holds_the_pictures_and_stderr_the_problems() -> None:
    out, err = io.StringIO(), io.StringIO()
    screen = Screen(DE, out=out, err=err)
    screen.problems(["[b]geht nicht[/b]"])
    screen.show(PICTURES["plan"](DE))
    screen.result({"title": LONG})
    assert "archivieren" in out.getvalue()
    assert '"title"' not in out.getvalue()
    assert "✗ [b]geht nicht[/b]" in err.getvalue()


def test_without_a_terminal_progress_says_nothing() -> None:
    out = io.StringIO()
    with Screen(DE, out=out, err=io.StringIO()).progress() as progress:
        progress.advance(progress.add_task("lesen", total=1))
    assert out.getvalue() == ""


def test_an_ascii_terminal_does_not_end_the_command() -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii")
    Screen(DE, out=out, err=io.StringIO()).show(PICTURES["status"](DE))
    out.flush()
    assert b"Digitale Strategie" in raw.getvalue()
