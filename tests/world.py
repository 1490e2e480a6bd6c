"""A small world of platforms in memory, people and the bridge, told in words that read like a history::

    world = World()
    world.person("A").creates("t1", due="2026-05-01")
    world.sync()
    world.person("B").edits("t1", status="closed")
    world.sync()
    world.shows("A", "t1", status="done")

"t1" is a *handle*: whoever made the record, on whatever platform, the world knows which records are that task.
A has the full vocabulary, conditional writes and deltas; B two statuses and nothing else; C three statuses, one
refused change, squeezed titles and ids that the client chooses. Time stands still unless it is told to pass.
"""

from __future__ import annotations

import copy
import importlib
import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from types import SimpleNamespace
from typing import Any

from bridge import sync
from bridge.limits import Release
from bridge.memory_store import MemoryStore
from bridge.reading import QUARANTINE, SWEEP_CONTENTS
from bridge.scope_reader import parse
from bridge.scoping import OPEN, Fence
from bridge.state import Batch, Item, Link, LinkState
from bridge.station import Peer
from connectors.base import Fields, Native
from connectors.memory_platform import FACES, GONE, OUT, Entry, Traits
from mappings.translate import Translator
from tests.faces import BOARD, translator
from tests.hostile import HostileConnector, HostilePlatform, Landing
from tests.provenance import Provenance

_BOOK: Any = importlib.import_module("bridge.book")  # where ids are made: a world makes its own, the same each time

START = 1_780_000_000
"""In the middle of a working day of 2026."""


class Crash(Exception):
    """The process was killed here."""


class CountingStore(MemoryStore):
    """A ledger that counts its transactions."""

    saves = 0

    def save(self, batch: Batch) -> None:
        super().save(batch)
        self.saves += 1


@dataclass
class Seat:
    """One configured connector: where it points, by which mapping, and whether it may write."""

    platform: HostilePlatform
    translator: Translator
    rank: int
    digest: str
    read_only: bool = False
    lacks: frozenset[str] = frozenset()
    fence: Fence = OPEN
    release: Release = "archive"
    told: str = ""


class World:
    """Platforms, people, a ledger and a clock. ``skews`` are seconds that the platforms' clocks are ahead."""

    def __init__(self, faces: str = "abc", *, skews: Iterable[int] = ()) -> None:
        self.now = START
        self.faces: dict[str, str] = {}
        self.ahead: dict[str, int] = {}
        self.store = CountingStore()
        self.provenance = Provenance(self)
        self.platforms: dict[str, HostilePlatform] = {}
        self.seats: dict[str, Seat] = {}
        self._ranks: dict[str, int] = {}
        self._lacked: dict[str, set[str]] = {}
        self.outcome: Any = None
        ids = itertools.count(1)
        self._ids = SimpleNamespace(uuid4=lambda: SimpleNamespace(hex=sha256(b"%d" % next(ids)).hexdigest()[:32]))
        for face, skew in itertools.zip_longest(faces, tuple(skews)[: len(faces)], fillvalue=0):
            name = str(face).upper()
            self.builds(name, str(face), skew=int(skew))
            self.connects(name, name)

    def restores(self, ledger: MemoryStore) -> None:
        """The ledger is put back from a backup."""
        self.store = CountingStore()
        self.store.__dict__.update(ledger.copy().__dict__)

    # ---- settings ----------------------------------------------------------------------------------------------

    def builds(self, name: str, face: str, *, skew: int = 0, traits: Traits | None = None) -> HostilePlatform:
        """A new platform somewhere; nobody is connected to it yet."""
        self.faces[name], self.ahead[name] = face, skew
        made = HostilePlatform(
            name, traits or (BOARD if face in ("d", "e") else FACES[face]), lambda: float(self.now + self.ahead[name])
        )
        made.watcher = self.provenance
        self.platforms[name] = made
        return made

    def connects(
        self,
        connector: str,
        platform: str,
        *,
        lacks: Iterable[str] = (),
        read_only: bool = False,
        scope: str = "",
        release: Release = "archive",
        fit: bool = False,
    ) -> None:
        """The settings name a connector, new or changed: its platform, what its mapping leaves out, and its scope."""
        face, left_out = self.faces[platform], frozenset(lacks)
        rank = self._ranks.setdefault(connector, -len(self._ranks))
        self._lacked.setdefault(platform, set()).update(left_out)
        digest = f"{face} {sorted(left_out)} {read_only}"
        self.seats[connector] = Seat(
            self.platforms[platform],
            translator(face, left_out),
            rank,
            digest,
            read_only,
            left_out,
            Fence(parse(scope), fit),
            release,
            scope,
        )

    def disconnects(self, connector: str) -> Seat:
        """The connector is taken out of the settings."""
        return self.seats.pop(connector)

    # ---- time and passes ---------------------------------------------------------------------------------------

    def passes(self, seconds: float) -> None:
        """Time goes by."""
        self.now += int(seconds)

    def peers(self, order: Iterable[str] | None = None) -> list[Peer]:
        """The connectors, in the order in which a pass shall take them; ranks stay what they are."""
        chosen = [(name, self.seats[name]) for name in (order or self.seats) if name in self.seats]
        return [
            Peer(
                name,
                seat.rank,
                HostileConnector(seat.platform, clock=lambda: float(self.now)),
                seat.translator,
                read_only=seat.read_only,
                digest=seat.digest,
                fence=seat.fence,
                release=seat.release,
            )
            for name, seat in chosen
        ]

    def sync(
        self,
        *,
        order: Iterable[str] | None = None,
        down: Iterable[str] = (),
        step: Callable[[str], None] = lambda name: None,
        accept: str | bool = True,
        dry: bool = False,
        held: Callable[[], bool] = lambda: True,
        by_hand: bool = True,
    ) -> Any:
        """One pass; what it said is kept as ``outcome``. A crash ends it as a kill would."""
        self.passes(1)
        for name in down:
            self.platforms[name].down = "lost"
        self.provenance.heard.clear()
        self.provenance.learned.clear()
        for seat in self.seats.values():
            self.provenance.learns(seat.platform.name)
        kept, _BOOK.uuid = _BOOK.uuid, self._ids
        try:
            self.outcome = sync.run_pass(
                self.store,
                self.peers(order),
                clock=lambda: float(self.now),
                accept=accept,
                dry=dry,
                step=step,
                held=held,
                by_hand=by_hand,
                threads=False,
            )
            self._note_what_was_taken_in(dry)
        except Crash:
            self.provenance.forgets_what_was_not_stored()
            raise
        finally:
            _BOOK.uuid = kept
            for name in down:
                self.platforms[name].down = ""
        return self.outcome

    def _note_what_was_taken_in(self, dry: bool) -> None:
        waiting = {one.peer.name for one in self.outcome.contacts}
        for name, one in self.outcome.connectors.items():
            platform = self.seats[name].platform.name
            if name in waiting or dry:
                self.provenance.forgets(platform, self.provenance.heard)
            elif one.error:
                self.provenance.forgets(platform, self.provenance.learned)

    def sync_until_quiet(self, at_most: int = 4) -> int:
        """Passes until one writes nothing anywhere; returns how many it took."""
        for number in range(1, at_most + 1):
            before = self.writes
            self.sync()
            if self.writes == before:
                return number
        raise AssertionError(f"still writing after {at_most} passes")

    def settle(self) -> None:
        """People stop, what was under way lands, quarantines end, and the bridge comes to rest."""
        for platform in self.platforms.values():
            platform.behave()
        self.sync()
        for platform in self.platforms.values():
            platform.commit_late()
        self.sync()
        self.passes(QUARANTINE + 1)
        if any(platform.lied for platform in self.platforms.values()):
            self.passes(SWEEP_CONTENTS)  # what a lie about versions hid is found within a week (R6)
        for platform in self.platforms.values():
            platform.lying_versions = False
        for _ in range(3):
            self.sync()

    @property
    def writes(self) -> int:
        """Writes that were sent to any platform so far."""
        return sum(platform.writes for platform in self.platforms.values())

    def during(self, platform: str, request: str, when: str, act: Callable[[], object], skip: int = 0) -> None:
        """People act just before or after the next such request to this platform."""
        self.platforms[platform].landings.append(Landing(request, when, act, skip))

    def listen(self, platform: str) -> list[dict[str, Native]]:
        """What is sent to this platform in updates from now on."""
        sent: list[dict[str, Native]] = []
        server = self.platforms[platform]
        put = server.put

        def heard(native_id: str, fields: Fields, if_version: str | None) -> Entry:
            sent.append(dict(fields))
            return put(native_id, fields, if_version)

        server.put = heard  # type: ignore[method-assign]
        return sent

    # ---- people ------------------------------------------------------------------------------------------------

    def person(self, platform: str) -> Person:
        """Somebody who works on this platform."""
        self.passes(1)
        return Person(self, self.platforms[platform])

    # ---- who is who --------------------------------------------------------------------------------------------

    def records(self, platform: str, handle: str, *, anywhere: bool = False) -> list[Entry]:
        """The records of a task on a platform that are not deleted; ``anywhere``: moved away ones too."""
        tags = self.provenance.kin(handle)
        entries = self.platforms[platform].entries.values()
        mine = [e for e in entries if self.provenance.tag(platform, e.id) in tags and e.place != GONE]
        return [entry for entry in mine if anywhere or entry.here]

    def record(self, platform: str, handle: str) -> Entry:
        """The one record of a task on a platform."""
        found = self.records(platform, handle)
        assert len(found) == 1, f"{handle} has {len(found)} records on {platform}: {[e.id for e in found]}"
        return found[0]

    def item(self, handle: str) -> Item:
        """The item of a task."""
        found = [
            item for item in self.store.all_items() if self.provenance.tags_of(item.id) & self.provenance.kin(handle)
        ]
        assert len(found) == 1, f"{handle} is {len(found)} items"
        return found[0]

    def links(self, platform: str) -> list[Link]:
        """Every link of a platform."""
        ids = [item.id for item in self.store.all_items()]
        return [link for link in self.store.links_of(ids) if self.name_of(link.connector) == platform]

    def name_of(self, binding: str) -> str:
        """The platform that a binding's id stands for."""
        return next((one.collection for one in self.store.bindings() if one.id == binding), binding)

    @property
    def left_alone(self) -> set[str]:
        """Platforms that are only read, or not in the settings."""
        return self.platforms.keys() - {seat.platform.name for seat in self.seats.values() if not seat.read_only}

    @property
    def resting(self) -> set[str]:
        """Platforms that are not in the settings."""
        return self.platforms.keys() - {seat.platform.name for seat in self.seats.values()}

    def lacks(self, platform: str) -> frozenset[str]:
        """Fields that the mapping of a platform leaves out."""
        return frozenset().union(*(seat.lacks for seat in self.seats.values() if seat.platform.name == platform))

    def learned(self, platform: str) -> frozenset[str]:
        """Fields that the mapping of a platform left out once and has today."""
        return frozenset(self._lacked.get(platform, ())) - self.lacks(platform)

    def link(self, platform: str, handle: str) -> Link:
        """The link of a task on a platform, whatever its state; the one that is not retired if there is one."""
        record_ids = {
            e.id
            for e in self.platforms[platform].entries.values()
            if self.provenance.tag(platform, e.id) in self.provenance.kin(handle)
        }
        found = [link for link in self.links(platform) if link.native_id in record_ids]
        found.sort(key=lambda link: link.state is LinkState.RETIRED)
        assert found, f"{handle} has no link on {platform}"
        return found[0]

    # ---- what is seen ------------------------------------------------------------------------------------------

    def shows(self, platform: str, handle: str, **fields: Native) -> None:
        """The record of a task shows these native values."""
        record = self.record(platform, handle)
        assert not (record.fields["archived"] and "archived" not in fields), f"{handle} is archived on {platform}"
        wanted = {name: self.native(platform, name, value) for name, value in fields.items()}
        assert {name: record.fields[name] for name in wanted} == wanted, f"{handle} on {platform}"

    def everywhere(self, handle: str, **fields: Native) -> None:
        """Every platform shows these values."""
        for platform in self.platforms:
            self.shows(platform, handle, **fields)

    def archived(self, platform: str, handle: str) -> bool:
        """Whether the record of a task is archived."""
        return bool(self.record(platform, handle).fields["archived"])

    def absent(self, platform: str, handle: str) -> None:
        """There is no record of this task on the platform."""
        assert not self.records(platform, handle, anywhere=True), f"{handle} is on {platform}"

    def native(self, platform: str, name: str, value: Native) -> Native:
        """Handles of other tasks as the ids that they have on this platform."""
        if name in ("parent", "milestone") and isinstance(value, str):
            return self.record(platform, value).id
        if name == "depends_on" and isinstance(value, tuple):
            return tuple(sorted(self.record(platform, one).id for one in value))
        return value

    def losers(self, handle: str, cell: str = "") -> list[object]:
        """The values that lost a conflict on a task, oldest first."""
        found = self.store.conflicts(self.item(handle).id)
        return [one.loser.value for one in reversed(found) if cell in ("", one.cell)]

    def picture(self) -> dict[str, list[tuple[str, str, dict[str, Native]]]]:
        """Every platform as people see it: the whole of what counts."""
        return {
            name: sorted(
                (entry.id, entry.place, copy.deepcopy(entry.fields))
                for entry in platform.entries.values()
                if entry.place != GONE
            )
            for name, platform in self.platforms.items()
        }


class Person:
    """What somebody does on one platform. Every act returns the person, so that acts can be told in a row."""

    def __init__(self, world: World, platform: HostilePlatform) -> None:
        self.world = world
        self.platform = platform

    def creates(self, handle: str, **fields: Native) -> Person:
        """A new task; its title is the handle unless one is given."""
        values = {name: self._native(name, value) for name, value in {"title": handle, **fields}.items()}
        self.world.provenance.creates(self.platform, handle, values)
        return self

    def edits(self, handle: str, **fields: Native) -> Person:
        """Fields are set; None clears one."""
        record = self._record(handle)
        values = {name: self._native(name, value) for name, value in fields.items()}
        self.world.provenance.edits(self.platform, record.id, values)
        return self

    def labels(self, handle: str, add: Iterable[str] = (), remove: Iterable[str] = ()) -> Person:
        """Labels come and go."""
        there = self._record(handle).fields["labels"]
        assert isinstance(there, tuple)
        return self.edits(handle, labels=tuple(sorted((set(there) | set(add)) - set(remove))))

    def writes(self, handle: str, *lines: str) -> Person:
        """The description is replaced by these lines."""
        return self.edits(handle, description="\n".join(lines) or None)

    def deletes(self, handle: str) -> Person:
        """The record is deleted."""
        self.world.provenance.deletes(self.platform, self._record(handle).id)
        return self

    def restores(self, native_id: str) -> Person:
        """A deleted record is fetched back from the trash."""
        self.world.provenance.reopened.add(self.world.provenance.tag(self.platform.name, native_id))
        self.platform.restore(native_id)
        return self

    def moves_out(self, handle: str, to: str = OUT) -> Person:
        """The record leaves the collection."""
        self.world.provenance.moved.add(handle)
        self.platform.move(self._record(handle).id, to)
        return self

    def moves_back(self, handle: str) -> Person:
        """The record comes back to the collection."""
        (record,) = self.world.records(self.platform.name, handle, anywhere=True)
        self.platform.move_back(record.id)
        return self

    def archives(self, handle: str) -> Person:
        """The record is archived."""
        self.world.provenance.archives(self.platform, self._record(handle).id)
        return self

    def reopens(self, handle: str) -> Person:
        """The record is taken out of the archive."""
        self.world.provenance.reopens(self.platform, self._record(handle).id)
        return self

    def comments(self, handle: str) -> Person:
        """A comment, or a card moved up: nothing that is mirrored."""
        self.platform.comment(self._record(handle).id)
        return self

    def _record(self, handle: str) -> Entry:
        return self.world.record(self.platform.name, handle)

    def _native(self, name: str, value: Native) -> Native:
        return self.world.native(self.platform.name, name, value)
