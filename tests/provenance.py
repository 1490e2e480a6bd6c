"""Which person's edit a value comes from: what the bridge never knows, and what its promises are judged by.

Every change that a person makes to one cell of a record is an `Edit`. The watcher follows edits over the
platforms: what a record carries, what the bridge has read, what a write of the bridge brings to people's eyes. It
judges by values alone: a write of "in progress" shows people every edit that said so and had been read by then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bridge.state import Intent, Item, Link, LinkState
from connectors.base import Fields, Native
from connectors.memory_platform import FACES, Entry
from mappings.canonical import FIELDS, GROUPS
from tests.borders import belongs

if TYPE_CHECKING:
    from tests.hostile import HostilePlatform
    from tests.world import World

SINGLE = (
    "title",
    "status",
    "progress",
    "completed_on",
    "priority",
    "start",
    "due",
    "visibility",
    "parent",
    "milestone",
)
REFERENCES = ("parent", "milestone")

STATUS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "a": {name: (name,) for name in FACES["a"].statuses},
    "b": {
        "open": ("planned", "idea", "in_progress", "ongoing", "on_hold", "unknown"),
        "closed": ("done", "cancelled"),
    },
    "d": {
        "o1": ("planned", "idea", "on_hold", "unknown"),
        "o2": ("in_progress", "ongoing"),
        "o3": ("done", "cancelled"),
    },
    "c": {
        "todo": ("planned", "idea", "unknown"),
        "doing": ("in_progress", "ongoing", "on_hold"),
        "done": ("done", "cancelled"),
    },
}
STATUS = {**STATUS, "e": STATUS["d"]}
"""What a status of a face may mean; the first is its plain meaning."""

Cells = dict[str, object]
Marks = dict[str, frozenset[int]]
NOBODY: frozenset[int] = frozenset()


@dataclass
class Edit:
    """One person's change of one cell.

    ``ok`` are the canonical values that it may mean. ``seen`` are the edits that this person had been shown there,
    ``carried`` only those that the record itself carried. ``noop``: it put back what the bridge had read last.
    ``echo``: it says what an unanswered write of the bridge said. ``native`` is what was put there. ``unsure``: a
    write of this cell was under way there, or had not been answered, and ``perhaps`` the edits that it showed.
    ``company`` are the edits that the same person had been shown in the other fields of the group. ``silent``: it
    emptied a field that the mapping left out, and what is empty says nothing when that is read at last (R16, R31).
    ``hidden``: the platform's versions did not tell of it.
    """

    number: int
    platform: str
    record: str
    tag: str
    cell: str
    ok: frozenset[object]
    seen: frozenset[int]
    carried: frozenset[int]
    noop: bool
    read: bool = False
    echo: bool = False
    native: object = None
    unsure: bool = False
    perhaps: frozenset[int] = NOBODY
    company: frozenset[int] = NOBODY
    silent: bool = False
    hidden: bool = False


@dataclass
class Death:
    """Somebody deleted a record.

    ``direct`` are the edits that it showed, ``shown`` and ``carried`` (as in `Edit`) with all that these had seen;
    ``cells`` is what it showed, whoever had said it. ``refused`` are cells that could not be shown there.
    """

    platform: str
    record: str
    tag: str
    direct: frozenset[int]
    shown: frozenset[int]
    carried: frozenset[int]
    state: str
    unsure: bool
    refused: frozenset[str] = field(default_factory=frozenset)
    cells: Cells = field(default_factory=dict)


class Provenance:
    """Hears what people do and what the bridge reads and writes."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.list: list[Edit] = []
        self.deaths: list[Death] = []
        self.heard: list[Edit] = []
        self.learned: list[Edit] = []
        self.reopened: set[str] = set()
        self.moved: set[str] = set()
        self.leaks: set[str] = set()
        self.put_away: set[tuple[str, str]] = set()
        self.carried: dict[tuple[str, str], Marks] = {}
        self.last_read: dict[tuple[str, str], Cells] = {}
        self.refused: dict[tuple[str, str], Marks] = {}
        self.fenced: set[str] = set()  # platforms that have, or had, a scope
        self._tags: dict[tuple[str, str], str] = {}
        self._marks: dict[str, str] = {}
        self._kept: tuple[int, dict[str, frozenset[str]]] = (-1, {})

    # ---- who is who --------------------------------------------------------------------------------------------

    def tag(self, platform: str, native_id: str) -> str:
        """The handle of the task that a record is."""
        return self._tags.get((platform, native_id), f"{platform}:{native_id}")

    def tags_of(self, item: str) -> frozenset[str]:
        """The handles of an item: more than one where records were paired."""
        saves, known = self._kept
        if saves != self.world.store.saves:
            known = {one.id: self._tags_of(one.id) for one in self.world.store.all_items()}
            self._kept = (self.world.store.saves, known)
        return known.get(item, frozenset())

    def _tags_of(self, item: str) -> frozenset[str]:
        links = self.world.store.links_of([item])
        return frozenset(self.tag(self.world.name_of(one.connector), one.native_id) for one in links if one.native_id)

    def kin(self, handle: str) -> frozenset[str]:
        """The handle and those of records that became the same item."""
        self.tags_of("")
        return frozenset({handle}).union(*(tags for tags in self._kept[1].values() if handle in tags))

    def link_at(self, platform: str, native_id: str) -> Link | None:
        """The link of a record, the standing one if an id was used again."""
        bindings = [one.id for one in self.world.store.bindings() if one.collection == platform]
        links = [link for one in bindings for link in self.world.store.links_by_record(one, [native_id])]
        links.sort(key=lambda link: link.state is not LinkState.RETIRED)
        return links[-1] if links else None

    # ---- cells -------------------------------------------------------------------------------------------------

    def cells(self, platform: str, fields: Fields) -> Cells:
        """The cells of a record: single values, labels, lines of text, references by handle."""
        cells: Cells = {name: fields[name] for name in SINGLE if name in fields}
        for name in REFERENCES:
            if cells.get(name) is not None:
                cells[name] = self.tag(platform, str(cells[name]))
        for name in ("labels", "depends_on"):
            for element in fields.get(name) or ():  # type: ignore[union-attr]
                cells[f"{name}:{self.tag(platform, element) if name == 'depends_on' else element.casefold()}"] = True
        cells |= {f"line:{line}": True for line in str(fields.get("description") or "").split("\n") if line}
        return cells

    def may_mean(self, platform: str, cell: str, value: object) -> frozenset[object]:
        """The canonical values that a native one stands for."""
        if cell == "status":
            return frozenset(STATUS[self.world.faces[platform]][str(value)])
        if cell == "title":
            return frozenset({" ".join(str(value).split())})
        return frozenset({bool(value) if ":" in cell else value})

    def agreed(self, item: Item, cell: str) -> frozenset[object]:
        """The item's value of a cell; of a reference every handle that its target goes by."""
        name, _, element = cell.partition(":")
        if name == "line":
            return frozenset({element in str(item.value("description") or "").split("\n")})
        if name == "depends_on":
            there = [c.partition(":")[2] for c, base in item.cells.items() if c.startswith(name) and base.value]
            return frozenset({any(element in self.tags_of(target) for target in there)})
        value = item.value(cell)
        if name == "labels":
            return frozenset({value is not None})
        if name in REFERENCES and value is not None:
            return frozenset(self.tags_of(str(value)))
        return frozenset({" ".join(str(value).split()) if name == "title" else value})

    def alike(self, tags: frozenset[str], cell: str, values: frozenset[object], *, read: bool = True) -> frozenset[int]:
        """Edits of a task that said one of these values, and that the bridge has read."""
        cells = self.names_of(cell)
        return frozenset(
            edit.number
            for edit in self.list
            if edit.cell in cells and edit.tag in tags and (edit.read or not read) and edit.ok & values
        )

    def names_of(self, cell: str) -> frozenset[str]:
        """Every name of a cell: a dependency goes by every handle of the task that it is on."""
        name, _, element = cell.partition(":")
        return frozenset(f"{name}:{tag}" for tag in self.kin(element)) if name == "depends_on" else frozenset({cell})

    def closure(self, edits: Iterable[int], carried: bool = False) -> frozenset[int]:
        """The edits and all that their authors had been shown before."""
        found: set[int] = set()
        waiting = set(edits)
        while waiting:
            number = waiting.pop()
            if number not in found:
                found.add(number)
                waiting |= self.list[number].carried if carried else self.list[number].seen
        return frozenset(found)

    # ---- what people do ----------------------------------------------------------------------------------------

    def creates(self, platform: HostilePlatform, handle: str, fields: Mapping[str, Native]) -> None:
        """Somebody makes a record."""
        native_id = platform.add(**{"title": handle, **fields})  # type: ignore[arg-type]
        self._tags[(platform.name, native_id)] = handle
        self.carried.pop((platform.name, native_id), None)
        self.last_read.pop((platform.name, native_id), None)
        self._note(platform, native_id, self.cells(platform.name, platform.empty))

    def edits(self, platform: HostilePlatform, native_id: str, fields: Mapping[str, Native]) -> None:
        """Somebody changes a record; saving it unchanged is an act too."""
        before = self.cells(platform.name, platform.entries[native_id].fields)
        refused = self.refused.get((platform.name, native_id), {})
        seen = {
            cell: self._shown(platform.name, native_id, cell, value) | refused.get(cell, NOBODY)
            for cell, value in before.items()
        }
        platform.edit(native_id, **fields)
        self._note(platform, native_id, before, seen)

    def deletes(self, platform: HostilePlatform, native_id: str) -> None:
        """Somebody deletes a record."""
        key, cells = (platform.name, native_id), self.cells(platform.name, platform.entries[native_id].fields)
        marks, kin = self.carried.get(key, {}), self.kin(self.tag(*key))
        cells = {edit.cell: None for edit in self.list if edit.tag in kin and ":" in edit.cell} | cells
        shown = NOBODY.union(*(self._shown(*key, cell, value) for cell, value in cells.items()), *marks.values())
        link = self.link_at(*key)
        unsure = bool(self._open_intents(native_id, link))
        locked = platform.entries[native_id].locked | self.world.lacks(platform.name)
        if link and platform.name in self.fenced:  # what is outside the scope cannot be referred to there
            (item,) = self.world.store.items([link.item])
            locked |= {cell for cell in REFERENCES if item.value(cell) in link.pending}
        self.deaths.append(
            Death(
                *key,
                self.tag(*key),
                shown,
                self.closure(shown),
                self.closure(NOBODY.union(*marks.values()), carried=True),
                link.state.value if link else "",
                unsure,
                frozenset({*link.memo, *link.parked, *locked, *self.refused.get(key, {})}) if link else frozenset(),
                cells,
            )
        )
        platform.remove(native_id)

    def archives(self, platform: HostilePlatform, native_id: str) -> None:
        """Somebody archives a record, which is their own housekeeping (ADR 0007)."""
        self.put_away.add((platform.name, native_id))
        platform.archive(native_id)

    def reopens(self, platform: HostilePlatform, native_id: str) -> None:
        """Somebody takes a record out of the archive."""
        self.put_away.discard((platform.name, native_id))
        self.reopened.add(self.tag(platform.name, native_id))
        platform.reopen(native_id)

    def _note(self, platform: HostilePlatform, native_id: str, before: Cells, seen: Marks | None = None) -> None:
        key = (platform.name, native_id)
        after, marks = self.cells(platform.name, platform.entries[native_id].fields), self.carried.setdefault(key, {})
        link = self.link_at(*key)
        shadow = self.cells(platform.name, link.shadow if link else platform.empty)
        for cell in sorted(before.keys() | after.keys()):
            if before.get(cell) == after.get(cell):
                continue
            carried = marks.get(cell, NOBODY)
            shown = (seen or {}).get(cell) if cell in before else self._shown(*key, cell, None)
            under_way = [one for one in self._open_intents(native_id, link) if field_of(cell) in one.sent]
            sent = [self.cells(platform.name, one.sent).get(cell) for one in under_way]
            beside = GROUPS.get(FIELDS[cell].group, ()) if cell in FIELDS else ()
            edit = Edit(
                len(self.list),
                *key,
                self.tag(*key),
                cell,
                self.may_mean(platform.name, cell, after.get(cell)),
                carried | (shown or NOBODY if seen is not None else NOBODY),
                carried,
                shadow.get(cell) == after.get(cell) and seen is not None,
                native=after.get(cell),
                unsure=bool(under_way),
                perhaps=NOBODY.union(*(self._behind(key, cell, value) for value in sent)),
                hidden=platform.lying_versions,
                company=NOBODY.union(*((seen or {}).get(one, NOBODY) for one in beside if one != cell)),
            )
            self.list.append(edit)
            marks[cell] = frozenset({edit.number})

    def _shown(self, platform: str, native_id: str, cell: str, value: object) -> frozenset[int]:
        """What somebody who looks at this cell has been shown: what it carries, and the base if that looks the same."""
        carried = self.carried.get((platform, native_id), {}).get(cell, NOBODY)
        link = self.link_at(platform, native_id)
        if link is None:
            return carried
        (item,) = self.world.store.items([link.item])
        agreed = self.agreed(item, cell)
        if not agreed & self.may_mean(platform, cell, value):
            return carried
        return carried | self.alike(self.tags_of(item.id) | {self.tag(platform, native_id)}, cell, agreed)

    # ---- what the bridge reads and writes (tests.hostile.Watcher) --------------------------------------------------

    def snapshot(self, platform: HostilePlatform, native_id: str) -> object:
        """What the record carries now."""
        return dict(self.carried.get((platform.name, native_id), {}))

    def read(self, platform: HostilePlatform, entry: Entry, snapshot: object) -> None:
        """The bridge knows these edits from now on."""
        assert isinstance(snapshot, dict)
        if not entry.here or entry.problem:
            return
        self.refused.pop((platform.name, entry.id), None)
        cells = self.cells(platform.name, entry.fields)
        self.last_read[(platform.name, entry.id)] = cells
        lacks = self.world.lacks(platform.name)
        for cell, edits in snapshot.items():
            for number in edits if field_of(cell) not in lacks else ():
                edit = self.list[number]
                if not edit.read and edit.platform == platform.name and edit.record == entry.id:
                    edit.echo = self._is_echo(platform.name, entry.id, cell, cells.get(cell))
                if not edit.read:
                    self.heard.append(edit)
                    if edit.hidden:  # nobody can tell what these people had been shown by then
                        edit.perhaps |= self._agreed_now(edit)
                edit.read = True

    def _agreed_now(self, edit: Edit) -> frozenset[int]:
        link = self.link_at(edit.platform, edit.record)
        if link is None:
            return NOBODY
        (item,) = self.world.store.items([link.item])
        return self.alike(self.kin(edit.tag), edit.cell, self.agreed(item, edit.cell))

    def forgets(self, platform: str, edits: Iterable[Edit]) -> None:
        """This was read in the last pass and not taken in: a person has to agree first, or it was only a plan."""
        for edit in edits:
            if edit.platform == platform:
                edit.read = edit.echo = False

    def forgets_what_was_not_stored(self) -> None:
        """The pass was killed: what it had read and not stored is to be read again."""
        waiting = {(one.connector, one.native_id): one.record.fields or {} for one in self.world.store.unlinked()}
        stored = {(self.world.name_of(binding), record): fields for (binding, record), fields in waiting.items()}
        for edit in self.heard:
            link = self.link_at(edit.platform, edit.record)
            fields = link.shadow if link else stored.get((edit.platform, edit.record), {})
            if self.cells(edit.platform, fields).get(edit.cell) != edit.native:
                edit.read = edit.echo = False

    def learns(self, platform: str) -> None:
        """Fields that the mapping has got back are read: what the bridge has had before its eyes (R31)."""
        fields = self.world.learned(platform)
        for key, marks in self.carried.items() if fields else ():
            entry = self.world.platforms[key[0]].entries.get(key[1])
            if key[0] != platform or entry is None or self.link_at(*key) is None:
                continue
            now, read = self.cells(platform, entry.fields), self.last_read.get(key, {})
            for cell in [one for one in marks if field_of(one) in fields and read.get(one) == now.get(one)]:
                for edit in (self.list[number] for number in marks[cell] if not self.list[number].read):
                    edit.silent = edit.ok <= {None, False, "internal"}
                    edit.read = True
                    self.heard.append(edit)
                    self.learned.append(edit)

    def _is_echo(self, platform: str, native_id: str, cell: str, value: object) -> bool:
        for intent in self._open_intents(native_id, self.link_at(platform, native_id)):
            said = self.cells(platform, intent.sent)
            if field_of(cell) in intent.sent:
                same = self.may_mean(platform, cell, said.get(cell)) & self.may_mean(platform, cell, value)
                if same:
                    return True
        return False

    def _open_intents(self, native_id: str, link: Link | None) -> list[Intent]:
        """Writes to a record of which the bridge does not know what became of them."""
        waiting = self.world.store.intents_open()
        return [one for one in waiting if one.record == native_id or (link is not None and one.link == link.id)]

    def sending(self, platform: HostilePlatform, request: str, native_id: str, mark: str) -> None:
        """Nothing leaves before it is written down (R28), and only what belongs there is written (ADR 0021)."""
        waiting = self.world.store.intents_open()
        sent = [one for one in waiting if (one.id in mark if request == "post" else one.record == native_id)]
        if sent:
            self._watch(platform.name, sent[-1])
        if request == "post":
            (intent,) = [one for one in waiting if one.id in mark]
            self._marks[mark] = min(self.tags_of(intent.item) or {"?"})
        else:
            assert any(one.record == native_id for one in waiting), f"{request} of {native_id} was not written down"

    def _watch(self, platform: str, intent: Intent) -> None:
        """A record that is made or changed for an item must belong there, by the settings and the ledger of now."""
        (item,) = self.world.store.items([intent.item])
        newest = intent.run > max((run.id for run in self.world.store.runs()), default=0)
        if newest and intent.kind in ("create", "update", "unarchive") and not belongs(self.world, platform, item):
            self.leaks.add(f"{item.title!r} was sent to {platform}, where it does not belong")

    def wrote(self, platform: HostilePlatform, before: Entry | None, after: Entry, fields: Fields, mark: str) -> None:
        """What the bridge wrote is what people there see from now on."""
        key = (platform.name, after.id)
        if mark:
            self._tags[key] = self._marks[mark]
            self.carried[key] = {}
        marks = self.carried.setdefault(key, {})
        was = self.cells(platform.name, before.fields) if before else self.cells(platform.name, platform.empty)
        now = self.cells(platform.name, after.fields)
        for cell in was.keys() | now.keys():
            if was.get(cell) != now.get(cell):
                marks[cell] = self._behind(key, cell, now.get(cell))
        # What was refused and edited before it was read back cannot be told from what was written and then edited.
        sent = self.cells(platform.name, {**(before.fields if before else {}), **fields})
        unread = {cell: self._behind(key, cell, value) for cell, value in sent.items() if value != now.get(cell)}
        self.refused.setdefault(key, {}).update(unread)

    def _behind(self, key: tuple[str, str], cell: str, value: object) -> frozenset[int]:
        """The edits that a value written by the bridge stands for."""
        values, tags = self.may_mean(key[0], cell, value), self.kin(self.tag(*key))
        link = self.link_at(*key)
        if link is not None:
            (item,) = self.world.store.items([link.item])
            values = (self.agreed(item, cell) & values) or values
        return self.alike(tags, cell, values)


def field_of(cell: str) -> str:
    """The native field of a cell."""
    return "description" if cell.startswith("line:") else cell.partition(":")[0]
