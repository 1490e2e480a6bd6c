"""iCalendar text as lines: what we do not write stays, letter for letter (RFC 5545, section 3.1).

A task that people made carries alarms, recurrence, overrides, time zones, attendees and properties that we have
never heard of. A library that parses all of it into objects and writes it out again drops what it cannot parse
and rewrites the rest. So the text is only cut into lines, and only the lines that are to change are touched.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

_BREAK = re.compile(r"\r\n|\n|\r")
_FOLD = re.compile(rb"(?:\r\n|\n|\r)[ \t]")
_LINE = re.compile(r'([A-Za-z0-9-]+)((?:;[^":]*(?:"[^"]*"[^":]*)*)?):(.*)', re.DOTALL)
_PARAM = re.compile(r';([^=;:"]+)=((?:"[^"]*"|[^";])*)')
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_COMMA = re.compile(r"(?<!\\)((?:\\\\)*),")
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_UID = re.compile(r"UID(?:;[^:]*)?:(.+)", re.IGNORECASE)
_WIDTH = 75  # octets in a line, its end left out


class Unreadable(ValueError):
    """The text is no iCalendar, or says something that has no meaning; the message says what, for people."""


@dataclass(frozen=True)
class Property:
    """One content line. ``params`` and ``value`` are as they stand in the text, escapes and quotes included."""

    name: str
    params: str
    value: str

    def param(self, name: str) -> str:
        """The value of one parameter, "" if it is not there."""
        for found, value in _PARAM.findall(self.params):
            if found.upper() == name:
                return str(value).strip('"')
        return ""

    def with_params(self, **changed: str) -> Property:
        """The property with these parameters set, or taken away where the value is ""."""
        kept = [f";{name}={value}" for name, value in _PARAM.findall(self.params) if name.upper() not in changed]
        new = [f";{name}={value}" for name, value in changed.items() if value]
        return replace(self, params="".join(kept + new))

    def __str__(self) -> str:
        return f"{self.name}{self.params}:{self.value}"


@dataclass
class Todo:
    """A calendar object around one task: its own properties, what is inside it, and the text before and after.

    The task is the first VTODO that is no override of a single occurrence. ``zones`` are the texts of the
    VTIMEZONEs by their TZID.
    """

    before: list[str]
    properties: list[Property]
    inner: list[str]
    after: list[str]
    zones: dict[str, str] = field(default_factory=dict)

    def all(self, name: str) -> list[Property]:
        """The properties of this name."""
        return [each for each in self.properties if each.name == name]

    def first(self, name: str) -> Property | None:
        """The first property of this name."""
        return next((each for each in self.properties if each.name == name), None)

    def put(self, name: str, new: Iterable[Property], old: Iterable[Property] | None = None) -> None:
        """Put ``new`` in the place of ``old``: by default all properties of this name."""
        gone = [id(each) for each in (self.all(name) if old is None else old)]
        at = next((n for n, each in enumerate(self.properties) if id(each) in gone), len(self.properties))
        kept = [each for each in self.properties[at:] if id(each) not in gone]
        self.properties[at:] = [*new, *kept]

    def text(self) -> bytes:
        """The whole object as iCalendar text."""
        lines = [*self.before, *map(str, self.properties), *self.inner, *self.after]
        return b"".join(map(_folded, lines))


def parse(data: bytes | str) -> Todo | None:
    """Cut a calendar object into lines and find its task; None where it holds something else, such as an event."""
    raw = data.encode("utf-8", "replace") if isinstance(data, str) else data
    try:
        text = _FOLD.sub(b"", raw).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable("it is not UTF-8") from None
    lines = [line for line in _BREAK.split(text) if line.strip()]
    blocks = _blocks(lines)
    todos = [block for block in blocks if block.name == "VTODO"]
    if not todos:
        if any(block.name.startswith("V") and block.name != "VTIMEZONE" for block in blocks):
            return None
        raise Unreadable("there is no task in it")
    master = next((todo for todo in todos if not todo.says("RECURRENCE-ID", lines)), todos[0])
    own, zones = set(master.own), {}
    for block in blocks:
        if block.name == "VTIMEZONE" and (tzid := block.says("TZID", lines)):
            zones[tzid] = "\r\n".join(lines[block.start : block.end + 1]) + "\r\n"
    return Todo(
        lines[: master.start + 1],
        [_property(lines[at]) for at in master.own],
        [lines[at] for at in range(master.start + 1, master.end) if at not in own],
        lines[master.end :],
        zones,
    )


@dataclass
class _Block:
    """A component right below the calendar: where it stands, and which lines are its own properties."""

    name: str
    start: int
    end: int = -1
    own: list[int] = field(default_factory=list)

    def says(self, name: str, lines: list[str]) -> str:
        found = (_property(lines[at]) for at in self.own if lines[at].upper().startswith(name))
        return next((each.value for each in found if each.name == name), "")


def _blocks(lines: list[str]) -> list[_Block]:
    """The components right below VCALENDAR; Unreadable where BEGIN and END do not pair up."""
    stack: list[str] = []
    found: list[_Block] = []
    for at, line in enumerate(lines):
        word = line[:6].upper()
        if word == "BEGIN:":
            stack.append(line[6:].strip().upper())
            if stack[0] != "VCALENDAR":
                raise Unreadable("it does not begin with BEGIN:VCALENDAR")
            if len(stack) == 2:
                found.append(_Block(stack[1], at))
        elif line[:4].upper() == "END:":
            if not stack or stack.pop() != line[4:].strip().upper():
                raise Unreadable(f"{line.strip()[:40]} has no BEGIN")
            if len(stack) == 1:
                found[-1].end = at
        elif not stack:
            raise Unreadable("it does not begin with BEGIN:VCALENDAR")
        elif len(stack) == 2:
            found[-1].own.append(at)
    if stack:
        raise Unreadable(f"the END of {stack[-1]} is missing")
    return found


def _property(line: str) -> Property:
    match = _LINE.fullmatch(line)
    if match is None:
        raise Unreadable(f"this line makes no sense: {line[:60]}")
    return Property(match[1].upper(), match[2], match[3])


def uid_in(data: bytes | str) -> str:
    """The UID of a text that cannot be read otherwise, or ""."""
    raw = data.encode("utf-8", "replace") if isinstance(data, str) else data
    lines = _BREAK.split(_FOLD.sub(b"", raw).decode("utf-8", "replace"))
    inside: list[str] = []
    other = ""
    for line in lines:
        if line[:6].upper() == "BEGIN:":
            inside.append(line[6:].strip().upper())
        elif line[:4].upper() == "END:" and inside:
            inside.pop()
        elif match := _UID.fullmatch(line):
            uid = unescape(match[1]).strip()
            if inside[-1:] == ["VTODO"]:
                return uid
            other = other or uid
    return other


def _folded(line: str) -> bytes:
    """One line with its end, broken after at most 75 octets and never within a character."""
    data = line.encode()
    if len(data) <= _WIDTH:
        return data + b"\r\n"
    parts, width = [], _WIDTH
    while len(data) > width:
        cut = width
        while data[cut] & 0xC0 == 0x80:
            cut -= 1
        parts.append(data[:cut])
        data, width = data[cut:], _WIDTH - 1
    return b"\r\n ".join([*parts, data]) + b"\r\n"


# ---- text values (RFC 5545, section 3.3.11) --------------------------------------------------------------------


def unescape(value: str) -> str:
    """The text that a TEXT value stands for."""
    return _ESCAPED.sub(lambda match: "\n" if match[1] in "nN" else match[1], value)


def escape(text: str) -> str:
    """A TEXT value for a text."""
    for char in ("\\", ";", ","):
        text = text.replace(char, "\\" + char)
    return text.replace("\n", "\\n")


def elements(value: str) -> list[str]:
    """The elements of a list of TEXT values, without blanks around them and without empty ones."""
    parts = _COMMA.sub("\\1\0", value).split("\0")
    return [text for part in parts if (text := unescape(part).strip())]


def writable(text: str) -> str:
    """The text with LF line ends and without the characters that neither iCalendar nor XML can carry."""
    return _UNWRITABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
