"""The inside of a line of Textile, as Redmine 5.0 reads it.

Written from what Redmine does with it (lib/redmine/wiki_formatting/textile, read in the source and tried on the
server; tests/test_richtext_redmine.py compares the two). Redmine does one kind of sign after the other over the whole
text, so that the order matters and that what was found already counts as a tag for those that come later. Here the
same is done with signs of a private use area standing for the tags.

Code and links are looked for first, then ``**`` ``*`` ``??`` ``-`` ``__`` ``_`` ``%`` ``+`` ``^`` ``~``. For what
CommonMark has no word for, the signs stay in the text as `Alien` characters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import cache

from connectors.richtext.invisible import FUSE, released
from connectors.richtext.tree import (
    Alien,
    Break,
    Code,
    Emphasis,
    Entity,
    Image,
    Inline,
    Inlines,
    Link,
    Strike,
    Strong,
    Text,
    joined,
)

ACTIVE = re.compile(r"[*_\-+^~%?@\"!=<{\[(&|#>:]")
"""Characters before which a fuse can keep Textile from seeing something."""

SCHEMES = ("http://", "https://", "ftp://", "ftps://", "mailto:", "/", "www.")
"""What an address of a link may begin with."""

_FAR = 1000
"""Characters between two signs that belong together; without a limit a heap of signs takes minutes to read."""

_SIGNS = ("**", "*", "??", "-", "__", "_", "%", "+", "^", "~")
_ANY_SIGN = "|".join(map(re.escape, _SIGNS))

Make = Callable[[Inlines], Inline]

_MAKES: dict[str, Make] = {
    "**": lambda inside: Strong(inside, other=True),
    "*": Strong,
    "-": Strike,
    "__": Emphasis,
    "_": lambda inside: Emphasis(inside, other=True),
}

_CODE_TAG = re.compile(r"<code>([^\n]*?)</code>")
_CODE = re.compile(r"(^|[^A-Za-z0-9_])@(?:\|\w+?\|)?([^\n]+?)@(?=[^A-Za-z0-9_]|$)", re.ASCII)
_IMAGE = re.compile(r"(^|[ \t\n>])!([<>=]?)([^\s(!<>={\[][^\s(!]*?) ?(?:\(([^()\n]+)\))?!(?=(:?))")
_LINK = re.compile(
    r'"([^"\n]+?)\s?(?:\(([^)\n]+?)\)(?="))?":'
    r"((?:/|[a-zA-Z]+://|www\.|mailto:)[\w/][^\s<]*?/?)([^\w=/;()\-\s<]*?)(?=<|[\s\ue000-\uf8ff]|$)"
)
_ENTITY = re.compile(r"&(?:#?\w+);", re.ASCII)

ALIENS = (
    re.compile(rf"\{{\{{\w+(?:\([^\n]{{0,{_FAR}}}?\))?(?:\n.{{0,{_FAR}}}?\n)?\}}\}}", re.DOTALL),  # a macro
    re.compile(r"\b[A-Z][A-Z0-9]+(?P<sign>\()[^)]*\)"),  # an abbreviation and what it stands for
    re.compile(r"(?<=\w)(?P<sign>\[)\d+\]"),  # a footnote
    re.compile(rf"(?:^|(?<=\s))==[^=].{{0,{_FAR}}}?==(?=\s|$)"),
    re.compile(r"(?P<sign><)/?[A-Za-z0-9_!]"),  # all quotation marks behind it are escaped, those of links too
    re.compile(r"^(?P<sign>\|).*\|$", re.MULTILINE),  # a row of a table within a paragraph
    re.compile(rf"</?(?:pre|code|kbd|notextile)\b[^>\n]*>|<!--.{{0,{_FAR}}}?-->", re.DOTALL),
)
"""What means something in Textile and nothing in CommonMark, besides the signs around words."""


@cache
def _punctuation() -> str:
    """What may stand behind a closing sign: punctuation, as Ruby sees it."""
    found = [chr(code) for code in range(0xE000) if unicodedata.category(chr(code)).startswith("P")]
    return re.escape("".join(found) + "$+<=>^`|~")


@cache
def _spans(sign: str) -> re.Pattern[str]:
    quoted = re.escape(sign)
    return re.compile(
        rf"(?P<before>^|[>\s(\ue000-\uf8ff])(?!--)(?P<outer>{_ANY_SIGN}|){quoted}"
        rf"(?P<inside>\w|[^\s].{{0,{_FAR}}}?[^\s])(?!--){quoted}"
        rf"(?P<other>{_ANY_SIGN}|)(?=[{_punctuation()}\ue000-\uf8ff]|\s|$)",
        re.DOTALL | re.MULTILINE,
    )


_ATTRIBUTES = re.compile(r"(?:\([^\")]+\)|\{[^{][^\"}]+\}|\[[a-z\-_]+\])+(?=.)")


class _Line:
    """One paragraph, cell or item on its way to a tree: ``signs`` says what each private character stands for."""

    def __init__(self, text: str) -> None:
        self._free = iter(chr(code) for code in range(0xE000, 0xF900) if chr(code) not in text)
        self._leaves: dict[str, Inline] = {}
        self._opens: dict[str, tuple[str, Make]] = {}
        self._closes: dict[str, str] = {}
        self._sources: dict[str, str] = {}
        self.text = text

    def leaf(self, one: Inline, source: str) -> str:
        sign = next(self._free)
        self._leaves[sign] = one
        self._sources[sign] = source
        return sign

    def alien(self, text: str, whole: str) -> str:
        return self.leaf(Alien(text, self._source(whole)), text)

    def pair(self, make: Make, inside: str, before: str, behind: str) -> str:
        opening, closing = next(self._free), next(self._free)
        self._sources |= {opening: before, closing: behind}
        self._opens[opening] = (closing, make)
        self._closes[closing] = opening
        return f"{opening}{inside}{closing}"

    # ---- one thing after the other -------------------------------------------------------------------------------

    def read(self) -> Inlines:
        try:
            self._find()
        except StopIteration:  # more signs than there are private characters: let it be text
            return (Text(self.text),)
        found, rest = self._built(self.text, "")
        return joined(found) if not rest else (Text(self.text),)

    def _find(self) -> None:
        self.text = _CODE_TAG.sub(lambda found: self.leaf(Code(code_read(found[1])), found[0]), self.text)
        self.text = _IMAGE.sub(self._image, self.text)
        self.text = _CODE.sub(self._code, self.text)
        for alien in ALIENS:
            self.text = alien.sub(self._alien, self.text)
        for sign in _SIGNS:
            self.text = _spans(sign).sub(lambda found, sign=sign: self._span(found, sign), self.text)  # type: ignore[misc]
        self.text = _LINK.sub(self._link, self.text)
        self.text = _ENTITY.sub(lambda found: self.leaf(Entity(found[0]), found[0]), self.text)

    def _code(self, found: re.Match[str]) -> str:
        return found[1] + self.leaf(Code(self._source(found[2])), found[0][len(found[1]) :])

    def _source(self, text: str) -> str:
        return "".join(self._sources.get(sign, sign) for sign in text)

    def _image(self, found: re.Match[str]) -> str:
        url, linked = found[3], found[4] is not None and '"' in found[4]
        if found[2] or found[5] or linked or not _safe(url, relative=True):
            return found[0]
        return found[1] + self.leaf(Image(url, found[4] or ""), found[0][len(found[1]) :])

    def _alien(self, found: re.Match[str]) -> str:
        whole = found[0]
        if "sign" not in found.groupdict():
            return self.alien(self._source(whole), whole)
        at = found.start("sign") - found.start()
        return whole[:at] + self.alien(whole[at], whole) + whole[at + 1 :]

    def _span(self, found: re.Match[str], sign: str) -> str:
        inside = found["inside"]
        attributes = _ATTRIBUTES.match(inside)
        if sign in _MAKES and not attributes:
            middle = self.pair(_MAKES[sign], inside, sign, sign)
        else:
            whole = f"{sign}{inside}{sign}"
            middle = self.alien(sign, whole) + inside + self.alien(sign, whole)
        return f"{found['before']}{found['outer']}{middle}{found['other']}"

    def _link(self, found: re.Match[str]) -> str:
        text, title, url, behind = found.groups()
        if not _safe(url, relative=False) or _ATTRIBUTES.match(text):
            return found[0]
        if url.endswith(")") and url.count("(") < url.count(")"):
            url, behind = url[:-1], ")" + behind
        text = text[:-1] if text.endswith(")" + FUSE) else text

        def make(inside: Inlines) -> Inline:
            return Link(inside, url, title or "", bare=not title and inside == (Text(url.removeprefix("mailto:")),))

        return self.pair(make, text, '"', f'":{url}') + behind

    # ---- the tree ------------------------------------------------------------------------------------------------

    def _built(self, text: str, until: str) -> tuple[list[Inline], str]:
        """The inlines up to the sign that closes what we are in, and the rest behind it."""
        found: list[Inline] = []
        plain = ""
        while text:
            sign, text = text[0], text[1:]
            if sign == until:
                return [*found, *_plain(plain)], text
            if sign in self._leaves:
                found += [*_plain(plain), self._leaves[sign]]
                plain = ""
            elif sign in self._opens:
                closing, make = self._opens[sign]
                inside, text = self._built(text, closing)
                found += [*_plain(plain), make(joined(inside))]
                plain = ""
            elif sign in self._closes:  # crossed with another one
                raise Crossed
            elif sign == "\n":
                found += [*_plain(plain), Break()]
                plain = ""
            else:
                plain += sign
        if until:
            raise Crossed
        return [*found, *_plain(plain)], ""


class Crossed(Exception):
    """Signs that do not lie within each other."""


def _plain(text: str) -> list[Inline]:
    return [Text(released(text, ACTIVE))] if text else []


_TAG = re.compile(f"<(?={FUSE}*/?(?:pre|code|kbd|notextile)\\b)")
_HELD_TAG = re.compile(f"<{FUSE}(?={FUSE}*/?(?:pre|code|kbd|notextile)\\b)")


def code_said(text: str) -> str:
    """Code in which no tag ends it; `code_read` takes that back."""
    return _TAG.sub(f"<{FUSE}", text)


def code_read(text: str) -> str:
    """Code as people meant it."""
    return _HELD_TAG.sub("<", text)


def _safe(url: str, *, relative: bool) -> bool:
    found = re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", url)
    return url.lower().startswith(SCHEMES) or (relative and not found)


def read_inlines(text: str) -> Inlines:
    """The inlines of a paragraph, item or cell."""
    if not re.search(r"[*_\-+^~%?@\"!=<{\[(&\n\u2060]|://", text):
        return (Text(text),) if text else ()
    try:
        return _Line(text).read()
    except Crossed:
        return joined(part for line in text.split("\n") for part in (Break(), Text(released(line, ACTIVE))))[1:]
