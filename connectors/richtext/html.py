"""HTML, for platforms that keep a description as such; for connectors of others.

Only what CommonMark has a word for is read, and what is read is text: scripts, styles and comments are dropped, and a
link stays one only where its address is harmless, which markdown-it-py decides. What is written has no tag that was not
made here, and no attributes but addresses, titles, alignment, languages and ``data-markdown``, which says how the block
was spelled: a platform that drops it costs a spelling and nothing else. Text that cannot be said is a paragraph whose
lines begin with a character that nobody sees.
"""

from __future__ import annotations

from html import escape

from connectors.richtext.commonmark import Unsaid, tree
from connectors.richtext.html_read import blocks_of, marked_lines, parsed, pieces, understood
from connectors.richtext.invisible import MARKER
from connectors.richtext.spelling import Style, number_of, spelled, style_in, style_of
from connectors.richtext.translation import Heard, Piece, Translation
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
)

_MARKS = {"-": "", "*": ' data-mark="star"', "_": ' data-mark="line"'}


class _Html:
    """The dialect; see `connectors.richtext.translation.Dialect`."""

    name = "html"

    def pieces(self, native: str) -> tuple[str, list[Piece]]:
        return pieces(native)

    def hear(self, source: str) -> Heard:
        soup = parsed(source)
        first = soup.find(True)
        number = str(first.get("data-markdown", "")) if first else ""
        style = style_of(int(number)) if number.isascii() and number.isdecimal() and len(number) < 9 else Style()
        lines = marked_lines(soup)
        if lines is not None:
            return Heard("\n".join(lines), bool(style.close))
        return Heard("\n\n".join(spelled(block, style) for block in blocks_of(understood(source))), bool(style.close))

    def say(self, source: str, close: bool, alive: frozenset[str]) -> str | None:
        try:
            block, tokens = tree(source)
            style = style_in(source, block, tokens)
            return None if style is None else _block(block, number_of(style._replace(close=int(close))))
        except (Unsaid, RecursionError):
            return None

    def repeat(self, source: str, close: bool) -> str:
        lines = "<br>\n".join(MARKER + escape(line, quote=False) for line in source.split("\n"))
        return f"<p{_note(number_of(Style(close=int(close))))}>{lines}</p>"

    def alive(self, native: str) -> frozenset[str]:
        return frozenset()

    def gap_heard(self, gap: str) -> str:
        return "\n" + gap if "\n" in gap else "\n\n"

    def gap_said(self, gap: str) -> str:
        return gap[1:]


# ---- writing -----------------------------------------------------------------------------------------------------


def _note(number: int) -> str:
    return f' data-markdown="{number}"' if number else ""


def _block(block: Block, number: int = 0) -> str:
    note = _note(number)
    match block:
        case Paragraph():
            return f"<p{note}>{_inlines(block.inlines)}</p>"
        case Heading():
            return f"<h{block.level}{note}>{_inlines(block.inlines)}</h{block.level}>"
        case CodeBlock():
            language = f' class="language-{escape(block.language)}"' if block.language else ""
            return f"<pre{note}><code{language}>{escape(block.text, quote=False)}</code></pre>"
        case List():
            return _list(block, note)
        case Quote():
            return f"<blockquote{note}>\n" + "\n".join(map(_block, block.blocks)) + "\n</blockquote>"
        case Table():
            return _table(block, note)
        case Rule():
            return f"<hr{_MARKS[block.mark]}{note}>"


def _list(block: List, note: str = "") -> str:
    name = "ol" if block.ordered else "ul"
    return f"<{name}{note}>\n" + "\n".join(map(_item, block.items)) + f"\n</{name}>"


def _item(item: Item) -> str:
    lists = "".join(f"\n{_list(one)}\n" for one in item.lists)
    return f"<li>{_inlines(item.inlines)}{lists}</li>"


def _table(table: Table, note: str) -> str:
    rows = []
    for number, row in enumerate(table.rows):
        name = "td" if number else "th"
        cells = zip(row, table.sides, strict=True)
        rows.append("".join(f"<{name}{_side(side)}>{_inlines(cell)}</{name}>" for cell, side in cells))
    return f"<table{note}>\n" + "\n".join(f"<tr>{row}</tr>" for row in rows) + "\n</table>"


def _side(side: str) -> str:
    return f' style="text-align: {side}"' if side else ""


def _inlines(inlines: Inlines) -> str:
    return "".join(map(_inline, inlines))


def _inline(one: Inline) -> str:
    match one:
        case Text():
            return escape(one.text, quote=False)
        case Code():
            return f"<code>{escape(one.text, quote=False)}</code>"
        case Strong():
            return _around("b" if one.other else "strong", one.inlines)
        case Emphasis():
            return _around("i" if one.other else "em", one.inlines)
        case Strike():
            return _around("s", one.inlines)
        case Link():
            title = f' title="{escape(one.title)}"' if one.title else ""
            return f'<a href="{escape(one.url)}"{title}>{_inlines(one.inlines)}</a>'
        case Image():
            return f'<img src="{escape(one.url)}" alt="{escape(one.alt)}">'
        case Break():
            return "<br>\n" if one.hard else "\n"
        case Entity():  # a character in HTML, which is not read back as it was spelled
            raise Unsaid
    raise Unsaid


def _around(name: str, inlines: Inlines) -> str:
    return f"<{name}>{_inlines(inlines)}</{name}>"


HTML = Translation(_Html())
