"""Pulling and taking in one connector (steps 1 to 3 of a pass), and pairing what has no item yet (R16).

`pull` only talks to the platform and may run beside other pulls. `take_in` only thinks and books; its caller
commits once, so that a connector is taken in whole or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from bridge import chronicle, intake, release, written
from bridge.probes import DAY, resolve_by_id, take_claim, take_probe, thaw
from bridge.state import NEVER, Binding, Intent, Link, LinkState, Store, Unlinked
from bridge.station import MARK, Station
from connectors.base import Alive, Changes, Connector, Record, Ref
from connectors.errors import CursorExpired, PlatformError
from mappings.canonical import normal

SWEEP_VERSIONS = DAY
SWEEP_CONTENTS = 7 * DAY
"""Every platform is swept: all ids and versions daily, all contents weekly (R6)."""

QUARANTINE = 150
"""Seconds after sending in which a request without an answer may still land: longer than any time-out (R17)."""

MANY = 10
"""Missing records from which on a listing that is proven wrong is not asked about one by one."""

GRAIN = 2
"""Seconds by which a platform's idea of when a record was created may be off."""


class Versions(Mapping[str, str]):
    """Versions that the ledger holds, looked up only if the connector asks."""

    def __init__(self, store: Store, connector: str, since_run: int | None) -> None:
        self._store, self._connector, self._since = store, connector, since_run
        self._found: dict[str, str] | None = None

    def _load(self) -> dict[str, str]:
        if self._found is None:
            if self._since is None:
                self._found = self._store.live_refs(self._connector)
            else:
                self._found = self._store.versions_written(self._connector, self._since)
        return self._found

    def __getitem__(self, native_id: str) -> str:
        return self._load()[native_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._load())

    def __len__(self) -> int:
        return len(self._load())


def pull(connector: Connector, binding: Binding, store: Store, now: int) -> tuple[Changes, bool]:
    """What changed since the cursor; a sweep of versions or contents when it is time for one (R6).

    Also tells whether all contents were read, whatever the versions say.
    """
    whole = now - binding.read_whole_at >= SWEEP_CONTENTS
    sweep = whole or now - binding.swept_at >= SWEEP_VERSIONS
    cursor = None if sweep else binding.cursor
    known: Mapping[str, str] = {}
    if not whole:
        known = Versions(store, binding.id, None if cursor is None else binding.complete_run)
    try:
        return connector.pull(cursor, known), whole
    except CursorExpired:
        return connector.pull(None, Versions(store, binding.id, None)), False


# ---- one connector ----------------------------------------------------------------------------------------------


class WentBack(Exception):
    """The platform went back in time: a restored backup, until a person says which side is right (R5)."""


class ForeignBridge(Exception):
    """Records bear the marks of another ledger, or of a newer state of this one (R30, R33)."""


def take_in(station: Station, changes: Changes, *, accepted: bool) -> int:
    """Take in what a pull found. Returns how many records went back in time.

    ``accepted``: a person said that the ledger is right where the platform went back; else WentBack is raised.
    """
    book, binding = station.book, station.binding
    station.absorb(changes.options)
    records = list({record.ref.native_id: record for record in changes.records}.values())
    book.load_records(station.id, [record.ref.native_id for record in records])
    _refuse_foreign(station, records)
    old = _regressed(station, records)
    if old and not accepted:
        raise WentBack(len(old))
    station.whole = changes.whole
    for record in records:
        _take(station, record, silent=record.ref.native_id in old)
    station.pulled += len(records)
    if changes.whole:
        station.read_records |= changes.present
    if changes.complete:
        _take_absent(station, {record.ref.native_id for record in records} | changes.present)
        binding.swept_at = station.now
    resolve(station)
    binding.cursor = changes.cursor
    book.keep_binding(binding)
    return len(old)


def _regressed(station: Station, records: Iterable[Record]) -> set[str]:
    """Records that changed and are older than what was last read of them (R5); a few may be, many may not."""
    old = set()
    for record in records:
        link = station.book.link_at(station.id, record.ref.native_id)
        if link is None or link.state is not LinkState.LIVE or record.fields is None or record.modified_at is None:
            continue
        if int(record.modified_at) < link.modified_at and record.fields != link.shadow and not record.problem:
            old.add(record.ref.native_id)
    return old if len(old) > max(3, station.binding.count // 100) else set()


def _take(station: Station, record: Record, *, silent: bool) -> None:
    book = station.book
    link = book.link_at(station.id, record.ref.native_id)
    if link is not None and link.born != record.ref.born:
        if release.is_released(link):
            release.forget_gone(station, link)
        elif link.state is not LinkState.RETIRED:
            intake.take_delete(station, link)  # the platform used the id again: the old record is proven gone (R16)
        link = None
    if record.fields is None:
        _take_tombstone(station, record, link)
    elif link is not None and release.is_released(link):
        release.knock(station, link, record)
    elif record.problem:
        _take_problem(station, record, link)
    elif link is None:
        intake.wait(station, record)
    elif link.state is LinkState.RETIRED:
        _take_returned(station, record, link)
    elif link.state is LinkState.LIVE and _unchanged(link, record):
        station.read_records.add(record.ref.native_id)
    else:
        thaw(station, link)
        intake.take_record(station, link, record, silent=silent)


def _unchanged(link: Link, record: Record) -> bool:
    return (link.version, link.shadow) == (record.version, record.fields) and "" not in link.parked


def _take_tombstone(station: Station, record: Record, link: Link | None) -> None:
    """A tombstone is a claim: ask (R21)."""
    native_id = record.ref.native_id
    if link is None:
        station.book.drop_unlinked(station.id, native_id)
        for intent in station.book.intents(station.id):
            ours = intent.id == record.mark or station.connector.id_of(intent.id) == native_id
            if intent.kind == "create" and ours:
                take_claim(station, intent, record.ref)
    elif link.state is not LinkState.RETIRED:
        ask(station, link)
    else:
        station.book.drop_unlinked(station.id, native_id)  # it was back, waited for a person, and is gone again


def _take_problem(station: Station, record: Record, link: Link | None) -> None:
    """A record that cannot be read is parked alone; it is not gone (R27)."""
    station.read_records.add(record.ref.native_id)
    if link is None:
        intake.wait(station, record)
    else:
        intake.take_problem(station, link, record)


def _take_returned(station: Station, record: Record, link: Link) -> None:
    """A record that was proven gone is listed again: restored by people, if a probe says so (R20, R22)."""
    try:
        answer = station.connector.probe(record.ref)
    except PlatformError:
        return
    if not isinstance(answer, Alive) or answer.record.problem:
        return
    book = station.book
    rival = book.link_of(link.item, station.id)
    if rival is not None and rival.state is not LinkState.WANTED:
        intake.wait(
            station,
            answer.record,
            "it is back, and the task has another record here: delete one of the two",
        )
        return
    if rival is not None:
        rival.state = LinkState.RETIRED
        rival.dirty = False
        book.keep_link(rival)
    if release.take_restored(station, link, answer.record):
        return
    item = book.item(link.item)
    if _landed_late(station, answer.record):
        link.state, link.archived = LinkState.LIVE, False
        book.drop_unlinked(station.id, link.native_id)
        link.shadow = dict(answer.record.fields or {})
        intake.take_record(station, link, answer.record)
        book.touch(item)
        return
    if item.dead and link.archived and station.translator.is_archived(answer.record.fields or {}):
        link.state = LinkState.LIVE  # out of the trash it is back in the archive, and nobody has reopened anything
        book.drop_unlinked(station.id, link.native_id)
        intake.take_record(station, link, answer.record)
        return
    was_dead = item.dead
    item.life_key = max(item.life_key, station.key(record.modified_at, record.ref.native_id))
    if item.dead:
        item.life_key = item.life_key._replace(time=max(s.get("life", NEVER).time for s in item.deletes) + 1)
    link.state, link.archived = LinkState.LIVE, False
    book.drop_unlinked(station.id, link.native_id)
    if was_dead:
        chronicle.journal(station, item, "life", "deleted", "live", "edit", "restored there (R22)")
        intake.revive(book, item)
    book.touch(item)
    intake.take_record(station, link, answer.record)


def _landed_late(station: Station, record: Record) -> bool:
    """Whether a record that was deleted is back because our own create landed a second time (R17)."""
    for intent in station.book.intents(station.id):
        if intent.kind == "create" and station.connector.id_of(intent.id) == record.ref.native_id:
            return intake.is_as_sent(station, {**station.abilities.defaults, **intent.sent}, record)
    return False


def _take_absent(station: Station, present: set[str]) -> None:
    """Who is missing from a whole listing may be gone; only a probe proves it (R21).

    A listing that left out a living record was not whole: nothing is created by it, and if it left out many, it
    proves nothing about the others.
    """
    book = station.book
    missing = sorted(book.store.live_refs(station.id).keys() - present)
    book.load_records(station.id, missing)
    for native_id in missing:
        link = book.link_at(station.id, native_id)
        if link is None or link.state is not LinkState.LIVE:
            continue
        ask(station, link)
        if native_id in station.read_records:
            station.whole = False
            if len(missing) > MANY:
                break
    _ask_again(station, present)
    for waiting in list(book.unlinked(station.id)):
        if waiting.native_id not in present:
            _forget_if_gone(station, waiting)


def _ask_again(station: Station, present: set[str]) -> None:
    """Ask a second time, a day later, for what may have been deleted, where nothing proves that (R21)."""
    frozen = station.book.store.links_frozen(station.id)
    unseen = [one.native_id for one in frozen if one.unseen and one.native_id not in present]
    station.book.load_records(station.id, unseen)
    for native_id in unseen:
        link = station.book.link_at(station.id, native_id)
        if link is not None and link.state is LinkState.FROZEN and station.now - link.unseen >= DAY:
            ask(station, link)


def _forget_if_gone(station: Station, waiting: Unlinked) -> None:
    try:
        answer = station.connector.probe(waiting.record.ref)
    except PlatformError:
        return
    if not isinstance(answer, Alive):
        station.book.drop_unlinked(station.id, waiting.native_id)
    elif answer.record.version != waiting.record.version:
        intake.wait(station, answer.record)  # a listing that left it out may have hidden a change of it, too


def ask(station: Station, link: Link) -> None:
    """Ask what became of a record, and take in the answer; no answer proves nothing."""
    try:
        answer = station.connector.probe(Ref(station.binding.host, link.native_id, link.born))
    except PlatformError as error:
        station.lost(str(error), station.book)
        return
    take_probe(station, link, answer)


# ---- open intents (R17) -----------------------------------------------------------------------------------------


def resolve(station: Station) -> None:
    """Find out, one to one, what became of operations whose answer was lost."""
    intents = station.book.intents(station.id)
    for intent in intents:
        if intent.kind == "create":
            _resolve_create(station, intent)
        else:
            _resolve_update(station, intent)


def _resolve_update(station: Station, intent: Intent) -> None:
    """An update ends with a read of its record after the quarantine, never by time alone."""
    link = station.book.link_at(station.id, intent.record)
    over = intent.answered or station.now - intent.at > QUARANTINE
    if link is None or link.state is LinkState.RETIRED:
        intent.open = False
    elif over:
        silences = station.silences
        ask(station, link)
        intent.open = station.silences > silences or ("" in link.parked and bool(link.problem))
    station.book.keep_intent(intent)


def _resolve_create(station: Station, intent: Intent) -> None:
    book, abilities = station.book, station.abilities
    if any(link.id == intent.link and link.native_id for link in book.links_of(intent.item)):
        intent.open = station.now - intent.at <= QUARANTINE  # its record was found, by a second sending
        book.keep_intent(intent)
        return
    found = _marked(station, intent)
    if found is None and not (abilities.client_ids or abilities.marks):
        found = _own(station, intent)
    if found is not None:
        written.adopt(station, intent, found.record, at_once=False)
    elif abilities.client_ids:
        resolve_by_id(station, intent)
    elif station.whole and (intent.answered or station.now - intent.at > QUARANTINE) and not _suspects(station, intent):
        intent.open = False
        book.keep_intent(intent)


def _marked(station: Station, intent: Intent) -> Unlinked | None:
    native_id = station.connector.id_of(intent.id)
    for waiting in station.book.unlinked(station.id):
        if waiting.record.mark == intent.id or (native_id and waiting.native_id == native_id):
            return waiting
    return None


def _suspects(station: Station, intent: Intent) -> list[Unlinked]:
    """Records of our own account, made since the intent, that nothing explains yet."""
    return [
        waiting
        for waiting in station.book.unlinked(station.id)
        if waiting.record.own
        and not waiting.record.problem
        and (waiting.record.created_at is None or station.local(waiting.record.created_at) >= intent.at - GRAIN)
    ]


def _own(station: Station, intent: Intent) -> Unlinked | None:
    """The record that a lost create left: "as shown" only chooses among several (R17)."""
    kind = station.book.item(intent.item).kind  # it was sent with the create
    rivals = [i for i in station.book.intents(station.id) if i.kind == "create" and i is not intent]
    suspects = [
        one
        for one in _suspects(station, intent)
        if one.kind == kind and (_as_sent(station, intent, one) or not any(_as_sent(station, i, one) for i in rivals))
    ]
    title = normal(station.translator.title(intent.sent))
    titled = sorted((s for s in suspects if normal(s.title) == title), key=lambda s: s.native_id)
    exact = [one for one in titled if _as_sent(station, intent, one)] or titled
    alike = [i for i in rivals if dict(i.sent) == dict(intent.sent)]
    if exact and (len(exact) == 1 or len(exact) <= len(alike) + 1):
        return exact[0]
    return suspects[0] if len(suspects) == 1 and not rivals else None


def _as_sent(station: Station, intent: Intent, suspect: Unlinked) -> bool:
    return intake.is_as_sent(station, {**station.abilities.defaults, **intent.sent}, suspect.record)


# ---- another bridge (R30, R33) ----------------------------------------------------------------------------------


def _refuse_foreign(station: Station, records: Iterable[Record]) -> None:
    """A mark that this ledger did not write: another bridge is at work, or this ledger is yesterday's."""
    if not station.binding.complete_run:
        return  # first contact: a person looks at what is there
    book = station.book
    expected = {intent.id for intent in book.intents()}
    marked = [one for one in records if one.mark.startswith(MARK) and one.fields is not None]
    strange = [one for one in marked if one.mark not in expected and not _is_met(station, one.ref.native_id)]
    for binding in book.bindings if strange else ():  # it may have come from another collection of ours
        book.load_records(binding, [one.ref.native_id for one in strange])
    for record in strange:
        if not any(book.link_at(binding, record.ref.native_id) for binding in book.bindings):
            raise ForeignBridge(record.mark)


def _is_met(station: Station, native_id: str) -> bool:
    """Whether a record is known here, with an item or without one: also what a first contact met is no stranger."""
    known = station.book.link_at(station.id, native_id) or station.book.unlinked_at(station.id, native_id)
    return known is not None
