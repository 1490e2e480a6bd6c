"""Random histories over one platform of every kind at once: they come to rest alike, nothing is lost or doubled.

A Deck board, a GitLab and an OpenProject project, a project in a real Redmine, a task list on a real Radicale and an
.xlsx file are mirrored together, as a city would have it. What must come of each pass is told by a comparison that
knows nothing of keys and links: what one office changed is there in all of them, what several changed differently is
what one of them said.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from bridge import commands, config
from bridge.ledger import open_ledger
from bridge.sync import Outcome, run_pass
from tests.mirror import Mirror
from tests.offices import LABELS, Makers, Office

pytestmark = [pytest.mark.radicale, pytest.mark.redmine, pytest.mark.xdist_group("redmine")]

Fields = dict[str, object]
NAMES = ("rathaus", "kalender", "entwicklung", "bau", "vorhaben", "plan")
VALUES = {
    "title": ("Netz", "Ämter 🚦", "Portal; neu"),
    "text": ("eine Zeile", "andere Zeile", ""),
    "due": ("2018-03-25", "2018-10-28", "2026-12-31", ""),
    "done": (True, False),
}


class EveryKind(RuleBasedStateMachine):
    """People in all offices, and a bridge."""

    makers: ClassVar[Makers]
    folder: ClassVar[Path]
    _numbers: ClassVar[Iterator[int]] = itertools.count(1)

    @initialize()
    def begin(self) -> None:
        here = self.folder / str(next(self._numbers))
        here.mkdir()
        self.offices = {name: make() for name, make in self.makers.items()}
        mirror = Mirror(here)
        mirror.sets(bridge_connectors=",".join(self.offices))
        for name, office in self.offices.items():
            mirror.sets(**office.settings(name))
        self.settings = config.load(mirror.settings, here)
        self.peers = commands.peers_of(self.settings)
        self.tags = 0
        self.agreed: dict[str, Fields] = {}
        self.run_it()

    # ---- what people do --------------------------------------------------------------------------------------

    @rule(name=st.sampled_from(NAMES), title=st.sampled_from(VALUES["title"]), due=st.sampled_from(VALUES["due"]))
    def create(self, name: str, title: str, due: str) -> None:
        if name in self.offices and self.tags < 4:
            self.tags += 1
            self.offices[name].adds(f"{title} {self.tags}", due)

    @rule(
        name=st.sampled_from(NAMES),
        which=st.integers(0, 9),
        change=st.sampled_from([(field, value) for field, values in VALUES.items() for value in values]),
    )
    def edit(self, name: str, which: int, change: tuple[str, str | bool]) -> None:
        field, value = change
        if tag := self.chosen(name, which):
            self.offices[name].sets(tag, field, f"{value} {tag}" if field == "title" else value)

    @rule(name=st.sampled_from(NAMES), which=st.integers(0, 9), label=st.sampled_from(LABELS))
    def toggle_label(self, name: str, which: int, label: str) -> None:
        if (tag := self.chosen(name, which)) and self.offices[name].has_labels:
            self.offices[name].toggles(tag, label)

    @rule(name=st.sampled_from(NAMES), which=st.integers(0, 9))
    def delete(self, name: str, which: int) -> None:
        if tag := self.chosen(name, which):
            self.offices[name].deletes(tag)

    def chosen(self, name: str, which: int) -> str:
        living = sorted(one.tag for one in self.offices[name].all() if not one.gone) if name in self.offices else []
        return living[which % len(living)] if living else ""

    # ---- the bridge, and what must come of it ----------------------------------------------------------------

    @rule()
    def sync(self) -> None:
        before = self.views()
        outcome = self.run_it()
        assert outcome.exit_code == 0, outcome
        after = self.views()
        whole = next((view for name, view in after.items() if self.offices[name].has_labels), {})
        for name, view in after.items():
            expected = {tag: _held(fields, self.offices[name]) for tag, fields in whole.items()}
            assert view == expected, f"{name} shows {view}, others {expected}"
        self.check(before, whole)
        self.agreed = whole

    def run_it(self) -> Outcome:
        with open_ledger(self.settings.database_url) as store:
            return run_pass(store, self.peers, accept=True)

    def views(self) -> dict[str, dict[str, Fields]]:
        """What is there now, without what is put away; fails where a tag is in one place twice."""
        found = {}
        for name, office in self.offices.items():
            seen = office.all()
            tags = [one.tag for one in seen]
            assert len(set(tags)) == len(tags), f"a task is twice in {name}: {sorted(tags)}"
            found[name] = {one.tag: one.fields() for one in seen if not one.gone}
        return found

    def check(self, before: dict[str, dict[str, Fields]], after: dict[str, Fields]) -> None:
        for tag in {tag for view in before.values() for tag in view} | self.agreed.keys():
            base = self.agreed.get(tag)
            present = [view[tag] for view in before.values() if tag in view]
            deleted = base is not None and len(present) < len(self.offices)
            edited = any(fields[name] != (base or {})[name] for fields in present for name in fields) if base else True
            lives = edited if deleted else bool(present)
            assert (tag in after) == lives, f"{tag}: {base} became {present} and then {after.get(tag)}"
            for name, value in after.get(tag, {}).items():
                was = (base or {}).get(name, _EMPTY.get(name, False))
                said = {fields[name] for fields in present if name in fields and fields[name] != was}
                assert value in (said or {was}), f"{tag}.{name} was {was!r}, people said {said}, now {value!r}"

    def teardown(self) -> None:
        """When people stop, one pass is enough, and the next one writes nothing."""
        self.sync()
        before = self.views()
        outcome = self.run_it()
        assert outcome.exit_code == 0
        assert sum(one.created + one.updated + one.deleted for one in outcome.connectors.values()) == 0, outcome
        assert self.views() == before


_EMPTY: Fields = {"title": "", "text": "", "due": ""}


def _held(fields: Fields, office: Office) -> Fields:
    """The fields that an office holds."""
    return {name: value for name, value in fields.items() if office.has_labels or name not in LABELS}


def play(makers: Makers, folder: Path, examples: int, steps: int) -> None:
    machine = type("Here", (EveryKind,), {"makers": makers, "folder": folder})
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


def test_a_few_histories_over_every_kind(makers: Makers, tmp_path: Path) -> None:
    play(makers, tmp_path, 2, 8)


@pytest.mark.slow
def test_many_histories_over_every_kind(makers: Makers, tmp_path: Path) -> None:
    play(makers, tmp_path, 24, 16)
