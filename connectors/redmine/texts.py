"""What becomes of text on the way to Redmine and back.

A description is rich text: CommonMark for the engine, and Textile or Markdown for people, as the instance is set up
(`connectors.richtext`, ADR 0020). Four things are different besides: line ends come back as CR LF (facts: redmine,
section 4); ``@login`` in a description sends that person a mail and ``{{name}}`` carries out a macro when the page is
shown, whatever the formatting, so what we bring is defused (R15); and a version has room for 60 characters of name and
one line of 255 characters of description, without any formatting (section 5).
"""

from __future__ import annotations

import re

from connectors.richtext import TextFormat

NAME_LIMIT = 60
BRIEF_LIMIT = 255

_FUSE = "\u2060"
"""WORD JOINER: nothing that anybody sees, and no part of a login."""

_CUT = "…"

# What Redmine 5.0 takes for a mention (lib/redmine/acts/mentionable.rb): an @ that no letter, digit or underscore of
# ASCII stands before, and a login behind it. Read in the source, tried on the server.
_MENTION = re.compile(rf"(?<![A-Za-z0-9_])@({_FUSE}*)(?=([A-Za-z0-9_\-@.]+))")


# What Redmine takes for a macro (app/helpers/application_helper.rb): a name in braces, and perhaps its arguments.
_MACRO = re.compile(r"\{\{\w+(?:\([^\n]*?\))?(?:\n.*?\n)?\}\}", re.DOTALL)
_NO_MACROS = re.compile(r"<(pre|code)\b.*?</\1>|(```|~~~).*?\2", re.DOTALL)
_BRACES = re.compile(rf"(?<=\{{)({_FUSE}*)(?=\{{)")


def heard(text: str | None, rich: TextFormat) -> str:
    """A description as the engine wants it: CommonMark."""
    return rich.read(plain(text))


def said(text: str, there: str | None, rich: TextFormat) -> str:
    """A description as it is stored; ``there`` is the one that it replaces. `heard` takes it back."""
    return quiet(rich.write(text, plain(there)), there)


def lines(text: str | None) -> str:
    """Text with the line ends that the engine wants."""
    return (text or "").replace("\r\n", "\n").replace("\r", "\n")


def plain(text: str | None) -> str:
    """A description without what we put in to keep it quiet."""
    together = _BRACES.sub(lambda found: found[1][1:], lines(text))
    return _MENTION.sub(lambda found: f"@{found[1][1:]}", together)


def quiet(text: str, there: str | None) -> str:
    """The text so that it does nothing that what is there does not do already; `plain` takes that back."""
    called = {found[2] for found in _MENTION.finditer(there or "") if not found[1]}

    def hold(found: re.Match[str]) -> str:
        return "@" if not found[1] and found[2] in called else f"@{_FUSE}{found[1]}"

    macros = {found[0] for found in _MACRO.finditer(_NO_MACROS.sub("", lines(there)))}
    kept = [found.span() for found in _MACRO.finditer(text) if found[0] in macros]

    def part(found: re.Match[str]) -> str:
        return found[0] if any(start <= found.start() < end for start, end in kept) else f"{_FUSE}{found[0]}"

    return _MENTION.sub(hold, _BRACES.sub(part, text))


def name(title: str) -> str:
    """A title as a version can carry it."""
    return _cut(title, NAME_LIMIT)


def brief(text: str) -> str:
    """A description as a version can carry it: one line, as its form has one."""
    return _cut(" ".join(text.split()) if "\n" in text or len(text) > BRIEF_LIMIT else text, BRIEF_LIMIT)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - len(_CUT)].rstrip() + _CUT
