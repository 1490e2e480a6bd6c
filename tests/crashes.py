"""One story for two calendars that is killed in many ways, and what its end looks like to people.

The story has everything that a pass can be in the middle of: creates both ways, with references among them, the
same title created on both sides, edits of one task on both sides, a conflict, lines of one text, and a delete.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from bridge.sql_store import SqlStore
from bridge.state import Batch
from connectors.base import Changes, Connector, Fields, HasTraffic, Identity, Native, Probe, Record, Ref
from tests.mirror import Desk, Mirror, written
from tests.radicale_server import Radicale

LINES = [f"Zeile {number}" for number in range(8)]

End = dict[str, list[tuple[str, ...]]]
T = TypeVar("T")


class Crash(BaseException):
    """The process was killed here: nothing may catch it."""


class Story:
    """Two fresh calendars that are mirrored and then edited; the pass that carries the edits is still to come."""

    def __init__(self, server: Radicale, folder: Path, url: str = "") -> None:
        folder.mkdir(exist_ok=True)
        self.rathaus, self.entwicklung = Desk(server), Desk(server)
        self.mirror = Mirror(folder, rathaus=self.rathaus, entwicklung=self.entwicklung)
        for name, desk in self.mirror.desks.items():
            self.mirror.sets(**{f"{name}_URL": (url or server.url) + desk.path, f"{name}_WRITES": "2"})
        self._begins()
        self.mirror.begins()
        self._goes_on()

    def _begins(self) -> None:
        rathaus = self.rathaus
        rathaus.adds("Mutter", uid="mutter")
        rathaus.adds("Kind", "RELATED-TO:mutter", "DUE;VALUE=DATE:20261201")
        rathaus.adds("Netz", "PRIORITY:9", "DUE;VALUE=DATE:20261201")
        rathaus.adds("Portal", "DESCRIPTION:" + "\\n".join(LINES))
        for title in ("Weg", "Bleibt", "Bleibt auch"):
            rathaus.adds(title, "PRIORITY:5")

    def _goes_on(self) -> None:
        rathaus, entwicklung = self.rathaus, self.entwicklung
        rathaus.edits("Netz", "PRIORITY:1")
        entwicklung.edits("Netz", "DUE;VALUE=DATE:20261224")
        rathaus.edits("Kind", "DUE;VALUE=DATE:20261202", ago=3)
        entwicklung.edits("Kind", "DUE;VALUE=DATE:20261203")
        rathaus.edits("Portal", "DESCRIPTION:" + "\\n".join(["Anders", *LINES[1:]]))
        entwicklung.edits("Portal", "DESCRIPTION:" + "\\n".join([*LINES[:7], "Auch anders"]))
        entwicklung.edits("Mutter", "CATEGORIES:IT,Presse")
        rathaus.deletes("Weg")
        rathaus.adds("Neue Tochter", "RELATED-TO:neue-mutter", ago=10)
        rathaus.adds("Neue Mutter", "DESCRIPTION:Text", "CATEGORIES:IT", uid="neue-mutter", ago=10)
        entwicklung.adds("Von dort", "PRIORITY:1", ago=10)
        rathaus.adds("Gemeinsam", "PRIORITY:1", ago=10)
        entwicklung.adds("Gemeinsam", "CATEGORIES:Umwelt", ago=10)

    def comes_to_rest(self, at_most: int = 4) -> int:
        """Syncs until one has nothing to do; returns how many it took. None may fail."""
        for number in range(1, at_most + 1):
            if written(self.mirror.sync()) == 0:
                return number
        raise AssertionError(f"still writing after {at_most} passes")

    def end(self) -> End:
        """What people see on both sides, duplicates included; and the conflicts that were kept."""
        conflicts = [(one["field"], str(one["winner"]), str(one["loser"])) for one in self.mirror.json("conflicts")]
        return {
            "rathaus": _seen(self.rathaus),
            "entwicklung": _seen(self.entwicklung),
            "conflicts": sorted(set(conflicts)),
        }


FIELDS = ("SUMMARY", "STATUS", "DESCRIPTION", "PRIORITY", "DUE", "DTSTART", "CATEGORIES", "PERCENT-COMPLETE")


def _seen(desk: Desk) -> list[tuple[str, ...]]:
    """Every task with its fields; other tasks are named by their title. No STATUS and NEEDS-ACTION are the same."""
    tasks = desk.all()
    titles = {task.uid: task.title for task in tasks}
    found = []
    for task in tasks:
        parent = task.get("RELATED-TO")
        fields = [task.get(name) or ("NEEDS-ACTION" if name == "STATUS" else "") for name in FIELDS]
        found.append((*fields, titles.get(parent, parent)))
    return sorted(found)


# ---- killed in this process -------------------------------------------------------------------------------------


class Points:
    """Places where a process may be killed, counted as they are passed; at number ``deadly`` it is."""

    def __init__(self, deadly: int = -1) -> None:
        self.deadly = deadly
        self.passed: list[str] = []

    def __call__(self, name: str) -> None:
        """Pass one."""
        self.passed.append(name)
        if len(self.passed) - 1 == self.deadly:
            raise Crash(name)


class Tapped:
    """A connector with a point before and after everything that it sends."""

    def __init__(self, connector: Connector, point: Callable[[str], None]) -> None:
        self._connector, self._point = connector, point

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connector, name)

    @property
    def requests(self) -> int:
        return self._connector.requests if isinstance(self._connector, HasTraffic) else 0

    @property
    def clock(self) -> tuple[float, float] | None:
        return self._connector.clock if isinstance(self._connector, HasTraffic) else None

    def identify(self, remembered: str | None = None) -> Identity:
        return self._connector.identify(remembered)

    def memory(self) -> str | None:
        return self._connector.memory()

    def pull(self, cursor: str | None, known: Mapping[str, str]) -> Changes:
        return self._tap("pull", lambda: self._connector.pull(cursor, known))

    def create(self, fields: Fields, mark: str) -> Record:
        return self._tap("create", lambda: self._connector.create(fields, mark))

    def update(self, ref: Ref, fields: Fields, if_version: str) -> Record:
        return self._tap("update", lambda: self._connector.update(ref, fields, if_version))

    def delete(self, ref: Ref, if_version: str) -> None:
        self._tap("delete", lambda: self._connector.delete(ref, if_version))

    def probe(self, ref: Ref) -> Probe:
        return self._tap("probe", lambda: self._connector.probe(ref))

    def normalises(self, name: str, sent: Native, shown: Native) -> bool:
        return self._connector.normalises(name, sent, shown)

    def id_of(self, mark: str) -> str:
        return self._connector.id_of(mark)

    def _tap(self, name: str, talk: Callable[[], T]) -> T:
        self._point(f"before {name}")
        answer = talk()
        self._point(f"after {name}")
        return answer


class TappedStore:
    """A ledger with a point before and after every transaction."""

    def __init__(self, store: SqlStore, point: Callable[[str], None]) -> None:
        self._store, self._point = store, point

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def save(self, batch: Batch) -> None:
        """Store all of it, or be killed before or after."""
        self._point("before commit")
        self._store.save(batch)
        self._point("after commit")
