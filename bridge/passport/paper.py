"""The passport as people read it: the same tables on a terminal and in Markdown, in the language that is set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bridge import words
from bridge.passport.report import OPTION, Line, Passport, Verdict
from bridge.texts import Texts
from mappings.canonical import Value

GRIDS: Mapping[str, tuple[str, ...]] = {"fields": ("set", "change", "clear"), "references": ("set", "change", "clear")}
"""Areas in which a row is a field and a column is a step."""

TURNED: Mapping[str, tuple[str, ...]] = {"texts": ("title", "description"), "dates": ("start", "due", "completed_on")}
"""Areas in which a row is a step and a column is a field."""

AREAS = ("fields", "kinds", "status", "priority", "visibility", "labels", "references", "dates", "texts", "manners")

STYLES = {
    Verdict.KEPT: "green",
    Verdict.AMONG: "green",
    Verdict.ALIKE: "green",
    Verdict.SHORT: "green",
    Verdict.ABSENT: "dim",
    Verdict.FAILED: "red",
}


@dataclass(frozen=True)
class Sheet:
    """One table: a heading, the columns' heads, the rows, and sentences below; ``whole`` says it all in a few words."""

    heading: str
    heads: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    notes: Sequence[str] = ()
    whole: str = ""


def sheets(t: Texts, passport: Passport) -> list[Sheet]:
    """Every table of a passport; areas of which nothing was measured are left out."""
    found = [_sheet(t, area, passport.area(area)) for area in AREAS if passport.area(area)]
    if passport.facts:
        rows = [(t(f"passport.fact.{name}"), _answer(t, answer)) for name, answer in passport.facts.items()]
        found.append(Sheet(t("passport.area.facts"), (t("passport.question"), t("passport.reply")), rows))
    return found


def picture(t: Texts, passport: Passport) -> RenderableType:
    """For a terminal."""
    parts: list[RenderableType] = []
    for sheet in sheets(t, passport):
        if sheet.whole:
            parts.append(Text.assemble(("✓ ", "bold green"), (sheet.heading, "bold"), f": {sheet.whole}"))
            continue
        table = Table(*sheet.heads, box=box.SIMPLE_HEAD, title=sheet.heading, title_justify="left", title_style="bold")
        for row in sheet.rows:
            table.add_row(Text(row[0]), *(Text(cell, style=_style(t, cell)) for cell in row[1:]))
        parts.append(table)
        parts += [Padding(Text(note), (0, 0, 0, 2)) for note in sheet.notes]
    parts.append(Padding(Text(summary(t, passport)), (1, 0, 0, 0)))
    return Group(*parts, *(Text(line) for line in ending(t, passport)))


def markdown(t: Texts, passport: Passport, where: str = "") -> str:
    """For a file. ``where`` says on what it was measured; the host, if nothing is said."""
    parts = [f"# {t('passport.heading', type=passport.type)}", t("passport.where", where=where or passport.host)]
    parts += [summary(t, passport), t("passport.legend")]
    for sheet in sheets(t, passport):
        rows = [sheet.heads, tuple("---" for _ in sheet.heads), *sheet.rows]
        table = "\n".join("| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows)
        parts += [f"## {sheet.heading}", table]
        if sheet.notes:
            parts.append("\n".join(f"- {_cell(note)}" for note in sheet.notes))
    parts += ending(t, passport)
    return "\n\n".join(parts) + "\n"


def summary(t: Texts, passport: Passport) -> str:
    """How many values fared how."""
    count = Counter(line.verdict for line in passport.lines)
    told = [f"{t(f'passport.verdict.{verdict}')} {t.number(count[verdict])}" for verdict in Verdict if count[verdict]]
    return t("passport.summary", number=t.number(sum(count.values())), told=" · ".join(told))


def ending(t: Texts, passport: Passport) -> list[str]:
    """What lay there and was left alone, what could not be taken away, and with what it ended early."""
    said = [t.count("passport.others", passport.others)] if passport.others else []
    records = [one for one in passport.left if not one.startswith(OPTION)]
    options = [one.removeprefix(OPTION) for one in passport.left if one.startswith(OPTION)]
    if records:
        said.append(t("passport.left", titles=words.harmless(", ".join(records))))
    if options:
        said.append(t("passport.left_options", titles=words.harmless(", ".join(map(t.quoted, options)))))
    if passport.failure:
        said.append(t("passport.broken_off", why=words.reason(t, passport.failure)))
    return said


# ---- one table --------------------------------------------------------------------------------------------------


def _sheet(t: Texts, area: str, lines: list[Line]) -> Sheet:
    heads: tuple[str, ...]
    rows: list[tuple[str, ...]]
    if area in GRIDS:
        columns = GRIDS[area]
        heads = (t("passport.column.field"), *(t(f"passport.step.{step}") for step in columns))
        cells = _grid(t, lines, columns, lambda line: (line.field, line.step))
        rows = [(words.field_name(t, name), *row) for name, row in cells]
    elif area in TURNED:
        columns = TURNED[area]
        heads = (t(f"passport.column.{area}"), *(words.field_name(t, name) for name in columns))
        cells = _grid(t, lines, columns, lambda line: (line.step, line.field))
        rows = [(_step(t, step), *row) for step, row in cells]
    else:
        heads = (t(f"passport.column.{area}"), t("passport.column.verdict"))
        rows = [(_sent(t, line), _verdict(t, line)) for line in lines]
    kept = all(line.verdict is Verdict.KEPT for line in lines)
    whole = t.count("passport.all", len(lines)) if kept else ""
    return Sheet(t(f"passport.area.{area}"), heads, rows, _notes(t, lines), whole)


def _grid(
    t: Texts, lines: Iterable[Line], columns: tuple[str, ...], place: Callable[[Line], tuple[str, str]]
) -> list[tuple[str, list[str]]]:
    """Verdicts by row and column; a dash where nothing was tried."""
    cells: dict[str, dict[str, str]] = {}
    for line in lines:
        row, column = place(line)
        cells.setdefault(row, {})[column] = _verdict(t, line)
    return [(row, [found.get(column, "–") for column in columns]) for row, found in cells.items()]


def _step(t: Texts, step: str) -> str:
    """The word for a step; a date is one that speaks for itself."""
    key = f"passport.step.{step}"
    return t(key) if key in t else t.date(step)


def _sent(t: Texts, line: Line) -> str:
    if line.area == "kinds":
        return words.kind(t, str(line.sent))
    if line.area in ("labels", "manners"):
        return t(f"passport.step.{line.step}")
    return _value(t, line, line.sent)


def _verdict(t: Texts, line: Line) -> str:
    """The word for what became of a value, with what it is now where that says more."""
    word = t(f"passport.verdict.{line.verdict}")
    if line.step == "longest" and line.shown:
        length = t.number(int(str(line.shown[0])))
        return t("passport.at_most" if line.verdict is Verdict.SHORT else "passport.at_least", number=length)
    if line.verdict in (Verdict.AMONG, Verdict.OTHER) and line.shown:
        return f"{word}: {', '.join(_value(t, line, value) for value in line.shown)}"
    return word


def _value(t: Texts, line: Line, value: Value) -> str:
    if line.area == "kinds":
        return words.kind(t, str(value))
    if line.field == "status":
        return words.choice(t, "status", value)
    return words.short(words.value(t, line.field, value), 60).replace("\n", " ")


def _notes(t: Texts, lines: Sequence[Line]) -> list[str]:
    """What connectors and mappings said, once each, with where they said it."""
    said: dict[str, dict[str, list[str]]] = {}
    for line in lines:
        if line.note:
            field = words.field_name(t, line.field) if line.area in (*GRIDS, *TURNED) else ""
            step = _step(t, line.step) if line.area in (*GRIDS, *TURNED) else _sent(t, line)
            said.setdefault(words.reason(t, line.note), {}).setdefault(field, []).append(step)
    return [f"{_places(fields)} — {note}" for note, fields in said.items()]


def _places(fields: Mapping[str, list[str]]) -> str:
    return "; ".join(f"{field}: {', '.join(steps)}" if field else ", ".join(steps) for field, steps in fields.items())


def _answer(t: Texts, answer: object) -> str:
    key = f"passport.answer.{answer}"
    if key in t:
        return t(key)
    return t.number(answer) if isinstance(answer, int) else words.harmless(answer)


def _style(t: Texts, cell: str) -> str:
    return next((style for verdict, style in STYLES.items() if cell.startswith(t(f"passport.verdict.{verdict}"))), "")


def _cell(text: str) -> str:
    return words.harmless(text).replace("\n", " ").replace("|", "\\|").replace("<", "&lt;")
