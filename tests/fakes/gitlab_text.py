"""What a GitLab server does with a text: it carries out, tells people, and leaves notes (A 3).

Stricter than the real one where the two differ by release: a mention or a reference counts in a code block too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

COMMANDS = ("close", "reopen", "confidential", "label", "due", "title", "assign", "move", "shrug")
_COMMAND = re.compile(rf"^/({'|'.join(COMMANDS)})(?:[ ]+([^\n]*))?$", re.IGNORECASE)
# Ruby's \w is ASCII; a link is no text any more when people and issues are looked for, nor is "&#12;".
_LINK = re.compile(r"(?<![^\s(<])https?://[\w.-]+\.[a-z]{2,}[/:][^\s<>)\]]*|&#\d+;")
_PERSON = re.compile(r"(?<![A-Za-z0-9_])@([A-Za-z0-9_.][A-Za-z0-9_.-]*)", re.ASCII)
_ISSUE = re.compile(r"#(\d+)", re.ASCII)


@dataclass
class Orders:
    """What a description said besides its text."""

    text: str
    commands: list[tuple[str, str]] = field(default_factory=list)


def carried_out(description: str | None, before: str | None) -> Orders:
    """A 3: commands leave the text; those that stood there before are not carried out again.

    A line in a fenced block is none, nor is one that begins with anything but a slash.
    """
    text = (description or "").replace("\r", "")
    old = set((before or "").split("\n"))
    kept, found, fenced = [], [], False
    for line in text.split("\n"):
        if line.startswith("```"):
            fenced = not fenced
        command = None if fenced else _COMMAND.match(line)
        if command is None or line in old:
            kept.append(line)
        else:
            found.append((command[1].lower(), (command[2] or "").strip()))
    return Orders("\n".join(kept).rstrip(), found)


def called(text: str | None) -> set[str]:
    """The names that a text mentions."""
    return {name.rstrip(".") for name in _PERSON.findall(_LINK.sub(" ", text or ""))}


def referred_to(text: str | None) -> set[int]:
    """The numbers of the issues that a text refers to."""
    return {int(number) for number in _ISSUE.findall(_LINK.sub(" ", text or ""))}
