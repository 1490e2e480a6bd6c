"""Text on its way to GitLab and back: nothing that is copied there may be carried out or announced (R15).

GitLab carries out a line of a description that starts with ``/close``, whoever sends it, and tells people whom a
title or a description names with ``@``; ``#12`` and ``!3`` leave a note at the issue that they point to (facts:
platform-apis, A3). So on the way there

* a line that starts with a slash and a letter gets a backslash in front, whether a command of that name exists or
  not, for their list grows; Markdown shows it without;
* a sigil and the name behind it are held apart by a space of no width;

and on the way back exactly one of each is taken away. Code blocks are no exception: what is one differs between
GitLab's releases and its two readers of Markdown, and taking a paragraph for code would set it off. Addresses are
left as they are: ``https://social.example/@amt`` is a link and names nobody.

A closed issue or milestone that was not done carries an invisible line, since GitLab knows no other way to close. In an
issue the line says when: staff who open it again and close it later mean "done", and leave the line where it is.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

GAP = "\u200b"
"""A space of no width: no user name and no number begins with it."""

CANCELLED = "<!-- strategy-bridge: cancelled -->"
"""Stands at the end of a description when what is closed was not done. Markdown shows nothing of it."""

_SAME_CLOSING = timedelta(hours=1)
"""How far the time in that line may be from the time of closing: the line is written first."""

_ADDRESS = r"(?<![^\s(<])https?://(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}(?::[0-9]+)?/[A-Za-z0-9/._~%+=&?#:;,!$@-]*"
# In Ruby, in which GitLab is written, only ASCII letters are part of a word: "ü@all" calls everybody.
_SIGIL = (
    rf"(?<![A-Za-z0-9_])@(?={GAP}*[A-Za-z0-9_.])"
    rf"|(?<!&)#(?={GAP}*[0-9])|(?<=&)#(?={GAP}*[0-9]+(?![0-9;]))"  # "&#12;" is a character and no reference
    rf"|[!&](?={GAP}*[0-9])"
    rf"|<(?={GAP}*!-- strategy-bridge:)"  # nobody's text is taken for our invisible line
)
_SIGILS = re.compile(rf"{_ADDRESS}|(?P<sigil>{_SIGIL})(?P<gap>{GAP}*)")
_COMMAND = re.compile(r"^([^\S\n]{0,3})(\\*)(?=/[A-Za-z_])", re.MULTILINE)
_HARMLESS = re.compile(r"^([^\S\n]{0,3})\\(\\*)(?=/[A-Za-z_])", re.MULTILINE)
_LINE = r"<!-- strategy-bridge: cancelled(?: (\d{4}-\d\d-\d\dT\d\d:\d\dZ))? -->"
_OURS = re.compile(rf"\n{{0,2}}{_LINE}")


def title_to(text: str) -> str:
    """A title as it is sent: it names nobody."""
    return _SIGILS.sub(_held_apart, text)


def title_from(text: str) -> str:
    """A title as people meant it."""
    return _SIGILS.sub(_together, text)


def cancelled_at(now: datetime | None) -> str:
    """The invisible line; with the server's time where the time of closing can be read, else without."""
    return CANCELLED if now is None else f"<!-- strategy-bridge: cancelled {now.astimezone(UTC):%Y-%m-%dT%H:%MZ} -->"


def line_in(text: str, closed_at: datetime | None = None) -> str:
    """The invisible line of a description if it is of this very closing; "" if there is none."""
    found = re.search(_LINE, text)
    if found is None:
        return ""
    if found[1] and closed_at is not None:
        said = datetime.fromisoformat(found[1])
        return found[0] if abs(closed_at - said) <= _SAME_CLOSING else ""
    return found[0]


def text_to(text: str, there: str = "", *, line: str = "") -> str:
    """A description as it is sent, with the invisible line at its end if there is one.

    Lines that stand ``there`` already stay as GitLab's own people wrote them: they announced whom they name when
    they were written, and defusing them now would only take away the link.
    """
    armed = {text_from(line): line for line in _OURS.sub("", _lf(there)).split("\n")}
    lines = (_line_to(line, armed.get(line)) for line in _lf(text).split("\n"))
    sent = "\n".join(lines)
    return f"{sent}\n\n{line}" if sent and line else sent or line


def text_from(text: str) -> str:
    """A description as people meant it, without our invisible line."""
    return title_from(_HARMLESS.sub(r"\1\2", _OURS.sub("", _lf(text))))


def _line_to(line: str, armed: str | None) -> str:
    if armed is not None and not _COMMAND.match(armed):
        return armed
    return _COMMAND.sub(r"\1\\\2", title_to(line))


def _held_apart(found: re.Match[str]) -> str:
    return f"{found['sigil']}{GAP}{found['gap']}" if found["sigil"] else found[0]


def _together(found: re.Match[str]) -> str:
    return f"{found['sigil']}{found['gap'][1:]}" if found["sigil"] else found[0]


def _lf(text: str) -> str:
    """GitLab drops every CR before it looks for commands (facts: platform-apis, A3)."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
