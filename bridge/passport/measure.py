"""What is tried on a platform: every canonical field, every value of every vocabulary, texts, dates and manners.

Each step writes as a pass of the bridge would, through mapping and connector, then asks the platform afresh and
compares. A step that fails is a line of its own; only lost access ends the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from bridge.passport.bench import Bench, Made
from bridge.passport.report import Line, Passport, Verdict
from connectors.errors import Forbidden, NotACollection, PlatformError, Rejected, Unauthorized
from mappings.canonical import (
    FIELDS,
    INTERNAL,
    PRIORITY,
    PUBLIC,
    STATUS,
    TITLE_LIMIT,
    Cell,
    Kind,
    Type,
    Value,
    alike,
    cell_of,
    field_of,
    plain,
)

CLOCK_CHANGES = ("2018-03-25", "2018-10-28")
LEAP_DAY = "2024-02-29"
LONGEST = 262_144
"""Characters of a description up to which the limit is looked for, by doubling."""

SHORTEST = 4_096

TEXTS: Mapping[str, str] = {
    "umlauts": "Fördermittel für Straßen, Gäßchen, ẞ",
    "composed": "Caf\u00e9 Z\u00fcrich (NFC)",
    "decomposed": "Cafe\u0301 Zu\u0308rich (NFD)",
    "emoji": "🚀 👩‍💻 testet 漢字 עברית",
    "quotes": "„deutsche“ “englische” ‚einfache‘ – Strich",
    "markup": "<b>&amp;</b> *fett* [Verweis](https://example.org) #12 100 % \\n",
}
LINES: Mapping[str, str] = {
    "lines": "eins\n\nzwei\n\n\ndrei",
    "blanks": "am Ende zwei Blanks  \n  am Anfang auch\n\tein Tabulator",
    "tasks": "- [ ] offen\n- [x] erledigt\n\n| a | b |\n| - | - |\n| 1 | 2 |",
    "code": "```\n/close\n@niemand-hier\n```",
    "tail": "Text mit leeren Zeilen am Ende\n\n\n",
}
LABELS: Mapping[str, str] = {"plain": "Presse", "umlaut": "Straße & Rat", "comma": "Rat, Presse", "semicolon": "A; B"}


@dataclass(frozen=True)
class Try:
    """One step on one record: these cells are wanted, and this one is looked at."""

    area: str
    cell: Cell
    step: str
    wanted: Mapping[Cell, Value]


def measure(bench: Bench, passport: Passport, tell: Callable[[str], None] = lambda _: None) -> None:
    """Everything but the manners, line by line into the passport. Raises only where access is lost."""
    for area, lines in (
        ("kinds", _kinds(bench)),
        ("fields", _fields(bench)),
        ("status", _choices(bench, "status", STATUS)),
        ("priority", _choices(bench, "priority", (*PRIORITY, None))),
        # What is confidential is shown to no connector but those that are marked as fit for it: not tried.
        ("visibility", _choices(bench, "visibility", (PUBLIC, INTERNAL))),
        ("labels", _labels(bench)),
        ("references", _references(bench)),
        ("dates", _dates(bench)),
        ("texts", _texts(bench)),
    ):
        tell(area)
        passport.lines.extend(lines)


# ---- one step ---------------------------------------------------------------------------------------------------


def attempt(bench: Bench, made: Made, one: Try) -> Line:
    """Write, ask, compare."""
    field = field_of(one.cell).name
    if field not in bench.translator.fields:
        return _line(one, Verdict.ABSENT)
    try:
        writing = bench.write(made, one.wanted)
        reading = bench.read(made)
    except Exception as error:
        return _line(one, *failed(error))
    if one.cell in writing.unshowable:
        return _line(one, Verdict.ABSENT, note=writing.unshowable[one.cell])
    if one.cell in writing.locked or (asserted := reading.asserted(one.cell)) is None:
        return _line(one, Verdict.ABSENT, note=reading.problems.get(field, ""))
    shown = tuple(sorted(asserted, key=str))
    verdict = judge(one.cell, one.wanted[one.cell], shown)
    return _line(one, verdict, shown if verdict in (Verdict.AMONG, Verdict.OTHER) else ())


def _line(one: Try, verdict: Verdict, shown: tuple[Value, ...] = (), note: str = "") -> Line:
    return Line(one.area, field_of(one.cell).name, one.step, one.wanted.get(one.cell), verdict, shown, note)


def failed(error: Exception) -> tuple[Verdict, tuple[Value, ...], str]:
    """What a failed step says. Lost access is passed on: nothing else could be measured either."""
    if isinstance(error, NotACollection) or (isinstance(error, Unauthorized) and not isinstance(error, Forbidden)):
        raise error
    if isinstance(error, Rejected):
        return Verdict.REFUSED, (), str(error)
    if isinstance(error, PlatformError):
        return Verdict.FAILED, (), str(error)
    return Verdict.FAILED, (), f"{type(error).__name__}: {error}"  # a connector that is still being written


def judge(cell: Cell, sent: Value, shown: tuple[Value, ...]) -> Verdict:
    """What became of a value, by what the record asserts now."""
    meant = [value for value in shown if alike(cell, value, sent)]
    if len(shown) > 1:
        return Verdict.AMONG if meant else Verdict.OTHER
    if meant:
        return Verdict.KEPT if _exact(cell, sent) == _exact(cell, shown[0]) else Verdict.ALIKE
    return Verdict.LOST if shown in ((None,), ()) and sent is not None else Verdict.OTHER


def _exact(cell: Cell, value: Value) -> Value:
    """A value as it is compared to the letter; labels by their spelling."""
    return (value or "") if field_of(cell).type in (Type.TEXT, Type.LINE) else value


def _tries(bench: Bench, name: str, tries: list[Try], kind: Kind = Kind.TASK) -> Iterator[Line]:
    """Steps on one record that is made for them, and not made where the platform has no such field."""
    if not any(field_of(one.cell).name in bench.translator.fields for one in tries):
        yield from (_line(one, Verdict.ABSENT) for one in tries)
        return
    try:
        made = bench.make(name, kind)
    except Exception as error:
        found = failed(error)
        yield from (_line(one, *found) for one in tries)
        return
    for one in tries:
        yield attempt(bench, made, one)


# ---- what is tried ----------------------------------------------------------------------------------------------


def _kinds(bench: Bench) -> Iterator[Line]:
    for kind in Kind:
        if not bench.translator.holds(kind):
            yield Line("kinds", "kind", str(kind), str(kind), Verdict.ABSENT)
            continue
        try:
            made = bench.make(f"Art {kind}", kind)
            bench.read(made)
            shown = bench.reading(made).kind
            verdict = Verdict.KEPT if shown is kind else Verdict.OTHER
            yield Line("kinds", "kind", str(kind), str(kind), verdict, () if shown is kind else (str(shown),))
        except Exception as error:
            yield Line("kinds", "kind", str(kind), str(kind), *failed(error))


def _fields(bench: Bench) -> Iterator[Line]:
    """Set, change and clear: one record for all, since that is what people do to one."""
    done: dict[Cell, Value] = {"status": "done"}
    first, other = bench.title("eins"), bench.title("zwei")
    steps: dict[str, tuple[dict[Cell, Value], ...]] = {
        "title": ({"title": first}, {"title": other}),
        "description": ({"description": "eins\nzwei"}, {"description": "eins\ndrei"}, {"description": None}),
        "start": ({"start": "2026-03-02"}, {"start": "2026-03-03"}, {"start": None}),
        "due": ({"due": "2026-03-20"}, {"due": "2026-03-21"}, {"due": None}),
        "priority": ({"priority": 1}, {"priority": 3}, {"priority": None}),
        "visibility": ({"visibility": "public"}, {"visibility": "internal"}),
        "status": ({"status": "in_progress"}, {"status": "planned"}),
        "progress": (
            {"status": "in_progress", "progress": 40},
            {"status": "in_progress", "progress": 70},
            {"status": "in_progress", "progress": None},
        ),
        "completed_on": (
            {**done, "completed_on": "2026-03-05"},
            {**done, "completed_on": "2026-03-06"},
            {"status": "planned", "completed_on": None},
        ),
    }
    tries = [
        Try("fields", name, step, wanted)
        for name in FIELDS
        for step, wanted in zip(("set", "change", "clear"), steps.get(name, ()), strict=False)
    ]
    yield from _tries(bench, "Felder", tries)


def _choices(bench: Bench, name: str, values: tuple[Value, ...]) -> Iterator[Line]:
    yield from _tries(bench, f"Werte {name}", [Try(name, name, str(value), {name: value}) for value in values])


def _labels(bench: Bench) -> Iterator[Line]:
    tries = []
    for step, label in LABELS.items():
        tries.append(Try("labels", cell_of("labels", label), step, {cell_of("labels", label): label}))
    gone = cell_of("labels", LABELS["plain"])
    tries.append(Try("labels", gone, "remove", {gone: None}))
    yield from _tries(bench, "Schlagworte", tries)


def _references(bench: Bench) -> Iterator[Line]:
    """To one record, to another, and to none: at the end nothing hangs on anything, so that all can be deleted."""
    for name, kind in (("parent", Kind.TASK), ("milestone", Kind.MILESTONE), ("depends_on", Kind.TASK)):
        steps = ("set", "change", "clear")
        if name not in bench.translator.fields or not bench.translator.holds(kind):
            yield from (Line("references", name, step, None, Verdict.ABSENT) for step in steps)
            continue
        try:
            one, other = (bench.make(f"Ziel {name} {number}", kind).item for number in (1, 2))
        except Exception as error:
            yield from (Line("references", name, step, None, *failed(error)) for step in steps)
            continue
        if FIELDS[name].many:
            cells = {"set": (cell_of(name, one), one), "change": (cell_of(name, other), other)}
            tries = [Try("references", cell, step, {cell: item}) for step, (cell, item) in cells.items()]
            both: dict[Cell, Value] = {cell: None for cell, _ in cells.values()}
            tries.append(Try("references", cell_of(name, one), "clear", both))
        else:
            wanted = zip(steps, (one, other, None), strict=True)
            tries = [Try("references", name, step, {name: item}) for step, item in wanted]
        for line in _tries(bench, f"Verweis {name}", tries):
            yield _nameless(line)


def _nameless(line: Line) -> Line:
    """Ids of records that will be gone say nothing to anybody."""
    return Line(line.area, line.field, line.step, None, line.verdict, (), line.note)


def _dates(bench: Bench) -> Iterator[Line]:
    """Days on which the clocks change, and one that most years do not have."""
    days = (*CLOCK_CHANGES, LEAP_DAY)
    tries = [Try("dates", "due", day, {"start": None, "due": day}) for day in days]
    tries += [Try("dates", "start", day, {"due": None, "start": day}) for day in days]
    tries += [Try("dates", "completed_on", day, {"status": "done", "completed_on": day}) for day in days]
    yield from _tries(bench, "Tage", tries)


def _texts(bench: Bench) -> Iterator[Line]:
    tries = [Try("texts", "title", step, {"title": bench.title(text)}) for step, text in TEXTS.items()]
    tries += [Try("texts", "description", step, {"description": text}) for step, text in {**TEXTS, **LINES}.items()]
    for line in _tries(bench, "Texte", tries):
        yield Line(line.area, line.field, line.step, None, line.verdict, (), line.note)
    yield from _longest(bench, "title", 64, TITLE_LIMIT)
    yield from _longest(bench, "description", SHORTEST, LONGEST)


def _longest(bench: Bench, name: str, start: int, end: int) -> Iterator[Line]:
    """The longest text that comes back whole, by doubling; ``shown`` is its length, 0 for none."""
    if name not in bench.translator.fields:
        yield Line("texts", name, "longest", end, Verdict.ABSENT)
        return
    try:
        made = bench.make(f"Länge {name}")
    except Exception as error:
        yield Line("texts", name, "longest", end, *failed(error))
        return
    kept, size = 0, start
    while True:
        one = attempt(bench, made, Try("texts", name, "longest", {name: _text(bench, name, size)}))
        if one.verdict is not Verdict.KEPT:
            break
        kept = size
        if size == end:
            break
        size = min(2 * size, end)
    verdict = Verdict.KEPT if kept == end else Verdict.FAILED if one.verdict is Verdict.FAILED else Verdict.SHORT
    yield Line("texts", name, "longest", end, verdict, (kept,), one.note)


def _text(bench: Bench, name: str, size: int) -> str:
    """So many characters, none of which a server would trim."""
    if name == "title":
        return bench.title("x" * size)[:size]
    text = "".join(f"{number:06d} äöü ß “Zitat”, Komma; Strich – und Text\n" for number in range(size // 40 + 1))
    return plain(text[: size - 1]).ljust(size - 1, "x") + "."
