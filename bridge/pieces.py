"""Pieces of which the pictures of `bridge.render` are made: signs, sentences, tables, and what a scope says."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from bridge import words
from bridge.texts import Texts

GOOD, WARN, BAD = ("✓", "green"), ("!", "yellow"), ("✗", "red")
DIM = "dim"


def said_with_sign(t: Texts, sign: tuple[str, str], sentence: str) -> RenderableType:
    """A sentence with a sign before it, indented below it."""
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_row(Text(f"  {sign[0]}", style=sign[1]), Text(words.reason(t, sentence)))
    return table


def scoped(t: Texts, scope: str, *, confidential: bool) -> list[str]:
    """Which items belong to a connector, where that is not simply all of them."""
    lines = [t("scope.is", scope=words.harmless(t.scope(scope)))] if scope else []
    return lines + ([t("scope.fit")] if confidential else [])


SOME = 5
"""Titles that stand for all where there are many."""


def some(t: Texts, titles: Sequence[str]) -> str:
    """The first few titles, and that there are more."""
    told = [t.quoted(words.short(words.harmless(title), 60)) for title in titles[:SOME]]
    return ", ".join([*told, "…"] if len(titles) > SOME else told)


def table_of(*columns: tuple[str, int | None]) -> Table:
    """A table without cut words. A column's number is its greatest width: None takes what is left, 0 is numbers."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    for title, width in columns:
        if width == 0:
            table.add_column(Text(title), justify="right", no_wrap=True)
        else:
            table.add_column(Text(title), max_width=width, overflow="fold", ratio=None)
    return table
