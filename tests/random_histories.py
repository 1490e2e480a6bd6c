"""Histories as plain lists, how Hypothesis makes them up, and how a world plays them.

An event is a tuple. Events that make no sense where they happen (editing a record that is not there) do nothing,
so that a history stays playable while Hypothesis shortens it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from connectors.base import Native
from connectors.memory_platform import GONE, OUT, Entry
from tests.hostile import PULL_FAULTS, WRITE_FAULTS
from tests.world import Crash, World

NAMES = "ABC"
STATUSES = {
    "A": ("planned", "in_progress", "on_hold", "done"),
    "B": ("open", "closed"),
    "C": ("todo", "doing", "done"),
}
LABELS = ("presse", "straße")


@dataclass(frozen=True)
class Act:
    """Somebody does something on a platform with the task that has this number."""

    platform: str
    task: int
    what: str
    arg: Any = None


@dataclass(frozen=True)
class Tick:
    """Time goes by."""

    seconds: int


@dataclass(frozen=True)
class Land:
    """What was sent and never answered is carried out now."""


@dataclass(frozen=True)
class Landed:
    """An act at the worst moment: just before or after a request of a pass."""

    request: str
    when: str
    skip: int
    act: Act


@dataclass(frozen=True)
class Sync:
    """One pass, with everything that goes wrong in it.

    ``writes`` are (platform, number of the write, fault), ``pulls`` (platform, fault); ``crash`` is the number of
    the step at which the process is killed, 0 for none.
    """

    order: str = NAMES
    down: str = ""
    writes: tuple[tuple[str, int, str], ...] = ()
    pulls: tuple[tuple[str, str], ...] = ()
    landed: tuple[Landed, ...] = ()
    crash: int = 0


Event = Act | Tick | Land | Sync


@dataclass(frozen=True)
class History:
    """Clocks that are off by so many seconds, and what happened."""

    skews: tuple[int, int, int] = (0, 0, 0)
    events: tuple[Event, ...] = ()
    calm: bool = field(default=True, compare=False)


# ---- making them up -----------------------------------------------------------------------------------------------

platforms = st.sampled_from(NAMES)
tasks = st.integers(0, 2)


def _act(what: str, arg: st.SearchStrategy[Any] | None = None) -> st.SearchStrategy[Act]:
    return st.builds(Act, platforms, tasks, st.just(what), st.none() if arg is None else arg)


days = st.sampled_from([None, "2026-05-04", "2026-06-08", "2026-07-13"])
edits = st.one_of(
    _act("title", st.sampled_from(["neu", "neu  mit Lücke"])),
    _act("status", st.integers(0, 3)),
    _act("status", st.integers(0, 3)),
    _act("due", days),
    _act("start", days),
    _act("label", st.tuples(st.sampled_from(LABELS), st.booleans())),
    _act("line", st.sampled_from(["first", "last"])),
    _act("unline"),
    _act("parent", st.integers(-1, 2)),
    _act("milestone", st.booleans()),
)
lives = st.one_of(
    _act("create", st.sampled_from(["", "Bericht", "bericht  "])),
    _act("delete"),
    _act("delete"),
    _act("undelete"),
    _act("out"),
    _act("back"),
    _act("archive"),
    _act("reopen"),
    _act("comment"),
)
acts = st.one_of(edits, edits, lives)
orders = st.permutations(NAMES).map("".join)
ticks = st.builds(Tick, st.sampled_from([1, 5, 60, 4_000, 90_000]))
calm_passes = st.builds(Sync, orders, st.sampled_from(["", "", "", "A", "B", "C"]))
landings = st.builds(
    Landed,
    st.sampled_from(["listing", "get", "put", "post"]),
    st.sampled_from(["before", "after"]),
    st.integers(0, 2),
    acts,
)
hostile_passes = st.builds(
    Sync,
    orders,
    st.sampled_from(["", "", "", "A", "B", "C"]),
    st.lists(st.tuples(platforms, st.integers(1, 3), st.sampled_from(WRITE_FAULTS)), max_size=3).map(tuple),
    st.lists(st.tuples(platforms, st.sampled_from(PULL_FAULTS)), max_size=1).map(tuple),
    st.lists(landings, max_size=1).map(tuple),
    st.one_of(st.just(0), st.just(0), st.integers(1, 30)),
)
skews = st.tuples(*[st.sampled_from([0, 0, 3_600, -3_600, 7])] * 3)
beginnings = st.lists(_act("create", st.just("")), min_size=1, max_size=2)


def histories(*, hostile: bool = False, longest: int = 12) -> st.SearchStrategy[History]:
    """Histories that begin with a task or two, mirrored or not yet."""
    passes = hostile_passes if hostile else calm_passes
    happenings = (
        st.one_of(acts, acts, passes, ticks, st.just(Land())) if hostile else st.one_of(acts, acts, passes, ticks)
    )
    first = st.sampled_from([(Sync(), Sync()), (Sync(), Sync()), ()])
    return st.builds(
        lambda offsets, start, mirrored, rest: History(offsets, (*start, *mirrored, *rest), not hostile),
        skews,
        beginnings,
        first,
        st.lists(happenings, min_size=1, max_size=longest),
    )


# ---- playing them -------------------------------------------------------------------------------------------------


class Player:
    """Plays histories. ``orders``: every pass takes the platforms in this order instead of its own."""

    def __init__(self, history: History, *, order: str = "", crashes: bool = True, faults: bool = True) -> None:
        self.world = World(skews=history.skews)
        self.order, self.crashes, self.faults = order, crashes, faults
        self.crashed = 0
        self.done = 0
        self._handles: list[str] = []
        self._values = 0
        for event in history.events:
            self.play(event)

    def play(self, event: Event) -> None:
        """One event."""
        match event:
            case Act():
                self.act(event)
            case Tick(seconds):
                self.world.passes(seconds)
            case Land():
                self.land()
            case Sync():
                self.sync(event)

    def land(self) -> None:
        """Late commits arrive."""
        for platform in self.world.platforms.values():
            platform.commit_late()

    def sync(self, event: Sync) -> None:
        """A pass; a create that was never answered lands before its quarantine ends."""
        world = self.world
        for name, number, fault in event.writes if self.faults else ():
            world.platforms[name].write_faults[number] = fault
        for name, fault in event.pulls if self.faults else ():
            world.platforms[name].pull_fault = fault
        for one in event.landed if self.faults else ():
            world.during(one.act.platform, one.request, one.when, lambda act=one.act: self.act(act), one.skip)
        left = event.crash if self.crashes else 0

        def step(name: str) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise Crash(name)

        try:
            world.sync(order=self.order or event.order, down=event.down, step=step)
        except Crash:
            self.crashed += 1
        for platform in world.platforms.values():
            platform.behave()

    # ---- people ------------------------------------------------------------------------------------------------

    def act(self, act: Act) -> None:
        """Somebody does something, if it makes sense there."""
        world = self.world
        world.passes(1)
        platform = world.platforms[act.platform]
        before = platform.position()
        if act.what == "create":
            self._create(act)
        elif record := self._find(act, anywhere=act.what == "back", gone=act.what == "undelete"):
            self._do(act, record)
        self.done += platform.position() != before

    def _handle(self, act: Act) -> str | None:
        return self._handles[act.task % len(self._handles)] if self._handles else None

    def _find(self, act: Act, *, anywhere: bool, gone: bool) -> Entry | None:
        handle = self._handle(act)
        if handle is None:
            return None
        if gone:
            tags = self.world.provenance.kin(handle)
            dead = [d for d in self.world.provenance.deaths if d.platform == act.platform and d.tag in tags]
            entry = self.world.platforms[act.platform].entries[dead[-1].record] if dead else None
            return entry if entry and entry.place == GONE else None
        found = self.world.records(act.platform, handle, anywhere=anywhere)
        return found[-1] if found and (found[-1].here or anywhere) else None

    def _create(self, act: Act) -> None:
        if len(self._handles) >= 4:
            return
        handle = f"t{len(self._handles) + 1}"
        self._handles.append(handle)
        platform = self.world.platforms[act.platform]
        fields: dict[str, Native] = {"title": act.arg or handle}
        if act.task == 2:
            fields["kind"] = "milestone"
        self.world.provenance.creates(platform, handle, fields)

    def _do(self, act: Act, record: Entry) -> None:
        platform, provenance = self.world.platforms[act.platform], self.world.provenance
        match act.what:
            case "delete":
                provenance.deletes(platform, record.id)
            case "undelete":
                provenance.reopened.add(provenance.tag(act.platform, record.id))
                platform.restore(record.id)
            case "out":
                provenance.moved.add(provenance.tag(act.platform, record.id))
                platform.move(record.id, OUT)
            case "back":
                platform.move_back(record.id)
            case "archive":
                platform.archive(record.id)
            case "reopen":
                if record.fields["archived"]:
                    provenance.reopens(platform, record.id)
            case "comment":
                platform.comment(record.id)
            case _:
                fields = self._fields(act, record)
                if any(record.fields[name] != value for name, value in fields.items()):
                    provenance.edits(platform, record.id, fields)

    def _fields(self, act: Act, record: Entry) -> Mapping[str, Native]:
        self._values += 1
        match act.what:
            case "title":
                return {"title": f"{act.arg} {self._values}"}
            case "status":
                words = STATUSES[act.platform]
                return {"status": words[act.arg % len(words)]}
            case "due" | "start":
                return {act.what: act.arg}
            case "label":
                name, there = act.arg
                labels = {*_texts(record.fields["labels"])}
                return {"labels": tuple(sorted(labels | {name} if there else labels - {name}))}
            case "line":
                lines = _lines(record)
                new = f"Zeile {self._values}"
                return {"description": "\n".join([new, *lines] if act.arg == "first" else [*lines, new])}
            case "unline":
                return {"description": "\n".join(_lines(record)[1:]) or None}
            case "parent":
                return {"parent": self._id_of(act.platform, act.arg, record, "task")}
            case _:
                return {"milestone": self._id_of(act.platform, 0 if act.arg else -1, record, "milestone")}

    def _id_of(self, platform: str, number: int, record: Entry, kind: str) -> str | None:
        there = [e for e in self.world.platforms[platform].entries.values() if e.here and e.fields["kind"] == kind]
        others = [entry.id for entry in there if entry.id != record.id]
        return others[number % len(others)] if others and number >= 0 else None


def _texts(value: Native) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()


def _lines(record: Entry) -> list[str]:
    return [line for line in str(record.fields["description"] or "").split("\n") if line]
