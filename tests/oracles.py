"""What must hold when people have stopped and the bridge has come to rest, judged from outside.

`faults` returns sentences about a `World`; none is good. Exceptions are the ones that the specification names:
what was put back before it was read, what equals an unanswered write, what was made on a record deleted before it
was read, what a conflict has kept, and what is listed as refused, pending, parked or frozen.
"""

from __future__ import annotations

from collections.abc import Iterator

from bridge.state import LIFE, NEVER, Conflict, Item, Link, LinkState
from connectors.memory_platform import GONE, Entry
from mappings.canonical import normal
from tests.borders import belongs
from tests.provenance import REFERENCES, SINGLE, Death, Edit, field_of
from tests.world import World

CELLS = tuple(cell for cell in SINGLE if cell != "title")
DEFAULTS = {"status": "planned", "visibility": "internal"}
"""What a record says that was made with nothing: nobody needs to have said it."""


def faults(world: World) -> list[str]:
    """Everything that is wrong, each said once."""
    checks = (diverging, missing, stray, foreign, duplicates, reverted, lost_edits, accidental_deaths, resurrections)
    return sorted({fault for check in checks for fault in check(world)})


def exceptions(world: World) -> dict[str, object]:
    """What is listed as not clean, in words that do not change while nothing happens."""
    listed: dict[str, object] = {}
    for name in world.platforms:
        for link in world.links(name):
            memos = {cell: (memo.wanted, memo.refused) for cell, memo in link.memo.items()}
            parked = {cell: parked.reason for cell, parked in link.parked.items()}
            if memos or parked or link.pending or link.waits_for or link.state is LinkState.FROZEN:
                where = f"{name} {link.native_id or link.item}"
                listed[where] = (link.state.value, memos, parked, sorted(link.pending), sorted(link.waits_for))
    for waiting in world.store.unlinked():
        listed[f"{world.name_of(waiting.connector)} {waiting.native_id} waits"] = waiting.reason
    return listed


# ---- convergence ------------------------------------------------------------------------------------------------


def diverging(world: World) -> Iterator[str]:
    """Every live link shows the agreed values, but for what is listed."""
    items = {item.id: item for item in world.store.all_items()}
    for name, platform in world.platforms.items():
        for link in world.links(name):
            entry = platform.entries.get(link.native_id)
            if link.state is not LinkState.LIVE or entry is None or name in world.left_alone:
                continue
            if entry.place == GONE:
                yield f"{name} {link.native_id} is gone and its link lives"
            elif entry.here:
                yield from _divergence(world, name, link, items[link.item], entry)


def _divergence(world: World, name: str, link: Link, item: Item, entry: Entry) -> Iterator[str]:
    if entry.problem and "" in link.parked:
        return  # it cannot be read, and that is listed (R27)
    archived = bool(entry.fields["archived"])
    by_people = archived and not link.archived
    if archived != item.dead and not by_people and LIFE not in link.memo:
        yield f"{name} {entry.id} is {'' if archived else 'not '}archived, its item {'dead' if item.dead else 'lives'}"
    if item.dead or "" in link.parked:
        return
    if not world.platforms[name].traits.squeezes and not {"title"} & {*link.parked, *link.memo}:
        spelled = str(entry.fields["title"]).strip()
        if spelled != item.title and spelled.split() == item.title.split():
            yield f"{name} {entry.id} is called {spelled!r}, agreed is {item.title!r}"
    shown = world.provenance.cells(name, entry.fields)
    for cell in sorted({*shown, *_agreed_cells(world, item)}):
        if _is_refused(world, link, cell) or cell in entry.locked or field_of(cell) in world.lacks(name):
            continue
        if cell.partition(":")[0] in ("parent", "milestone", "depends_on") and (link.pending or link.waits_for):
            continue
        if ":" not in cell and item.key(cell) == NEVER:
            continue
        if cell in REFERENCES and _dangles(world, name, entry.fields[cell]):
            yield f"{name} {entry.id} has a {cell} that is deleted, and there is another record of it"
        if cell == "completed_on" and item.value(cell) is None and _shows_done(world, name, entry):
            continue  # nobody said on which day; any day goes with done (ADR 0004)
        said = next((shown[one] for one in world.provenance.names_of(cell) if one in shown), None)
        if not world.provenance.agreed(item, cell) & world.provenance.may_mean(name, cell, said):
            agreed = sorted(map(str, world.provenance.agreed(item, cell)))
            yield f"{name} {entry.id} shows {cell} {said!r}, agreed is {agreed}"


def _is_refused(world: World, link: Link, cell: str) -> bool:
    """Whether a cell is listed as left alone there."""
    listed = {*link.parked, *(name for name, memo in link.memo.items() if memo.refused)}
    return any(cell in _names_of(world, name) for name in listed) or (
        cell.startswith("line:") and "description" in listed
    )


def _dangles(world: World, name: str, target: object) -> bool:
    """Whether a reference points to a deleted record of a task that has a living one there."""
    entry = world.platforms[name].entries.get(str(target))
    return bool(entry and entry.place == GONE and world.records(name, world.provenance.tag(name, entry.id)))


def _shows_done(world: World, name: str, entry: Entry) -> bool:
    return "done" in world.provenance.may_mean(name, "status", entry.fields.get("status"))


def _agreed_cells(world: World, item: Item) -> set[str]:
    cells = {cell for cell, base in item.cells.items() if cell.startswith("labels:") and base.value is not None}
    for cell, base in item.cells.items():
        if cell.startswith("depends_on:") and base.value is not None:
            cells |= {f"depends_on:{tag}" for tag in sorted(world.provenance.tags_of(str(base.value)))[:1]}
    return cells | {f"line:{line}" for line in str(item.value("description") or "").split("\n") if line}


def missing(world: World) -> Iterator[str]:
    """Every living item has a record where it belongs, and every record an item, but for what waits with a reason."""
    ambiguous = {(world.name_of(one.connector), normal(one.title)) for one in world.store.unlinked() if one.reason}
    for item in world.store.all_items():
        if item.dead:
            continue
        links = world.store.links_of([item.id])
        for name in world.platforms.keys() - world.left_alone:
            own = [one for one in links if world.name_of(one.connector) == name]
            listed = any((one.state is LinkState.FROZEN and not one.released) or one.parked for one in own)
            listed |= not belongs(world, name, item)
            there = any(one.state is LinkState.LIVE for one in own)
            if not there and not listed and (name, normal(item.title)) not in ambiguous:
                yield f"{item.title!r} has no record on {name}"
    for waiting in world.store.unlinked():
        if not (waiting.reason or waiting.outside) and world.name_of(waiting.connector) not in world.resting:
            yield f"{world.name_of(waiting.connector)} {waiting.native_id} waits without a reason"


def stray(world: World) -> Iterator[str]:
    """No living item is mirrored where it does not belong, but for what could not be let go of, with a reason."""
    for item in world.store.all_items():
        for link in world.store.links_of([item.id]):
            name = world.name_of(link.connector)
            shown = link.state is LinkState.LIVE and not item.dead and name not in world.resting
            if shown and "" not in link.parked and not belongs(world, name, item):
                yield f"{item.title!r} is mirrored on {name}, where it does not belong"
    yield from sorted(world.provenance.leaks)


def duplicates(world: World) -> Iterator[str]:
    """At most one record per item in a collection, and one living item per task."""
    living = [tag for item in world.store.all_items() if not item.dead for tag in world.provenance.tags_of(item.id)]
    for tag in sorted({tag for tag in living if living.count(tag) > 1}):
        yield f"{tag} became {living.count(tag)} items"
    for name, platform in world.platforms.items():
        links = {one.native_id: one.item for one in world.links(name) if one.state is not LinkState.RETIRED}
        owners = [
            links.get(entry.id, world.provenance.tag(name, entry.id))
            for entry in platform.entries.values()
            if entry.place != GONE and (entry.ours or entry.id in links) and (entry.here or entry.id in links)
        ]
        for owner in sorted({owner for owner in owners if owners.count(owner) > 1}):
            yield f"{owner} has {owners.count(owner)} records on {name}"


# ---- values -----------------------------------------------------------------------------------------------------


def foreign(world: World) -> Iterator[str]:
    """An edit changes nothing else: every agreed value was said by somebody, in this field of this task."""
    for item in world.store.all_items():
        if item.dead:
            continue
        tags = world.provenance.tags_of(item.id)
        for cell in sorted({*(c for c in ("title", *CELLS) if item.key(c) != NEVER), *_agreed_cells(world, item)}):
            agreed = world.provenance.agreed(item, cell)
            if agreed & {DEFAULTS.get(cell)} or _follows(world, item, cell):
                continue
            if not world.provenance.alike(tags, cell, agreed):
                yield f"{cell} of {item.title!r} is {sorted(map(str, agreed))}, and nobody said so"
        spelled = {
            str(edit.native).strip() for edit in world.provenance.list if edit.cell == "title" and edit.tag in tags
        }
        if item.title not in spelled:
            yield f"nobody spelled it {item.title!r}"
        lines = [line for line in str(item.value("description") or "").split("\n") if line]
        if len(set(lines)) != len(lines):
            yield f"a line of {item.title!r} was doubled"


def _follows(world: World, item: Item, cell: str) -> bool:
    """Whether a cell has its value by another one: its group decided (R12), or a circle was broken (R13)."""
    told = [one for one in world.store.journal(item.id) if one.cell == cell and one.why.endswith(("(R12)", "(R13)"))]
    return any(one.after == item.value(cell) for one in told)


def lost_edits(world: World) -> Iterator[str]:
    """Every value that a pass read is there, or was overwritten by somebody who had seen it, or is kept as a loser."""
    provenance = world.provenance
    seen = provenance.closure(set().union(*(edit.seen | edit.perhaps for edit in provenance.list)))
    died = frozenset().union(*(death.shown for death in provenance.deaths))
    kept = frozenset(edit.number for edit in provenance.list if _is_kept(world, edit))
    accounted = seen | died | kept | _gave_way(world)
    for edit in provenance.list:
        if not edit.read or edit.noop or edit.echo or edit.silent or edit.number in accounted or _stands(world, edit):
            continue
        tags = provenance.kin(edit.tag)
        alike = provenance.alike(tags, edit.cell, edit.ok, read=False) - {edit.number}
        if alike & accounted or not _still_mirrored(world, edit) or _waits(world, edit):
            continue
        yield f"lost: {edit.cell} = {sorted(map(str, edit.ok))} of {edit.tag}, made on {edit.platform}"


def _gave_way(world: World) -> frozenset[int]:
    """Edits that gave way to another field of their group, by people who had been shown them (R12)."""
    told = {(one.item, one.cell) for one in world.store.journal() if one.why.endswith("(R12)")}
    cells = {(tag, cell) for item, cell in told for tag in world.provenance.tags_of(item)}
    edits = world.provenance.list
    shown = world.provenance.closure(set().union(*(edit.company for edit in edits if edit.read)) if edits else ())
    return frozenset(number for number in shown if (edits[number].tag, edits[number].cell) in cells)


def reverted(world: World) -> Iterator[str]:
    """The agreed value was said by somebody whom nobody overruled knowingly (R2): what was overruled stays so.

    Beyond reach is what was put back before it was read, or said on a record that was deleted or moved away before;
    and nobody knows whether people had seen a write that was not answered.
    """
    provenance = world.provenance
    died = frozenset().union(*(death.direct for death in provenance.deaths))
    for item in world.store.all_items():
        if item.dead:
            continue
        tags = provenance.tags_of(item.id)
        for cell in CELLS:
            said = [edit for edit in provenance.list if edit.cell == cell and edit.tag in tags]
            said = [edit for edit in said if edit.read]
            knew = [edit.carried for edit in said if not edit.unsure and not edit.noop and not edit.silent]
            past = provenance.closure(set().union(*knew), carried=True)
            newest = [edit for edit in said if edit.number not in past]
            agreed = provenance.agreed(item, cell)
            if any(edit.ok & agreed for edit in newest) or _follows(world, item, cell):
                continue
            newest = [edit for edit in newest if not edit.noop and not edit.silent]
            if newest and not any(_is_beyond(world, edit, died) for edit in newest):
                yield f"{cell} of {item.title!r} went back to {sorted(map(str, agreed))}"


def _is_beyond(world: World, edit: Edit, died: frozenset[int]) -> bool:
    return edit.number in died or _waits(world, edit) or not _still_mirrored(world, edit)


def _stands(world: World, edit: Edit) -> bool:
    return any(
        world.provenance.agreed(item, edit.cell) & edit.ok
        for item in world.store.all_items()
        if edit.tag in world.provenance.tags_of(item.id)
    )


def _still_mirrored(world: World, edit: Edit) -> bool:
    """Whether the record is in the collection, can be read and has a live link: else it is not taken in, but listed."""
    if edit.platform in world.resting:
        return False
    entry = world.platforms[edit.platform].entries.get(edit.record)
    link = world.provenance.link_at(edit.platform, edit.record)
    if entry is None or link is None or (entry.problem and "" in link.parked):
        return False
    return entry.place == GONE or (entry.here and link.state is LinkState.LIVE)


def _waits(world: World, edit: Edit) -> bool:
    """Whether a reference waits for a record that has no item, which is listed (R13)."""
    name, _, element = edit.cell.partition(":")
    link = world.provenance.link_at(edit.platform, edit.record)
    if link is None or name not in (*REFERENCES, "depends_on"):
        return False
    waits_for = {world.provenance.tag(edit.platform, native_id) for native_id in link.waits_for}
    return bool(waits_for & ({element} if element else edit.ok))


def _is_kept(world: World, edit: Edit) -> bool:
    field = "description" if edit.cell.startswith("line:") else edit.cell
    return any(
        field in _names_of(world, conflict.cell)
        and edit.tag in world.provenance.tags_of(conflict.item)
        and (field == "description" or conflict.loser.connector == edit.platform)
        and _lost_there(world, edit, conflict)
        for conflict in world.store.conflicts()
    )


def _names_of(world: World, cell: str) -> frozenset[str]:
    """A conflict's cell as edits call it: a dependency by the handles of the task that it is on."""
    field, _, element = cell.partition(":")
    tags = world.provenance.tags_of(element) if field == "depends_on" else frozenset()
    return frozenset(f"{field}:{tag}" for tag in tags) or frozenset({cell})


def _lost_there(world: World, edit: Edit, conflict: Conflict) -> bool:
    value = conflict.loser.value
    if edit.cell.startswith("line:"):
        return frozenset({edit.cell[5:] in str(value or "").split("\n")}) <= edit.ok
    if edit.cell.startswith(("labels:", "depends_on:")):
        return frozenset({value is not None}) <= edit.ok
    if edit.cell in ("parent", "milestone") and value is not None:
        return bool(world.provenance.tags_of(str(value)) & edit.ok)
    return bool(frozenset({" ".join(str(value).split()) if edit.cell == "title" else value}) & edit.ok)


# ---- life -------------------------------------------------------------------------------------------------------


def accidental_deaths(world: World) -> Iterator[str]:
    """An item is dead only if somebody deleted it who had been shown all of it."""
    for item in world.store.all_items():
        if not item.dead:
            continue
        deaths = [death for death in world.provenance.deaths if _is_of(world, death, item)]
        if not deaths:
            yield f"{item.title!r} is dead and nobody deleted it"
        elif not any(_had_seen(world, item, death) for death in deaths):
            yield f"{item.title!r} is dead, and who deleted it had not seen all of it"


def _is_of(world: World, death: Death, item: Item) -> bool:
    links = world.store.links_of([item.id])
    return any((world.name_of(one.connector), one.native_id) == (death.platform, death.record) for one in links)


def _had_seen(world: World, item: Item, death: Death) -> bool:
    provenance = world.provenance
    tags = provenance.tags_of(item.id)
    link = provenance.link_at(death.platform, death.record)
    later = {*link.parked, *link.memo} if link and death.unsure else set()  # what was just being written, and refused
    refused = death.refused | later
    for cell in {edit.cell for edit in provenance.list if edit.tag in tags}:
        if {"", field_of(cell)} & refused or any(cell in _names_of(world, one) for one in refused):
            continue
        if cell in REFERENCES and _cannot_be_shown(world, death.platform, item.value(cell)):
            continue
        agreed = provenance.alike(tags, cell, provenance.agreed(item, cell))
        newest = agreed - provenance.closure(
            set().union(*(edit.seen for edit in provenance.list if edit.number in agreed))
        )
        current = frozenset(n for n in newest or agreed if not provenance.list[n].echo and not provenance.list[n].noop)
        shown = provenance.may_mean(death.platform, cell, death.cells.get(cell))
        if current and not current & death.shown and not shown & provenance.agreed(item, cell):
            return False
    return True


def _cannot_be_shown(world: World, platform: str, target: object) -> bool:
    """Whether nobody there can be shown a reference: its target is dead, or outside that platform's scope."""
    return any(one.dead or not belongs(world, platform, one) for one in world.store.items([str(target)]))


def resurrections(world: World) -> Iterator[str]:
    """An item whose last delete met nothing unseen stays dead."""
    provenance = world.provenance
    for item in world.store.all_items():
        if item.dead:
            continue
        deaths = [death for death in provenance.deaths if _is_of(world, death, item)]
        if not deaths or deaths[-1].platform in world.resting:
            continue
        last, tags = deaths[-1], provenance.tags_of(item.id)
        every = {edit.number for edit in provenance.list if edit.tag in tags}
        if tags & (provenance.reopened | provenance.moved) or last.unsure or last.state != "live":
            continue
        if any(_follows(world, item, cell) for cell in item.cells):
            continue  # that value is the bridge's own word, which nobody had seen
        if every <= last.carried:
            yield f"{item.title!r} lives, and who deleted it had seen all of it"
