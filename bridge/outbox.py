"""Applying: intent, send, read back, record (step 6 of a pass).

The order is the crash story (R28): the intent is committed before anything leaves; the outcome (link, shadow and
the struck intent) is one short transaction after the answer. Whatever dies in between leaves an open intent, and
the next pass resolves it before anything else (R17). No transaction is open while a request is under way.

Workers only talk to connectors. One thread decides and stores; writes in flight are counted per host and shared by
its connectors. A host that answers a write with a server error is written to one at a time from then on: several
writers are what a small Nextcloud does not bear, and it does not say so in words that could be relied on (facts).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from bridge import chronicle, intake, probes, release, written
from bridge.book import Book, new_id
from bridge.plan import DAY, Operation
from bridge.state import Intent, Link, Parked
from bridge.station import Station, unforeseen
from connectors.base import Record, Ref
from connectors.errors import (
    Forbidden,
    NotACollection,
    NotFound,
    PlatformError,
    PreconditionFailed,
    RateLimited,
    Rejected,
    Transient,
    Unauthorized,
    VersionMismatch,
)
from mappings.canonical import field_of

ATTEMPTS = 3
"""How often one link is written to within a pass before it is left to the next one."""

BACK_OFF = (300, 3_600, 21_600, 86_400)
"""Seconds until the service tries a parked operation again; a sync by hand tries at once (R27)."""

FORBIDDEN = 3
"""Writes forbidden in a row (403) after which nothing more is sent to a platform in this pass."""

TROUBLES = 20
"""Writes answered with a server error in a row after which nothing more is sent to a platform in this pass."""

LOOK_AHEAD = 64
"""Operations for busy hosts that are passed over in search of one for an idle host."""

Job = tuple[Operation, Intent, bool]
Answer = Record | None
Step = Callable[[str], None]


class LostLease(Exception):
    """Somebody else holds the ledger now: nothing more is sent (R29)."""


class Outbox:
    """Sends operations and records what became of them."""

    def __init__(
        self,
        book: Book,
        stations: dict[str, Station],
        *,
        clock: Callable[[], float],
        step: Step,
        held: Callable[[], bool],
        threads: bool,
    ) -> None:
        self.book = book
        self.stations = stations
        self.clock = clock
        self.step = step
        self.held = held
        self.threads = threads
        self._limits: dict[str, int] = {}
        self._attempts: dict[str, int] = {}
        self._answers: dict[str, str] = {}

    # ---- sending ----------------------------------------------------------------------------------------------

    def send(self, operations: Iterable[Operation], *, accepted: bool) -> int:
        """Send them all; returns how many were sent."""
        queue = deque(operations)
        under_way: dict[Future[Answer], Job] = {}
        sent = 0
        with ThreadPoolExecutor(max_workers=32) as pool:
            while queue or under_way:
                jobs = self._choose(queue, under_way.values(), accepted)
                self._foresee(jobs)
                self.book.commit()
                if jobs:
                    self.step("intent")
                    sent += len(jobs)
                for job in jobs:
                    under_way[self._start(pool, job)] = job
                if not under_way:
                    break
                done, _ = wait(under_way, return_when=FIRST_COMPLETED)
                for future in sorted(done, key=lambda one: under_way[one][1].id):
                    self.step("sent")
                    self._finish(future, *under_way.pop(future))
        self.book.commit()
        self.step("recorded")
        return sent

    def _start(self, pool: ThreadPoolExecutor, job: Job) -> Future[Answer]:
        call = self._call(job)
        if self.threads:
            return pool.submit(call)
        future: Future[Answer] = Future()
        try:
            future.set_result(call())
        except Exception as error:
            future.set_exception(error)
        return future

    def _call(self, job: Job) -> Callable[[], Answer]:
        """What a worker does: the only place where something is sent to a platform. It touches nothing of ours."""
        operation, intent, _ = job
        station, link = self.stations[operation.connector], self.book.link(operation.link)
        ref, version = Ref(station.binding.host, link.native_id, link.born), link.version

        def talk() -> Answer:
            if not self.held():
                raise LostLease("Another program has taken over the ledger: nothing more was sent in this pass.")
            if operation.kind == "create":
                return station.connector.create(intent.sent, intent.id)
            if operation.kind == "delete":
                station.connector.delete(ref, version)
                return None
            return station.connector.update(ref, intent.sent, version)

        return talk

    def _choose(self, queue: deque[Operation], busy: Iterable[Job], accepted: bool) -> list[Job]:
        """As many as the hosts bear, each with its intent written down."""
        flying: dict[str, int] = {}
        for operation, _, _ in busy:
            host = self.stations[operation.connector].binding.host
            flying[host] = flying.get(host, 0) + 1
        jobs: list[Job] = []
        later: list[Operation] = []
        while queue:
            operation = queue.popleft()
            station = self.stations[operation.connector]
            host = station.binding.host
            if flying.get(host, 0) >= self._limit(station):
                later.append(operation)
                if len(later) > LOOK_AHEAD:
                    break
                continue
            if station.failed or not self._is_wanted_still(operation, station):
                continue
            if not self._may_try(operation, station):
                continue
            flying[host] = flying.get(host, 0) + 1
            jobs.append(self._intend(station, operation, accepted))
            if not self.threads:
                break
        queue.extendleft(reversed(later))
        return jobs

    def _foresee(self, jobs: Iterable[Job]) -> None:
        """Look up in one go what the ledger knows of the records that will come to be."""
        coming: dict[str, list[str]] = {}
        for operation, intent, _ in jobs:
            native_id = self.stations[operation.connector].connector.id_of(intent.id)
            if operation.kind == "create" and native_id:
                coming.setdefault(operation.connector, []).append(native_id)
        for connector, native_ids in coming.items():
            self.book.load_records(connector, native_ids)

    def _limit(self, station: Station) -> int:
        return self._limits.setdefault(station.binding.host, station.peer.writes or station.abilities.writes)

    def _is_wanted_still(self, operation: Operation, station: Station) -> bool:
        """Whether what was read since it was planned has not moved the item over a scope's border (ADR 0021)."""
        item = self.book.item(operation.item)
        if operation.kind in ("archive", "delete"):
            return item.dead or not station.admits(item)
        return station.admits(item)

    def _may_try(self, operation: Operation, station: Station) -> bool:
        tries = self._attempts.get(operation.link, 0)
        if tries >= ATTEMPTS:
            link = self.book.link(operation.link)
            if not link.parked:
                later = "did not settle in this pass; it is tried again in the next one"
                self.park(station, link, [""], self._answers.get(link.id, later))
            return False
        self._attempts[operation.link] = tries + 1
        return True

    def _intend(self, station: Station, operation: Operation, accepted: bool) -> Job:
        """Write the operation down. A create with client ids that is still open is sent again under its own mark."""
        if operation.kind == "create":
            for intent in self.book.intents(station.id):
                if intent.kind == "create" and intent.link == operation.link:
                    return operation, intent, False
        intent = Intent(
            station.mark() if operation.kind == "create" else new_id(),
            operation.kind,
            station.id,
            operation.item,
            operation.link,
            self.book.link(operation.link).native_id,
            dict(operation.fields),
            dict(operation.cells),
            dict(operation.keys),
            station.run,
            int(self.clock()),
            "" if accepted else operation.harm,
        )
        self.book.keep_intent(intent)
        self._light_fuse(operation, station.now)
        return operation, intent, True

    def _light_fuse(self, operation: Operation, now: int) -> None:
        link = self.book.link(operation.link)
        for cell in operation.cells:
            day, writes = link.fuse.get(cell, (0, 0))
            link.fuse[cell] = (now // DAY, writes + 1 if day == now // DAY else 1)
        self.book.keep_link(link)

    # ---- what came back ---------------------------------------------------------------------------------------

    def _finish(self, future: Future[Answer], operation: Operation, intent: Intent, fresh: bool) -> None:
        station = self.stations[operation.connector]
        link = self.book.link(operation.link)
        error = future.exception()
        if error is None:
            self._succeed(station, operation, intent, future.result(), fresh)
        elif isinstance(error, Transient):
            self._retry(station, link, intent, error, fresh)
        elif isinstance(error, PlatformError):
            self._settle_refusal(station, link, intent, error, fresh)
            self._refuse(station, link, operation, error)
        elif isinstance(error, LostLease):
            raise error
        else:  # whether it was sent is unknown: the intent stays open, and only this record waits (R27)
            self.park(station, link, list(operation.cells) or [""], unforeseen(error))

    def _settle_refusal(self, station: Station, link: Link, intent: Intent, error: PlatformError, fresh: bool) -> None:
        """A clean refusal strikes the intent; one that may have acted, or came to a second sending, does not (R17)."""
        clean = not isinstance(error, Rejected) or error.clean
        if intent.kind == "create" and not fresh:
            return  # the first sending was never answered and may still land
        if clean:
            self._strike(intent)
            return
        intent.answered = True
        self.book.keep_intent(intent)
        if intent.kind == "create":
            station.unsettled = True
        else:
            self._read_again(station, link, intent)

    def _succeed(self, station: Station, operation: Operation, intent: Intent, record: Answer, fresh: bool) -> None:
        link = self.book.link(operation.link)
        station.forbidden = station.troubles = 0
        if record is None:
            station.deleted += 1
            release.settle_delete(station, link)
            return
        if operation.kind == "create":
            station.created += 1
            written.adopt(station, intent, record, at_once=fresh)
            if not fresh:  # the first sending was never answered: it may land when people have deleted the record
                intent.open = True
                self.book.keep_intent(intent)
            self._wake_referrers(station)
        else:
            station.updated += operation.kind != "archive"
            station.deleted += operation.kind == "archive"
            self._forgive(link, operation)
            written.settle_write(station, link, intent, record, at_once=True)
        item = self.book.item(operation.item)
        for cell, value in operation.cells.items():
            chronicle.journal(station, item, cell, operation.before.get(cell), value, "write", operation.reason)

    def _wake_referrers(self, station: Station) -> None:
        """A new link makes everything on its platform that waited for it dirty (R13)."""
        for link in self.book.flagged("pending"):
            if link.connector == station.id and not link.dirty:
                link.dirty = True
                self.book.keep_link(link)

    def _forgive(self, link: Link, operation: Operation) -> None:
        for cell in ["", *operation.cells]:
            link.parked.pop(cell, None)

    def _retry(self, station: Station, link: Link, intent: Intent, error: Transient, fresh: bool) -> None:
        """An answer that may have acted, or no answer at all: read first, then repeat if it did not land (R17).

        The answer to a second sending says nothing of the first, which may still land.
        """
        intent.answered = error.answered and fresh
        self.book.keep_intent(intent)
        if isinstance(error, RateLimited):
            if fresh:
                self._strike(intent)
            station.fail(str(error), self.book, retry_after=error.retry_after)
            return
        if error.answered:
            self._limits[station.binding.host] = 1
            self._answers[link.id] = str(error)
            station.troubles += 1
            if station.troubles >= TROUBLES:
                station.fail(str(error), self.book)
        if not error.answered:
            station.lost(str(error), self.book)
            self._attempts[link.id] = ATTEMPTS + 1
            return
        station.unsettled = True
        if intent.kind != "create":
            self._read_again(station, link, intent)
        elif station.abilities.client_ids:
            probes.resolve_by_id(station, intent)

    def _read_again(self, station: Station, link: Link, intent: Intent | None) -> None:
        """Ask what the record is now and take it in; an answered intent is settled by that."""
        try:
            answer = station.connector.probe(Ref(station.binding.host, link.native_id, link.born))
        except PlatformError as problem:
            station.lost(str(problem), self.book)
            return
        probes.take_probe(station, link, answer)
        if intent is not None and intent.answered:
            self._strike(intent)

    def _refuse(self, station: Station, link: Link, operation: Operation, error: PlatformError) -> None:
        match error:
            case VersionMismatch(record=Record(problem="") as record):
                intake.take_record(station, link, record)
            case VersionMismatch(record=Record() as record):
                intake.take_problem(station, link, record)
            case PreconditionFailed() if operation.kind != "create":
                self._read_again(station, link, None)
            case Forbidden() if not self._all_forbidden(station):
                self._reject(station, link, operation, str(error))
            case Unauthorized() | NotACollection():
                station.fail(str(error), self.book)
            case Rejected() | NotFound() | VersionMismatch():
                self._reject(station, link, operation, str(error))
            case _:
                station.fail(str(error), self.book)

    def _all_forbidden(self, station: Station) -> bool:
        """Whether it is the account's rights, and not one record's, that writes are refused for (R27)."""
        station.forbidden += 1
        return station.forbidden >= FORBIDDEN

    def _reject(self, station: Station, link: Link, operation: Operation, reason: str) -> None:
        """One bad value must not keep the others back: what was refused together is tried field by field (R27)."""
        fields = {field_of(cell).name for cell in operation.cells}
        if operation.kind == "update" and len(fields) > 1 and link.id not in station.singly:
            station.singly.add(link.id)
            self._attempts[link.id] = ATTEMPTS - len(fields) - 1
            return
        self.park(station, link, [""] if operation.kind != "update" else list(operation.cells), reason)

    def park(self, station: Station, link: Link, cells: Iterable[str], reason: str) -> None:
        """Leave cells of a link alone, with a reason, until the service tries again or a person does (R27)."""
        for cell in cells:
            tries = link.parked[cell].tries + 1 if cell in link.parked else 1
            pause = BACK_OFF[min(tries, len(BACK_OFF)) - 1]
            link.parked[cell] = Parked(reason, station.now, tries, station.now + pause)
            station.tried.add((link.id, cell))
            if cell:
                item = self.book.item(link.item)
                link.offered[cell] = max(link.offered.get(cell, item.key(cell)), item.key(cell))
        self.book.keep_link(link)

    def _strike(self, intent: Intent) -> None:
        intent.open = False
        self.book.keep_intent(intent)
