"""What the program says to people, German or English by setting.

The sentences live in ``bridge/locale/<language>.toml``, one table per part of the program; a key is
``table.name``. Values are put in with `str.format`. A test holds both files to the same keys and the same
placeholders, and every call in the source to a key that exists.

Dates are ISO inside; people read ``01.12.2026`` in German and ``2026-12-01`` in English.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from functools import cache
from importlib.resources import files
from string import Formatter

from bridge.scope import EVERYTHING, told
from bridge.scope_reader import ScopeError, parse

LANGUAGES = ("de", "en")
DEFAULT_LANGUAGE = "de"

_VOCABULARIES = {
    "field": ("field",),
    "kind": ("kind",),
    "old_kind": ("kind",),
    "native": ("native",),
    "value": ("status", "priority", "visibility"),
}
"""Placeholders of sentences in which a word of the model or of a platform stands: where it is looked up."""

_SHAPES = {
    **dict.fromkeys(("field", "kind", "old_kind", "native", "host", "method"), r"\S+"),
    "brackets": r"(?: \(.*\))?",
    "who": r"(?: .*)?",
}
"""Placeholders that hold no text of any kind: one word, or something that may be missing."""

_DATE = {"de": "%d.%m.%Y", "en": "%Y-%m-%d"}


@dataclass(frozen=True)
class Texts:
    """The sentences of one language: ``t("sync.done", seconds=3)``."""

    language: str
    sentences: Mapping[str, str] = field(repr=False)

    def __call__(self, key: str, /, **values: object) -> str:
        """The sentence of a key, with the values put in."""
        return self.sentences[key].format(**values)

    def __contains__(self, key: str) -> bool:
        """Whether there is a sentence for the key."""
        return key in self.sentences

    def reword(self, sentence: str, table: str = "reason") -> str:
        """A sentence that the engine or a connector wrote, in this language; what nobody translated stays as it is.

        They write English only, so that a log and the JSON read the same everywhere. The table ``reason`` of the
        English file has their sentences as patterns, that of the other language says them again.
        """
        for pattern, key in _patterns(table):
            found = pattern.fullmatch(sentence)
            if found:
                return self(key, **{name: self._put_in(name, text) for name, text in found.groupdict().items()})
        return sentence

    def _put_in(self, name: str, text: str) -> str:
        """What stands in a placeholder: a sentence, a part of one, a word of the model, or text that stays."""
        if name in ("sentence", "why"):
            return self.reword(text)
        if name in ("scope", "old_scope"):
            return self.scope(text)
        if _patterns(f"part.{name}"):
            return self.reword(text, f"part.{name}")
        if name == "titles" and self.language == "de":
            return text.replace("“", "»").replace("”", "«")
        if name == "kinds":
            return ", ".join(self._word(("kind",), kind) for kind in text.split(", "))
        return self._word(_VOCABULARIES.get(name, ()), text)

    def _word(self, tables: tuple[str, ...], text: str) -> str:
        keys = (f"{table}.{text.lower()}" for table in tables)
        return next((self.sentences[key] for key in keys if key in self.sentences), text)

    def scope(self, text: str) -> str:
        """A scope, given as `str` writes it, in words of this language."""
        try:
            found = EVERYTHING if text in ("", "everything") else parse(text)
        except ScopeError:  # of a later version of the program
            return text
        return told(found, lambda table, word: self(f"{table}.{word}"))

    def count(self, key: str, number: int, **values: object) -> str:
        """A sentence that has a form for one (``key.one``) and one for all other numbers (``key.many``)."""
        return self(f"{key}.{'one' if number == 1 else 'many'}", number=self.number(number), **values)

    def number(self, value: int) -> str:
        """A whole number, its thousands set apart as the language does it."""
        grouped = f"{value:,}"
        return grouped.replace(",", ".") if self.language == "de" else grouped

    def decimal(self, value: float, digits: int = 1) -> str:
        """A number with decimals: ``2,5`` in German, ``2.5`` in English."""
        text = f"{value:.{digits}f}"
        return text.replace(".", ",") if self.language == "de" else text

    def quoted(self, text: str) -> str:
        """Text in the language's quotation marks."""
        return f"»{text}«" if self.language == "de" else f"“{text}”"

    def date(self, value: date | str | None) -> str:
        """A calendar date as people read it; text that is no ISO date stays as it is."""
        if value is None or value == "":
            return ""
        try:
            day = date.fromisoformat(value) if isinstance(value, str) else value
        except ValueError:
            return str(value)
        return day.strftime(_DATE[self.language])

    def moment(self, seconds: float, zone: tzinfo) -> str:
        """A moment, given in Unix seconds, as the clock of the city shows it."""
        moment = datetime.fromtimestamp(seconds, zone)
        return f"{moment.strftime(_DATE[self.language])} {moment.strftime('%H:%M')}"


@cache
def texts(language: str = DEFAULT_LANGUAGE) -> Texts:
    """The sentences of a language, one of `LANGUAGES`."""
    source = files("bridge").joinpath("locale", f"{language}.toml")
    return Texts(language, dict(_flat(tomllib.loads(source.read_text(encoding="utf-8")))))


@cache
def _patterns(table: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    """The English sentences of a table as patterns, those with the most words of their own first."""
    found: list[tuple[int, re.Pattern[str], str]] = []
    for key, sentence in texts("en").sentences.items():
        if key.rpartition(".")[0] == table:
            parts = [(literal, name) for literal, name, _, _ in Formatter().parse(sentence)]
            pattern = "".join(re.escape(literal) + (_group(name) if name else "") for literal, name in parts)
            found.append((sum(len(literal) for literal, _ in parts), re.compile(pattern, re.DOTALL), key))
    return tuple((pattern, key) for _, pattern, key in sorted(found, key=lambda one: (-one[0], one[2])))


def _group(name: str) -> str:
    return f"(?P<{name}>{_SHAPES.get(name, '.+?')})"


def _flat(table: Mapping[str, object], prefix: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, value in table.items():
        if isinstance(value, dict):
            found += _flat(value, f"{prefix}{name}.")
        else:
            found.append((f"{prefix}{name}", str(value)))
    return found
