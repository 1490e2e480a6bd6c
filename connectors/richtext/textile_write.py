"""From blocks to Textile, as Redmine 5.0 reads it.

What is text must not become formatting: where the plain characters would mean something, fuses keep them apart. The
reader says whether they would.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from connectors.richtext.commonmark import Unsaid
from connectors.richtext.invisible import FUSE, held
from connectors.richtext.spelling import Style
from connectors.richtext.textile_inline import ACTIVE, code_said
from connectors.richtext.textile_read import read_blocks
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
    Link,
    List,
    Paragraph,
    Quote,
    Rule,
    Strike,
    Strong,
    Table,
    Text,
    broken,
    inlines_of,
    tamed,
)

_SIDES = {"": "", "left": "<", "right": ">", "center": "="}
_OPENERS = re.compile(
    r"(?:(?<=^)|(?<=[\s(>*_+^~%?-]))[*_+^~%?-](?=\S)|(?<=\"):|(?:(?<=^)|(?<=\s))!(?=\S)|=(?==)|(?<=\{)\{|(?<=\w)\[(?=\d)"
    r"|(?<=[A-Z0-9])\(|<(?=/?\w|!)|&(?=#?\w+;)",
    re.MULTILINE,
)
"""Where a sign could begin to mean something."""

_UNFIT = re.compile(r"[<>\"\n]|\{\{")
"""What an address or a title cannot hold; a macro would be carried out even there (R15)."""

Hold = Callable[[str], str]


def written(block: Block, style: Style, alive: frozenset[str]) -> str | None:
    """A block in Textile; None where it cannot be said. ``alive`` may mean what it means in Textile."""
    if isinstance(block, CodeBlock):
        return _code(block)
    if style.backslash and Break() in inlines_of(block):
        return None
    block = broken(block, hard=False)
    for hold in _holds(alive):
        try:
            native = _Writer(hold).block(block)
        except Unsaid:
            return None
        back = read_blocks(native)
        if list(map(tamed, back)) == [block] and alien_in(back) <= alive:
            return native
    return None


def alien_in(blocks: Iterable[Block]) -> frozenset[str]:
    """What has a meaning in Textile that CommonMark has no word for."""
    return frozenset(one.whole for block in blocks for one in inlines_of(block) if isinstance(one, Alien))


def _holds(alive: frozenset[str]) -> Iterator[Hold]:
    """Ways to keep signs in a text from meaning something, the lightest first."""
    yield lambda text: text
    if alive:
        kept = re.compile("(" + "|".join(map(re.escape, sorted(alive, key=len, reverse=True))) + ")")
        yield lambda text: "".join(part if n % 2 else _opened(part) for n, part in enumerate(kept.split(text)))
    yield _opened
    yield lambda text: FUSE + _opened(text)
    yield lambda text: held(text, ACTIVE)


def _opened(text: str) -> str:
    return _OPENERS.sub(lambda found: found[0] + FUSE if found[0] in "<&" else FUSE + found[0], text)


def _code(block: CodeBlock) -> str:
    text = code_said(block.text)
    if block.language:
        return f'<pre><code class="{block.language}">\n{text}</code></pre>'
    return f"<pre>\n{text}</pre>"


class _Writer:
    def __init__(self, hold: Hold) -> None:
        self._hold = hold

    def block(self, block: Block) -> str:
        match block:
            case Paragraph():
                return self._inlines(block.inlines)
            case Heading():
                return f"h{block.level}. {self._inlines(block.inlines)}"
            case List():
                return "\n".join(self._list(block, ""))
            case Quote():
                lines = "\n\n".join(self.block(one) for one in block.blocks).split("\n")
                return "\n".join(f"> {line}" if line else ">" for line in lines)
            case Table():
                return "\n".join(self._row(row, block.sides, head=n == 0) for n, row in enumerate(block.rows))
            case Rule():
                return block.mark * 3
        raise Unsaid

    def _list(self, block: List, above: str) -> Iterator[str]:
        sign = above + ("#" if block.ordered else "*")
        for item in block.items:
            yield f"{sign} {self._inlines(item.inlines)}"
            for one in item.lists:
                yield from self._list(one, sign)

    def _row(self, row: tuple[Inlines, ...], sides: tuple[str, ...], *, head: bool) -> str:
        cells = []
        for cell, side in zip(row, sides, strict=True):
            mark = ("_" if head else "") + _SIDES[side]
            text = self._inlines(cell).replace("|", "&#124;")
            cells.append(f"{mark}. {text} " if mark else f" {text} " if text else " ")
        return f"|{'|'.join(cells)}|"

    def _inlines(self, inlines: Inlines) -> str:
        return "".join(self._inline(one) for one in inlines)

    def _inline(self, one: Inline) -> str:
        match one:
            case Text():
                return self._hold(one.text)
            case Entity():
                return one.source
            case Code():
                return f"<code>{code_said(one.text)}</code>"
            case Strong():
                return self._around("**" if one.other else "*", one.inlines)
            case Emphasis():
                return self._around("_" if one.other else "__", one.inlines)
            case Strike():
                return self._around("-", one.inlines)
            case Link():
                return self._link(one)
            case Image() if not _UNFIT.search(one.alt + one.url):
                return f"!{one.url}({one.alt})!" if one.alt else f"!{one.url}!"
            case Break():
                return "\n"
        raise Unsaid

    def _around(self, sign: str, inlines: Inlines) -> str:
        return f"{sign}{self._inlines(inlines)}{sign}"

    def _link(self, link: Link) -> str:
        if _UNFIT.search(link.title + link.url):
            raise Unsaid
        text = link.inlines[0].text if link.bare and isinstance(link.inlines[0], Text) else self._inlines(link.inlines)
        title = f"({link.title})" if link.title else FUSE if text.endswith(")") else ""
        return f'"{text}{title}":{link.url}'
