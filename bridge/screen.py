"""Where output goes: pictures for people on stdout, or one JSON object there and everything else on stderr.

Without a terminal there are no colours, no progress bars and no control sequences, and lines are 80 wide (or what
COLUMNS says). Nothing that is shown is read as markup.
"""

from __future__ import annotations

import json
import sys
import textwrap
from typing import IO, Any

from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.text import Text

from bridge import words
from bridge.texts import Texts


class Screen:
    """The two streams of one command. ``for_machines`` is ``--json``."""

    def __init__(
        self, t: Texts, *, for_machines: bool = False, out: IO[str] | None = None, err: IO[str] | None = None
    ) -> None:
        self.t = t
        self.for_machines = for_machines
        self._stdout = out or sys.stdout
        self.err = _console(err or sys.stderr)
        self.out = self.err if for_machines else _console(self._stdout)

    def show(self, *pictures: RenderableType) -> None:
        """Show pictures to people: on stdout, or on stderr beside the JSON."""
        for picture in pictures:
            if self.out.is_terminal:
                self.out.print(picture)
                continue
            with self.out.capture() as lines:  # a file or another program gets no blanks at the ends of lines
                self.out.print(picture)
            self.out.file.write("\n".join(line.rstrip() for line in lines.get().split("\n")))

    def result(self, data: Any) -> None:
        """The one JSON value of the command; says nothing to people."""
        if self.for_machines:
            json.dump(data, self._stdout, ensure_ascii=False, indent=2)
            self._stdout.write("\n")
            self._stdout.flush()

    def problems(self, sentences: tuple[str, ...] | list[str]) -> None:
        """What keeps the command from being carried out: one line each, on stderr."""
        for sentence in sentences:
            self._say("✗", "bold red", words.reason(self.t, sentence))

    def warnings(self, sentences: tuple[str, ...] | list[str]) -> None:
        """What a person should look at: one line each, on stderr."""
        for sentence in sentences:
            self._say("!", "bold yellow", words.reason(self.t, sentence))

    def _say(self, sign: str, style: str, sentence: str) -> None:
        """One sentence on lines that fit; a long path is not cut in two, because people copy it."""
        lines = textwrap.wrap(f"{sign} {sentence}", self.err.width, break_long_words=False, break_on_hyphens=False)
        self.err.print(Text.assemble((sign, style), "\n".join(lines).removeprefix(sign)), soft_wrap=True)

    def progress(self) -> Progress:
        """A progress bar that is gone when its work is done; nothing at all without a terminal."""
        columns = (TextColumn("{task.description}", markup=False), BarColumn(24), MofNCompleteColumn())
        return Progress(*columns, console=self.out, transient=True, disable=not self.out.is_terminal)

    def waiting(self, what: str) -> Progress:
        """A sign that something is under way of which nobody knows how long it takes."""
        columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False))
        progress = Progress(*columns, console=self.out, transient=True, disable=not self.out.is_terminal)
        progress.add_task(what, total=None)
        return progress


def _console(stream: IO[str]) -> Console:
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure:  # an ASCII terminal shows "?" for what it cannot show, and does not end the command
        reconfigure(errors="replace")
    return Console(file=stream, highlight=False, markup=False, emoji=False, soft_wrap=False)
