"""What a text says, without the spelling: the blocks and inlines that every format of ours can be read into.

This is the part of CommonMark (with GFM's tables and strikethrough) that the formats share. What lies beyond it, raw
HTML or a list with code in it, has no tree here and is kept word for word (ADR 0020). A task list is a list whose
items begin with ``[ ]`` or ``[x]``, which is text like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Text:
    """Characters, and nothing but characters."""

    text: str


@dataclass(frozen=True)
class Entity:
    """A character that is spelled ``&copy;``; Markdown, Textile and HTML spell it alike."""

    source: str


@dataclass(frozen=True)
class Alien:
    """Characters that do something in the native text and that CommonMark has no word for: ``+`` in Textile.

    ``whole`` is all that they do it with: ``+inserted+``.
    """

    text: str
    whole: str


@dataclass(frozen=True)
class Code:
    """Code within a line."""

    text: str


@dataclass(frozen=True)
class Strong:
    """Bold; ``other`` where it is spelled in the rarer way, ``__so__``."""

    inlines: tuple[Inline, ...]
    other: bool = False


@dataclass(frozen=True)
class Emphasis:
    """Italics; ``other`` where it is spelled in the rarer way, ``_so_``."""

    inlines: tuple[Inline, ...]
    other: bool = False


@dataclass(frozen=True)
class Strike:
    """Struck out."""

    inlines: tuple[Inline, ...]


@dataclass(frozen=True)
class Link:
    """A link; ``bare`` where the address itself is the text."""

    inlines: tuple[Inline, ...]
    url: str
    title: str = ""
    bare: bool = False


@dataclass(frozen=True)
class Image:
    """A picture that lies elsewhere."""

    url: str
    alt: str = ""


@dataclass(frozen=True)
class Break:
    """The end of a line within a paragraph; ``hard`` where it must be shown as one."""

    hard: bool = False


Inline = Text | Entity | Alien | Code | Strong | Emphasis | Strike | Link | Image | Break
Inlines = tuple[Inline, ...]


@dataclass(frozen=True)
class Paragraph:
    """Lines of text."""

    inlines: Inlines


@dataclass(frozen=True)
class Heading:
    """A heading of level 1 to 6."""

    level: int
    inlines: Inlines


@dataclass(frozen=True)
class CodeBlock:
    """Lines of code, each with its line end."""

    text: str
    language: str = ""


@dataclass(frozen=True)
class Item:
    """One item of a list, and the lists under it."""

    inlines: Inlines
    lists: tuple[List, ...] = ()


@dataclass(frozen=True)
class List:
    """A list of bullets or of numbers from one."""

    ordered: bool
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Quote:
    """What somebody else said."""

    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Table:
    """Rows of cells, the first of which is the head; ``sides`` are "", "left", "center" or "right" per column."""

    sides: tuple[str, ...]
    rows: tuple[tuple[Inlines, ...], ...]


@dataclass(frozen=True)
class Rule:
    """A line across; ``mark`` is the character that it is made of."""

    mark: str = "-"


Block = Paragraph | Heading | CodeBlock | List | Quote | Table | Rule


def joined(inlines: Iterable[Inline]) -> Inlines:
    """The same, with no two texts side by side and none that is empty."""
    found: list[Inline] = []
    for one in inlines:
        before = found[-1] if found else None
        if isinstance(one, Text) and isinstance(before, Text):
            found[-1] = Text(before.text + one.text)
        elif one != Text(""):
            found.append(one)
    return tuple(found)


def changed(inlines: Iterable[Inline], change: Callable[[Inline], Inline]) -> Inlines:
    """The same, with every inline changed, those within others first."""
    found = []
    for one in inlines:
        if isinstance(one, Strong | Emphasis | Strike | Link):
            one = replace(one, inlines=changed(one.inlines, change))
        found.append(change(one))
    return joined(found)


def changed_block(block: Block, change: Callable[[Inline], Inline]) -> Block:
    """The block with every inline changed."""
    match block:
        case Paragraph() | Heading():
            return replace(block, inlines=changed(block.inlines, change))
        case List():
            return _changed_list(block, change)
        case Quote():
            return Quote(tuple(changed_block(one, change) for one in block.blocks))
        case Table():
            return Table(block.sides, tuple(tuple(changed(cell, change) for cell in row) for row in block.rows))
    return block


def _changed_list(block: List, change: Callable[[Inline], Inline]) -> List:
    items = (
        Item(changed(item.inlines, change), tuple(_changed_list(one, change) for one in item.lists))
        for item in block.items
    )
    return List(block.ordered, tuple(items))


def tamed(block: Block) -> Block:
    """The block as the canonical text has it: what only the native text knows is plain characters."""
    return changed_block(block, lambda one: Text(one.text) if isinstance(one, Alien) else one)


def broken(block: Block, *, hard: bool) -> Block:
    """The block with all its lines ending hard, or none."""
    return changed_block(block, lambda one: Break(hard) if isinstance(one, Break) else one)


def inlines_of(block: Block) -> Iterator[Inline]:
    """Every inline of a block."""
    found: list[Inline] = []

    def keep(one: Inline) -> Inline:
        found.append(one)
        return one

    changed_block(block, keep)
    return iter(found)
