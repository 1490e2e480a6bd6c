"""How a platform behaves: versions, stale writes, deltas, deleting, listings, clocks. Answers are facts, not lines.

An answer is a word of the table ``passport.answer`` in `bridge.texts`, a number, or a sentence of a connector.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

from bridge.passport.bench import Bench, Made
from bridge.passport.measure import failed
from bridge.passport.report import Fact, Line, Passport, Verdict
from connectors.base import Fields, HasTraffic, Record
from connectors.errors import NotFound, VersionMismatch

YES, NO, UNKNOWN = "yes", "no", "unknown"


def behave(bench: Bench, passport: Passport, records: int) -> None:
    """Every manner, into the passport. One that fails says so; lost access ends the whole."""
    steps: dict[str, Iterator[tuple[str, Fact]]] = {
        "declared": _declared(bench),
        "versions": _versions(bench),
        "stale": _stale(bench),
        "created": _created(bench),
        "listing": _listing(bench, records),
        "deleted": _deleted(bench),
        "clock": _clock(bench),
    }
    for name, step in steps.items():
        try:
            passport.facts.update(step)
        except Exception as error:
            passport.lines.append(Line("manners", "", name, None, Verdict.FAILED, (), failed(error)[2]))


def _declared(bench: Bench) -> Iterator[tuple[str, Fact]]:
    abilities = bench.connector.abilities
    yield "conditional", YES if abilities.conditional else NO
    yield "client_ids", YES if abilities.client_ids else NO
    yield "writes", abilities.writes


def _title(bench: Bench, text: str) -> Fields:
    return {bench.translator.title_native: bench.title(text)}


def _versions(bench: Bench) -> Iterator[tuple[str, Fact]]:
    """Three writes at once have three versions; a read has none of its own; a pull sees what changed."""
    made = bench.make("Fassungen")
    before = bench.patiently(lambda: bench.connector.pull(None, {}))
    versions = [made.record.version]
    for number in range(3):
        made.record = _put(bench, made, f"Fassung {number}")
        versions.append(made.record.version)
    yield "versions_change", YES if len(set(versions)) == len(versions) else NO
    bench.read(made)
    yield "versions_rest", YES if made.record.version == versions[-1] else NO
    known = {record.ref.native_id: record.version for record in before.records}
    after = bench.patiently(lambda: bench.connector.pull(before.cursor, known))
    yield "pull", "delta" if after.delta else "whole" if after.complete else UNKNOWN
    yield "pull_sees", YES if made.item in {record.ref.native_id for record in after.records} else NO


def _put(bench: Bench, made: Made, text: str) -> Record:
    fields = _title(bench, text)
    return bench.patiently(lambda: bench.connector.update(made.record.ref, fields, made.record.version))


def _stale(bench: Bench) -> Iterator[tuple[str, Fact]]:
    """Somebody else writes; then we write and delete what we had read before."""
    made = bench.make("Veraltet")
    bench.read(made)
    old = made.record
    bench.patiently(lambda: bench.other.probe(old.ref))
    newer = bench.patiently(lambda: bench.other.update(old.ref, _title(bench, "von anderen"), old.version))
    made.record = newer
    acts: dict[str, Callable[[], object]] = {
        "stale_write": lambda: bench.connector.update(old.ref, _title(bench, "von uns"), old.version),
        "stale_delete": lambda: bench.connector.delete(old.ref, old.version),
    }
    for question, act in acts.items():
        try:
            bench.patiently(act)
        except VersionMismatch:
            yield question, "refused"
        else:
            yield question, "let_through"
    try:
        bench.read(made)
        title = bench.translator.title(made.fields)
        yield "other_edit", YES if title == bench.title("von anderen") else NO
    except NotFound:
        yield "other_edit", NO


def _created(bench: Bench) -> Iterator[tuple[str, Fact]]:
    """What a new record tells of itself, and whether the same mark twice makes one."""
    mark = f"passport-{uuid.uuid4()}"
    made = bench.make("Neu", mark=mark)
    record = made.record
    yield "own", UNKNOWN if record.own is None else YES if record.own else NO
    yield "created_at", YES if record.created_at is not None else NO
    yield "modified_at", YES if record.modified_at is not None else NO
    yield "mark", YES if record.mark == mark else NO
    if bench.connector.abilities.client_ids:
        again = bench.connector.create(_title(bench, "Neu"), mark)
        yield "same_mark", "one" if again.ref == record.ref else "two"


def _listing(bench: Bench, records: int) -> Iterator[tuple[str, Fact]]:
    """A listing has all of so many records, however it is cut into pages."""
    for number in range(records):
        bench.make(f"Seite {number + 1}")
    changes = bench.patiently(lambda: bench.connector.pull(None, {}))
    ours = {made.item for made in bench.made}
    yield "listed", len(changes.records)
    yield "listing", "whole" if changes.complete and ours <= changes.present else NO


def _deleted(bench: Bench) -> Iterator[tuple[str, Fact]]:
    """What a probe says of a deleted record, and whether listings still have it."""
    made = bench.make("Gelöscht")
    before = bench.patiently(lambda: bench.connector.pull(None, {}))
    bench.read(made)
    bench.patiently(lambda: bench.connector.delete(made.record.ref, made.record.version))
    yield "deleted", type(bench.probe(made)).__name__.lower()
    known = {record.ref.native_id: record.version for record in before.records}
    after = bench.patiently(lambda: bench.connector.pull(before.cursor, known))
    tombs = {record.ref.native_id for record in after.records if record.fields is None}
    told = made.item in tombs or (after.complete and made.item not in after.present)
    yield "deletion_told", YES if told else NO


def _clock(bench: Bench) -> Iterator[tuple[str, Fact]]:
    """How far the server's clock is ahead of ours."""
    if isinstance(bench.connector, HasTraffic) and bench.connector.clock is not None:
        low, high = bench.connector.clock
        yield "clock", f"{low:+.1f} … {high:+.1f} s"
    else:
        yield "clock", UNKNOWN


def traffic(bench: Bench) -> Fact:
    """Requests sent so far, those of the second connector included."""
    both = [one.requests for one in (bench.connector, bench.other) if isinstance(one, HasTraffic)]
    return sum(both) if both else UNKNOWN
