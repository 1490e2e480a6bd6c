"""One pass: resolve, pull, take in, plan, guard, apply.

The walk through the steps is `Pass.run`; each step is a file of its own. The same code serves `plan`: a dry pass
keeps everything in its book, stores nothing and sends nothing.

What a pass costs is what changed plus what is still to be written, never what exists: with nothing changed it
asks each platform as little as the platform allows, and loads no items.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from bridge import contact, guard, match, reading
from bridge.book import Book
from bridge.given import Given, Trouble
from bridge.outbox import Step
from bridge.plan import Operation
from bridge.state import Store
from bridge.station import Peer, traffic, unforeseen
from bridge.walk import Walk
from connectors.base import Changes, Identity
from connectors.errors import PlatformError, RateLimited

Accept = bool | str


@dataclass(frozen=True)
class PeerOutcome:
    """What a pass did at one connector: records pulled, written to it, parked there, requests, and its error."""

    pulled: int = 0
    created: int = 0
    updated: int = 0
    deleted: int = 0
    parked: int = 0
    requests: int = 0
    error: str | None = None


@dataclass(frozen=True)
class Outcome:
    """How a pass ended. ``held`` and ``contacts`` wait for a person; ``digest`` names exactly that list."""

    run: int
    seconds: float
    conflicts: int
    connectors: dict[str, PeerOutcome]
    operations: tuple[Operation, ...] = ()
    held: tuple[guard.Held, ...] = ()
    contacts: tuple[contact.Contact, ...] = ()
    ambiguous: tuple[match.Ambiguous, ...] = ()
    digest: str = ""
    warnings: tuple[str, ...] = ()
    book: Book | None = field(default=None, repr=False, compare=False)

    @property
    def waits(self) -> bool:
        """Whether something waits for `--accept`."""
        return bool(self.held or self.contacts)

    @property
    def ok(self) -> bool:
        """Whether nothing waits, failed or is parked."""
        return self.exit_code == 0

    @property
    def exit_code(self) -> int:
        """0 done; 1 something is parked or a connector failed; 3 the guard or a first contact needs a person."""
        if self.waits:
            return 3
        return int(any(one.error or one.parked for one in self.connectors.values()))


def run_pass(
    store: Store,
    peers: Sequence[Peer],
    *,
    clock: Callable[[], float] = time.time,
    accept: Accept = False,
    dry: bool = False,
    by_hand: bool = True,
    step: Step = lambda name: None,
    held: Callable[[], bool] = lambda: True,
    threads: bool = True,
) -> Outcome:
    """One pass. ``accept`` is True for what this pass would hold, or the digest of a list shown before (R23)."""
    now = clock()
    last = store.runs(1)
    given = Given(
        store,
        peers,
        clock,
        int(now),
        last[0].id + 1 if last else 1,
        by_hand,
        threads,
        step,
        held,
    )
    one = Pass(given, now)
    one.meet()
    one.pull()
    if isinstance(accept, str):
        accept = one.attempt(dry=True, accept=True).digest == accept
    if dry:
        return one.attempt(dry=True, accept=True)
    outcome = one.attempt(dry=False, accept=accept)
    return one.with_preview(outcome) if outcome.waits else outcome


class Pass:
    """Ask everybody once, then walk: for real, dry, or both."""

    def __init__(self, given: Given, started: float) -> None:
        self.given = given
        self.started = started
        self.errors: dict[str, Trouble] = {}
        self.resting: dict[str, str] = {}
        self.taken: set[str] = set()
        self.requests = {peer.name: traffic(peer.connector)[0] for peer in given.peers}

    def meet(self) -> None:
        """Sign in everywhere; a connector that cannot be reached costs only itself (R27)."""
        given = self.given
        known = contact.current(given.store.bindings())
        memories = {name: binding.memory for name, binding in known.items()}
        if not given.by_hand:
            waits = {name: binding.error for name, binding in known.items() if binding.retry_at > given.now}
            self.resting = {name: f"{error} (tried again later)" for name, error in waits.items()}

        def identify(peer: Peer) -> Identity:
            return peer.connector.identify(memories.get(peer.name))

        self._ask_all([peer for peer in given.peers if peer.name not in self.resting], identify, given.identities)

    def pull(self) -> None:
        """Pull every connector, in parallel."""
        given = self.given
        given.step("pull")
        bindings = {(b.type, b.host, b.collection): b for b in given.store.bindings()}

        def pull(peer: Peer) -> tuple[Changes, bool]:
            identity = given.identities[peer.name]
            binding = bindings.get((identity.type, identity.host, identity.collection))
            if binding is None or not binding.accepted or binding.confidential != peer.fence.confidential:
                return peer.connector.pull(None, {}), True
            return reading.pull(peer.connector, binding, given.store, given.now)

        pulled: dict[str, tuple[Changes, bool]] = {}
        self._ask_all([peer for peer in given.peers if peer.name in given.identities], pull, pulled)
        for name, (changes, whole) in pulled.items():
            given.changes[name] = changes
            given.whole |= {name} if whole else set()

    def _ask_all(self, peers: Sequence[Peer], ask: Callable[[Peer], Any], answers: dict[str, Any]) -> None:
        def answer(peer: Peer) -> object:
            try:
                return ask(peer)
            except PlatformError as error:
                return error
            except Exception as error:  # a fault of the connector costs only that connector (R27)
                return PlatformError(unforeseen(error))

        if self.given.threads and len(peers) > 1:
            with ThreadPoolExecutor(max_workers=len(peers)) as pool:
                found = list(pool.map(answer, peers))
        else:
            found = [answer(peer) for peer in peers]
        for peer, result in zip(peers, found, strict=True):
            if isinstance(result, PlatformError):
                pause = result.retry_after if isinstance(result, RateLimited) else 0.0
                self.errors[peer.name] = Trouble(str(result), pause)
            else:
                answers[peer.name] = result

    # ---- one try at the pass -----------------------------------------------------------------------------------

    def attempt(self, *, dry: bool, accept: bool) -> Outcome:
        """Take in, pair, plan, guard and apply; a dry attempt stores and sends nothing."""
        given = self.given
        book = Book(given.store, dry=dry)
        contacts = [
            contact.recognise(book, peer, given.identities[peer.name])
            for peer in given.peers
            if peer.name in given.changes
        ]
        self._refuse_doubles(contacts)
        waiting = [one for one in contacts if one.reason]
        walk = Walk(given, book, [one for one in contacts if accept or not one.reason], dry=dry, accept=accept)
        walk.take_in()
        self.taken = {station.name for station in walk.stations.values()}
        walk.write()
        waiting = [] if accept and not dry else waiting
        walk.finish(self.errors, {one.peer.name: one.reason for one in waiting})
        return self._outcome(walk, waiting)

    def _refuse_doubles(self, contacts: list[contact.Contact]) -> None:
        for name, reason in contact.doubles(contacts, self.given.identities).items():
            self.errors[name] = Trouble(reason)
            self.given.changes.pop(name, None)
        contacts[:] = [one for one in contacts if one.peer.name in self.given.changes]

    def _outcome(self, walk: Walk, waiting: list[contact.Contact]) -> Outcome:
        connectors = {}
        for peer in self.given.peers:
            station = walk.by_name.get(peer.name)
            asked = traffic(peer.connector)[0] - self.requests[peer.name]
            failed = self.errors.get(peer.name)
            error = failed.sentence if failed else self.resting.get(peer.name)
            if station is None:
                connectors[peer.name] = PeerOutcome(requests=asked, error=error)
                continue
            connectors[peer.name] = PeerOutcome(
                station.pulled,
                station.created,
                station.updated,
                station.deleted,
                walk.parked(station),
                asked,
                error or station.failed or station.trouble or None,
            )
        lines = [f"{one.peer.name}: {one.reason}" for one in waiting]
        lines += [walk.line(operation) for operation in walk.planned if waiting or walk.is_held(operation)]
        return Outcome(
            self.given.run,
            round(self.given.clock() - self.started, 3),
            len(walk.book.conflicts),
            connectors,
            tuple(walk.planned),
            tuple(_filled(walk, held) for held in walk.held) if walk.dry or not walk.accept else (),
            tuple(waiting),
            tuple(walk.ambiguous),
            guard.digest(lines) if lines else "",
            tuple(walk.warnings),
            walk.book,
        )

    def with_preview(self, outcome: Outcome) -> Outcome:
        """Add what would be done if a person agreed: shown, and named by its digest.

        What this pass took in is in the ledger, and older by now than what it wrote: it is not taken in again.
        """
        for name in self.taken:
            pulled = self.given.changes[name]
            self.given.changes[name] = Changes((), pulled.cursor, complete=False, delta=pulled.whole)
        preview = self.attempt(dry=True, accept=True)
        shown = {held.connector for held in preview.held}
        return replace(
            outcome,
            operations=preview.operations,
            held=(*preview.held, *(one for one in outcome.held if one.connector not in shown)),
            contacts=preview.contacts,
            digest=preview.digest,
            ambiguous=preview.ambiguous,
            warnings=tuple(dict.fromkeys([*outcome.warnings, *preview.warnings])),
            book=preview.book,
        )


def _filled(walk: Walk, held: guard.Held) -> guard.Held:
    """What is held names its operations, also where it was held before they were planned."""
    own = tuple(operation for operation in walk.planned if operation.connector == held.connector)
    return held if held.operations else replace(held, operations=own)
