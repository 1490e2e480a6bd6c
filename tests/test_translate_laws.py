"""What holds for all records: shown is shown, quiet is quiet, an edit changes nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from hypothesis import assume, given
from hypothesis import strategies as st

from connectors.base import Fields, Native
from mappings.canonical import FIELDS, STATUS, VISIBILITY, Kind, Value, field_of, normal
from mappings.schema import load, shipped
from mappings.translate import Translator, Vocabulary
from tests.translating import (
    AT,
    CALDAV,
    DECK,
    MEMORY,
    PLAIN,
    STAMP,
    Who,
    board,
)

WHO = Who(
    {"n1": "m1", "n2": "m2", "n3": "i3", "n4": "i4"},
    {"m1": "Baubeginn", "m2": "Eröffnung", "m3": "Baubeginn 2", "m4": "Ziel"},
)
TITLES = ["Meilenstein", "Presse", "presse", "öffentlich", "Public", "Baubeginn", "eröffnung", "Ziel", "Haushalt", "+x"]
STACK_TITLES = ["Offen", "Backlog", "Doing", "Erledigt", "Wartet", "Eingestellt", "Sonstiges", "Ideen"]

days = st.none() | st.dates(date(2024, 1, 1), date(2028, 12, 31)).map(date.isoformat)
moments = st.none() | st.datetimes(datetime(2024, 1, 1), datetime(2028, 12, 31)).map(
    lambda moment: moment.replace(tzinfo=UTC, microsecond=0).isoformat()
)
native_days = days | moments | st.sampled_from(["2026-12-01T08:00:00", "", "bald"])
texts = st.none() | st.text(st.sampled_from("aB ü\n\r"), max_size=6)
sets = st.sets(st.sampled_from(TITLES), max_size=4).map(lambda found: tuple(sorted(found)))
natives = st.none() | st.sampled_from(["n1", "n3", "n9"])
junk: st.SearchStrategy[Native] = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=4)
    | native_days
    | st.lists(st.text(max_size=3), max_size=3).map(tuple)
    | st.sampled_from([STAMP, "s1", "l1", "COMPLETED", ("l1", "l3"), 3])
)

todos = st.fixed_dictionaries(
    {
        "SUMMARY": st.sampled_from(["Aufgabe", "", " x ", "y" * 300]),
        "DESCRIPTION": texts,
        "STATUS": st.sampled_from([None, "NEEDS-ACTION", "IN-PROCESS", "COMPLETED", "CANCELLED", "FOO"]),
        "PERCENT-COMPLETE": st.none() | st.integers(0, 150),
        "COMPLETED": moments,
        "PRIORITY": st.none() | st.integers(0, 11),
        "DUE": native_days,
        "DTSTART": native_days,
        "CATEGORIES": sets,
        "PARENT": natives,
        "DEPENDS-ON": st.sets(st.sampled_from(["n1", "n3", "n9"])).map(lambda found: tuple(sorted(found))),
        "CLASS": st.sampled_from([None, "PUBLIC", "PRIVATE", "CONFIDENTIAL"]),
    }
)


def vocabulary(stacks: list[str], bound: dict[str, str]) -> Vocabulary:
    return board(
        {title[:3]: title for title in stacks}, {f"l{i}": title for i, title in enumerate(TITLES[:-1])}, **bound
    )


vocabularies = st.builds(
    vocabulary,
    st.lists(st.sampled_from(STACK_TITLES), min_size=1, unique=True),
    st.dictionaries(st.sampled_from(["l5", "l8", "l99"]), st.sampled_from(["m1", "m3"])),
)
cards = st.fixed_dictionaries(
    {
        "title": st.sampled_from(["Karte", "", " x ", "y" * 300]),
        "description": texts,
        "stack": st.sampled_from([title[:3] for title in STACK_TITLES]),
        "done": moments,
        "archived": st.booleans(),
        "duedate": moments,
        "startdate": moments,
        "labels": st.sets(st.integers(0, 11).map("l{}".format), max_size=4).map(lambda found: tuple(sorted(found))),
    }
)
memories = st.fixed_dictionaries(
    {
        "title": st.just("Satz"),
        "description": texts,
        "status": st.sampled_from([*STATUS, None]),
        "progress": st.none() | st.integers(0, 100),
        "completed_on": days,
        "priority": st.sampled_from([None, 1, 2, 3]),
        "start": days,
        "due": days,
        "parent": natives,
        "milestone": natives,
        "depends_on": st.sets(st.sampled_from(["n1", "n3", "n9"])).map(lambda found: tuple(sorted(found))),
        "responsible": sets,
        "labels": sets,
        "visibility": st.sampled_from([None, *VISIBILITY]),
        "kind": st.sampled_from([None, "task", "milestone"]),
        "archived": st.booleans(),
    }
)
WISHES: dict[str, st.SearchStrategy[Value]] = {
    "title": st.sampled_from(["Aufgabe", "Neu", "z" * 256]),
    "description": st.sampled_from([None, "a\nb", "ü"]),
    "status": st.sampled_from(STATUS),
    "progress": st.sampled_from([None, 0, 50, 100]),
    "completed_on": days,
    "priority": st.sampled_from([None, 1, 2, 3]),
    "start": days,
    "due": days,
    "parent": st.sampled_from([None, "m1", "i3", "i8"]),
    "milestone": st.sampled_from([None, "m1", "m2", "m3", "m4"]),
    "depends_on:m1": st.sampled_from([None, "m1"]),
    "depends_on:i4": st.sampled_from([None, "i4"]),
    "depends_on:i8": st.sampled_from([None, "i8"]),
    "labels:presse": st.sampled_from([None, "Presse", "PRESSE"]),
    "labels:neu": st.sampled_from([None, "Neu"]),
    "labels:ziel": st.sampled_from([None, "Ziel"]),
    "labels:baubeginn": st.sampled_from([None, "Baubeginn"]),
    "responsible:fb 02": st.sampled_from([None, "FB 02"]),
    "visibility": st.sampled_from(VISIBILITY),
}
wishes = st.fixed_dictionaries({}, optional=WISHES)

scenes = st.one_of(
    st.tuples(st.just(CALDAV), todos, st.just(PLAIN)),
    st.tuples(st.just(DECK), cards, vocabularies),
    st.tuples(st.just(MEMORY), memories, st.just(PLAIN)),
)
NATIVES = {  # which native fields an edit of a canonical field may touch
    platform: {
        name: {getattr(table, key, None) for key in ("native", "flag", "stamp")} for name, table in tables.items()
    }
    for platform, tables in [
        (platform, load(shipped(f"{name}.toml")).fields.tables())
        for name, platform in [("caldav", CALDAV), ("nextcloud-deck", DECK), ("memory", MEMORY)]
    ]
}
for platform in NATIVES:
    NATIVES[platform] = {name: NATIVES[platform].get(name, set()) for name in FIELDS}
NATIVES[CALDAV]["visibility"].add("CLASS")


def elements(value: Native) -> tuple[str, ...]:
    assert isinstance(value, tuple)
    return value


Scenery = tuple[Translator, Fields, Vocabulary]


@given(scenes, wishes)
def test_what_is_written_is_shown(scene: Scenery, wanted: dict[str, Value]) -> None:
    platform, fields, voc = scene
    writing = platform.write(wanted, fields, voc, WHO, AT)
    after = platform.read({**fields, **writing.fields}, voc, WHO)
    assert all(platform.shows(after, cell, wanted[cell]) for cell in writing.shown)


@given(scenes, wishes)
def test_every_wish_is_shown_pending_unshowable_or_absent(scene: Scenery, wanted: dict[str, Value]) -> None:
    platform, fields, voc = scene
    writing = platform.write(wanted, fields, voc, WHO, AT)
    carried = platform.read(fields, voc, WHO).carried
    assert sorted([*writing.shown, *writing.pending, *writing.unshowable]) == sorted(
        cell for cell in wanted if field_of(cell).name in carried
    )


@given(scenes, wishes)
def test_nothing_is_written_while_everything_is_shown(scene: Scenery, wanted: dict[str, Value]) -> None:
    platform, fields, voc = scene
    writing = platform.write(wanted, fields, voc, WHO, AT)
    again = {cell: wanted[cell] for cell in writing.shown}
    assert platform.write(again, {**fields, **writing.fields}, voc, WHO, AT + 99).fields == {}


@given(scenes, st.data())
def test_writing_what_was_read_writes_nothing(scene: Scenery, data: st.DataObject) -> None:
    platform, fields, voc = scene
    reading = platform.read(fields, voc, WHO)
    wanted = {cell: data.draw(st.sampled_from(sorted(values, key=str))) for cell, values in reading.cells.items()}
    assert platform.write(wanted, fields, voc, WHO, AT).fields == {}


@given(scenes, wishes)
def test_an_edit_changes_nothing_else(scene: Scenery, wanted: dict[str, Value]) -> None:
    platform, fields, voc = scene
    writing = platform.write(wanted, fields, voc, WHO, AT)
    before, after = (
        platform.read(fields, voc, WHO),
        platform.read({**fields, **writing.fields}, voc, WHO),
    )
    allowed = set(writing.shown) | ({"completed_on"} if "status" in wanted else set())
    assert set(platform.changes(before, after)) <= allowed
    assert (before.kind, before.waiting) == (after.kind, after.waiting)
    assert writing.fields.keys() <= {native for cell in wanted for native in NATIVES[platform][field_of(cell).name]}
    for native, value in writing.fields.items():
        if native in ("labels", "CATEGORIES"):
            told = voc.there.get(native, {})
            unknown = {element for element in elements(fields[native]) if told and element not in told}
            assert unknown <= set(elements(value))


@given(scenes, wishes)
def test_only_what_differs_is_sent(scene: Scenery, wanted: dict[str, Value]) -> None:
    platform, fields, voc = scene
    writing = platform.write(wanted, fields, voc, WHO, AT)
    assert all(value != fields[native] for native, value in writing.fields.items())


@given(scenes, wishes, st.data())
def test_locked_fields_stay(scene: Scenery, wanted: dict[str, Value], data: st.DataObject) -> None:
    platform, fields, voc = scene
    locked = frozenset(data.draw(st.sets(st.sampled_from(sorted(fields)))))
    writing = platform.write(wanted, fields, voc, WHO, AT, locked)
    after = platform.read({**fields, **writing.fields}, voc, WHO)
    assert locked.isdisjoint(writing.fields)
    assert all(platform.shows(after, cell, wanted[cell]) for cell in writing.shown)


@given(cards, vocabularies, st.data())
def test_renaming_columns_and_labels_changes_no_reading(fields: Fields, voc: Vocabulary, data: st.DataObject) -> None:
    """As long as no other one takes the old name."""
    there = {}
    for native, options in voc.there.items():
        old = [normal(title) for title in options.values()]
        free = [title for title in [*TITLES, *STACK_TITLES] if normal(title) not in old]
        there[native] = {
            option: data.draw(st.sampled_from([title, *(free if old.count(normal(title)) == 1 else [])]))
            for option, title in options.items()
        }
    assert DECK.read(fields, replace(voc, there=there), WHO) == DECK.read(fields, voc, WHO)


@given(scenes, st.data())
def test_reading_never_fails(scene: Scenery, data: st.DataObject) -> None:
    platform, fields, voc = scene
    broken = dict(fields)
    for native in data.draw(st.lists(st.sampled_from(sorted(fields)))):
        broken[native] = data.draw(junk)
    for native in data.draw(st.sets(st.sampled_from(sorted(fields)), max_size=2)):
        broken.pop(native, None)
    for vocabulary in (voc, PLAIN):
        reading = platform.read(broken, vocabulary, WHO)
        assert platform.changes(reading, reading) == {}
        assert reading.inputs.keys() == reading.cells.keys()
        assert all(isinstance(hash(evidence), int) for evidence in reading.inputs.values())
        assert {field_of(cell).name for cell in reading.cells} <= reading.carried <= platform.fields
        assert all(field_of(cell).many or reading.asserted(cell) for cell in reading.cells)


@given(scenes, wishes, st.sampled_from(Kind))
def test_a_new_record_shows_what_was_asked(scene: Scenery, wanted: dict[str, Value], kind: Kind) -> None:
    platform, fields, voc = scene
    wanted = {"title": "Neu", **wanted}
    assume(len(str(wanted["title"])) < 256)
    writing = platform.create(kind, wanted, voc, WHO, AT)
    blank: dict[str, Native] = {name: () if isinstance(value, tuple) else None for name, value in fields.items()}
    reading = platform.read({**blank, **writing.fields}, voc, WHO)
    assert reading.kind is kind
    assert all(platform.shows(reading, cell, wanted[cell]) for cell in writing.shown)
    assert not [value for value in writing.fields.values() if value in (None, (), "")]


@given(scenes, wishes)
def test_edits_are_found_by_comparing_readings(scene: Scenery, wanted: dict[str, Value]) -> None:
    platform, fields, voc = scene
    before = platform.read(fields, voc, WHO)
    writing = platform.write(wanted, fields, voc, WHO, AT)
    after = platform.read({**fields, **writing.fields}, voc, WHO)
    new = {cell for cell in writing.shown if not platform.shows(before, cell, wanted[cell])}
    new -= {cell for cell in new if field_of(cell).name not in after.carried}
    new -= {"completed_on"} if wanted.get("completed_on") is None else set()  # any stamp shows that nobody knows
    assert new <= set(platform.changes(before, after))


def test_every_field_of_the_model_is_wished_for() -> None:
    assert {field_of(cell).name for cell in WISHES} == set(FIELDS)
