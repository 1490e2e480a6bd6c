"""The picture of what survives on a platform: a word, and behind it what the word is true of."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bridge import words
from bridge.survey import CHARACTERS, COARSER, KEPT, MISSING
from bridge.texts import Texts
from bridge.views import CheckView


def survival(t: Texts, view: CheckView) -> list[RenderableType]:
    """What `check` found of fields and of formatting, a line for each word that is true of something."""
    fields = {words.field_name(t, name): word for name, word in view.fields.items()}
    formatting = {t(f"construct.{name}"): word for name, word in view.formatting.items()}
    table = Table.grid(padding=(0, 2, 0, 0))
    for words_of, table_of, order in (
        (fields, "survives", (KEPT, COARSER, MISSING)),
        (formatting, "formatting", (KEPT, CHARACTERS, MISSING)),
    ):
        for word in order:
            _line(t, table, f"{table_of}.{word}", words_of, word)
    return [Padding(table, (0, 0, 0, 4))] if table.row_count else []


def _line(t: Texts, table: Table, key: str, found: Mapping[str, str], word: str) -> None:
    names = [name for name, said in found.items() if said == word]
    if names:
        table.add_row(Text(t(key), style="dim"), Text(", ".join(names)))
