"""What people see of a text: every character with the formatting around it, however the HTML says it."""

from __future__ import annotations

from bs4 import BeautifulSoup, NavigableString, Tag
from markdown_it import MarkdownIt

Seen = list[tuple[str, tuple[str, ...]]]
"""Characters, blanks left out, each with its formatting in alphabetical order."""

_NAMES = {
    **{
        name: name for name in ("h1", "h2", "h3", "h4", "h5", "h6", "pre", "blockquote", "code", "ul", "ol", "td", "th")
    },
    **{"strong": "bold", "b": "bold", "em": "italic", "i": "italic", "s": "struck", "del": "struck"},
    **{name: f"only Textile: {name}" for name in ("ins", "sup", "sub", "cite", "span", "abbr", "kbd")},
}
_HIDDEN = dict.fromkeys(map(ord, "\u2060\u2061\u2062\u2063\u2064"))


def seen(html: str) -> Seen:
    """What a page shows."""
    return list(_seen(BeautifulSoup(html, "html.parser"), ()))


def seen_of_markdown(text: str) -> Seen:
    """What CommonMark shows by itself; HTML in it is shown as characters."""
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    parser.normalizeLink = lambda url: url  # type: ignore[method-assign]
    return seen(parser.render(text))


def seen_as_characters(text: str) -> Seen:
    """What a text shows that nobody formats."""
    return [(sign, ()) for sign in text.translate(_HIDDEN) if not sign.isspace()]


def _seen(tag: Tag, around: tuple[str, ...]) -> Seen:
    found: Seen = []
    for child in tag.children:
        if isinstance(child, Tag):
            found += _seen(child, (*around, *_formatting(child)))
        elif isinstance(child, NavigableString):
            names = tuple(sorted({"pre"} if "pre" in around else set(around)))  # code is coloured besides
            found += [(sign, names) for sign in child.translate(_HIDDEN) if not sign.isspace()]
    if tag.name == "img":
        found.append((f"picture {tag.get('src')} {tag.get('alt') or ''}", tuple(sorted(set(around)))))
    return found


def _formatting(tag: Tag) -> list[str]:
    if tag.name == "a":
        address, text = str(tag.get("href")), tag.get_text()
        bare = address.removeprefix("mailto:") == text or not tag.get("href")
        return [] if bare else [f"link {address} {tag.get('title') or ''}"]
    name = _NAMES.get(tag.name)
    return [name] if name else []
