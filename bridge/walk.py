"""The walk of one pass through its steps, with one book: take in, pair, plan, guard, apply, learn.

`bridge.sync` says when to walk and what comes of it; here is how. Everything that decides is elsewhere and pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bridge import anew, chronicle, contact, doors, exact, guard, intake, labels, match, pairing, reading, release
from bridge.book import Book
from bridge.given import Given, Trouble
from bridge.learning import forget_how, learn
from bridge.outbox import Outbox
from bridge.plan import Operation, Work, wave, work
from bridge.scoping import follow
from bridge.state import Item, Link, LinkState, Parked, Run
from bridge.station import Station, share_clocks
from bridge.written import wake_referrers
from connectors.base import Changes
from connectors.errors import PlatformError
from mappings.canonical import Kind, Type, field_of

ROUNDS = 3
"""How often a pass looks again at a platform whose answers left something open."""


class Walk:
    """One try at a pass. ``planned`` is what was to be written at first, ``held`` what waits for a person."""

    def __init__(
        self, given: Given, book: Book, contacts: Sequence[contact.Contact], *, dry: bool, accept: bool
    ) -> None:
        self.given, self.book, self.dry, self.accept = given, book, dry, accept
        self.planned: list[Operation] = []
        self.held: list[guard.Held] = []
        self.ambiguous: list[match.Ambiguous] = []
        self.warnings: list[str] = []
        self.stations: dict[str, Station] = {}
        self.fresh: set[str] = set()
        self.changed: set[str] = set()
        self.journal_run = Run(given.run, given.now)
        for met in contacts:
            self._enter(met)
        book.met = frozenset(self.stations)
        asking = [id for id, station in self.stations.items() if station.peer.fence.looks_up]
        book.follow = lambda entries: follow(book, asking, entries)
        self.by_name = {station.name: station for station in self.stations.values()}
        share_clocks(self.stations.values())
        for station in self.stations.values():
            station.beside = self.stations

    def _enter(self, met: contact.Contact) -> None:
        binding = met.binding
        changed = binding.accepted and bool(met.reason)
        self.warnings += met.warnings
        if contact.agree(self.book, met, self.given.identities[met.peer.name]):
            self.fresh.add(binding.id)
        elif changed:
            self.changed.add(binding.id)
        self.stations[binding.id] = Station(
            met.peer, binding, self.book, self.given.run, self.given.now, by_hand=self.given.by_hand
        )

    # ---- steps 1 to 3 -----------------------------------------------------------------------------------------

    def take_in(self) -> None:
        """Take in every connector that answered, each in one transaction; then give strays their items."""
        for id in sorted(self.fresh):
            self._want_everything(id)  # stored together with the consent, or a crash between would forget it
        exact.ask_all(self.stations.values(), self.given.changes, self.given.times)
        for station in list(self.stations.values()):
            self._take(station, self.given.changes[station.name])
        for id in self.changed & self.stations.keys():
            self._read_anew(self.stations[id])
        self._pair()
        learn(self.book, self.stations, self.given.run)

    def _take(self, station: Station, changes: Changes) -> None:
        try:
            back = reading.take_in(station, changes, accepted=self.accept)
            if back and self.dry:
                self.held.append(guard.Held(station.id, _went_back(back), ()))
        except reading.WentBack as many:
            self._drop(station, _went_back(many.args[0]))
            self.held.append(guard.Held(station.id, station.failed, ()))
        except reading.ForeignBridge as mark:
            self._drop(
                station,
                f"another bridge is at work here, or this ledger is an old copy (mark {mark}): end one of the two",
            )
        except PlatformError as error:
            self._drop(station, str(error))
        else:
            self.book.commit()
            self.given.step("taken")

    def _drop(self, station: Station, reason: str) -> None:
        """Nothing of this connector is taken in or written in this pass (R27)."""
        station.fail(reason, self.book)
        del self.stations[station.id]

    def _want_everything(self, connector: str) -> None:
        """A new connector shall show every item that lives."""
        items = [item for item in self.book.store.all_items() if not item.dead]
        self.book.load_links_of([item.id for item in items])
        for item in items:
            intake.want(self.book, self.book.item(item.id), connector)

    def _read_anew(self, station: Station) -> None:
        """A changed mapping or scope: everything is looked at again (R31).

        What the mapping newly reads follows first contact's rules; who belongs there now is told by the plan.
        """
        remapped = station.binding.mapping != station.peer.digest
        items = [item.id for item in self.book.store.all_items()]
        self.book.load_items(items)
        self.book.load_links_of(items)
        for item in items:
            link = self.book.link_of(item, station.id)
            if link is not None and link.state is LinkState.LIVE and remapped:
                anew.forget_absent(station, link)
                anew.take_again(station, link)
            elif link is not None:
                link.dirty = True  # what was only read until now has still to be made, or belongs there now, or no more
                self.book.keep_link(link)
        station.binding.mapping = station.peer.digest
        contact.remember_scope(station.binding, station.peer)
        station.rescoped = True
        self.book.keep_binding(station.binding)

    def _pair(self) -> None:
        self.ambiguous = pairing.pair(self.stations, self.given.times)
        for link in self._that_waited():
            anew.take_again(self.stations[link.connector], link)
        if any(self._is_newly_named(item) for item in self.book.loaded_items()):
            self._meet_milestones()
        self.book.commit()
        self.given.step("paired")

    def _is_newly_named(self, item: Item) -> bool:
        title = item.cells.get("title")
        return item.kind == Kind.MILESTONE and not item.dead and title is not None and title.run == self.given.run

    def _meet_milestones(self) -> None:
        """Labels called like a milestone stand for it, also those that were there before (R10)."""
        for station in self.stations.values():
            if not station.translator.milestone_native:
                continue
            refs = self.book.store.live_refs(station.id)
            self.book.load_records(station.id, refs)
            for native_id in sorted(refs):
                link = self.book.link_at(station.id, native_id)
                if link is not None and link.state is LinkState.LIVE:
                    anew.take_standing(station, link)

    def _that_waited(self) -> list[Link]:
        """Links that refer to records which have got an item in this pass (R13)."""
        if not self.book.named:
            return []
        waiting = [link for link in self.book.flagged("waits_for") if link.connector in self.stations]
        return [link for link in waiting if any((link.connector, id) in self.book.named for id in link.waits_for)]

    # ---- steps 4 to 6 -----------------------------------------------------------------------------------------

    def write(self) -> None:
        """Plan, guard and apply, until nothing is left to do or a person has to look."""
        self.planned = self._plan()
        self._guard(self.planned)
        self.given.step("planned")
        if self.dry:
            self.warnings += labels.foretold(self._free())
            return
        outbox = Outbox(
            self.book,
            self.stations,
            clock=self.given.clock,
            step=self.given.step,
            held=self.given.held,
            threads=self.given.threads,
        )
        operations = self.planned
        for _ in range(ROUNDS):
            self._send(outbox, operations)
            if not self._look_again():
                break
            operations = self._plan()
        for link in self.book.flagged("dirty"):
            self._note_leftover(link)
        labels.follow(self._free(), self.given.held)

    def _free(self) -> list[Station]:
        """Connectors of which nothing waits for a person."""
        return [one for one in self.stations.values() if not any(held.connector == one.id for held in self.held)]

    def _send(self, outbox: Outbox, operations: list[Operation]) -> None:
        stuck: set[str] = set()
        while True:
            self._guard(operations)
            going = wave(operation for operation in operations if not self.is_held(operation))
            links = {operation.link for operation in going}
            if links <= stuck:
                return  # every link is tried a few times at most, so that this ends
            let_go = [o for o in going if o.kind == "release" and self._let_go(o)]
            sent = outbox.send([o for o in going if o.kind != "release"], accepted=self.accept)
            stuck = set() if sent or let_go else links
            operations = self._plan()

    def _let_go(self, operation: Operation) -> bool:
        return release.let_go(self.stations[operation.connector], self.book.link(operation.link))

    def _look_again(self) -> bool:
        """Read platforms again whose answers left something open; they are settled within the pass (R17)."""
        again = [station for station in self.stations.values() if station.unsettled and not station.failed]
        for station in again:
            station.unsettled = False
            try:
                changes, _ = reading.pull(station.connector, station.binding, self.book.store, self.given.now)
                reading.take_in(station, changes, accepted=self.accept)
            except (PlatformError, reading.WentBack, reading.ForeignBridge) as error:
                station.fail(str(error), self.book)
        if again:
            self._pair()
        return bool(again)

    def _plan(self) -> list[Operation]:
        for one in self.stations.values():
            wake_referrers(one)
            one.hanging = None
        doors.let_in(self.book, self.stations)
        operations = []
        links = {link.id: link for link in [*self.book.flagged("dirty"), *self.book.flagged("parked")]}
        self.book.load_links_of(sorted({link.item for link in links.values()}))
        for link in links.values():
            station = self.stations.get(link.connector)
            if station is None or station.failed:
                continue
            item = self.book.item(link.item)
            self._settle(station, item)
            if doors.knocks(station, link):
                continue  # it could not be asked for, or belongs there only since: it stays dirty
            if link.state is LinkState.WANTED and station.admits(item) and not self._may_create(station, link):
                continue
            todo = work(station, link, item)
            self._note(link, todo)
            if todo.operation is not None:
                operations.append(todo.operation)
        return operations

    def _settle(self, station: Station, item: Item) -> None:
        """What was merged singly must make sense together: groups (R12), and references without circles (R13)."""
        chronicle.settle_groups(station, item)
        for name in ("parent", "depends_on"):
            chronicle.break_circle(station, item, name)

    def _may_create(self, station: Station, link: Link) -> bool:
        """Nothing is created where this pass did not read everything, or where a record of ours is unexplained."""
        if not station.whole:
            return False
        item = self.book.item(link.item)
        if pairing.has_namesake(station, item):
            return False
        intents = [intent for intent in self.book.intents(station.id) if intent.kind == "create"]
        if station.abilities.client_ids:
            return True
        if any(intent.link == link.id for intent in intents):
            return False
        return not (intents and any(waiting.record.own for waiting in self.book.unlinked(station.id)))

    def _note(self, link: Link, todo: Work) -> None:
        """Keep what the plan found out about a link; a link without work is clean."""
        before = (link.dirty, link.pending, dict(link.parked), link.archived)
        link.pending = todo.pending
        link.dirty = todo.operation is not None
        if todo.settled_archive is not None:
            link.archived = todo.settled_archive
        if link.state is LinkState.LIVE and not link.archived:
            link.released = ""
        for cell, reason in todo.parked.items():
            known = link.parked.get(cell)
            if known is None or known.reason != reason:
                link.parked[cell] = Parked(reason, self.given.now)
        for cell in list(link.parked):
            refused = cell in link.memo and link.memo[cell].refused
            retried = todo.operation is not None and (cell in todo.operation.cells or not cell)
            if cell not in todo.parked and not refused and not retried and not (cell == "title" and link.problem):
                del link.parked[cell]
        if todo.locked:
            station, title = self.stations[link.connector], self.book.item(link.item).title
            fields = ", ".join(sorted({field_of(cell).name for cell in todo.locked}))
            self.warnings.append(f"{station.name}: {title}: cannot be changed there by us: {fields}")
        if before != (link.dirty, link.pending, link.parked, link.archived):
            self.book.keep_link(link)

    def _note_leftover(self, link: Link) -> None:
        """What stays dirty stays so in the ledger: the next pass plans it again."""
        if link.connector in self.stations:
            self.book.keep_link(link)

    def _guard(self, operations: Sequence[Operation]) -> None:
        """Hold the collections to which something looks like an accident (R23)."""
        if self.accept and not self.dry:
            return
        past, sizes = {}, {}
        for id in {operation.connector for operation in operations}:
            past[id] = (
                [] if self.dry and id in self.fresh else self.book.store.intents_since(id, self.given.now - guard.DAY)
            )
            sizes[id] = self.stations[id].binding.count or self._count(id)
        already = {held.connector for held in self.held}
        limits = {id: self.stations[id].peer.thresholds for id in sizes}
        found = guard.guard(operations, past, sizes, limits)
        self.held += [held for held in found if held.connector not in already | self.fresh]

    def is_held(self, operation: Operation) -> bool:
        """Whether the operation's collection waits for a person."""
        return any(held.connector == operation.connector for held in self.held)

    def line(self, operation: Operation) -> str:
        """One operation as text, the same in every run (for the digest): items by their titles."""
        cells: dict[str, object] = {}
        for cell, value in operation.cells.items():
            spec = field_of(cell)
            if spec.type in (Type.REFERENCE, Type.REFERENCES) and isinstance(value, str) and self.book.knows(value):
                title = self.book.item(value).title
                cells[cell if spec.type is Type.REFERENCE else f"{spec.name}:{title}"] = title
            else:
                cells[cell] = value
        kind = self.book.item(operation.item).kind
        return guard.line(self.stations[operation.connector].name, operation.kind, kind, operation.title, cells)

    # ---- afterwards -------------------------------------------------------------------------------------------

    def finish(self, errors: Mapping[str, Trouble], waiting: Mapping[str, str]) -> None:
        """Learn once more, remember how far each connector was read and what waits, and close the run."""
        learn(self.book, self.stations, self.given.run)
        share_clocks(self.stations.values())  # some servers tell their time by our own writes alone
        for station in self.stations.values():
            self._remember(station)
            self.warnings += station.notes()
        for name, binding in contact.current(self.book.bindings.values()).items():
            if name in errors:
                binding.fail(errors[name].sentence, self.given.now, errors[name].retry_after)
                self.book.keep_binding(binding)
        forget_how(self.book)
        held = {self.stations[one.connector].name: one.reason for one in self.held if one.connector in self.stations}
        self.journal_run.summary = {"waiting": {**waiting, **held}}
        self.journal_run.ok = not (errors or waiting or self.held)
        self.journal_run.finished = int(self.given.clock())
        self.book.keep_run(self.journal_run)
        self.book.commit()
        for station in self.stations.values():
            if not self.dry:
                station.binding.count = self._count(station.id)
                self.book.keep_binding(station.binding)
        self.book.commit()
        self.given.step("learned")

    def _count(self, connector: str) -> int:
        """Records that are there: those of living items, and those of dead ones that are not archived yet (R23)."""
        left = [link for link in self.book.flagged("dirty") if link.connector == connector]
        dead = [link for link in left if link.state is LinkState.LIVE and self.book.item(link.item).dead]
        return self.book.store.count_live(connector) + len(dead)

    def _remember(self, station: Station) -> None:
        binding = station.binding
        binding.memory = station.connector.memory()
        if not station.failed:
            binding.error, binding.failures, binding.retry_at = "", 0, 0
            binding.complete_run, binding.complete_at = self.given.run, self.given.now
            if station.name in self.given.whole:
                binding.read_whole_at = self.given.now
        self.book.keep_binding(binding)

    def parked(self, station: Station) -> int:
        """How many records are left alone there, for a reason that `status` tells."""
        links = {link.id for link in self.book.flagged("parked") if link.connector == station.id}
        return len(links) + sum(bool(waiting.reason) for waiting in self.book.unlinked(station.id))


def _went_back(many: int) -> str:
    return (
        f"{many} records are older there than what was read before: was a backup restored? "
        "With --accept the bridge keeps what it knows and writes it there again."
    )
