"""Canonical words as people read them: kinds, fields, statuses, dates, and the engine's reasons.

A status is always a symbol *and* a word, so that nothing depends on colour. Text that came from a platform is
made harmless for a terminal before it is shown: control characters are dropped, markup is not interpreted.
"""

from __future__ import annotations

import unicodedata

from rich.text import Text

from bridge.texts import Texts
from mappings.canonical import FIELDS, Cell, Type, Value, element_of, field_of

SYMBOLS = {
    "idea": "·",
    "planned": "○",
    "in_progress": "◐",
    "ongoing": "∞",
    "on_hold": "‖",
    "done": "●",
    "cancelled": "×",
    "unknown": "?",
}
STYLES = {"in_progress": "cyan", "done": "green", "on_hold": "yellow", "cancelled": "dim", "idea": "dim"}

LONGEST = 300
"""Characters of one value that are shown in a list; the whole is in `show ITEM` and in the JSON."""


def harmless(value: object) -> str:
    """Text from elsewhere, fit for a terminal: no control or direction characters, line ends kept."""
    kept = (
        c if c == "\n" or unicodedata.category(c) not in ("Cc", "Cf", "Cs") or c == "\u200d" else " "
        for c in str(value)
    )
    return "".join(kept)


def kind(t: Texts, name: str) -> str:
    """The word for a kind."""
    return t(f"kind.{name}") if f"kind.{name}" in t else name


def field_name(t: Texts, cell: Cell) -> str:
    """The word for the field of a cell; of a set's element, with the element."""
    name, _, element = cell.partition(":")
    word = t(f"field.{name}") if f"field.{name}" in t else name
    return f"{word} {t.quoted(harmless(element))}" if element else word


def value(t: Texts, cell: Cell, said: Value) -> str:
    """A canonical value in words."""
    if cell.partition(":")[0] not in FIELDS:  # life, or a field of a later version
        return t("value.nothing") if said is None else choice(t, cell.partition(":")[0], said)
    spec = field_of(cell)
    if spec.many and element_of(cell):
        return t("value.nothing") if said is None else t("value.there")
    if said is None or said == "":
        return t("value.nothing")
    if spec.type is Type.CHOICE:
        return status(t, said).plain if spec.name == "status" else choice(t, spec.name, said)
    if spec.type is Type.DATE:
        return t.date(str(said))
    if spec.name == "progress":
        return f"{said} %"
    return harmless(said)


def choice(t: Texts, name: str, said: Value) -> str:
    """The word for one value of a vocabulary."""
    key = f"{name}.{said}"
    return t(key) if key in t else harmless(said)


def status(t: Texts, said: Value) -> Text:
    """A status: symbol, word, and a colour for those who see it."""
    name = str(said or "unknown")
    return Text(f"{SYMBOLS.get(name, '?')} {choice(t, 'status', name)}", style=STYLES.get(name, ""))


def short(text: str, longest: int = LONGEST) -> str:
    """The beginning of a long text, and that it goes on."""
    text = text.strip()
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def reason(t: Texts, sentence: str) -> str:
    """A reason or error of the engine, in the language that is set where it is known, else as it was written."""
    return harmless(t.reword(sentence))
