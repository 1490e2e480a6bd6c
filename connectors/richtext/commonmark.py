"""From CommonMark to blocks and trees, with markdown-it-py, which keeps the places in the source.

Every block of the canonical text is looked at for itself: what a link definition somewhere below makes of it is not
known here, and need not be, since the definition travels with the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

from connectors.richtext.tree import (
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
    joined,
)

_PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"]).disable("text_join")
_PARSER.normalizeLink = lambda url: url  # type: ignore[method-assign]  # an address stays as it was written

_SIDE = re.compile(r"text-align:(\w+)")


class Unsaid(Exception):
    """There is no tree for this."""


@dataclass(frozen=True)
class Part:
    """One block of a text as it stands there, and the blank lines behind it."""

    source: str
    gap: str


@lru_cache(maxsize=512)
def parts(text: str) -> tuple[str, tuple[Part, ...]]:
    """The blank lines at the beginning of a text, and its blocks. Together they are the text."""
    lines = text.split("\n")
    starts = _starts(text, lines)
    if not starts:
        return text, ()
    ends = [*starts[1:], len(lines)]
    found = []
    for start, end in zip(starts, ends, strict=True):
        last = end
        while last - 1 > start and is_blank(lines[last - 1]):
            last -= 1
        gap = "".join(f"\n{line}" for line in lines[last:end]) + ("\n" if end < len(lines) else "")
        found.append(Part("\n".join(lines[start:last]), gap))
    return "".join(f"{line}\n" for line in lines[: starts[0]]), tuple(found)


def is_blank(line: str) -> bool:
    """Whether there is nothing in a line, as Markdown and Textile see it."""
    return not line.strip(" \t")


def _starts(text: str, lines: list[str]) -> list[int]:
    """The numbers of the lines in which blocks begin; what the parser has no block for is one as well."""
    starts, at = [], 0
    maps = [token.map for token in _PARSER.parse(text) if token.level == 0 and token.map and token.nesting >= 0]
    for start, end in [*maps, [len(lines), len(lines)]]:
        orphan = next((n for n in range(at, start) if not is_blank(lines[n])), None)
        starts += [] if orphan is None else [orphan]
        starts += [start] if start < len(lines) else []
        at = end
    return starts


@lru_cache(maxsize=4096)
def parse(source: str) -> tuple[tuple[Block, ...], tuple[Token, ...]]:
    """The trees of a text, and the tokens that they were made of. Raises Unsaid."""
    tokens = _PARSER.parse(source)
    return tuple(_Reader(tokens).blocks("")), tuple(tokens)


def tree(source: str) -> tuple[Block, tuple[Token, ...]]:
    """The tree of one block. Raises Unsaid where it is more than one, or none."""
    blocks, tokens = parse(source)
    if len(blocks) != 1:
        raise Unsaid
    return blocks[0], tokens


class _Reader:
    """Walks over the tokens once."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def _next(self) -> Token:
        self._at += 1
        return self._tokens[self._at - 1]

    def blocks(self, until: str) -> list[Block]:
        """The blocks up to the token that closes what we are in."""
        found: list[Block] = []
        while self._at < len(self._tokens):
            token = self._next()
            if token.type == until:
                return found
            found.append(self._block(token))
        return found

    def _block(self, token: Token) -> Block:
        match token.type:
            case "paragraph_open":
                return Paragraph(self._inlines("paragraph_close"))
            case "heading_open":
                return Heading(int(token.tag[1]), self._inlines("heading_close"))
            case "fence":
                return CodeBlock(token.content, _language(token.info))
            case "code_block":
                return CodeBlock(token.content)
            case "hr":
                return Rule(token.markup[0])
            case "blockquote_open":
                return Quote(tuple(self.blocks("blockquote_close")))
            case "bullet_list_open" | "ordered_list_open":
                return self._list(token)
            case "table_open":
                return self._table()
        raise Unsaid

    def _inlines(self, until: str) -> Inlines:
        token = self._next()
        if token.type == until:
            return ()
        self._next()
        return _Inlines(token.children or []).read()

    def _list(self, token: Token) -> List:
        ordered = token.type == "ordered_list_open"
        if token.attrGet("start") not in (None, 1):
            raise Unsaid
        items = []
        while self._next().type == "list_item_open":
            blocks = self.blocks("list_item_close")
            first = blocks[0] if blocks else Paragraph(())
            lists = tuple(one for one in blocks[1:] if isinstance(one, List))
            if not isinstance(first, Paragraph) or len(lists) < len(blocks) - 1:
                raise Unsaid
            items.append(Item(first.inlines, lists))
        return List(ordered, tuple(items))

    def _table(self) -> Table:
        sides: list[str] = []
        rows: list[tuple[Inlines, ...]] = []
        cells: list[Inlines] = []
        while (token := self._next()).type != "table_close":
            if token.type == "th_open":
                side = _SIDE.search(str(token.attrGet("style") or ""))
                sides.append(side[1] if side else "")
            if token.type in ("th_open", "td_open"):
                cells.append(self._inlines(token.type.replace("open", "close")))
            elif token.type == "tr_close":
                rows.append(tuple(cells))
                cells = []
        return Table(tuple(sides), tuple(rows))


def _language(info: str) -> str:
    if not re.fullmatch(r"[\w+#.-]*", info):
        raise Unsaid
    return info


class _Inlines:
    """Walks over the tokens of a line once."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = iter(tokens)

    def read(self, until: str = "") -> Inlines:
        """The inlines up to the token that closes what we are in."""
        found: list[Inline] = []
        for token in self._tokens:
            if token.type == until:
                break
            found.append(self._inline(token))
        return joined(found)

    def _inline(self, token: Token) -> Inline:
        match token.type:
            case "text":
                return Text(token.content)
            case "text_special":
                return Entity(token.markup) if token.info == "entity" else Text(token.content)
            case "softbreak" | "hardbreak":
                return Break(token.type == "hardbreak")
            case "code_inline":
                return Code(token.content)
            case "strong_open":
                return Strong(self.read("strong_close"), token.markup == "__")
            case "em_open":
                return Emphasis(self.read("em_close"), token.markup == "_")
            case "s_open":
                return Strike(self.read("s_close"))
            case "link_open":
                title, url = str(token.attrGet("title") or ""), str(token.attrGet("href"))
                return Link(self.read("link_close"), url, title, token.info == "auto")
            case "image" if not token.attrGet("title") and all(one.type == "text" for one in token.children or ()):
                return Image(str(token.attrGet("src")), token.content)
        raise Unsaid
