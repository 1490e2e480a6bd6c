"""Plays histories in a world of platforms in memory (see `tests.random_histories`)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from bridge.memory_store import MemoryStore
from bridge.reading import QUARANTINE
from connectors.base import Native
from connectors.memory_platform import GONE, OUT, Entry
from tests import backups
from tests.borders import PORTAL
from tests.random_histories import Act, Backup, Blur, Event, History, Land, Lie, Restore, Setting, Sync, Tick
from tests.world import Crash, World

STATUSES = {
    "A": ("planned", "in_progress", "on_hold", "done"),
    "B": ("open", "closed"),
    "C": ("todo", "doing", "done"),
}

AWAY = ("back", "vanish")
"""What people do with a record that was moved away."""


class Player:
    """Plays histories. ``orders``: every pass takes the platforms in this order instead of its own."""

    def __init__(self, history: History, *, order: str = "", crashes: bool = True, faults: bool = True) -> None:
        self.world = World(skews=history.skews)
        self.order, self.crashes, self.faults = order, crashes, faults
        self.crashed = 0
        self.done = 0
        self._handles: list[str] = []
        self._creates = self._portals = 0
        self._backups: dict[str, backups.Backup | MemoryStore] = {}
        self._values = 0
        for event in history.events:
            self.play(event)

    def play(self, event: Event) -> None:
        """One event."""
        match event:
            case Act():
                self.act(event)
            case Tick(seconds):
                if seconds > QUARANTINE / 2:
                    self.land()  # what was not carried out by then never will be (R17)
                self.world.passes(seconds)
            case Land():
                self.land()
            case Lie(platform, seconds):
                self.world.platforms[platform].time_lie = float(seconds)
            case Blur(platform, lying):
                self.world.platforms[platform].lying_versions = lying
            case Backup(platform):
                self._backups[platform] = backups.keep(self.world, platform) if platform else self.world.store.copy()
            case Restore(platform):
                self.restore(platform)
            case Setting():
                self.set(event)
            case Sync():
                self.sync(event)

    def set(self, event: Setting) -> None:
        """The settings change; somebody always stays."""
        name = event.platform
        if event.there:
            more = {"scope": event.scope, "release": event.release, "fit": event.fit}
            self.world.connects(name, name, lacks=event.lacks, read_only=event.read_only, **more)
            self.world.provenance.fenced |= {name} if event.scope else set()
        elif name in self.world.seats and len(self.world.seats) > 1:
            self.world.disconnects(name)

    def restore(self, name: str) -> None:
        """The last backup of a server or of the ledger is put back."""
        kept = self._backups.get(name)
        self.land()
        if isinstance(kept, backups.Backup):
            backups.bring_back(self.world, name, kept)
        elif kept is not None:
            backups.try_old_ledger(self.world, kept)

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
            world.during(one.act.platform, one.request, one.when, partial(self.act, one.act), one.skip)
        left = event.crash if self.crashes else 0

        def step(name: str) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise Crash(name)

        untouched = {name: world.platforms[name].writes for name in world.left_alone}
        try:
            world.sync(order=self.order or event.order, down=event.down, step=step, accept=not event.asks)
        except Crash:
            self.crashed += 1
        assert untouched == {name: world.platforms[name].writes for name in untouched}, "written where it may not (R32)"
        for platform in world.platforms.values():
            platform.behave()

    # ---- people ------------------------------------------------------------------------------------------------

    def act(self, act: Act) -> None:
        """Somebody does something, if it makes sense there."""
        world = self.world
        world.passes(1)
        platform, provenance = world.platforms[act.platform], world.provenance
        before = platform.position()
        if act.what == "create":
            self._creates += 1
            if self._creates <= 4:
                self._create(act.platform, act.arg, kind="milestone" if act.task == 2 else "task")
        elif act.what == "measure":
            if not self._portals:
                self._create(act.platform, PORTAL, kind="measure")
            self._portals += 1
        elif act.what == "crowd":
            for _ in range(act.arg):
                self._create(act.platform, "")
        elif act.what == "all":
            for native_id in [entry.id for entry in platform.entries.values() if entry.here]:
                provenance.edits(platform, native_id, {"due": act.arg})
        elif record := self._find(act, anywhere=act.what in AWAY, gone=act.what == "undelete"):
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
            entry = self.world.platforms[act.platform].entries.get(dead[-1].record) if dead else None
            return entry if entry and entry.place == GONE else None
        found = self.world.records(act.platform, handle, anywhere=anywhere)
        return found[-1] if found and (found[-1].here or anywhere) else None

    def _create(self, platform: str, title: str, kind: str = "task") -> None:
        handle = f"t{len(self._handles) + 1}"
        self._handles.append(handle)
        fields: dict[str, Native] = {"title": title or handle, **({"kind": kind} if kind != "task" else {})}
        self.world.provenance.creates(self.world.platforms[platform], handle, fields)

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
                platform.move(record.id, act.arg or OUT)
            case "back":
                platform.move_back(record.id)
            case "vanish":
                if not record.here:
                    provenance.deletes(platform, record.id)
            case "spoil":
                platform.spoil(record.id, "" if record.problem else "The file cannot be read.")
            case "lock":
                platform.lock(record.id, *(() if record.locked else ("start", "due")))
                platform.comment(record.id)  # what a server derives comes and goes with changes of the record
            case "archive":
                provenance.archives(platform, record.id)
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
            case "same":
                return {"title": act.arg}
            case "kind":
                return {"kind": "task" if record.fields["kind"] == "milestone" else "milestone"}
            case "status":
                words = STATUSES[act.platform]
                return {"status": words[act.arg % len(words)]}
            case "due" | "start" | "progress" | "completed_on" | "priority" | "visibility":
                return {act.what: act.arg}
            case "secret":
                return {"visibility": act.arg}
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
            case "depends_on":
                number, there = act.arg
                target, known = (
                    self._id_of(act.platform, number, record, "task"),
                    {*_texts(record.fields["depends_on"])},
                )
                changed = known | {target} if there else known - {target}
                return {"depends_on": tuple(sorted(id for id in changed if id))}
            case _:
                return {"milestone": self._id_of(act.platform, 0 if act.arg else -1, record, "milestone")}

    def _id_of(self, platform: str, number: int, record: Entry, kind: str) -> str | None:
        kinds = {kind, "measure"} if kind == "task" else {kind}
        there = [e for e in self.world.platforms[platform].entries.values() if e.here and e.fields["kind"] in kinds]
        tag, own = self.world.provenance.tag, self.world.provenance.kin(self.world.provenance.tag(platform, record.id))
        others = sorted(
            (entry.id for entry in there if tag(platform, entry.id) not in own),
            key=lambda one: (tag(platform, one), one),
        )
        return others[number % len(others)] if others and number >= 0 else None


def _texts(value: Native) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()


def _lines(record: Entry) -> list[str]:
    return [line for line in str(record.fields["description"] or "").split("\n") if line]
