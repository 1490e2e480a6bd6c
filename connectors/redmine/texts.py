"""What becomes of text on the way to Redmine and back.

A description is stored word for word, whatever formatting the instance shows it with (Textile or Markdown), so it is
sent and read word for word too. Three things are different: line ends come back as CR LF (facts: redmine, section 4);
``@login`` in a description sends that person a mail, so what we bring is defused (R15); and a version has room for
60 characters of name and one line of 255 characters of description (section 5).
"""

from __future__ import annotations

import re

NAME_LIMIT = 60
BRIEF_LIMIT = 255

_FUSE = "\u2060"
"""WORD JOINER: nothing that anybody sees, and no part of a login."""

_CUT = "…"

# What Redmine 5.0 takes for a mention (lib/redmine/acts/mentionable.rb): an @ that no letter, digit or underscore of
# ASCII stands before, and a login behind it. Read in the source, tried on the server.
_MENTION = re.compile(rf"(?<![A-Za-z0-9_])@({_FUSE}*)(?=([A-Za-z0-9_\-@.]+))")


def lines(text: str | None) -> str:
    """Text with the line ends that the engine wants."""
    return (text or "").replace("\r\n", "\n").replace("\r", "\n")


def plain(text: str | None) -> str:
    """A description as the engine wants it, without what we put in to keep it quiet."""
    return _MENTION.sub(lambda found: f"@{found[1][1:]}", lines(text))


def quiet(text: str, there: str | None) -> str:
    """The text so that it calls nobody who is not called by what is there already; `plain` takes that back."""
    called = {found[2] for found in _MENTION.finditer(there or "") if not found[1]}

    def hold(found: re.Match[str]) -> str:
        return "@" if not found[1] and found[2] in called else f"@{_FUSE}{found[1]}"

    return _MENTION.sub(hold, text)


def name(title: str) -> str:
    """A title as a version can carry it."""
    return _cut(title, NAME_LIMIT)


def brief(text: str) -> str:
    """A description as a version can carry it: one line, as its form has one."""
    return _cut(" ".join(text.split()) if "\n" in text or len(text) > BRIEF_LIMIT else text, BRIEF_LIMIT)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - len(_CUT)].rstrip() + _CUT
