"""Textile, as Redmine 5.0 reads it: the default of Redmine until version 6."""

from __future__ import annotations

import contextlib
import re
from itertools import groupby

from connectors.richtext.commonmark import Unsaid, tree
from connectors.richtext.invisible import (
    from_word_for_word,
    is_word_for_word,
    note,
    noted,
    word_for_word,
)
from connectors.richtext.spelling import Style, number_of, spelled, style_in, style_of
from connectors.richtext.textile_inline import ACTIVE
from connectors.richtext.textile_read import begins_block, pieces, read_blocks, read_code
from connectors.richtext.textile_write import alien_in, written
from connectors.richtext.translation import Heard, Piece, Translation
from connectors.richtext.tree import Block, CodeBlock, Rule, Table, broken

_TRAILING = re.compile(r"[ \t]+$")


class _Textile:
    """The dialect; see `connectors.richtext.translation.Dialect`."""

    name = "textile"

    def pieces(self, native: str) -> tuple[str, list[Piece]]:
        return pieces(native)

    def hear(self, source: str) -> Heard:
        code, number = _noted_last(source)
        block = read_code(code)
        if block:
            return Heard(spelled(block, style_of(number)), bool(style_of(number).close))
        marked = [is_word_for_word(line) for line in source.split("\n")]
        if all(marked):
            lines, number = _noted_last(source)
            return Heard(from_word_for_word(lines, ACTIVE), bool(style_of(number).close))
        if any(marked):  # somebody wrote a line to it
            runs = [list(run) for _, run in groupby(source.split("\n"), is_word_for_word)]
            return Heard("\n".join(self.hear("\n".join(run)).text for run in runs))
        return _prose(source)

    def say(self, source: str, close: bool, alive: frozenset[str]) -> str | None:
        lines = source.split("\n")
        bare = [_TRAILING.sub("", line) for line in lines]
        try:
            block, tokens = tree(source)
            if not isinstance(block, CodeBlock):
                block, tokens = tree("\n".join(bare))
        except (Unsaid, RecursionError):
            return None
        text = source if isinstance(block, CodeBlock) else "\n".join(bare)
        style = style_in(text, block, tokens)
        if style is None:
            return None
        native = written(block, style, alive)
        if native is None:
            return None
        if not isinstance(block, CodeBlock) and lines != bare:
            said = native.split("\n")
            if len(said) != len(lines):
                return None
            native = "\n".join(one + line[len(short) :] for one, line, short in zip(said, lines, bare, strict=True))
        unseen = note(number_of(style._replace(close=int(close))))
        if unseen and (isinstance(block, Rule) or begins_block(native + " ")):
            return None  # a line with a note behind it is no rule any more, and "h1." would be a heading
        return native[:-1] + unseen + "|" if isinstance(block, Table) else native + unseen

    def repeat(self, source: str, close: bool) -> str:
        return word_for_word(source, ACTIVE) + note(number_of(Style(close=int(close))))

    def alive(self, native: str) -> frozenset[str]:
        found: set[str] = set()
        for piece in pieces(native)[1]:
            if not read_code(_noted_last(piece.source)[0]):
                with contextlib.suppress(RecursionError):
                    found |= alien_in(read_blocks(piece.source))
        return frozenset(found)

    def gap_heard(self, gap: str) -> str:
        return gap if "\n" in gap else "\n"

    def gap_said(self, gap: str) -> str:
        return gap


def _prose(source: str) -> Heard:
    text, number = noted(source)
    style = style_of(number)
    lines = text.split("\n")
    bare = [_TRAILING.sub("", line) for line in lines]
    blocks = read_blocks("\n".join(bare))
    heard = "\n".join(_spelled(block, style) for block in blocks)
    spelled_lines = heard.split("\n")
    if len(spelled_lines) == len(lines):  # blanks at the end of a line: two of them are a hard break
        ends = [line[len(short) :] for line, short in zip(lines, bare, strict=True)]
        heard = "\n".join(line + end for line, end in zip(spelled_lines, ends, strict=True))
    return Heard(heard, bool(style.close))


def _spelled(block: Block, style: Style) -> str:
    return spelled(broken(block, hard=True) if style.backslash else block, style)


def _noted_last(source: str) -> tuple[str, int]:
    """Without the note at the very end, and its number."""
    head, sep, last = source.rpartition("\n")
    line, number = noted(last)
    return head + sep + line, number


TEXTILE = Translation(_Textile())
