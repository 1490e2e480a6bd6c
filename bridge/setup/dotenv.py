"""`.env` with some lines changed and all others kept: comments, order, blank lines, line ends.

A value is written bare where it is read back as it is (so that Docker, which takes quotes literally, reads the same),
else in single quotes; what was written is read back before anybody relies on it. The file holds secrets: it belongs to
its owner alone, also while it is being written, and takes the place of the old one in a single step.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from dotenv.parser import Binding, parse_stream

OWN = 0o600
"""Rights: to be read and written by the owner alone."""

_STATEMENT = re.compile(
    r"(?P<lead>\s*)(?P<head>(?:export[^\S\r\n]+)?(?:'[^']+'|[^=#\s]+)[^\S\r\n]*)(?P<rest>.*)", re.DOTALL
)
_QUOTED = re.compile(
    r"""=[^\S\r\n]*(?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")(?P<comment>[^\r\n]*)(?P<end>[\r\n]*)""", re.DOTALL
)
_BARE = re.compile(r"(?:=[^\r\n]*?)?(?P<comment>(?<=[=\s])#[^\r\n]*|[^\S\r\n]+#[^\r\n]*)?[^\S\r\n]*(?P<end>[\r\n]*)")


class Unwritable(Exception):
    """A value that no line of `.env` can hold."""


@dataclass(frozen=True)
class Saved:
    """What became of the file: ``before`` are the rights that others had on it, 0 if none."""

    created: bool
    before: int = 0


def values(text: str) -> dict[str, str]:
    """What the file sets; an empty value counts as not set, of several lines with one name the last one stands."""
    found = parse_stream(StringIO(text))
    return {one.key: one.value for one in found if not one.error and one.key and one.value and one.value.strip()}


def changed(text: str, settings: Mapping[str, str | None], heading: str = "") -> str:
    """The text with these settings; None takes one out. New ones come at the end, below ``heading``."""
    text = text.removeprefix("\ufeff")
    bindings = list(parse_stream(StringIO(text)))
    last = {one.key: number for number, one in enumerate(bindings) if one.key in settings}
    parts = [_line(one, settings, last.get(one.key) == number) for number, one in enumerate(bindings)]
    end = "\r\n" if "\r\n" in text else "\n"
    whole = "".join(parts)
    new = [f"{name}={quoted(value)}" for name, value in settings.items() if value is not None and name not in last]
    if new:
        whole = whole if not whole or whole.endswith(("\n", "\r")) else whole + end
        gap = [""] if heading and whole.strip() else []
        whole += "".join(line + end for line in [*gap, *filter(None, [heading]), *new])
    found = values(whole)
    if wrong := [name for name, value in settings.items() if (found.get(name) or None) != (value or None)]:
        raise Unwritable(", ".join(wrong))
    return whole


def quoted(value: str) -> str:
    """A value as it stands behind the equals sign."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    for written in (value, f"'{escaped}'"):
        if not re.search(r"[\r\n]", value) and values(f"A={written}\nB=b\n") == {"A": value, "B": "b"}:
            return written
    raise Unwritable(f"{len(value)} characters")


def save(path: Path, text: str) -> Saved:
    """Put the text in place of the file, whole or not at all, for its owner alone. OSError where it cannot be done."""
    path = path.resolve()  # a link stays one
    try:
        before = path.stat()
    except FileNotFoundError:
        before = None
    handle, name = tempfile.mkstemp(prefix=".env-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), OWN)
            if before is not None:
                with contextlib.suppress(PermissionError):
                    os.fchown(file.fileno(), before.st_uid, before.st_gid)
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
    return Saved(before is None, before.st_mode & 0o077 if before is not None else 0)


def _line(one: Binding, settings: Mapping[str, str | None], stands: bool) -> str:
    """A statement as it is to be; a comment behind it stays."""
    if one.key is None or one.key not in settings:
        return one.original.string
    value = settings[one.key]
    found = _STATEMENT.fullmatch(one.original.string)
    assert found is not None
    if value is None:
        return found["lead"]
    if not stands:
        return one.original.string
    rest = _QUOTED.fullmatch(found["rest"]) or _BARE.fullmatch(found["rest"])
    assert rest is not None
    comment = (rest["comment"] or "").rstrip()
    return f"{found['lead']}{found['head']}={quoted(value)}{comment and ' ' + comment.lstrip()}{rest['end']}"
