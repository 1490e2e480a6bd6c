"""Random histories of three offices with a plan each: a sheet here, a table of text here, a sheet on a server.

As in `tests.test_machine_radicale`: people edit files by hand, a pass is `run_pass` with the ledger on SQLite, and what
must come of each is told by a comparison that knows nothing of keys and links. Here people also sort, and somebody may
save while a pass is writing.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
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
from connectors.workbook import file
from tests import webdav_server
from tests.fakes.nextcloud_files import PASSWORD, USER, Cloud
from tests.office import GONE, Office, Row, SheetOffice, TextOffice, here, labels_of, tag_of, there
from tests.webdav_server import WebDav

SIDES = ("leitung", "amt", "cloud")
FIELDS = {
    "Titel": ("Netz", "Ämter 🚦", "Straße; neu"),
    "Status": ("Geplant", "In Arbeit", "Wartet", "Erledigt"),
    "Priorität": ("Hoch", "Mittel", ""),
    "Fällig": ("2026-03-29", "2026-10-25", "2026-12-31", ""),
    "Beschreibung": ("eine Zeile", "andere Zeile", ""),
}
LABELS = ("IT", "Presse")


@dataclass
class View:
    """One file as its office sees it: living tasks by their tag, and the tags of those that were deleted elsewhere."""

    living: dict[str, Row] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)


class ThreeOffices(RuleBasedStateMachine):
    """People in three offices, and a bridge."""

    folder: ClassVar[Path]
    server: ClassVar[Cloud | WebDav]
    _numbers: ClassVar[itertools.count[int]] = itertools.count(1)

    def __init__(self) -> None:
        super().__init__()
        at = self.folder / str(next(self._numbers))
        at.mkdir()
        url = self.server.url(f"{at.parent.name}-{at.name}.xlsx")
        account = (USER, PASSWORD)
        if isinstance(self.server, WebDav):
            account = (webdav_server.USER, webdav_server.PASSWORD)
        self.offices: dict[str, Office] = {
            "leitung": SheetOffice(*here(at / "Plan.xlsx")),
            "amt": TextOffice(*here(at / "plan.csv")),
            "cloud": SheetOffice(*there(url, *account)),
        }
        said = {"BRIDGE_CONNECTORS": ",".join(SIDES), **{f"{side.upper()}_TYPE": "workbook" for side in SIDES}}
        said |= {"LEITUNG_COLLECTION": str(at / "Plan.xlsx"), "AMT_COLLECTION": str(at / "plan.csv")}
        said |= {"CLOUD_URL": url, "CLOUD_USER": account[0], "CLOUD_PASSWORD": account[1]}
        self.settings = config.load(said, at)
        self.peers = commands.peers_of(self.settings)
        self.tags = 0
        self.agreed = {side: View() for side in SIDES}
        self.landed: list[Row] = []
        self.sorted: set[str] = set()
        self.tied: set[str] = set()
        self.run_it()

    # ---- what people do --------------------------------------------------------------------------------------

    @rule(side=st.sampled_from(SIDES), title=st.sampled_from(FIELDS["Titel"]), due=st.sampled_from(FIELDS["Fällig"]))
    def create(self, side: str, title: str, due: str) -> None:
        self.tags += 1
        # Titles are unique, so that nothing is paired or left to a person.
        said = {"Titel": self.titled(title, f"tag-{self.tags}"), "Fällig": due, "Schlagworte": f"tag-{self.tags}"}
        self.offices[side].add(said)

    @staticmethod
    def titled(title: str, tag: str) -> str:
        return f"{title} {tag}"

    @rule(
        side=st.sampled_from(SIDES),
        which=st.integers(0, 9),
        change=st.sampled_from([(name, value) for name, values in FIELDS.items() for value in values]),
    )
    def edit(self, side: str, which: int, change: tuple[str, str]) -> None:
        self.edits(side, which, *change)

    def edits(self, side: str, which: int, name: str, value: str) -> None:
        row = self.chosen(side, which)
        if row is None or (name == "Titel" and not row["id"]):
            return  # whoever renames a row that has no id yet has made a new task (ADR 0017)
        text = self.titled(value, tag_of(row)) if name == "Titel" else value
        self.offices[side].edit(tag_of(row), name, text)

    @rule(side=st.sampled_from(SIDES), which=st.integers(0, 9), label=st.sampled_from(LABELS))
    def toggle_label(self, side: str, which: int, label: str) -> None:
        if (row := self.chosen(side, which)) is not None:
            self.offices[side].edit(tag_of(row), "Schlagworte", "; ".join(sorted(labels_of(row) ^ {label})))

    @rule(side=st.sampled_from(SIDES), which=st.integers(0, 9), other=st.integers(0, 9))
    def depend(self, side: str, which: int, other: int) -> None:
        row, on = self.chosen(side, which), self.chosen(side, other)
        if row is not None and on is not None and tag_of(on) < tag_of(row) and ";" not in on["Titel"]:
            self.offices[side].edit(tag_of(row), "Abhängig von", on["Titel"])
            self.tied.add(tag_of(row))

    @rule(side=st.sampled_from(SIDES), which=st.integers(0, 9))
    def delete(self, side: str, which: int) -> None:
        row = self.chosen(side, which)
        # A row without an id rests elsewhere (ADR 0017), and whoever sorts past the ids deletes somebody else's with a
        # row: Excel does not sort like that any more once a filter covers them (ADR 0019).
        if row is not None and row["id"] and side not in self.sorted:
            self.offices[side].remove(tag_of(row))

    @rule(side=st.sampled_from(SIDES), backwards=st.booleans(), past_ids=st.booleans())
    def sort(self, side: str, backwards: bool, past_ids: bool) -> None:
        self.offices[side].sort(backwards=backwards, past_ids=past_ids)
        if past_ids:
            self.sorted.add(side)

    @precondition(lambda self: any(view.gone for view in self.agreed.values()))
    @rule(which=st.integers(0, 9))
    def reopen(self, which: int) -> None:
        gone = [(side, row) for side in SIDES for row in self.offices[side].rows() if row["Status"] == GONE]
        if gone:
            side, row = gone[which % len(gone)]
            self.offices[side].edit(tag_of(row), "Status", "Geplant")

    def chosen(self, side: str, which: int) -> Row | None:
        living = sorted((row for row in self.offices[side].rows() if row["Status"] != GONE), key=tag_of)
        return living[which % len(living)] if living else None

    # ---- the bridge, and what must come of it ----------------------------------------------------------------

    @rule()
    def sync(self) -> None:
        self.synced()

    @rule(which=st.integers(0, 9), name=st.sampled_from(["Status", "Fällig"]), pick=st.integers(0, 2))
    def sync_while_somebody_saves(self, which: int, name: str, pick: int) -> None:
        """The server's file is saved by hand just before the pass uploads it."""
        if not isinstance(self.server, Cloud):
            return
        self.server.wait_for("PUT", lambda: self.lands(which, name, FIELDS[name][pick]))
        self.synced(passes=2)
        self.server.before.clear()

    def lands(self, which: int, name: str, value: str) -> None:
        assert isinstance(self.server, Cloud)
        self.server.before.clear()
        self.edits("cloud", which, name, value)
        self.landed = [_seen(row) | {"tag": tag_of(row)} for row in self.offices["cloud"].rows()]

    def synced(self, passes: int = 1) -> None:
        before = {side: self.view(side) for side in SIDES}
        self.landed = []
        for _ in range(passes):
            outcome = self.run_it()
            assert outcome.exit_code == 0, outcome
        after = {side: self.view(side) for side in SIDES}
        assert after["leitung"].living == after["amt"].living == after["cloud"].living
        self.check(before, after["leitung"].living)
        self.agreed = after

    def run_it(self) -> Outcome:
        with open_ledger(self.settings.database_url) as store:
            return run_pass(store, self.peers, accept=True)

    def view(self, side: str) -> View:
        """What is there now; fails where one tag is there twice."""
        view = View()
        for row in self.offices[side].rows():
            tag = tag_of(row)
            assert tag not in view.living, f"{tag} is twice on {side}"
            assert tag not in view.gone, f"{tag} is twice on {side}"
            if row["Status"] == GONE:
                view.gone.add(tag)
            else:
                view.living[tag] = _seen(row)
        return view

    def check(self, before: dict[str, View], after: dict[str, Row]) -> None:
        landed = {row.pop("tag"): row for row in self.landed}
        tags = {tag for view in (*before.values(), *self.agreed.values()) for tag in view.living}
        for tag in tags:
            base = self.agreed["leitung"].living.get(tag)
            sides = [before[side].living.get(tag) for side in SIDES]
            present = [one for one in (*sides, landed.get(tag)) if one is not None]
            deleted = base is not None and None in sides
            lives = any(one != base for one in present) if deleted else bool(present)
            if deleted and tag in self.tied and tag in after:
                lives = True  # its dependencies, which are not compared here, were edited as well
            assert (tag in after) == lives, f"{tag}: {base} became {sides} and then {after.get(tag)}"
            if lives:
                self.check_fields(tag, base or {}, present, after[tag])
        self.tied.clear()

    def check_fields(self, tag: str, base: Row, sides: list[Row], after: Row) -> None:
        for name, value in after.items():
            said = {one[name] for one in sides if one[name] != base.get(name, "")}
            allowed = said | {base.get(name, "")} if self.landed or not said else said
            assert value in allowed, f"{tag}.{name} was {base.get(name)!r}, people said {said}, now {value!r}"

    def teardown(self) -> None:
        """When people stop, two passes are enough, and the next one writes nothing."""
        self.synced(passes=2)
        pictures = [office.load() for office in self.offices.values()]
        outcome = self.run_it()
        assert outcome.exit_code == 0
        assert sum(one.created + one.updated + one.deleted for one in outcome.connectors.values()) == 0
        assert [office.load() for office in self.offices.values()] == pictures


def _seen(row: Row) -> Row:
    """What people said of a task; every label is a field of its own, and no status means planned."""
    fields = {name: row[name] for name in ("Titel", "Priorität", "Fällig", "Beschreibung")}
    fields["Status"] = row["Status"] or "Geplant"
    return fields | {label: "yes" if label in labels_of(row) else "" for label in LABELS}


def play(server: Cloud | WebDav, folder: Path, examples: int, steps: int, *, fixed: bool = False) -> None:
    machine = type("Here", (ThreeOffices,), {"server": server, "folder": folder})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=fixed,
            print_blob=not fixed,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.fixture(autouse=True)
def at_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody saves in several steps here, so that no pass has to wait for a save to come to rest."""
    monkeypatch.setattr(file, "REST", 0.0)


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with Cloud() as running:
        yield running


def test_a_few_histories(cloud: Cloud, tmp_path: Path) -> None:
    play(cloud, tmp_path, 6, 16, fixed=True)


def test_a_few_histories_on_a_real_server(webdav: WebDav, tmp_path: Path) -> None:
    play(webdav, tmp_path, 2, 12, fixed=True)


@pytest.mark.slow
def test_many_histories(cloud: Cloud, tmp_path: Path) -> None:
    play(cloud, tmp_path, 30, 24)


@pytest.mark.slow
def test_many_histories_on_a_real_server(webdav: WebDav, tmp_path: Path) -> None:
    play(webdav, tmp_path, 15, 20)
