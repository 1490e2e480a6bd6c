"""From Textile, as Redmine 5.0 reads it, to blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator

from connectors.richtext.textile_inline import code_read, read_inlines
from connectors.richtext.translation import Piece
from connectors.richtext.tree import (
    Block,
    CodeBlock,
    Heading,
    Inlines,
    Item,
    List,
    Paragraph,
    Quote,
    Rule,
    Table,
)

PRE = re.compile(r"<pre\b[^>\n]*>(.*?)</pre>", re.DOTALL)
_PRE_BEGINS = re.compile(r"^[ \t]*(?P<tag><pre\b[^>\n]*>)", re.MULTILINE)
_PRE_ENDS = "</pre>"
_NOTE = re.compile(" [\u2061-\u2064]+(?=\n|$)")

_CLASS = r"(?:\([^\")\n]+\)|\{[^{\n][^\"}\n]+\}|\[[a-z\-_]+\])*"
_ALIGN = r"(?:[<>=()]+)?[\-^~]?"
_LIST = re.compile(rf"^([#*]+){_CLASS} (.*)$")
_PREFIX = re.compile(rf"^(h[1-6]|p|bq){_ALIGN}{_CLASS}\.(?::\S+)? ")
_RULE = re.compile(r"^ ?([*_-])\1\1+ ?$")
_QUOTE = re.compile(r"^> ?")
_TABLE = re.compile(rf"^(?:table[^\n]*\. ?\n)?{_ALIGN}{_CLASS}\.? ?\|.*\|\s*$", re.DOTALL)
_TABLE_HEAD = re.compile(r"^table[^\n|]*\. ?\n")
_ROW_STYLE = re.compile(rf"^{_ALIGN}{_CLASS}\. (?=\|)")
_CELL = re.compile(
    rf"\|((_)?((?:\\\d+|/\d+)*)([<>=]+|[()]*)?[\-^~]?{_CLASS}\. ?)?((?:\[\[[^|\]]*\|[^|\]]*\]\]|[^|])*)(?=\|)"
)
_SIDES = {"<": "left", ">": "right", "=": "center"}
_LANGUAGE = re.compile(r"""^<code(?:\s+class=["']([\w+#.-]*)["'])?>\s?((?:(?!</code>).)*)(?:</code>)?\s*$""", re.DOTALL)


def pieces(native: str) -> tuple[str, list[Piece]]:
    """Where the blocks of a text are: code with all its lines, and what blank lines set apart."""
    lead = re.match(r"(?:[ \t]*\n)*", native)
    at = lead.end() if lead else 0
    found: list[Piece] = []
    for start, end in _spans(native, at):
        if found and start > at:
            found[-1] = Piece(found[-1].source, native[at:start])
        found.append(Piece(native[start:end], ""))
        at = end
    if found:
        found[-1] = Piece(found[-1].source, native[at:])
        return native[: lead.end() if lead else 0], found
    return native, []


def _spans(native: str, at: int) -> Iterator[tuple[int, int]]:
    """The places of the blocks."""
    for code in _PRE_BEGINS.finditer(native, at):
        start = code.start("tag")
        if start < at:
            continue
        end = native.find(_PRE_ENDS, start)
        if end < 0:
            break
        rest = _NOTE.match(native, end + len(_PRE_ENDS))
        yield from _prose(native, at, start)
        at = rest.end() if rest else end + len(_PRE_ENDS)
        yield start, at
    yield from _prose(native, at, len(native))


def _prose(native: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    begun = -1
    place = start
    for line in native[start:end].split("\n"):
        if line.strip(" \t"):
            begun = place if begun < 0 else begun
            last = place + len(line)
        elif begun >= 0:
            yield begun, last
            begun = -1
        place += len(line) + 1
    if begun >= 0:
        yield begun, last


# ---- one block ---------------------------------------------------------------------------------------------------


def read_code(source: str) -> CodeBlock | None:
    """A block of code; None where it is none."""
    found = PRE.fullmatch(source)
    if not found:
        return None
    inside, language = found[1], ""
    code = _LANGUAGE.match(inside.strip("\n")) if inside.lstrip().startswith("<code") else None
    if code:
        language, text = code[1] or "", code[2]
    else:
        text = inside.removeprefix("\n")
    text = code_read(text)
    return CodeBlock(text if not text or text.endswith("\n") else text + "\n", language)


def read_blocks(source: str) -> list[Block]:
    """The blocks of a piece that is no code: lines without a blank one between them."""
    lines = source.split("\n")
    if _RULE.match(source):
        return [Rule(source.strip()[0])]
    quoted = next((n for n, line in enumerate(lines) if line.startswith(">")), 0)
    if quoted:
        return read_blocks("\n".join(lines[:quoted])) + read_blocks("\n".join(lines[quoted:]))
    if source.startswith(">"):
        return _quote(lines)
    prefix = _PREFIX.match(source)
    if prefix:
        return _prefixed(prefix[1], source[prefix.end() :])
    if _TABLE.match(source):
        table = _table(source)
        if table:
            return [table]
    start = next((n for n, line in enumerate(lines) if _LIST.match(line)), len(lines))
    text = "\n".join(line.lstrip(" \t") for line in lines[:start])
    before: list[Block] = [Paragraph(read_inlines(text))] if start else []
    return before + list(_lists(lines[start:]))


def begins_block(line: str) -> bool:
    """Whether a line is nothing but what a heading, a list or the like begins with."""
    return _PREFIX.fullmatch(line) is not None or re.fullmatch(rf"[#*]+{_CLASS} ", line) is not None


def _prefixed(kind: str, text: str) -> list[Block]:
    inlines = read_inlines(text)
    if kind == "p":
        return [Paragraph(inlines)]
    if kind == "bq":
        return [Quote((Paragraph(inlines),))]
    title, _, more = text.partition("\n")
    return [Heading(int(kind[1]), read_inlines(title)), *([Paragraph(read_inlines(more))] if more else [])]


def _quote(lines: list[str]) -> list[Block]:
    quoted = next((n for n, line in enumerate(lines) if not line.startswith(">")), len(lines))
    inside = "\n".join(_QUOTE.sub("", line) for line in lines[:quoted])
    blocks = tuple(block for piece in pieces(inside)[1] for block in read_blocks(piece.source))
    rest = lines[quoted:]
    return [Quote(blocks), *(read_blocks("\n".join(rest)) if rest else [])]


def _table(source: str) -> Table | None:
    text = _TABLE_HEAD.sub("", source)
    logical = re.split(r"(?<=\|)[ \t]*\n(?=[^\n]*\|)", text.strip(" \t"))
    rows: list[tuple[Inlines, ...]] = []
    sides: list[str] = []
    for line in logical:
        cells = list(_CELL.finditer(_ROW_STYLE.sub("", line).rstrip()))
        if not cells:
            return None
        if not rows:
            sides = [_SIDES.get(cell[4] or "", "") for cell in cells]
        rows.append(tuple(read_inlines(cell[5].strip().replace("&#124;", "|").replace("\n", " ")) for cell in cells))
    width = max(map(len, rows))
    rows = [row + ((),) * (width - len(row)) for row in rows]
    return Table(tuple(sides + [""] * (width - len(sides))), tuple(rows))


# ---- lists -------------------------------------------------------------------------------------------------------


def _lists(lines: list[str]) -> Iterator[List]:
    """The lists in these lines, the first of which begins one; a line without a sign goes on with its item."""
    rows: list[tuple[str, str]] = []
    for line in lines:
        found = _LIST.match(line)
        if found:  # nobody is deeper than one below the item before, whose kind of list it is in
            above = rows[-1][0][: len(found[1]) - 1] if rows else ""
            rows.append((above + found[1][-1], found[2]))
        else:
            rows[-1] = (rows[-1][0], f"{rows[-1][1]}\n{line}")
    while rows:
        sign = rows[0][0][0]
        size = next((n for n, row in enumerate(rows) if row[0][0] != sign), len(rows))
        yield _list([(row[0][1:], row[1]) for row in rows[:size]], sign == "#")
        rows = rows[size:]


def _list(rows: list[tuple[str, str]], ordered: bool) -> List:
    """A list from its rows: what is left of the sign, and the text."""
    items: list[Item] = []
    while rows:
        own, rows = rows[0][1], rows[1:]
        below = next((n for n, row in enumerate(rows) if not row[0]), len(rows))
        under, rows = rows[:below], rows[below:]
        lists = []
        while under:
            sign = under[0][0][0]
            size = next((n for n, row in enumerate(under) if row[0][0] != sign), len(under))
            lists.append(_list([(row[0][1:], row[1]) for row in under[:size]], sign == "#"))
            under = under[size:]
        items.append(Item(read_inlines(own), tuple(lists)))
    return List(ordered, tuple(items))
