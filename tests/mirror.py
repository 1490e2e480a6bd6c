"""Calendars on a real Radicale, the people who work in them, and the bridge as its users run it.

People change raw iCalendar text, as their own programs would, and look at it with a library that the bridge does
not write with: what these words say of a calendar shares no code with the connector. The bridge is the command
itself in a folder with a `.env`: `Mirror.run` calls it in this process, `Mirror.command` in one of its own.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import os
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import icalendar

from bridge import cli
from tests.radicale_server import Radicale

PROJECT = Path(__file__).parents[1]
LONG_AGO = 1_000
"""Seconds since when a task that people made long ago has been as it is."""

_numbers = itertools.count(1)


# ---- a calendar and its people ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Task:
    """A task as a calendar shows it: one text per property, several of one name joined by "|"."""

    uid: str
    file: str
    properties: Mapping[str, str]
    raw: str

    @property
    def title(self) -> str:
        """What people read first."""
        return self.properties.get("SUMMARY", "")

    def __getitem__(self, name: str) -> str:
        return self.properties[name]

    def get(self, name: str) -> str:
        """A property, "" where it is not there."""
        return self.properties.get(name, "")

    @property
    def categories(self) -> set[str]:
        """The categories, one by one."""
        return {each for each in self.get("CATEGORIES").split("|") if each}

    @property
    def gone(self) -> bool:
        """Whether it is only kept as cancelled."""
        return self.get("STATUS") == "CANCELLED"


class Desk:
    """One calendar on a server, and somebody who works in it."""

    def __init__(self, server: Radicale, title: str = "", components: tuple[str, ...] | None = ("VTODO",)) -> None:
        self.server = server
        self.name = f"m{next(_numbers)}-{uuid.uuid4().hex[:8]}"
        self.title = title or self.name
        self.path = server.calendar(self.name, self.title, components)

    @property
    def url(self) -> str:
        """The calendar's own address."""
        return self.server.url + self.path

    @property
    def folder(self) -> Path:
        """Where the server keeps it."""
        return self.server.folder / "data" / "collection-root" / self.path.strip("/")

    # ---- acting ----------------------------------------------------------------------------------------------

    def adds(self, title: str, *lines: str, uid: str = "", ago: float = LONG_AGO) -> str:
        """A new task with these lines, made so many seconds ago; returns its UID."""
        uid = uid or str(uuid.uuid4())
        self.stores(uid, ics(uid, f"SUMMARY:{title}", *lines), ago=ago)
        return uid

    def stores(self, uid: str, text: str, *, ago: float = 0.0) -> None:
        """A whole object as text."""
        self.server.put(self._address(uid), text)
        self.dates(uid, ago)

    def dates(self, uid: str, ago: float) -> None:
        """The server's time of change, moved back by so many seconds."""
        if ago:
            then = time.time() - ago
            os.utime(self.folder / f"{uid}.ics", (then, then))

    def edits(self, title: str, *lines: str, ago: float = 0.0, clear: str = "") -> None:
        """These lines in the place of those with the same name; the properties named in ``clear`` go away."""
        task = self.task(title)
        gone = {re.split("[;:]", line, maxsplit=1)[0] for line in lines} | set(clear.split())
        kept: list[str] = []
        depth = 0
        for line in re.sub(r"\r?\n[ \t]", "", task.raw).splitlines():
            depth -= line.startswith("END:")
            if line == "END:VTODO":
                kept += lines
            if not (depth == 2 and re.split("[;:]", line, maxsplit=1)[0] in gone):
                kept.append(line)
            depth += line.startswith("BEGIN:")
        self.server.put(f"{self.path}{task.file}", "\r\n".join([*kept, ""]))
        self.dates(task.file.removesuffix(".ics"), ago)

    def deletes(self, title: str) -> None:
        """Delete a task."""
        self.server.delete(f"{self.path}{self.task(title).file}")

    def _address(self, uid: str) -> str:
        return f"{self.path}{uid}.ics"

    # ---- looking ---------------------------------------------------------------------------------------------

    def files(self) -> dict[str, str]:
        """Every object with its text, by file name."""
        return {
            path.name: path.read_bytes().decode("utf-8", "replace")
            for path in sorted(self.folder.glob("*.ics"))
            if not path.name.startswith(".")
        }

    def all(self) -> list[Task]:
        """Every task that can be read."""
        return [task for name, text in self.files().items() if (task := _task(name, text)) is not None]

    def tasks(self) -> dict[str, Task]:
        """The tasks that are not only kept as cancelled, by title. Fails where two have one title."""
        living = [task for task in self.all() if not task.gone]
        found = {task.title: task for task in living}
        assert len(found) == len(living), f"two tasks of one title: {sorted(task.title for task in living)}"
        return found

    def task(self, title: str) -> Task:
        """The task of this title or UID, cancelled or not."""
        found = [task for task in self.all() if title in (task.title, task.uid)]
        assert len(found) == 1, f"{len(found)} tasks {title!r} among {sorted(task.title for task in self.all())}"
        return found[0]

    def picture(self) -> dict[str, str]:
        """All that people see here, to tell whether anything was written."""
        return self.files()


def ics(uid: str, *lines: str, kind: str = "VTODO", before: tuple[str, ...] = ()) -> str:
    """A calendar object of these lines, as a program that is not ours would store it."""
    head = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Leute//DE", *before, f"BEGIN:{kind}", f"UID:{uid}"]
    return "\r\n".join([*head, "DTSTAMP:20260101T000000Z", *lines, f"END:{kind}", "END:VCALENDAR", ""])


def _task(name: str, text: str) -> Task | None:
    try:
        found = icalendar.Calendar.from_ical(text).walk("VTODO")
    except ValueError:
        return None
    todo = next((each for each in found if "RECURRENCE-ID" not in each), None)
    if todo is None:
        return None
    properties: dict[str, list[str]] = {}
    for key, value in todo.property_items(recursive=False):
        if key not in ("BEGIN", "END"):
            properties.setdefault(key, []).extend(_words(key, value))
    joined = {key: "|".join(sorted(words)) for key, words in properties.items()}
    return Task(joined["UID"], name, joined, text)


def _words(key: str, value: Any) -> list[str]:
    if key == "CATEGORIES":
        return [str(each) for each in value.cats]
    if isinstance(value, str):
        return [str(value)]
    text = value.to_ical()
    zone = value.params.get("TZID", "") if hasattr(value, "params") else ""
    said = text.decode() if isinstance(text, bytes) else str(text)
    return [f"{zone}:{said}" if zone else said]


# ---- the bridge -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """All of it as one line, however it was wrapped."""
        return " ".join(re.sub("[│╭╮╰╯─]", " ", self.out + self.err).split())

    @property
    def data(self) -> Any:
        """The JSON on stdout; fails if there is anything beside it."""
        return json.loads(self.out)


class Mirror:
    """A folder with a `.env` that names some calendars, and the commands that are run in it."""

    def __init__(self, folder: Path, **desks: Desk) -> None:
        self.folder = folder
        self.desks = desks
        self.settings: dict[str, str] = {"BRIDGE_LANGUAGE": "en", "BRIDGE_CONNECTORS": ",".join(desks)}
        for name, desk in desks.items():
            self.points(name, desk)

    def points(self, name: str, desk: Desk) -> None:
        """A connector's settings point to this calendar."""
        server = desk.server
        self.sets(
            **{
                f"{name}_TYPE": "caldav",
                f"{name}_URL": desk.url,
                f"{name}_USER": server.user,
                f"{name}_PASSWORD": server.password,
            }
        )

    def sets(self, **settings: str | None) -> None:
        """Change lines of the `.env`; None takes one out."""
        for name, value in settings.items():
            key = name.upper()
            if value is None:
                self.settings.pop(key, None)
            else:
                self.settings[key] = value
        lines = [f"{name}='{value}'\n" for name, value in self.settings.items()]
        (self.folder / ".env").write_text("".join(lines), encoding="utf-8")

    # ---- commands --------------------------------------------------------------------------------------------

    def run(self, *words: str) -> Answer:
        """The command in this process."""
        return run_in(self.folder, *words)

    def command(self, *words: str) -> Answer:
        """The command in a process of its own, without a terminal."""
        done = subprocess.run(
            [sys.executable, "-m", "bridge", *words],
            cwd=self.folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=120,
            check=False,
        )
        return Answer(done.returncode, done.stdout.decode(), done.stderr.decode())

    def starts(self, *words: str) -> subprocess.Popen[bytes]:
        """The command in a process of its own, which is left to itself."""
        return subprocess.Popen(
            [sys.executable, "-m", "bridge", *words],
            cwd=self.folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def sync(self, *words: str, ends: int = 0) -> Any:
        """`sync --json` in this process: must end like this; returns what it printed."""
        answer = self.run("sync", "--json", *words)
        assert answer.code == ends, answer.said
        return answer.data

    def json(self, *words: str, ends: int = 0) -> Any:
        """A command with --json in this process."""
        answer = self.run(*words, "--json")
        assert answer.code == ends, answer.said
        return answer.data

    def begins(self) -> Any:
        """The first contact, accepted."""
        return self.sync("--accept")

    def rests(self) -> None:
        """One more pass writes nothing and has nothing to say."""
        before = {name: desk.picture() for name, desk in self.desks.items()}
        told = self.sync()
        assert written(told) == 0, told
        assert {name: desk.picture() for name, desk in self.desks.items()} == before


def written(told: Mapping[str, Any]) -> int:
    """How many records a pass wrote, as `sync --json` counts them."""
    return sum(one["created"] + one["updated"] + one["deleted"] for one in told["connectors"].values())


def run_in(folder: Path, *words: str, **env: str) -> Answer:
    """A command in this process, in this folder, with nothing in the environment that it would read but ``env``."""
    out, err = io.StringIO(), io.StringIO()
    with _in(folder, env), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = cli.run(words)
        except SystemExit as end:  # how argparse ends a command
            code = int(end.code or 0)
    return Answer(code, out.getvalue(), err.getvalue())


@contextlib.contextmanager
def _in(folder: Path, env: Mapping[str, str]) -> Iterator[None]:
    before, kept = Path.cwd(), dict(os.environ)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment() | env)
    try:
        yield
    finally:
        os.chdir(before)
        os.environ.clear()
        os.environ.update(kept)


def environment() -> dict[str, str]:
    """What a command sees of ours: nothing that is a setting of the bridge, and a screen that is wide enough."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG") if name in os.environ}
    path = os.pathsep.join(filter(None, [str(PROJECT), os.environ.get("PYTHONPATH")]))
    return {**kept, "COLUMNS": "200", "PYTHONPATH": path, "PYTHONWARNINGS": "error", "PYTHONUTF8": "1"}
