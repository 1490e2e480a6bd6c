"""From trees to CommonMark, in the spelling that the text had.

Markdown has many ways to say the same. A tree forgets them; a `Style` remembers for a block which ones it used, as a
small number that a native text can carry unseen (`connectors.richtext.invisible.note`). Style 0 is the usual one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import product
from typing import NamedTuple

from markdown_it.token import Token

from connectors.richtext.commonmark import Unsaid, is_blank, parse
from connectors.richtext.tree import (
    Alien,
    Block,
    Break,
    Code,
    CodeBlock,
    Emphasis,
    Entity,
    Heading,
    Image,
    Inline,
    Inlines,
    Item,
    Link,
    List,
    Paragraph,
    Quote,
    Rule,
    Strike,
    Strong,
    Table,
    Text,
    tamed,
)


class Style(NamedTuple):
    """How a block is spelled; each number says which of its ways, 0 is the usual one."""

    close: int = 0
    """The next block follows in the next line, without a blank one between."""
    bullet: int = 0
    delimiter: int = 0
    """``1.`` or ``1)``"""
    counted: int = 0
    """1, 2, 3 or 1, 1, 1"""
    loose: int = 0
    """Blank lines between the items."""
    wide: int = 0
    """How deep a list stands under its item: below its text, 4 characters, 2 or 3 characters."""
    code: int = 0
    underlined: int = 0
    """A heading with a line below it."""
    careful: int = 0
    """Every sign that could mean something is escaped, whether it would or not."""
    table: int = 0
    """The line under the head: ``| ---: |``, ``|---:|``, as wide as the cells with and without blanks, ``| --: |``,
    ``|--:|``"""
    backslash: int = 0
    """Hard breaks are spelled with a backslash."""


_SIZES = Style(2, 3, 2, 2, 2, 4, 3, 2, 2, 6, 2)
_BULLETS = "-*+"
_WIDTHS = (0, 4, 2, 3)
_FENCES = ("```", "~~~")
_DELIMITERS = ".)"


def number_of(style: Style) -> int:
    """The style as one number."""
    number = 0
    for size, value in reversed(list(zip(_SIZES, style, strict=True))):
        number = number * size + value
    return number


def style_of(number: int) -> Style:
    """The style that a number stands for; the usual one where it stands for none."""
    values = []
    for size in _SIZES:
        number, value = divmod(number, size)
        values.append(value)
    return Style(*values) if number == 0 else Style()


def spelled(block: Block, style: Style = Style()) -> str:  # noqa: B008 - a tuple
    """A block as CommonMark. Signs that would mean something else are escaped; none where none would."""
    block = tamed(block)
    if not style.careful:
        plain = _Speller(style, escapes=False).block(block)
        if _says(plain, block):
            return plain
    return _Speller(style, escapes=True).block(block)


def _says(source: str, block: Block) -> bool:
    try:
        return parse(source)[0] == (block,)
    except Unsaid:
        return False


def style_in(source: str, block: Block, tokens: Iterable[Token]) -> Style | None:
    """The style in which a block is spelled like this; None if there is none."""
    guess = Style()
    lines = source.split("\n")
    for token in tokens:
        match token.type:
            case "bullet_list_open":
                guess = guess._replace(bullet=_BULLETS.index(token.markup))
            case "ordered_list_open":
                guess = guess._replace(delimiter=_DELIMITERS.index(token.markup))
            case "code_block":
                guess = guess._replace(code=2)
            case "fence":
                guess = guess._replace(code=int(token.markup[0] == "~"))
            case "heading_open":
                guess = guess._replace(underlined=int(token.markup in ("=", "-")))
            case "list_item_open" if token.map and any(map(is_blank, lines[token.map[0] : token.map[1]])):
                guess = guess._replace(loose=1)
            case "inline" if "\\\n" in token.content and any(one.type == "hardbreak" for one in token.children or ()):
                guess = guess._replace(backslash=1)
    for changes in product(*_unsure(block)):
        style = guess._replace(**dict(changes))
        if spelled(block, style) == source:
            return style
    return None


def _unsure(block: Block) -> list[list[tuple[str, int]]]:
    """What a look at the source does not tell, and has to be tried."""
    wanted = ["careful"]
    if isinstance(block, Table):
        wanted.append("table")
    if isinstance(block, List):
        wanted += ["wide"] if any(item.lists for item in block.items) else []
        wanted += ["counted"]
    if isinstance(block, Quote):
        wanted += ["loose"]
    return [[(name, value) for value in range(getattr(_SIZES, name))] for name in reversed(wanted)]


# ---- spelling ----------------------------------------------------------------------------------------------------

_ALWAYS = re.compile(r"[\\`*_\[\]<]|~~|&(?=#?\w+;)")
_AT_START = re.compile(
    r"^( {0,3})(?=#{1,6}(?:[ \t]|$)|>|[-+](?:[ \t]|$)|[-=]+[ \t]*$|~~~|\|?[ \t]*:?-+:?[ \t]*(?:\||$))"
)
_NUMBERED = re.compile(r"^( {0,3}\d{1,9})(?=[.)](?:[ \t]|$))")


class _Speller:
    def __init__(self, style: Style, *, escapes: bool) -> None:
        self._style = style
        self._escapes = escapes

    def block(self, block: Block) -> str:
        match block:
            case Paragraph():
                return self._lines(block.inlines)
            case Heading():
                return self._heading(block)
            case CodeBlock():
                return self._code(block)
            case List():
                return "\n".join(self._list(block))
            case Quote():
                lines = "\n\n".join(self.block(one) for one in block.blocks).split("\n")
                return "\n".join(f"> {line}" if line else ">" for line in lines)
            case Table():
                return self._table(block)
            case Rule():
                return block.mark * 3

    def _heading(self, block: Heading) -> str:
        text = self._line(block.inlines)
        if self._style.underlined and block.level <= 2:
            return f"{text}\n{'=-'[block.level - 1] * (3 if len(text) < 3 else len(text))}"
        if self._escapes:
            text = re.sub(r"(#+)$", r"\\\1", text)
        return f"{'#' * block.level} {text}".rstrip()

    def _code(self, block: CodeBlock) -> str:
        if self._style.code == 2 and not block.language:
            return "\n".join(f"    {line}" if line else "" for line in block.text.removesuffix("\n").split("\n"))
        sign = _FENCES[self._style.code % 2]
        longest = max((len(run) for run in re.findall(rf"^ *({sign[0]}{{3,}})", block.text, re.MULTILINE)), default=2)
        fence = sign[0] * (longest + 1)
        text = block.text if block.text.endswith("\n") or not block.text else block.text + "\n"
        return f"{fence}{block.language}\n{text}{fence}"

    # ---- lists and tables ----------------------------------------------------------------------------------------

    def _list(self, block: List) -> list[str]:
        lines: list[str] = []
        for number, item in enumerate(block.items, 1):
            sign = f"{1 if self._style.counted else number}{_DELIMITERS[self._style.delimiter]}"
            sign = f"{sign if block.ordered else _BULLETS[self._style.bullet]} "
            lines += [""] if lines and self._style.loose else []
            lines += self._item(item, sign)
        return lines

    def _item(self, item: Item, sign: str) -> list[str]:
        first, *more = self._lines(item.inlines).split("\n")
        lines = [f"{sign}{first}".rstrip(" ") if not first else f"{sign}{first}"]
        lines += [" " * len(sign) + line for line in more]
        deep = " " * (_WIDTHS[self._style.wide] or len(sign))
        for one in item.lists:
            lines += [""] if self._style.loose else []
            lines += [f"{deep}{line}" if line else "" for line in self._list(one)]
        return lines

    def _table(self, block: Table) -> str:
        rows = [[self._line(cell).replace("|", "\\|") for cell in row] for row in block.rows]
        rows = [row + [""] * (len(block.sides) - len(row)) for row in rows]
        padded, spaced = self._style.table in (2, 3), self._style.table % 2 == 0
        widths = [max(3, *(len(row[n]) for row in rows)) if padded else 0 for n in range(len(block.sides))]
        marks = []
        for side, width in zip(block.sides, widths, strict=True):
            left, right = side in ("left", "center"), side in ("right", "center")
            room = (width if spaced else width + 2) if padded else 3 if self._style.table >= 4 else 3 + left + right
            marks.append(":" * left + "-" * (room - left - right) + ":" * right)
        lines = [_row(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
        return "\n".join([lines[0], _row(marks) if spaced else f"|{'|'.join(marks)}|", *lines[1:]])

    # ---- lines ---------------------------------------------------------------------------------------------------

    def _line(self, inlines: Inlines) -> str:
        return self._lines(inlines).replace("\n", " ")

    def _lines(self, inlines: Inlines) -> str:
        text = self._inlines(inlines)
        if not self._escapes:
            return text
        lines = (_NUMBERED.sub(r"\1\\", _AT_START.sub(r"\1\\", line)) for line in text.split("\n"))
        return "\n".join(lines)

    def _inlines(self, inlines: Iterable[Inline]) -> str:
        return "".join(self._inline(one) for one in inlines)

    def _inline(self, one: Inline) -> str:
        match one:
            case Text() | Alien():
                return _ALWAYS.sub(_escaped, one.text) if self._escapes else one.text
            case Entity():
                return one.source
            case Code():
                return _code(one.text)
            case Strong():
                return _around("__" if one.other else "**", self._inlines(one.inlines))
            case Emphasis():
                return _around("_" if one.other else "*", self._inlines(one.inlines))
            case Strike():
                return _around("~~", self._inlines(one.inlines))
            case Link():
                return self._link(one)
            case Image():
                return f"![{one.alt}]({_address(one.url)})"
            case Break():
                return ("\\\n" if self._style.backslash else "  \n") if one.hard else "\n"

    def _link(self, link: Link) -> str:
        if link.bare:
            return f"<{''.join(one.text for one in link.inlines if isinstance(one, Text))}>"
        title = ' "' + re.sub(r'(["\\])', r"\\\1", link.title) + '"' if link.title else ""
        return f"[{self._inlines(link.inlines)}]({_address(link.url)}{title})"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _escaped(found: re.Match[str]) -> str:
    return "\\~\\~" if found[0] == "~~" else f"\\{found[0]}"


def _around(sign: str, text: str) -> str:
    return f"{sign}{text}{sign}"


def _code(text: str) -> str:
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    space = " " if text.startswith("`") or text.endswith("`") or (text[:1] == text[-1:] == " " and text.strip()) else ""
    return f"{fence}{space}{text}{space}{fence}"


def _address(url: str) -> str:
    return f"<{url}>" if not url or re.search(r"[\s()<>]", url) else url
