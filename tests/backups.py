"""Yesterday's backups, of servers and of the ledger, and what a pass makes of them (R5, R33).

`bring_back` restores a server, and demands that a pass takes nothing in from it and writes nothing there until a
person agrees. `try_old_ledger` demands the same of a ledger that does not know what was made since; afterwards all
is as it was, so that a history goes on undisturbed.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

from bridge.memory_store import MemoryStore
from bridge.reading import SWEEP_VERSIONS
from bridge.state import LinkState
from bridge.station import MARK
from connectors.memory_platform import MemoryPlatform
from tests.world import World

FEW = 3
"""So many records may be older than they were; more of them, and the server went back in time (R5)."""


@dataclass(frozen=True)
class Backup:
    """A server as it was, and whose edits its records carried."""

    platform: MemoryPlatform
    carried: dict[tuple[str, str], dict[str, frozenset[int]]]


def keep(world: World, name: str) -> Backup:
    """Back up a server."""
    carried = {key: dict(marks) for key, marks in world.provenance.carried.items() if key[0] == name}
    return Backup(world.platforms[name].backup(), carried)


def _older(world: World, name: str, backup: Backup) -> int:
    """How many records would be older, and different, than what was last read of them."""
    found, lie = 0, world.platforms[name].time_lie
    for link in world.links(name):
        entry = backup.platform.entries.get(link.native_id)
        if link.state is LinkState.LIVE and entry is not None and entry.here and not entry.problem:
            found += int(entry.modified_at + lie) < link.modified_at and entry.fields != link.shadow
    return found


def _put_back(world: World, name: str, backup: Backup) -> None:
    world.platforms[name].restored(backup.platform)
    carried = world.provenance.carried
    for key in [key for key in carried if key[0] == name]:
        del carried[key]
    carried.update({key: dict(marks) for key, marks in backup.carried.items()})


def bring_back(world: World, name: str, backup: Backup) -> None:
    """The server is restored from its backup, if that can be noticed: first nobody agrees, then somebody does.

    A platform whose cursor was taken before the backup tells of nothing until its next sweep: a day goes by (R6).
    """
    if name in world.left_alone or _older(world, name, backup) <= FEW:
        return
    _put_back(world, name, backup)
    platform = world.platforms[name]
    for other in world.platforms.values():
        other.behave()
    world.passes(SWEEP_VERSIONS)
    before, picture, told = platform.writes, world.picture()[name], len(world.store.journal())
    outcome = world.sync(accept=False)
    assert outcome.exit_code == 3, "nobody was asked about a restored server (R5)"
    assert (platform.writes, world.picture()[name]) == (before, picture), "a restored server was written to (R5)"
    taken = [one for one in world.store.journal()[told:] if (one.act, one.connector) == ("edit", name)]
    assert not taken, f"from a restored server was taken: {taken[0]} (R5)"
    world.sync()


def try_old_ledger(world: World, ledger: MemoryStore) -> None:
    """A pass with a ledger of yesterday, if a mark says that it is one: it sends nothing to where the mark is."""
    marked = {name for name in world.seats if _has_younger_mark(world, name, ledger)}
    if not marked:
        return
    kept = {name: keep(world, name) for name in world.platforms}
    provenance, store = copy.deepcopy({k: v for k, v in vars(world.provenance).items() if k != "world"}), world.store
    for platform in world.platforms.values():
        platform.behave()
    world.restores(ledger)
    doubled = _doubled(world)
    for accept in (False, True):
        before = {name: world.platforms[name].writes for name in marked}
        outcome = world.sync(accept=accept)
        assert before == {name: world.platforms[name].writes for name in marked}, "an old ledger wrote (R33)"
        assert all(outcome.connectors[name].error for name in marked), "an old ledger was not noticed (R33)"
    assert _doubled(world) <= doubled, f"an old ledger doubled {sorted(_doubled(world) - doubled)} (R33)"
    world.store = store
    vars(world.provenance).update(provenance)
    for name, backup in kept.items():
        _put_back(world, name, backup)


def _doubled(world: World) -> set[tuple[str, str]]:
    """Tasks that have more than one record on a platform."""
    tag = world.provenance.tag
    living = [(name, tag(name, e.id)) for name, one in world.platforms.items() for e in one.entries.values() if e.here]
    return {place for place in living if living.count(place) > 1}


def _has_younger_mark(world: World, name: str, ledger: MemoryStore) -> bool:
    """Whether a record bears a mark of ours that the old ledger never gave, and will be read by its next pass."""
    platform = world.platforms[name]
    bindings = [one for one in ledger.bindings() if one.collection == name and one.complete_run]
    if not bindings or not platform.traits.marks or platform.down:
        return False
    given = {intent.id for intent in ledger.intents_open()}
    young = [e for e in platform.entries.values() if e.here and e.mark.startswith(MARK) and e.mark not in given]
    every = [one.id for one in ledger.bindings()]
    return any(not any(ledger.links_by_record(one, [entry.id]) for one in every) for entry in young)
