"""Reads a scope from the words of an administrator: see `bridge.scope`. Pure.

Whatever cannot be read is said with its place, the word that stands there, and what is known (`ScopeError`).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NoReturn

from bridge.scope import CONNECTIVES, EVERYTHING, FIELDS, VALUES, Any_, Every, Not, Scope, Test
from mappings.canonical import normal

DEEPEST = 40
"""Brackets and "not" in one another that a scope may have."""


class ScopeError(ValueError):
    """A scope that cannot be understood. The message is a sentence that names the place and the word."""


_QUOTES = {'"': '"', "“": "”", "„": "“”", "»": "«", "«": "»", "'": "'", "‚": "‘’", "‘": "’"}
_TOKEN = re.compile(r"\s*(!=|=|\(|\)|,|[^\s=!(),\"“”„»«'‚‘]+|\S)")
_FIELD_OF = {normal(word): name for name, words in FIELDS.items() for word in (name, *words)}


def _words(names: Mapping[str, tuple[str, ...]]) -> list[str]:
    return [word for name, words in names.items() for word in (name, *words)]


_VALUE_OF = {
    name: {normal(word): value for value, words in table.items() for word in (value, value.replace("_", " "), *words)}
    for name, table in VALUES.items()
}


@dataclass(frozen=True)
class _Token:
    """A piece of the text and where it begins, from 1. ``quoted`` text is never a word of the language."""

    text: str
    place: int
    quoted: bool = False

    @property
    def word(self) -> str:
        """The connective or sign that it is, "" for text."""
        return "" if self.quoted else CONNECTIVES.get(normal(self.text), self.text if self.text in "()=,!=" else "")


def parse(text: str) -> Scope:
    """The scope that a setting says; `EVERYTHING` if it says nothing. Raises ScopeError."""
    if not text.strip():
        return EVERYTHING
    reader = _Reader(tuple(_tokens(text)))
    scope = reader.any_()
    if reader.here is not None:
        reader.stop("expected here is “and”, “or” or the end")
    return scope


def _tokens(text: str) -> Iterator[_Token]:
    place = 0
    while match := _TOKEN.match(text, place):
        sign, start = match[1], match.start(1)
        if sign in _QUOTES:
            end = next((i for i in range(start + 1, len(text)) if text[i] in _QUOTES[sign]), None)
            if end is None:
                raise ScopeError(f"the quotation mark at {start + 1} is not closed")
            yield _Token(text[start + 1 : end].strip(), start + 1, quoted=True)
            place = end + 1
        else:
            yield _Token(sign, start + 1)
            place = match.end()


class _Reader:
    """Reads a scope from its tokens: "or" binds least, then "and", then "not"."""

    def __init__(self, tokens: tuple[_Token, ...]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    @property
    def here(self) -> _Token | None:
        """The next token."""
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def stop(self, why: str, *, word: str = "") -> NoReturn:
        """It cannot be read any further."""
        token = self.here
        raise ScopeError(f"at {token.place}, “{word or token.text}”: {why}" if token else f"at its end: {why}")

    def any_(self) -> Scope:
        """Parts of which one must hold."""
        parts = [self._every()]
        while self._takes("or"):
            parts.append(self._every())
        return parts[0] if len(parts) == 1 else Any_(tuple(parts))

    def _every(self) -> Scope:
        parts = [self._part()]
        while self._takes("and"):
            parts.append(self._part())
        return parts[0] if len(parts) == 1 else Every(tuple(parts))

    def _part(self) -> Scope:
        self._depth += 1
        if self._depth > DEEPEST:
            self.stop(f"more than {DEEPEST} brackets in one another")
        try:
            if self._takes("not"):
                return Not(self._part())
            if self._takes("("):
                scope = self.any_()
                if not self._takes(")"):
                    self.stop("a closing bracket is missing")
                return scope
            return self._test()
        finally:
            self._depth -= 1

    def _test(self) -> Scope:
        name = self._field()
        if self._takes("="):
            return Test(name, (self._value(name),))
        if self._takes("!="):
            return Not(Test(name, (self._value(name),)))
        against = self._takes("not")
        if self._says("in"):
            self._at += 1
            test = Test(name, self._list(name))
            return Not(test) if against else test
        self.stop("expected here is “=”, “!=” or “in”")

    def _field(self) -> str:
        """The field that is asked about; its name may have two words."""
        first = self.here
        if first is None or first.quoted or first.word:
            self.stop(f"expected here is one of: {', '.join(FIELDS)}")
        second = self._tokens[self._at + 1] if self._at + 1 < len(self._tokens) else None
        both = "" if second is None or second.quoted or second.word else normal(f"{first.text} {second.text}")
        if both in _FIELD_OF:
            self._at += 2
            return _FIELD_OF[both]
        name = _FIELD_OF.get(normal(first.text))
        if name is None:
            self.stop(f"is not something that can be asked about. {_near(first.text, _words(FIELDS), FIELDS)}")
        self._at += 1
        return name

    def _list(self, name: str) -> tuple[str, ...]:
        if not self._takes("("):
            self.stop("expected here is a list in brackets")
        values = [self._value(name)]
        while self._takes(","):
            values.append(self._value(name))
        if not self._takes(")"):
            self.stop("expected here is “,” or a closing bracket")
        return tuple(dict.fromkeys(values))

    def _value(self, name: str) -> str:
        """Text in quotes, or all words up to the next connective or sign."""
        start, words = self._at, list[str]()
        while (token := self.here) is not None and not token.word and not (token.quoted and words):
            words.append(token.text)
            self._at += 1
            if token.quoted:
                break
        value = " ".join(words)
        if not normal(value):
            self._at = start
            self.stop(f"a value of {name} is missing")
        known = _VALUE_OF.get(name)
        if known is None:
            return value
        if normal(value) not in known:
            self._at = start
            self.stop(f"is not a value of {name}. {_near(value, _words(VALUES[name]), VALUES[name])}", word=value)
        return known[normal(value)]

    def _takes(self, word: str) -> bool:
        token = self.here
        found = token is not None and token.word == word
        self._at += found
        return found

    def _says(self, word: str) -> bool:
        token = self.here
        return token is not None and not token.quoted and normal(token.text) == word


def _near(word: str, spellings: Iterable[str], known: Iterable[str]) -> str:
    """The word that was probably meant, else those that there are."""
    names = {normal(one): one for one in spellings}
    close = difflib.get_close_matches(normal(word), names, n=1)
    return f'Did you mean "{names[close[0]]}"?' if close else f"Known are: {', '.join(known)}."
