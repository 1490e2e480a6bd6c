"""The bridge as a person calls it: the real command, in the work folder, as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from bridge.texts import Texts
from tests.demo.pictures import command, shortened
from tests.demo.place import FB02, IT, ROOT

OURS = ("BRIDGE_", f"{FB02[0].upper()}_", f"{IT[0].upper()}_")


class Broken(Exception):
    """The demo cannot go on; the message says why, for people."""


class Calls:
    """Calls the bridge. With ``--json`` it prints the picture for people as well, on stderr: both are used."""

    def __init__(self, folder: Path, out: Console, t: Texts) -> None:
        self.folder, self.out, self.t = folder, out, t

    def __call__(self, *arguments: str, wanted: int = 0, quietly: bool = False, short: bool = False) -> Any:
        """Call it, show what a person would see, and return what a machine reads. Broken at another exit code."""
        line = " ".join(["strategy-bridge", *arguments])
        with self.out.status(Text(self.t("wait"), style="dim")):
            done = subprocess.run(
                [sys.executable, "-m", "bridge", *arguments, "--json"],
                cwd=self.folder,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                encoding="utf-8",
                check=False,
            )
        answer = Text.from_ansi(done.stderr.rstrip())
        if not quietly or done.returncode != wanted:
            self.out.print(command(line))
            self.out.print(shortened(self.t, answer) if short else answer)
        if done.returncode != wanted:
            raise Broken(self.t("exit", command=line, code=done.returncode, wanted=wanted))
        return json.loads(done.stdout)

    def _environment(self) -> dict[str, str]:
        """Ours, without settings that would go before those of the work folder."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        shown = {"COLUMNS": str(self.out.width), "PYTHONPATH": str(ROOT)}
        return kept | shown | ({"FORCE_COLOR": "1"} if self.out.is_terminal else {})
