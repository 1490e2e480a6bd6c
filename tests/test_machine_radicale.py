"""Random histories of two calendars on a real Radicale: they come to rest alike, and nothing is lost or doubled.

People edit raw iCalendar text; a pass is `run_pass` with the ledger on SQLite, everything accepted. What must come
of each pass is told by a three-way comparison that knows nothing of keys and links: what one side changed is there
on both, what both changed differently is what one of them said. Larger machines run over platforms in memory
(`tests.test_machine`); this one is here for what only a real server does.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from bridge import commands, config
from bridge.ledger import open_ledger
from bridge.sync import Outcome, run_pass
from tests.mirror import Desk, Mirror, Task
from tests.radicale_server import Radicale

pytestmark = pytest.mark.radicale

SIDES = ("rathaus", "entwicklung")
FIELDS = {
    "SUMMARY": ("Netz", "Ämter 🚦", "Portal; neu"),
    "PRIORITY": ("1", "5", "9", ""),
    "DUE;VALUE=DATE": ("20260329", "20261025", "20261231", ""),
    "DESCRIPTION": ("eine Zeile", "andere Zeile", ""),
    "STATUS": ("NEEDS-ACTION", "IN-PROCESS", "COMPLETED"),
}
LABELS = ("IT", "Presse", "Umwelt")


@dataclass
class View:
    """One calendar as people see it: living tasks by their tag, and the tags of those kept as cancelled."""

    living: dict[str, dict[str, str]] = field(default_factory=dict)
    cancelled: set[str] = field(default_factory=set)


class TwoCalendars(RuleBasedStateMachine):
    """People on two calendars, and a bridge. A task's tag is a category that nobody touches."""

    server: ClassVar[Radicale]
    folder: ClassVar[Path]
    _numbers: ClassVar[itertools.count[int]] = itertools.count(1)

    def __init__(self) -> None:
        super().__init__()
        self.desks = {side: Desk(self.server) for side in SIDES}
        here = self.folder / str(next(self._numbers))
        here.mkdir()
        self.mirror = Mirror(here, **self.desks)
        self.settings = config.load(self.mirror.settings, here)
        self.peers = commands.peers_of(self.settings)
        self.tags = 0
        self.agreed = {side: View() for side in SIDES}
        self.bin: dict[tuple[str, str], tuple[str, str]] = {}
        self.run_it()

    # ---- what people do --------------------------------------------------------------------------------------

    @rule(side=st.sampled_from(SIDES), title=st.sampled_from(FIELDS["SUMMARY"]), due=st.sampled_from(["", "20261201"]))
    def create(self, side: str, title: str, due: str) -> None:
        self.tags += 1
        lines = [f"CATEGORIES:tag-{self.tags}", *([f"DUE;VALUE=DATE:{due}"] if due else [])]
        # Titles are unique, so that nothing is paired or left to a person.
        self.desks[side].adds(f"{_escaped(title)} {self.tags}", *lines, ago=0)

    @rule(
        side=st.sampled_from(SIDES),
        which=st.integers(0, 9),
        change=st.sampled_from([(name, value) for name, values in FIELDS.items() for value in values]),
    )
    def edit(self, side: str, which: int, change: tuple[str, str]) -> None:
        task = self.chosen(side, which)
        name, value = change
        if task is None:
            return
        bare = name.partition(";")[0]
        if name == "STATUS":
            done = value == "COMPLETED"
            extra = ["PERCENT-COMPLETE:100", "COMPLETED:20261120T100000Z"] if done else []
            clear = "" if done else "PERCENT-COMPLETE COMPLETED"
            self.desks[side].edits(task.uid, f"STATUS:{value}", *extra, clear=clear)
        elif not value:
            self.desks[side].edits(task.uid, clear=bare)
        else:
            tag = _tag(task).removeprefix("tag-")
            text = f"{_escaped(value)} {tag}" if name == "SUMMARY" else _escaped(value)
            self.desks[side].edits(task.uid, f"{name}:{text}", clear=bare)

    @rule(side=st.sampled_from(SIDES), which=st.integers(0, 9), label=st.sampled_from(LABELS))
    def toggle_label(self, side: str, which: int, label: str) -> None:
        task = self.chosen(side, which)
        if task is not None:
            self.desks[side].edits(task.uid, "CATEGORIES:" + ",".join(sorted(task.categories ^ {label})))

    @rule(side=st.sampled_from(SIDES), which=st.integers(0, 9))
    def delete(self, side: str, which: int) -> None:
        task = self.chosen(side, which)
        if task is not None:
            self.bin[(side, _tag(task))] = (task.uid, task.raw)
            self.desks[side].deletes(task.uid)

    @precondition(lambda self: any(view.cancelled for view in self.agreed.values()))
    @rule(which=st.integers(0, 9))
    def reopen(self, which: int) -> None:
        gone = [(side, task) for side in SIDES for task in self.desks[side].all() if task.gone]
        if gone:
            side, task = gone[which % len(gone)]
            self.desks[side].edits(task.uid, "STATUS:NEEDS-ACTION", clear="PERCENT-COMPLETE COMPLETED")

    @precondition(lambda self: self.bin)
    @rule(which=st.integers(0, 9))
    def restore(self, which: int) -> None:
        """Somebody takes a task out of the trash, where nothing took its place meanwhile."""
        chosen = sorted(self.bin)[which % len(self.bin)]
        side, tag = chosen
        uid, raw = self.bin.pop(chosen)
        if tag not in {_tag(task) for task in self.desks[side].all()}:
            self.desks[side].stores(uid, raw)

    def chosen(self, side: str, which: int) -> Task | None:
        living = sorted((task for task in self.desks[side].all() if not task.gone), key=_tag)
        return living[which % len(living)] if living else None

    # ---- the bridge, and what must come of it ----------------------------------------------------------------

    @rule()
    def sync(self) -> None:
        before = {side: self.view(side) for side in SIDES}
        outcome = self.run_it()
        assert outcome.exit_code == 0, outcome
        after = {side: self.view(side) for side in SIDES}
        assert after["rathaus"].living == after["entwicklung"].living
        self.check(before, after["rathaus"].living)
        self.agreed = after

    def run_it(self) -> Outcome:
        with open_ledger(self.settings.database_url) as store:
            return run_pass(store, self.peers, accept=True)

    def view(self, side: str) -> View:
        """What is there now; fails where one tag is there twice."""
        view = View()
        for task in self.desks[side].all():
            tag = _tag(task)
            assert tag not in view.living, f"{tag} is twice on {side}"
            assert tag not in view.cancelled, f"{tag} is twice on {side}"
            if task.gone:
                view.cancelled.add(tag)
            else:
                view.living[tag] = _seen(task)
        return view

    def check(self, before: dict[str, View], after: dict[str, dict[str, str]]) -> None:
        tags = {tag for view in (*before.values(), *self.agreed.values()) for tag in view.living}
        for tag in tags:
            base = self.agreed["rathaus"].living.get(tag)
            sides = [before[side].living.get(tag) for side in SIDES]
            present = [one for one in sides if one is not None]
            deleted_by_one = base is not None and len(present) < 2
            lives = any(one != base for one in present) if deleted_by_one else bool(present)
            assert (tag in after) == lives, f"{tag}: {base} became {sides} and then {after.get(tag)}"
            if lives:
                self.check_fields(tag, base or {}, present, after[tag])

    def check_fields(self, tag: str, base: dict[str, str], sides: list[dict[str, str]], after: dict[str, str]) -> None:
        for name, value in after.items():
            said = {one[name] for one in sides if one[name] != base.get(name, "")}
            allowed = said or {base.get(name, "")}
            assert value in allowed, f"{tag}.{name} was {base.get(name)!r}, people said {said}, now {value!r}"

    def teardown(self) -> None:
        """When people stop, one pass is enough, and the next one writes nothing."""
        self.sync()
        pictures = [desk.files() for desk in self.desks.values()]
        outcome = self.run_it()
        assert outcome.exit_code == 0
        assert sum(one.created + one.updated + one.deleted for one in outcome.connectors.values()) == 0
        assert [desk.files() for desk in self.desks.values()] == pictures


def _tag(task: Task) -> str:
    return next((each for each in task.categories if each.startswith("tag-")), task.uid)


def _seen(task: Task) -> dict[str, str]:
    """What people said of a task; every label is a field of its own, and no STATUS means NEEDS-ACTION."""
    fields = {name: task.get(name) for name in ("SUMMARY", "DESCRIPTION", "DUE")}
    fields["PRIORITY"] = task.get("PRIORITY").replace("0", "")
    fields["STATUS"] = task.get("STATUS") or "NEEDS-ACTION"
    return fields | {label: "yes" if label in task.categories else "" for label in LABELS}


def _escaped(text: str) -> str:
    return text.replace(";", "\\;").replace(",", "\\,")


def play(server: Radicale, folder: Path, examples: int, steps: int) -> None:
    machine = type("Here", (TwoCalendars,), {"server": server, "folder": folder})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_a_few_histories(radicale: Radicale, tmp_path: Path) -> None:
    play(radicale, tmp_path, 6, 16)


@pytest.mark.slow
def test_many_histories(radicale: Radicale, tmp_path: Path) -> None:
    play(radicale, tmp_path, 150, 24)
