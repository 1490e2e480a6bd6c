"""From HTML to blocks: where they are in the source, and what they say.

Beautiful Soup reads what is there, well formed or not; the standard library's parser below it tells the places.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString, PreformattedString
from markdown_it import MarkdownIt

from connectors.richtext.invisible import MARKER, is_word_for_word
from connectors.richtext.translation import Piece
from connectors.richtext.tree import (
    Block,
    Break,
    Code,
    CodeBlock,
    Emphasis,
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
    joined,
)

_CONTAINERS = (
    "address article aside blockquote body dd div dl dt fieldset figure footer form header html li main nav section"
)
_BLOCKS = frozenset(_CONTAINERS.split()) | {"h1", "h2", "h3", "h4", "h5", "h6", "hr", "ol", "p", "pre", "table", "ul"}
_CLOSED_BY_BLOCKS = frozenset(("p", "h1", "h2", "h3", "h4", "h5", "h6"))
_DROPPED = frozenset(("script", "style", "template", "head", "title", "iframe", "object", "noscript"))
_SIDE = re.compile(r"text-align:\s*(left|center|right)")
_LEAD = re.compile(r"(?:[ \t]*\n)*")
_UNSEEN = re.compile(
    rf"<!--.*?-->|<!\w[^>]*>|<({'|'.join(sorted(_DROPPED))})\b.*?</\1\s*>|[ \t\n]+", re.DOTALL | re.IGNORECASE
)
_HARMLESS = MarkdownIt("commonmark").validateLink


# ---- where the blocks are ----------------------------------------------------------------------------------------


class _Cuts(HTMLParser):
    """Finds the places between which whole blocks lie: where one begins or ends that is in no other."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=False)
        self._lines = [0, *(found.end() for found in re.finditer("\n", text))]
        self._text = text
        self._open: list[str] = []
        self.places: set[int] = set()
        self.feed(text)
        self.close()

    @property
    def _place(self) -> int:
        line, column = self.getpos()
        return self._lines[line - 1] + column

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _BLOCKS:
            return
        if self._open and self._open[-1] in _CLOSED_BY_BLOCKS:
            self._open.pop()
        if not self._open:
            self.places.add(self._place)
        if tag == "hr":
            if not self._open:
                self.places.add(self._place + len(self.get_starttag_text() or ""))
            return
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self._open:
            return
        while self._open.pop() != tag:
            pass
        end = self._text.find(">", self._place)
        if not self._open and end >= 0:
            self.places.add(end + 1)


def pieces(native: str) -> tuple[str, list[Piece]]:
    """The blanks at the beginning, and the blocks; what nobody sees goes with the block behind it."""
    lead = _LEAD.match(native)
    start = lead.end() if lead else 0
    places = sorted({start, len(native), *(start + place for place in _Cuts(native[start:]).places)})
    begun = start
    found: list[Piece] = []
    for left, right in pairwise(places):
        if not _UNSEEN.sub("", native[left:right]):
            continue
        text = native[begun:right]
        blanks = len(text) - len(text.lstrip(" \t\n"))
        if found:
            found[-1] = Piece(found[-1].source, found[-1].gap + text[:blanks])
            text = text[blanks:]
        kept = text.rstrip(" \t\n")
        found.append(Piece(kept, text[len(kept) :]))
        begun = right
    if not found:
        return native, []
    rest = native[begun:]
    if rest.strip(" \t\n"):  # a comment at the very end
        found[-1] = Piece(found[-1].source + found[-1].gap + rest.rstrip(" \t\n"), "")
        rest = rest[len(rest.rstrip(" \t\n")) :]
    found[-1] = Piece(found[-1].source, found[-1].gap + rest)
    return native[:start], found


# ---- what they say -----------------------------------------------------------------------------------------------


def parsed(source: str) -> BeautifulSoup:
    """The source as a tree of tags, each character as it stands there."""
    return BeautifulSoup(source, "html.parser")


def understood(source: str) -> BeautifulSoup:
    """The source as a tree of tags, closed where people left them open, as browsers do it."""
    return BeautifulSoup(source, "lxml")


def marked_lines(soup: BeautifulSoup) -> list[str] | None:
    """Canonical text that stands there word for word; None where it is anything else."""
    tags = [child for child in soup.children if not (isinstance(child, NavigableString) and not child.strip())]
    if len(tags) != 1 or not isinstance(tags[0], Tag) or tags[0].name != "p":
        return None
    text = ""
    for child in tags[0].children:
        if isinstance(child, Tag):
            if child.name != "br":
                return None
            text += "\r"  # which no text of ours has
        else:
            text += str(child)
    lines = re.split("\r\n?", text)
    return [line.removeprefix(MARKER) for line in lines] if all(map(is_word_for_word, lines)) else None


def blocks_of(tag: Tag) -> list[Block]:
    """The blocks within a tag; text between them is a paragraph."""
    found: list[Block] = []
    loose: list[Inline] = []
    for child in tag.children:
        if isinstance(child, Tag) and child.name in _DROPPED:
            continue
        if isinstance(child, Tag) and (child.name in _BLOCKS or child.find(_BLOCKS) is not None):
            found += [*_paragraph(loose), *_block(child)]
            loose = []
        elif isinstance(child, Tag):
            loose += _inline(child)
        elif isinstance(child, NavigableString) and not isinstance(child, PreformattedString):
            loose += _text(str(child))
    return [*found, *_paragraph(loose)]


def _paragraph(inlines: list[Inline]) -> list[Block]:
    trimmed = _trimmed(inlines)
    return [Paragraph(trimmed)] if trimmed else []


def _block(tag: Tag) -> list[Block]:
    name = tag.name
    if name in ("h1", "h2", "h3", "h4", "h5", "h6"):
        return [Heading(int(name[1]), _line(tag))]
    if name == "p":
        return [Paragraph(_trimmed(_inlines(tag)))]
    if name == "pre":
        return [_code_block(tag)]
    if name == "hr":
        return [Rule({"star": "*", "line": "_"}.get(str(tag.get("data-mark", "")), "-"))]
    if name == "blockquote":
        return [Quote(tuple(blocks_of(tag)))]
    if name in ("ul", "ol"):
        return [_list(tag)]
    if name == "table":
        table = _table(tag)
        return [table] if table else []
    return blocks_of(tag)


def _code_block(tag: Tag) -> CodeBlock:
    code = tag.find("code")
    classes = str(code.get("class", "")) if isinstance(code, Tag) else ""
    found = re.search(r"language-([\w+#.-]*)", classes)
    text = tag.get_text()
    text = text if not text or text.endswith("\n") else text + "\n"
    return CodeBlock(text, found[1] if found else "")


def _list(tag: Tag) -> List:
    items: list[Item] = []
    for child in tag.find_all("li", recursive=False):
        inlines: list[Inline] = []
        lists: list[List] = []
        for block in blocks_of(child):
            if isinstance(block, List):
                lists.append(block)
            elif isinstance(block, Paragraph | Heading):
                inlines += [Break(), *block.inlines] if inlines else block.inlines
            else:
                inlines += [Break(), Text(_flat(block))] if inlines else [Text(_flat(block))]
        items.append(Item(joined(inlines), tuple(lists)))
    return List(tag.name == "ol", tuple(items))


def _flat(block: Block) -> str:
    """A block that no item can hold, as a line of text."""
    if isinstance(block, CodeBlock):
        return " ".join(block.text.split())
    if isinstance(block, Quote):
        return " ".join(map(_flat, block.blocks))
    if isinstance(block, Table):
        return " ".join(_words(cell) for row in block.rows for cell in row)
    return _words(block.inlines) if isinstance(block, Paragraph | Heading) else ""


def _words(inlines: Inlines) -> str:
    return "".join(
        one.text if isinstance(one, Text | Code) else _words(one.inlines)
        for one in inlines
        if isinstance(one, Text | Code | Strong | Emphasis | Strike | Link)
    )


def _table(tag: Tag) -> Table | None:
    rows = []
    sides: list[str] = []
    for row in tag.find_all("tr"):
        cells = row.find_all(("td", "th"), recursive=False)
        sides = sides or [_side(cell) for cell in cells]
        rows.append(tuple(_line(cell) for cell in cells))
    width = max(map(len, rows), default=0)
    if not width:
        return None
    filled = tuple(row + ((),) * (width - len(row)) for row in rows)
    return Table(tuple(sides + [""] * (width - len(sides))), filled)


def _side(cell: Tag) -> str:
    found = _SIDE.search(str(cell.get("style", "")))
    side = found[1] if found else str(cell.get("align", ""))
    return side if side in ("left", "center", "right") else ""


# ---- lines -------------------------------------------------------------------------------------------------------


def _line(tag: Tag) -> Inlines:
    return joined(Text(" ") if isinstance(one, Break) else one for one in _trimmed(_inlines(tag)))


def _inlines(tag: Tag) -> list[Inline]:
    found: list[Inline] = []
    for child in tag.children:
        if isinstance(child, Tag):
            found += [] if child.name in _DROPPED else _inline(child)
        elif isinstance(child, NavigableString) and not isinstance(child, PreformattedString):
            found += _text(str(child))
    return found


def _inline(tag: Tag) -> list[Inline]:
    inside = joined(_inlines(tag))
    match tag.name:
        case "strong" | "b":
            return [Strong(inside, tag.name == "b")] if inside else []
        case "em" | "i":
            return [Emphasis(inside, tag.name == "i")] if inside else []
        case "s" | "del" | "strike":
            return [Strike(inside)] if inside else []
        case "code" | "tt" | "kbd" | "samp":
            return [Code(" ".join(tag.get_text().split("\n")))] if tag.get_text() else []
        case "br":
            return [Break(hard=True)]
        case "a":
            return _link(tag, inside)
        case "img":
            source, alt = str(tag.get("src", "")), " ".join(str(tag.get("alt", "")).split("\n"))
            return [Image(source, alt)] if source and _HARMLESS(source) else [Text(alt)]
        case "input" if tag.get("type") == "checkbox":
            return [Text("[x]" if tag.has_attr("checked") else "[ ]")]
    return list(inside)


def _link(tag: Tag, inside: Inlines) -> list[Inline]:
    url, title = str(tag.get("href", "")), str(tag.get("title", ""))
    if not url or not inside or not _HARMLESS(url):
        return list(inside)
    bare = not title and inside == (Text(url.removeprefix("mailto:")),) and re.match(r"[A-Za-z][\w+.-]+:", url)
    return [Link(inside, url, title, bare=bool(bare))]


def _text(text: str) -> Iterator[Inline]:
    for number, line in enumerate(text.split("\n")):
        if number:
            yield Break()
        if line:
            yield Text(line)


def _trimmed(inlines: list[Inline]) -> Inlines:
    """Without line ends at both ends, and without blanks around those between."""
    found: list[Inline] = []
    for one in joined(inlines):
        before = found[-1] if found else Break()
        if isinstance(one, Text) and isinstance(before, Break):
            one = Text(one.text.lstrip(" \t"))
        if isinstance(one, Break) and isinstance(before, Text):
            found[-1] = Text(before.text.rstrip(" \t"))
        if one == Text("") or (isinstance(one, Break) and not found):
            continue
        if isinstance(one, Break) and isinstance(before, Break):
            found[-1] = Break(one.hard or before.hard)
            continue
        found.append(one)
    while found and (isinstance(found[-1], Break) or found[-1] == Text("")):
        found.pop()
    if found and isinstance(found[-1], Text):
        found[-1] = Text(found[-1].text.rstrip(" \t"))
    return joined(found)
