"""Characters that nobody sees, and what they do in a native text (ADR 0020).

Unicode has five that are never shown and never part of a word: U+2060 to U+2064.

* The *fuse* keeps apart what would mean something together: ``⟨fuse⟩*so*`` is no bold text in Textile. One fuse is put
  in where something is held apart, and exactly one is taken out again, so that text which has some of its own stays
  as it was: whether there is one to take out follows from the characters on both sides alone.
* The *marker* at the beginning of each line of a block says: this is the canonical text, word for word.
* A *note* at the end of a line says how the block was spelled, where the format itself cannot: that its bullets were
  stars, say. A note that people delete does no harm; the block is then spelled in the usual way.
"""

from __future__ import annotations

import re

FUSE = "\u2060"
MARKER = "\u2063"

_DIGITS = "\u2061\u2062\u2063\u2064"
_NOTE = re.compile(f" ([{_DIGITS}]+)(?=\\|?(?:\n|$))")  # a row of a table must end with its own sign
_EVERY = re.compile(f"(?P<fuses>{FUSE}*)(?P<next>.)?", re.DOTALL)

Active = re.Pattern[str]
"""Characters before which something can be held apart."""


def note(number: int) -> str:
    """A number that nobody sees, to be put at the end of a line; nothing for 0."""
    digits = ""
    while number:
        number, digit = divmod(number, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return f" {digits}" if digits else ""


def noted(text: str) -> tuple[str, int]:
    """The text without its notes, and the number of the first one; 0 if there is none."""
    number = 0
    found = _NOTE.search(text)
    for digit in found[1] if found else "":
        number = number * len(_DIGITS) + _DIGITS.index(digit)
    return _NOTE.sub("", text), number


def _is_active(before: str, after: str, active: Active) -> bool:
    return after != "" and (before in ("", "\n", "<", "&") or active.match(after) is not None or after in _DIGITS)


def held(text: str, active: Active) -> str:
    """The text with one fuse more wherever there can be one; `released` takes them out again."""
    return _moved(text, active, 1)


def released(text: str, active: Active) -> str:
    """The text with one fuse less wherever there can be one."""
    return _moved(text, active, -1) if FUSE in text else text


def _moved(text: str, active: Active, by: int) -> str:
    before, parts = "", []
    for found in _EVERY.finditer(text):
        fuses, after = found["fuses"], found["next"] or ""
        count = len(fuses) + (by if _is_active(before, after, active) else 0)
        parts += [FUSE * max(count, 0), after]
        before = after
    return "".join(parts)


def word_for_word(source: str, active: Active) -> str:
    """Canonical text as native text that means nothing but itself; `from_word_for_word` takes it back."""
    return "\n".join(MARKER + held(line, active) for line in source.split("\n"))


def is_word_for_word(line: str) -> bool:
    """Whether a line of native text is canonical text, word for word."""
    return line.startswith(MARKER)


def from_word_for_word(native: str, active: Active) -> str:
    """The canonical text of lines that are marked."""
    return "\n".join(released(line[len(MARKER) :], active) for line in native.split("\n"))
