"""The demo from beginning to end. What it says, it checks: its exit code is not 0 if a promise was not kept."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from bridge.texts import Texts, texts
from tests.demo import pictures, promises
from tests.demo.bridge_calls import Calls
from tests.demo.people import type_in
from tests.demo.pictures import Stages
from tests.demo.place import FB02, IT, Place, Server
from tests.demo.stories import DELETED, DISPUTED, STORIES, Seen, live_through
from tests.demo.strategy import Strategy, load

SIDES = (FB02[1], IT[1])
EXAMPLE = "Kollaborationsplattform im FB 02"
"""An item with most of what there is to translate."""

HELD = {"NEEDS-ACTION": "planned", "IN-PROCESS": "in_progress", "COMPLETED": "done"}
"""What is left of the paper's statuses in a calendar: it has no word for an idea, nor for a permanent task."""

WAITS = 3
"""The exit code of a plan that needs a person's consent."""


class Show:
    """One showing, in one work folder, with one server."""

    def __init__(self, place: Place, server: Server, out: Console, t: Texts) -> None:
        self.place, self.server, self.out, self.t = place, server, out, t
        self.strategy: Strategy = load()
        self.fb02, self.it = place.departments(server)
        self.bridge = Calls(place.folder, out, t)
        self._parts = 0

    def run(self) -> bool:
        """Show everything; whether every promise was kept."""
        began = time.monotonic()
        typed = self.prepare()
        self.connect()
        mirrored = Seen(self.fb02, self.it)
        self.say(self.t("text.vocabulary"), before=True)
        self.out.print(pictures.vocabulary(self.t, SIDES, mirrored, EXAMPLE))
        by_hand = self.morning()
        self.part("pass")
        self.bridge("sync")
        stages = Stages(mirrored, by_hand, Seen(self.fb02, self.it))
        conflicts = self.bridge("conflicts", quietly=True)
        self.tell(stages, conflicts)
        self.part("conflict")
        self.bridge("conflicts")
        self.part("quiet")
        quiet = self.bridge("sync")
        self.result()
        kept = self.promise(promises.Evidence(self.strategy, typed, stages, Seen(self.fb02, self.it), conflicts, quiet))
        self.next(conflicts[0]["item"] if conflicts else "")
        seconds = self.t.decimal(time.monotonic() - began, 0)
        self.say(self.t("total", seconds=seconds, folder=self.place.shown()), before=True, after=False)
        return kept

    # ---- the parts ----------------------------------------------------------------------------------------------

    def prepare(self) -> Seen:
        """Two empty lists on the server; the department types its strategy in."""
        for department in (self.fb02, self.it):
            department.open_list()
        type_in(self.fb02, self.strategy)
        self.place.write_settings(self.server, self.t.language)
        self.part("intro")
        self.say(self.t("text.intro", number=len(self.strategy.entries), url=self.server.url))
        typed = Seen(self.fb02, self.it)
        statuses = {task.title: HELD[str(task.values["STATUS"])] for task in typed.sides[0]}
        counted = Counter((entry.kind.value, statuses[entry.title]) for entry in self.strategy.entries)
        self.out.print(pictures.overview(self.t, texts(self.t.language), counted))
        return typed

    def connect(self) -> None:
        """Check, plan and the first sync."""
        self.part("connect")
        self.say(self.t("text.connect", file=f"{self.place.shown()}/.env"))
        self.bridge("check")
        self.say(self.t("text.plan"), before=True)
        plan = self.bridge("plan", wanted=WAITS, short=True)
        self.say(self.t("text.accept"), before=True)
        self.bridge("sync", "--accept", plan["accept"])

    def morning(self) -> Seen:
        """Both departments work."""
        self.part("morning")
        self.say(self.t("text.morning"))
        self.out.print(pictures.morning(self.t, SIDES, STORIES))
        with self.out.status(Text(self.t("wait"), style="dim")):
            live_through(self.fb02, self.it)
        return Seen(self.fb02, self.it)

    def tell(self, stages: Stages, conflicts: Sequence[dict[str, Any]]) -> None:
        """Each story: before, by hand, after, and why."""
        self.out.print(Padding(Text(self.t("legend"), style="dim"), (1, 0, 0, 2)))
        found = next((one for one in conflicts if one["title"] == DISPUTED), None)
        apart = found["winner_from"]["at"] - found["loser_from"]["at"] if found else 0
        for story in STORIES:
            why = self.t(f"story.{story.key}.why", seconds=apart)
            self.out.print(pictures.tale(self.t, SIDES, story, stages, why))

    def result(self) -> None:
        """All items by kind and status, as the bridge counts them."""
        self.part("result")
        items = self.bridge("items", quietly=True)
        counted = Counter((item["kind"], item["fields"].get("status") or "unknown") for item in items)
        self.out.print(pictures.overview(self.t, texts(self.t.language), counted))
        indicators = sum(item["type"] == "indicator" for item in self.strategy.for_reports)
        self.say(self.t("kept", indicators=indicators, archived=DELETED), before=True, after=False)

    def promise(self, evidence: promises.Evidence) -> bool:
        """Every promise, kept or not."""
        self.part("promises")
        kept = True
        for check in promises.ALL:
            name, values, wrong = check(evidence)
            kept = kept and not wrong
            self.out.print(pictures.promise(not wrong, self.t(f"promise.{name}", **values), wrong))
        return kept

    def next(self, disputed: str) -> None:
        """Commands to go on with."""
        self.part("next")
        program = self.place.command()
        rows = [("make play", self.t("next.play")), (f"cd {self.place.shown()}", "")]
        rows += [(f"{program} {name}", self.t(f"next.{name}")) for name in ("items", "conflicts")]
        rows += [(f"{program} show {disputed[:8]}", self.t("next.show")), (f"{program} plan", self.t("next.plan"))]
        self.out.print(pictures.commands(rows))

    # ---- words between ------------------------------------------------------------------------------------------

    def part(self, key: str) -> None:
        """Begin the next part."""
        self._parts += 1
        self.out.print(pictures.heading(self._parts, self.t(f"section.{key}")))

    def say(self, text: str, *, before: bool = False, after: bool = True) -> None:
        """A sentence between pictures."""
        self.out.print(Padding(Text(text), (1 if before else 0, 0, 1 if after else 0, 0)))
