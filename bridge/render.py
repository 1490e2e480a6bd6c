"""Pictures for people: plain data in (`bridge.views`), rich renderables out. Nothing here decides or stores.

They are made for 80 columns and for readers without colours: every state is a word with a symbol, titles wrap
and are never cut, and text from platforms is never read as markup.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import tzinfo
from itertools import groupby

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.style import Style
from rich.table import Table
from rich.text import Text

from bridge import words
from bridge.pieces import BAD, DIM, GOOD, WARN, said_with_sign, scoped, some, table_of
from bridge.render_survival import survival
from bridge.texts import Texts
from bridge.views import (
    Change,
    CheckView,
    ConflictView,
    EntryView,
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
from mappings.canonical import FIELDS, Cell, Kind, Value

ACTS = {
    "create": ("+", "green"),
    "update": ("~", "cyan"),
    "archive": ("−", "red"),
    "delete": ("−", "red"),
    "unarchive": ("+", "green"),
    "release": ("−", "yellow"),
}

_KINDS = [kind.value for kind in Kind]


def check(t: Texts, views: Sequence[CheckView]) -> RenderableType:
    """Every connector: what it is bound to, what is wrong, what to look at, and whether a sync could run."""
    rows: list[RenderableType] = []
    for view in views:
        mark, style = BAD if view.problems else WARN if view.warnings else GOOD
        verdict = t("check.bad") if view.problems else t("check.read_only") if view.read_only else t("check.good")
        head = Text.assemble((f"{mark} ", f"bold {style}"), (view.name, "bold"), (f"  {verdict}", style))
        rows.append(head)
        where = " · ".join(part for part in (view.type, view.host, words.harmless(view.collection)) if part)
        rows.append(Padding(Text(where, style=DIM), (0, 0, 0, 2)))
        rows += [Padding(Text(line), (0, 0, 0, 2)) for line in scoped(t, view.scope, confidential=view.confidential)]
        if view.scope:
            rows.append(Padding(Text(t(f"scope.then_{view.release}"), style=DIM), (0, 0, 0, 2)))
        rows += [said_with_sign(t, BAD, problem) for problem in view.problems]
        rows += [said_with_sign(t, WARN, warning) for warning in view.warnings]
        if not all(title in " ".join(view.problems) for title in view.found):  # the sentence may have told them all
            rows.append(Padding(Text(t("check.found")), (0, 0, 0, 2)))
            rows += [Padding(Text(f"· {words.harmless(title)}"), (0, 0, 0, 4)) for title in view.found]
        rows += [*survival(t, view), Text()]
    broken = sum(bool(view.problems) for view in views)
    rows.append(Text(t("check.ready"), "green") if not broken else Text(t.count("check.broken", broken), "red"))
    return Group(*rows)


# ---- operations ------------------------------------------------------------------------------------------------


def plan(t: Texts, steps: Sequence[Step], held: Sequence[HeldView] = (), *, whole: bool = True) -> RenderableType:
    """What a sync would do and why, per connector; after it, what it would hold back.

    ``whole``: every connector could be read.
    """
    rows: list[RenderableType] = []
    for connector in dict.fromkeys(step.connector for step in steps):
        own = [step for step in steps if step.connector == connector]
        rows.append(_heading(connector, t.count("plan.operations", len(own))))
        rows += [_step(t, step) for step in own]
        rows.append(Text())
    if not steps and not held:
        mark, style = GOOD if whole else WARN
        rows.append(Text.assemble((f"{mark} ", style), t("plan.nothing" if whole else "plan.nothing_read")))
    elif steps:
        rows.append(Text(t("plan.dry") if held else f"{t('plan.dry')} {t('plan.go')}"))
    if held:
        rows += [*([Text()] if steps else []), holding(t, held)]
    return Group(*rows)


def _heading(name: str, note: str) -> RenderableType:
    return Rule(Text.assemble((name, "bold"), f" · {note}"), align="left", style=DIM)


def _step(t: Texts, step: Step) -> RenderableType:
    sign, style = ACTS.get(step.act, ("·", ""))
    body: list[RenderableType] = [
        Text.assemble(
            (t(f"act.{step.act}"), style), f" {words.kind(t, step.kind)} ", (words.harmless(step.title), "bold")
        )
    ]
    body += [_change(t, change, fresh=step.act == "create") for change in step.changes]
    if step.why:
        body.append(Text(f"{t('plan.why')} {words.reason(t, step.why)}", style=DIM))
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_row(Text(sign, style=f"bold {style}"), Group(*body))
    return table


def _change(t: Texts, change: Change, *, fresh: bool = False) -> Text:
    """``Due: 01.12.2026 → 05.12.2026``; of a new record only what it gets; of a set what comes and goes."""
    name, _, element = change.cell.partition(":")
    word = words.field_name(t, name)
    if element:
        spelled = words.harmless(change.after or change.before or element)
        return Text(f"{word}: {'−' if change.after is None else '+'} {spelled}")
    before, after = (_value(t, change.cell, said) for said in (change.before, change.after))
    if fresh:
        return Text(f"{word}: {after}")
    between = "\n→ " if len(before) + len(after) > 60 else " → "  # two long values are compared one below the other
    return Text(f"{word}: {before}{between}{after}")


def _value(t: Texts, cell: Cell, said: Value) -> str:
    """A value on one line; lines of a text are set apart by strokes."""
    lines = words.value(t, cell, said).splitlines()
    return words.short(" / ".join(line.strip() for line in lines if line.strip()), 160)


def holding(t: Texts, views: Sequence[HeldView], *, look: bool = False) -> RenderableType:
    """What waits for a person: where, why, what exactly, and the command that releases exactly this.

    One command releases the whole list. ``look``: where every single step is shown, if it is not shown here.
    """
    rows: list[RenderableType] = []
    for view in views:
        last = rows[-1] if rows else None
        table = last if isinstance(last, Table) and not view.steps else Table.grid(padding=(0, 2, 0, 0))
        if table is not last:  # connectors without steps stand in one table
            rows += [Text(), table] if rows else [table]
        table.add_row(Text(view.connector, style="bold"), Text(words.reason(t, view.reason)))
        if view.steps:
            rows.append(Padding(Group(*(_step(t, step) for step in view.steps)), (1, 0, 0, 2)))
    if look:
        rows += [Text(), Text(t("held.look"))]
    rows += [Text(), Text(t("held.release"))]
    rows += [
        Text(f"  strategy-bridge sync --accept {digest}", "bold") for digest in dict.fromkeys(v.digest for v in views)
    ]
    title = Text.assemble(("! ", "bold yellow"), t("held.title"))
    return Panel(Group(*rows), title=title, title_align="left", border_style="yellow", padding=(0, 1))


# ---- first contact ---------------------------------------------------------------------------------------------


def pairing(t: Texts, pairs: Sequence[PairView]) -> RenderableType:
    """Who is who at first contact: what becomes one item, what is only close, what a person has to settle."""
    rows: list[RenderableType] = []
    for verdict in ("ambiguous", "close", "pair", "new"):
        own = [pair for pair in pairs if pair.verdict == verdict]
        if own:
            rows += [
                _heading(t(f"pairing.{verdict}"), t.number(len(own))),
                Text(t(f"pairing.{verdict}_means"), style=DIM),
            ]
            rows += [_pair(t, pair) for pair in own]
            rows.append(Text())
    return Group(*rows) if rows else Text(t("pairing.none"))


PAIRS = {"ambiguous": ("?", "yellow"), "close": ("≈", "yellow"), "pair": ("=", "green"), "new": ("+", "green")}


def _pair(t: Texts, pair: PairView) -> RenderableType:
    """One title and where it is; titles that differ, one by one."""
    titles = dict.fromkeys(words.harmless(title) for _, title in pair.sides)
    kind, (sign, style) = words.kind(t, pair.kind), PAIRS[pair.verdict]
    body: list[RenderableType] = []
    for title in titles:
        where = [name for name, said in pair.sides if words.harmless(said) == title]
        times = [f"{name} {n}×" if n > 1 else name for name, n in Counter(where).items()]
        body.append(Text.assemble(f"{kind} ", (title, "bold"), (f" · {', '.join(times)}", DIM)))
    for change in pair.differences:
        winner, loser = (_value(t, change.cell, said) for said in (change.after, change.before))
        body.append(Text(t("pairing.differs", field=words.field_name(t, change.cell), winner=winner, loser=loser)))
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_row(Text(sign, style=f"bold {style}"), Group(*body))
    return table


# ---- a pass ------------------------------------------------------------------------------------------------------


def summary(
    t: Texts, run: int, seconds: float, conflicts: int, rows: Sequence[SummaryRow], *, waits: bool = False
) -> RenderableType:
    """What one pass did: a line per connector, then what went wrong, then the whole in one sentence."""
    table = table_of(
        (t("column.connector"), None),
        *((t(f"column.{name}"), 0) for name in ("pulled", "created", "updated", "deleted", "parked", "requests")),
    )
    for row in rows:
        mark, style = BAD if row.error else WARN if row.parked else GOOD
        numbers = (row.pulled, row.created, row.updated, row.deleted, row.parked, row.requests)
        name = Text.assemble((f"{mark} ", style), row.name)
        table.add_row(name, *(Text(t.number(n), style="" if n else DIM) for n in numbers))
    said: list[RenderableType] = [table]
    said += [said_with_sign(t, BAD, f"{row.name}: {words.reason(t, row.error)}") for row in rows if row.error]
    if conflicts:
        said.append(said_with_sign(t, WARN, t.count("sync.conflicts", conflicts)))
    if any(row.parked for row in rows):
        said.append(said_with_sign(t, WARN, t("sync.parked")))
    failed = any(row.error for row in rows)
    (mark, style), key = (BAD, "sync.partly") if failed else (WARN, "sync.waits") if waits else (GOOD, "sync.done")
    return Group(*said, Text.assemble((f"{mark} ", style), t(key, run=run, seconds=t.decimal(seconds))))


def status(
    t: Texts,
    zone: tzinfo,
    rows: Sequence[StatusRow],
    parked: Sequence[ParkedView] = (),
    conflicts: int = 0,
) -> RenderableType:
    """The last complete pass per connector, clocks, what is parked and why, and how many conflicts are kept."""
    table = table_of(
        (t("column.connector"), None), (t("column.records"), 0), (t("column.complete"), 16), (t("column.clock"), 0)
    )
    for row in rows:
        mark, style = BAD if row.error else WARN if row.waiting or not row.complete_at else GOOD
        when = t.moment(row.complete_at, zone) if row.complete_at else t("status.never")
        name = Text.assemble((f"{mark} ", style), (row.name, "bold"))
        lines = [" · ".join(filter(None, (words.harmless(row.title), row.host)))]
        lines += scoped(t, row.scope, confidential=row.confidential)
        lines += [t.count("scope.released", row.released)] if row.released else []
        lines += [t.count("scope.kept_out", len(row.outside), titles=some(t, row.outside))] if row.outside else []
        place = Padding(Text("\n".join(lines), style=DIM), (0, 0, 0, 2))
        table.add_row(Group(name, place), t.number(row.records), when, _clock(t, row))
    said: list[RenderableType] = [table]
    said += [said_with_sign(t, BAD, f"{row.name}: {words.reason(t, row.error)}") for row in rows if row.error]
    said += [said_with_sign(t, WARN, f"{row.name}: {words.reason(t, row.waiting)}") for row in rows if row.waiting]
    if parked:
        said += [Text(), parked_table(t, zone, parked), Text()]
    said.append(Text(t.count("status.conflicts", conflicts) if conflicts else t("status.no_conflicts"), style=DIM))
    return Group(*said)


def _clock(t: Texts, row: StatusRow) -> str:
    if row.offset is None:
        return t("status.no_clock")
    error = f" ±{t.decimal(row.offset_error)}" if row.offset_error else ""
    sign = "+" if row.offset > 0 else "−" if row.offset < 0 else ""
    return f"{sign}{t.decimal(abs(row.offset))}{error} s"


def parked_table(t: Texts, zone: tzinfo, parked: Sequence[ParkedView]) -> RenderableType:
    """What is left alone, where, since when and why."""
    table = table_of((t("column.connector"), 14), (t("column.parked_item"), None))
    alike: dict[ParkedView, list[int]] = {}
    for view in parked:
        alike.setdefault(replace(view, since=0), []).append(view.since)
    for view, moments in alike.items():
        cell = f" · {words.field_name(t, view.cell)}" if view.cell else ""
        since = f" ({t('status.since', when=t.moment(min(moments), zone))})" if min(moments) else ""
        title, many = words.short(words.harmless(view.title), 160), f" {len(moments)}×" if len(moments) > 1 else ""
        what = Text.assemble((title, "bold"), many, cell, "\n", words.reason(t, view.reason), (since, DIM))
        table.add_row(view.connector, what)
    return Group(_heading(t("status.parked"), str(len(parked))), table)


# ---- items and conflicts ---------------------------------------------------------------------------------------


def items(t: Texts, rows: Sequence[ItemRow]) -> RenderableType:
    """The canonical model as a list, from strategy to task: status, due date, and where they are."""
    table = table_of(
        (t("column.id"), 8),
        (t("column.title"), None),
        (t("column.status"), 16),
        (t("column.due"), 10),
    )
    count = Text(t.count("items.count", len(rows)), style=DIM)
    for row in sorted(rows, key=lambda row: _KINDS.index(row.kind)):
        where = f"{words.kind(t, row.kind)} · {', '.join(dict.fromkeys(row.places)) or t('items.nowhere')}"
        title = Text.assemble(words.harmless(row.title), "\n", (where, DIM))
        due = t.date(str(row.due)) if row.due else ""
        table.add_row(Text(row.id[:8], style=DIM), title, words.status(t, row.status), due)
    return Group(table, count) if rows else count


def item(t: Texts, zone: tzinfo, view: ItemView) -> RenderableType:
    """One item in full: what is agreed, where it is, what was decided, what happened."""
    fields = Table.grid(padding=(0, 2, 0, 0))
    for field in view.fields:
        said = field.value
        text = ", ".join(map(words.harmless, said)) if isinstance(said, tuple) else words.value(t, field.name, said)
        origin = f"{field.origin}, {t.moment(field.at, zone)}" if field.origin and field.at else field.origin
        fields.add_row(Text(words.field_name(t, field.name), style=DIM), Text(text), Text(origin, style=DIM))
    head = Text.assemble(f"{words.kind(t, view.kind)}  ", (words.harmless(view.title), "bold"))
    rows: list[RenderableType] = [head, Text(view.id, style=DIM), Text(), fields, Text()]
    rows += [_place(t, place) for place in view.places]
    if view.parked:
        rows += [Text(), parked_table(t, zone, view.parked)]
    if view.conflicts:
        rows += [Text(), _heading(t("item.conflicts"), str(len(view.conflicts))), conflicts(t, zone, view.conflicts)]
    if view.history:
        history = _history(t, zone, view.history)
        rows += [
            *([] if view.conflicts else [Text()]),
            _heading(t("item.history"), t.number(history.row_count)),
            history,
        ]
    return Group(*rows)


def _place(t: Texts, place: PlaceView) -> RenderableType:
    mark, style = GOOD if place.state == "live" and not place.problem else WARN
    state = t(f"place.{place.state}") if f"place.{place.state}" in t else place.state
    lines: list[RenderableType] = [Text.assemble((f"{mark} ", style), (place.connector, "bold"), f"  {state}")]
    if place.problem:
        lines.append(Padding(Text(words.reason(t, place.problem)), (0, 0, 0, 2)))
    if place.url:
        url = words.harmless(place.url)
        lines.append(Padding(Text(url, style=Style(dim=True, link=url), overflow="fold"), (0, 0, 0, 2)))
    return Group(*lines)


def _history(t: Texts, zone: tzinfo, entries: Iterable[EntryView]) -> Table:
    """What happened to an item, step by step: what one platform said at once is one step."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style=DIM)
    for (at, connector, act, why), step in groupby(entries, lambda one: (one.at, one.connector, one.act, one.why)):
        changes = sorted((entry.change for entry in step), key=_rank)
        fresh = any(change.cell == "title" and change.before is None for change in changes)  # it was not there before
        key = f"history.{act}"
        head = t(key, connector=connector) if key in t else f"{act} {connector}"
        said = Text.assemble((head, "bold"), (f": {words.reason(t, why)}" if why else "", DIM))
        table.add_row(t.moment(at, zone), Group(said, *(_change(t, change, fresh=fresh) for change in changes)))
    return table


def _rank(change: Change) -> int:
    """The place of a change among others: fields as the model lists them, whether it lives before them."""
    name = change.cell.partition(":")[0]
    return list(FIELDS).index(name) if name in FIELDS else -1


def conflicts(t: Texts, zone: tzinfo, views: Sequence[ConflictView]) -> RenderableType:
    """Kept conflicts: what stands, what lost, and by which rule."""
    if not views:
        return Text.assemble((f"{GOOD[0]} ", GOOD[1]), t("conflicts.none"))
    rows: list[RenderableType] = []
    for view in views:
        when = [t.moment(at, zone) if at > 0 else "" for at in (view.winner_at, view.loser_at)]
        if when[0] == when[1] != "" and view.winner_at != view.loser_at:  # the seconds decided
            when = [f"{one}:{at % 60:02}" for one, at in zip(when, (view.winner_at, view.loser_at), strict=True)]
        sides = Table.grid(padding=(0, 2, 0, 0))
        sides.add_row(Text(t("conflicts.winner")), _side(t, view.cell, view.winner, view.winner_from, when[0]))
        sides.add_row(Text(t("conflicts.loser")), _side(t, view.cell, view.loser, view.loser_from, when[1]))
        sides.add_row(Text(t("conflicts.base"), style=DIM), Text(_value(t, view.cell, view.base), style=DIM))
        head = Text.assemble((words.harmless(view.title), "bold"), f" · {words.field_name(t, view.cell)}")
        foot = f"{view.id[:8]} · {t.moment(view.at, zone)} · {words.reason(t, view.rule)}"
        rows += [head, Padding(Group(sides, Text(foot, style=DIM)), (0, 0, 1, 2))]
    return Group(*rows)


def _side(t: Texts, cell: Cell, said: Value, connector: str, when: str) -> Text:
    """One side of a conflict: the value, who said it, and when."""
    return Text.assemble(_value(t, cell, said), (f"  {connector}{', ' if when else ''}{when}", DIM))
