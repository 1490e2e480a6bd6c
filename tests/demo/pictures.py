"""The demo's pictures: plain data in, rich renderables out. 80 columns are enough, and colours say nothing alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import zip_longest

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from bridge import words
from bridge.texts import Texts
from mappings.canonical import STATUS, Kind
from tests.demo.people import FIELDS, Value
from tests.demo.stories import Fields, Seen, Story

HAND, BRIDGE = ("✎ ", "yellow"), ("⇒ ", "green")
DIM = "dim"
HEAD, TAIL = 8, 15
"""Lines that are shown of each part of a long answer, and at its very end."""


def heading(number: int, title: str) -> RenderableType:
    """The beginning of a part."""
    return Padding(Rule(Text(f"{number} · {title}", style="bold cyan"), align="left", style="cyan"), (1, 0, 0, 0))


def sentence(text: str) -> RenderableType:
    """What is said between pictures."""
    return Padding(Text(text), (0, 0, 1, 0))


def command(line: str) -> RenderableType:
    """A command as a person would type it."""
    return Text.assemble(("$ ", DIM), (line, "bold"))


def shortened(t: Texts, answer: Text) -> RenderableType:
    """A long answer: the beginning of each of its parts, and its end."""
    lines = [*answer.split("\n", allow_blank=False)]
    starts = [0, *(i for i, line in enumerate(lines) if i and _begins(line.plain.rstrip()))]
    shown: list[Text] = []
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        last = TAIL if end == len(lines) else 0
        left_out = end - start - HEAD - last
        if left_out < 2:
            shown += lines[start:end]
            continue
        shown += lines[start : start + HEAD]
        shown.append(Text(t("more", number=t.number(left_out)), style=DIM))
        shown += lines[end - last : end]
    return Group(*shown)


def _begins(line: str) -> bool:
    """Whether a line is the heading of a part: words, and then a rule."""
    return line.endswith("───") and line.strip("─ ") != ""


# ---- two lists side by side -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Stages:
    """What both lists said before anybody worked, after people worked, and after the sync."""

    before: Seen
    by_hand: Seen
    after: Seen

    def of(self, story: Story, side: int) -> tuple[Fields | None, Fields | None, Fields | None]:
        """One task on one side at each stage; None where it was not there."""
        return (
            self.before.fields(side, story.title),
            self.by_hand.fields(side, story.title),
            self.after.fields(side, story.title),
        )


def _side_by_side(t: Texts, sides: Sequence[str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), expand=True)
    table.add_column("", style=DIM, width=13)
    for title in sides:
        table.add_column(Text(title), ratio=1)
    return table


def vocabulary(t: Texts, sides: Sequence[str], seen: Seen, title: str) -> RenderableType:
    """One task as each side has it in its own words."""
    table = _side_by_side(t, sides)
    one, other = (seen.fields(side, title) or {} for side in (0, 1))
    for name in FIELDS:
        if name in one or name in other:
            said = [Text(_spelled(t, name, fields.get(name))) for fields in (one, other)]
            differ = said[0] != said[1]
            for text in said:
                text.stylize("bold" if differ else "")
            table.add_row(t(f"field.{name}"), *said)
    return table


def tale(t: Texts, sides: Sequence[str], story: Story, stages: Stages, why: str) -> RenderableType:
    """One story: what each side said before, who changed what, what the bridge made of it, and why."""
    table = _side_by_side(t, sides)
    both = [stages.of(story, side) for side in (0, 1)]
    if any(None in stage for stage in both):
        table.add_row(t("field.ENTRY"), *(_life(t, stage) for stage in both))
    for name in FIELDS:
        if name == "SUMMARY" or (story.new and name not in story.shown):
            continue
        chains = [[(fields or {}).get(name) for fields in stage] for stage in both]
        gone = [stage[1] is None and stage[0] is not None for stage in both]
        if any(len(set(chain)) > 1 for chain, lost in zip(chains, gone, strict=True) if not lost):
            table.add_row(
                t(f"field.{name}"),
                *(Text() if lost else _chain(t, name, chain) for chain, lost in zip(chains, gone, strict=True)),
            )
    reason = Text.assemble((f"{t('why')}: ", "bold"), why)
    title = Text.assemble((t(f"story.{story.key}.title"), "bold"))
    body = Group(Text(story.title, style="italic"), Text(), table, Text(), reason)
    return Panel(body, title=title, title_align="left", border_style="blue", padding=(0, 1))


def _life(t: Texts, stage: Sequence[Fields | None]) -> RenderableType:
    before, by_hand, after = (fields is not None for fields in stage)
    if before and not by_hand:
        return Group(Text(t("there"), style=DIM), _marked(HAND, t("deleted")))
    if by_hand and not before:
        return _marked(HAND, t("new"))
    if after and not before:
        return _marked(BRIDGE, t("new"))
    return Text(t("there"))


def _chain(t: Texts, name: str, chain: Sequence[Value | None]) -> RenderableType:
    """A value, and under it what people and the bridge made of it."""
    if name in ("DESCRIPTION", "CATEGORIES"):
        return _elements(name, chain)
    before, by_hand, after = chain
    if before == by_hand == after:
        return Text(_spelled(t, name, before))
    lines: list[RenderableType] = [] if before is None else [Text(_spelled(t, name, before), style=DIM)]
    if by_hand != before:
        lines.append(_marked(HAND, _spelled(t, name, by_hand)))
    if after != by_hand:
        lines.append(_marked(BRIDGE, _spelled(t, name, after)))
    return Group(*lines)


def _elements(name: str, chain: Sequence[Value | None]) -> RenderableType:
    """A text line by line, or a set word by word: what was there, what came and what went, and by whom."""
    before, by_hand, after = (_parts(value) for value in chain)
    lines: list[RenderableType] = []
    if name == "CATEGORIES" and before and all(part in after for part in before):
        lines.append(Text(", ".join(before), style=DIM))
        after = [part for part in after if part not in before]
        before = []
    for part in dict.fromkeys([*_in_place(before, after), *after]):
        if part not in after:
            lines.append(_marked(HAND if part not in by_hand else BRIDGE, f"− {part}", gone=True))
        elif part in before:
            lines.append(Text(part, style=DIM))
        else:
            lines.append(_marked(HAND if part in by_hand else BRIDGE, f"+ {part}" if before else part))
    return Group(*lines)


def _in_place(before: Sequence[str], after: Sequence[str]) -> Iterable[str]:
    """The old parts; each that went is followed by what stands in its place now."""
    for index, part in enumerate(before):
        yield part
        if part not in after and index < len(after):
            yield after[index]


def _parts(value: Value | None) -> list[str]:
    return list(value) if isinstance(value, tuple) else str(value).split("\n") if value else []


def _marked(who: tuple[str, str], text: str, *, gone: bool = False) -> RenderableType:
    table = Table.grid(padding=0)
    table.add_row(Text(who[0], style=who[1]), Text(text, style="dim strike" if gone else who[1]))
    return table


def _spelled(t: Texts, name: str, value: Value | None) -> str:
    if value is None:
        return t("nobody")
    if isinstance(value, datetime):
        return t.date(value.date())
    if isinstance(value, date):
        return t.date(value)
    if isinstance(value, tuple):
        return "\n".join(value)
    if name == "PERCENT-COMPLETE":
        return f"{value} %"
    key = f"priority.{value}"
    return t(key) if name == "PRIORITY" and key in t else words.harmless(value)


# ---- the whole --------------------------------------------------------------------------------------------------


def morning(t: Texts, sides: Sequence[str], stories: Sequence[Story]) -> RenderableType:
    """What the two sides do: side by side where it is done to the same task."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0), expand=True)
    table.add_column(Text(sides[0]), ratio=1)
    table.add_column(Text(t("later", title=sides[1])), ratio=1)
    done = [tuple(t(key) if key in t else "" for key in _acts(story)) for story in stories]
    both = [pair for pair in done if all(pair)]
    singly = zip_longest(*([pair[side] for pair in done if not all(pair) and pair[side]] for side in (0, 1)))
    for pair in [*both, *singly]:
        table.add_row(*(_marked(HAND, act) if act else "" for act in pair))
    return table


def _acts(story: Story) -> tuple[str, str]:
    return f"story.{story.key}.fb02", f"story.{story.key}.it"


def overview(t: Texts, in_words: Texts, counted: Counter[tuple[str, str]]) -> RenderableType:
    """Every item as the symbol of its status, a row for each kind; the same in numbers beside it."""
    statuses = [status for status in STATUS if any(key[1] == status for key in counted)]
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0), show_footer=True)
    table.add_column(t("column.kind"), footer=Text(t("column.all"), style="bold"), no_wrap=True)
    table.add_column("", no_wrap=True)
    for status in statuses:
        many = sum(number for key, number in counted.items() if key[1] == status)
        symbol = Text(words.SYMBOLS[status], style=words.STYLES.get(status, ""))
        table.add_column(symbol, justify="right", footer=Text(str(many), style="bold"))
    table.add_column(t("column.all"), justify="right", footer=Text(str(sum(counted.values())), style="bold"))
    for kind in Kind:
        numbers = [counted[kind.value, status] for status in statuses]
        if sum(numbers):
            row = Text()
            for status, number in zip(reversed(statuses), reversed(numbers), strict=True):
                row.append(words.SYMBOLS[status] * number, style=words.STYLES.get(status, ""))
            cells = [Text(str(number) if number else "·", style="" if number else DIM) for number in numbers]
            table.add_row(words.kind(in_words, kind.value), row, *cells, str(sum(numbers)))
    legend = Text("   ").join(words.status(in_words, status) for status in statuses)
    return Group(table, Text(), legend)


def promise(kept: bool, text: str, found: Sequence[str] = ()) -> RenderableType:
    """One promise, and what was found where it was not kept."""
    mark, style = ("✓", "green") if kept else ("✗", "bold red")
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_row(Text(mark, style=style), Text("\n".join([text, *found])))
    return table


def commands(rows: Sequence[tuple[str, str]]) -> RenderableType:
    """Commands to try, and what each is good for."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    for line, what in rows:
        table.add_row(Text(f"  {line}", style="bold"), Text(what, style=DIM))
    return table
