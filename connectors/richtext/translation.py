"""A text format that has to be translated, block by block, so that nothing is lost on the way (ADR 0020).

Every block that is written is read again at once. One that does not come back exactly as it was is written word for
word instead, which any text can be, and so is the whole text if need be: ``read(write(text)) == text`` does not depend
on how well a dialect is understood. How much of a text *looks* right does, and is tried on the real thing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Protocol

from connectors.richtext.commonmark import Part, parts

_BOX = re.compile(r"^[> ]*(?:[-*+]|\d+[.)])[ \t]+\[[ xX]\][ \t]", re.MULTILINE)


@dataclass(frozen=True)
class Piece:
    """One block of a native text as it stands there, and what separates it from the next."""

    source: str
    gap: str


@dataclass(frozen=True)
class Heard:
    """A piece in canonical text; ``close`` where the next one follows in the next line."""

    text: str
    close: bool = False


class Dialect(Protocol):
    """What is to be known of a format. `Translation` makes a `TextFormat` of it."""

    name: str

    def pieces(self, native: str) -> tuple[str, list[Piece]]:
        """The blanks at the beginning, and the blocks. Together they are the native text."""
        ...

    def hear(self, source: str) -> Heard:
        """One block of native text."""
        ...

    def say(self, source: str, close: bool, alive: frozenset[str]) -> str | None:
        """One block of canonical text; None where it cannot be said. ``alive`` may mean what it means natively."""
        ...

    def repeat(self, source: str, close: bool) -> str:
        """Canonical text, word for word: whatever it is, `hear` gives it back."""
        ...

    def alive(self, native: str) -> frozenset[str]:
        """What has a meaning in this native text that canonical text has no word for."""
        ...

    def gap_heard(self, gap: str) -> str:
        """What separates two blocks, in canonical text; at least one line end."""
        ...

    def gap_said(self, gap: str) -> str:
        """The opposite of `gap_heard`, for a gap with a blank line in it."""
        ...


@dataclass(frozen=True)
class _Group:
    """Pieces of the native text that are one or more whole blocks of the canonical one."""

    native: str
    gap: str
    parts: tuple[Part, ...]


class Translation:
    """A dialect as a `connectors.richtext.formats.TextFormat`."""

    def __init__(self, dialect: Dialect) -> None:
        self.name = dialect.name
        self._dialect = dialect
        self._read = lru_cache(maxsize=256)(self._read_now)

    def read(self, native: str) -> str:
        """The canonical text of a native one."""
        return self._read(_lines(native))

    def _read_now(self, native: str) -> str:
        lead, heard = self._heard(native)
        return lead + "".join(text + gap for _, text, gap in heard)

    def _heard(self, native: str) -> tuple[str, list[tuple[Piece, str, str]]]:
        """The beginning, and per piece its canonical text and the gap behind it."""
        dialect = self._dialect
        lead, pieces = dialect.pieces(native)
        found = []
        for number, piece in enumerate(pieces, 1):
            heard = self._hear(piece.source)
            gap = dialect.gap_heard(piece.gap) if number < len(pieces) else piece.gap
            if heard.close and number < len(pieces):
                gap = "\n" + gap.lstrip("\n")
            found.append((piece, heard.text, gap))
        return lead, found

    def _hear(self, source: str) -> Heard:
        try:
            return self._dialect.hear(source)
        except RecursionError:  # thousands of signs within each other: nobody's text, and nothing to stop a pass for
            return Heard(source)

    # ---- writing -------------------------------------------------------------------------------------------------

    def write(self, text: str, there: str = "") -> str:
        """The native text for a canonical one; what stands ``there`` and means the same stays as it is."""
        text, there = _lines(text), _lines(there)
        if self.read(there) == text or self.read(there).rstrip() == text:  # blanks at the very end count nowhere
            return there
        alive = self._dialect.alive(there)
        for native in self._attempts(text, there, alive):
            if self.read(native) == text:
                return native
        return self._dialect.repeat(text, False)

    def _attempts(self, text: str, there: str, alive: frozenset[str]) -> Iterator[str]:
        """The best first; each is a little more certain to be read as the text that it stands for."""
        lead, blocks = parts(text)
        if there:
            yield self._assembled(lead, blocks, self._kept(blocks, self._groups(there)), alive)
        yield self._assembled(lead, blocks, {}, alive)
        yield self._assembled(lead, blocks, {}, alive, plainly=True)

    def shows(self, text: str) -> bool:
        """Whether everything in this canonical text can be said in the dialect; none has boxes to tick."""
        return self.says(text) and not _BOX.search(text)

    def says(self, text: str) -> bool:
        """Whether nothing in this canonical text has to be written word for word."""
        return all(self._said(part.source, False, frozenset()) is not None for part in parts(_lines(text))[1])

    def _said(self, source: str, close: bool, alive: frozenset[str]) -> str | None:
        native = self._dialect.say(source, close, alive)
        if native is None:
            return None
        lead, pieces = self._dialect.pieces(native)
        heard = [self._hear(piece.source) for piece in pieces]
        gaps = [self._dialect.gap_heard(piece.gap) for piece in pieces[:-1]]
        back = "".join(one.text + gap for one, gap in zip(heard, [*gaps, ""], strict=False))
        kept = bool(heard) and not lead and not pieces[-1].gap and heard[-1].close == close
        return native if kept and back == source and not any(one.close for one in heard[:-1]) else None

    def _assembled(
        self,
        lead: str,
        blocks: tuple[Part, ...],
        kept: dict[int, tuple[_Group, bool]],
        alive: frozenset[str],
        *,
        plainly: bool = False,
    ) -> str:
        """The native text of blocks; those that are kept as they stand there come with their number of parts."""
        native, number = [lead], 0
        while number < len(blocks):
            group, gap_too = kept.get(number, (None, False))
            number += len(group.parts) if group else 1
            part = blocks[number - 1]
            close = part.gap == "\n" and number < len(blocks)
            if group:
                native.append(group.native)
            else:
                said = None if plainly else self._said(part.source, close, alive)
                native.append(self._dialect.repeat(part.source, close) if said is None else said)
            if group and gap_too:
                native.append(group.gap)
            else:
                native.append(part.gap if number == len(blocks) else self._gap(part.gap))
        return "".join(native)

    def _gap(self, gap: str) -> str:
        return self._dialect.gap_said("\n" + gap if gap == "\n" else gap)

    # ---- what stays ----------------------------------------------------------------------------------------------

    def _groups(self, native: str) -> list[_Group]:
        """The native text in the smallest portions that are whole blocks of the canonical one."""
        lead, heard = self._heard(native)
        blocks = iter(parts(lead + "".join(text + gap for _, text, gap in heard))[1])
        groups: list[_Group] = []
        source, gap, canonical, wanted = "", "", "", ""
        taken: list[Part] = []
        for number, (piece, text, gap_heard) in enumerate(heard, 1):
            source, gap = source + gap + piece.source, piece.gap
            wanted += text + gap_heard
            while len(canonical) < len(wanted):
                part = next(blocks, None)
                if part is None:
                    break
                taken.append(part)
                canonical += part.source + part.gap
            if taken and (len(canonical) == len(wanted) or number == len(heard)):
                groups.append(_Group(source, gap, tuple(taken)))
                source, gap, canonical, wanted, taken = "", "", "", "", []
        return groups

    def _kept(self, blocks: tuple[Part, ...], groups: list[_Group]) -> dict[int, tuple[_Group, bool]]:
        """Which groups stay, by the number of their first block; and whether the gap behind them stays too."""
        old = [part.source for group in groups for part in group.parts]
        matcher = SequenceMatcher(None, old, [part.source for part in blocks], autojunk=False)
        place = {a + n: b + n for a, b, size in matcher.get_matching_blocks() for n in range(size)}
        found: dict[int, tuple[_Group, bool]] = {}
        start = 0
        for group in groups:
            numbers = range(start, start + len(group.parts))
            start += len(group.parts)
            first = place.get(numbers[0])
            if first is None or any(place.get(n) != first + n - numbers[0] for n in numbers):
                continue
            now = blocks[first : first + len(group.parts)]
            last = len(blocks) == first + len(group.parts)
            inside = all(one.gap == two.gap for one, two in zip(now[:-1], group.parts[:-1], strict=True))
            same = now[-1].gap == group.parts[-1].gap
            was_close, is_close = group.parts[-1].gap == "\n", now[-1].gap == "\n" and not last
            if inside and (same or not (was_close or is_close)):
                found[first] = (group, same and not last)
        return found


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
