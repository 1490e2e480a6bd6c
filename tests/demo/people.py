"""The two departments: each has a task list on the server, and words of its own.

What is done here is done as people do it, behind the bridge's back: raw requests to the server, and iCalendar read
and written by a library that the connector does not use.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any
from xml.etree import ElementTree

from icalendar import Calendar, Todo

from mappings.canonical import Kind
from tests.demo.strategy import Entry, Strategy
from tests.radicale_server import Radicale

FIELDS = (
    "SUMMARY",
    "STATUS",
    "DUE",
    "DTSTART",
    "COMPLETED",
    "PERCENT-COMPLETE",
    "PRIORITY",
    "CATEGORIES",
    "PARENT",
    "DEPENDS-ON",
    "DESCRIPTION",
)
"""What people see of a task, in the order in which the demo shows it."""

KINDS = {
    Kind.STRATEGY: "Strategie",
    Kind.GOAL: "Ziel",
    Kind.ACTION_FIELD: "Aktivität",
    Kind.MEASURE: "Maßnahme",
    Kind.MILESTONE: "Meilenstein",
}
STATUSES = {"in_progress": "IN-PROCESS", "ongoing": "IN-PROCESS", "done": "COMPLETED", "cancelled": "CANCELLED"}
PRIORITIES = {1: 1, 2: 5, 3: 9}
NOON = time(12, tzinfo=UTC)

_QUERY = """<C:calendar-query xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">
<D:prop><D:getetag/><C:calendar-data/></D:prop>
<C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VTODO"/></C:comp-filter></C:filter>
</C:calendar-query>"""

Value = str | int | date | datetime | tuple[str, ...]
"""What one field of a task says. References are UIDs."""


@dataclass(frozen=True)
class Task:
    """One task as it lies on the server."""

    uid: str
    path: str
    etag: str
    ics: str = field(repr=False)
    values: Mapping[str, Value]

    @property
    def title(self) -> str:
        """The title."""
        return str(self.values.get("SUMMARY", ""))


class Department:
    """Some people and their task list."""

    def __init__(self, server: Radicale, name: str, title: str) -> None:
        self.name, self.title = name, title
        self._server = server
        self._path = f"/{server.user}/{name}/"

    @property
    def url(self) -> str:
        """Where the task list is."""
        return self._server.url + self._path

    def open_list(self) -> None:
        """Make the task list."""
        self._server.calendar(self.name, self.title)

    def tasks(self) -> list[Task]:
        """Every task in the list."""
        answer = self._server.request("REPORT", self._path, _QUERY, {"Depth": "1"})
        answer.raise_for_status()
        found = []
        for response in ElementTree.fromstring(answer.content).iter("{DAV:}response"):
            path = response.findtext("{DAV:}href") or ""
            etag = response.findtext(".//{DAV:}getetag") or ""
            ics = response.findtext(".//{urn:ietf:params:xml:ns:caldav}calendar-data") or ""
            found.append(_task(path, etag, ics))
        return found

    def task(self, title: str) -> Task:
        """The one task of this title."""
        (found,) = (task for task in self.tasks() if task.title == title)
        return found

    def create(self, uid: str, values: Mapping[str, Value]) -> None:
        """Write a new task."""
        todo = Todo()
        todo.add("uid", uid)
        self._store(f"{self._path}{uid}.ics", _calendar(todo), todo, values, {"If-None-Match": "*"})

    def edit(self, title: str, values: Mapping[str, Value]) -> None:
        """Change some fields of a task."""
        task = self.task(title)
        calendar = Calendar.from_ical(task.ics)
        self._store(task.path, calendar, calendar.walk("VTODO")[0], values, {"If-Match": task.etag})

    def delete(self, title: str) -> None:
        """Delete a task for good."""
        self._server.delete(self.task(title).path)

    def _store(
        self, path: str, calendar: Any, todo: Any, values: Mapping[str, Value], condition: dict[str, str]
    ) -> None:
        now = datetime.now(UTC).replace(microsecond=0)
        for name, value in {"DTSTAMP": now, "LAST-MODIFIED": now, **values}.items():
            _set(todo, name, value)
        headers = {"Content-Type": "text/calendar; charset=utf-8", **condition}
        self._server.request("PUT", path, calendar.to_ical(), headers).raise_for_status()


# ---- a task in iCalendar ----------------------------------------------------------------------------------------


def _calendar(todo: Any) -> Any:
    calendar = Calendar()
    calendar.add("prodid", "-//Fachbereich//Aufgaben//DE")
    calendar.add("version", "2.0")
    calendar.add_component(todo)
    return calendar


def _set(todo: Any, name: str, value: Value) -> None:
    if name in ("PARENT", "DEPENDS-ON"):
        for uid in value if isinstance(value, tuple) else (value,):
            todo.add("related-to", uid, parameters={"RELTYPE": name})
        return
    todo.pop(name, None)
    todo.add(name, list(value) if isinstance(value, tuple) else value)


def _task(path: str, etag: str, ics: str) -> Task:
    todo: Any = Calendar.from_ical(ics).walk("VTODO")[0]
    values: dict[str, Value] = {}
    for name in FIELDS:
        if name in ("PARENT", "DEPENDS-ON"):
            related = tuple(str(each) for each in _all(todo, "RELATED-TO") if each.params.get("RELTYPE") == name)
            if related:
                values[name] = related[0] if name == "PARENT" else tuple(sorted(related))
        elif name == "CATEGORIES":
            words = tuple(str(word) for each in _all(todo, name) for word in each.cats)
            values |= {name: words} if words else {}
        elif name in todo:
            values[name] = _plain(todo[name])
    return Task(str(todo["UID"]), path, etag, ics, values)


def _all(todo: Any, name: str) -> list[Any]:
    found = todo.get(name, [])
    return found if isinstance(found, list) else [found]


def _plain(value: Any) -> Value:
    if hasattr(value, "dt"):
        moment: date | datetime = value.dt
        return moment
    return int(value) if isinstance(value, int) else str(value)


# ---- the strategy, as the department types it in ----------------------------------------------------------------


def type_in(department: Department, strategy: Strategy) -> None:
    """Fill a task list with the strategy."""
    for entry in strategy.entries:
        department.create(entry.id, typed(strategy, entry))


def typed(strategy: Strategy, entry: Entry) -> dict[str, Value]:
    """One entry in the words of FB 02 and in what iCalendar has for it."""
    values: dict[str, Value | None] = {
        "SUMMARY": entry.title,
        "DESCRIPTION": "\n".join(entry.lines) or None,
        "STATUS": STATUSES.get(entry.status, "NEEDS-ACTION"),
        "PRIORITY": PRIORITIES[entry.priority] if entry.priority else None,
        "PERCENT-COMPLETE": entry.progress,
        "DTSTART": entry.start,
        "DUE": entry.due,
        "COMPLETED": datetime.combine(entry.completed_on, NOON) if entry.completed_on else None,
        "PARENT": entry.parent,
        "DEPENDS-ON": entry.depends_on or None,
        "CATEGORIES": tuple(_categories(strategy, entry)) or None,
    }
    return {name: value for name, value in values.items() if value is not None}


def _categories(strategy: Strategy, entry: Entry) -> Iterable[str]:
    if entry.kind in KINDS:
        yield "Handlungsfeld" if entry.field_of_action else KINDS[entry.kind]
    if entry.public:
        yield "öffentlich"
    yield from entry.labels
    if entry.milestone:
        yield strategy.entry(entry.milestone).title
