"""Offices, each in a tool of its own, and the people who work there as their tools let them.

An office speaks the words that all tools share: a task has a title, a text, a due date, is done or not, and has
labels where the tool knows labels. A task goes by its tag, the last word of its title, which nobody changes. People act
through the tool's own interface (REST, raw iCalendar, openpyxl); nothing here is shared with a connector.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import openpyxl

from tests.deck_person import DeckPerson
from tests.fakes.deck import Deck
from tests.fakes.gitlab import GitLab
from tests.fakes.openproject import OpenProject
from tests.gitlab_person import GitLabPerson
from tests.mirror import Desk
from tests.openproject_person import OpenProjectPerson
from tests.radicale_server import Radicale
from tests.redmine_person import RedminePerson
from tests.redmine_server import Redmine

BERLIN = ZoneInfo("Europe/Berlin")
LABELS = ("IT", "Presse", "Umwelt")
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Seen:
    """One task as people see it. ``labels`` is None where the tool has none; ``gone``: it is only kept as put away."""

    title: str
    text: str
    due: str
    done: bool
    labels: frozenset[str] | None
    gone: bool = False

    @property
    def tag(self) -> str:
        """The last word of the title."""
        return self.title.rpartition(" ")[2]

    def fields(self) -> dict[str, object]:
        """What there is to compare; every label is a field of its own."""
        shared: dict[str, object] = {"title": self.title, "text": self.text, "due": self.due, "done": self.done}
        return shared | {label: label in self.labels for label in LABELS if self.labels is not None}


class Office(Protocol):
    """One tool with one collection, and its people."""

    has_labels: bool

    def settings(self, name: str) -> dict[str, str]:
        """The lines of a `.env` that make a connector of this name to it."""
        ...

    def adds(self, title: str, due: str = "") -> None:
        """A new task."""
        ...

    def sets(self, tag: str, name: str, value: str | bool) -> None:
        """Change ``title``, ``text``, ``due`` ("" clears both) or ``done`` of a task."""
        ...

    def toggles(self, tag: str, label: str) -> None:
        """Put a label on a task, or take it off."""
        ...

    def deletes(self, tag: str) -> None:
        """Delete a task."""
        ...

    def all(self) -> list[Seen]:
        """Every task, those that are put away among them."""
        ...


Makers = Mapping[str, Callable[[], Office]]
"""Names of connectors, and what makes a new, empty office for each."""


class CalendarOffice:
    """A task list on a real Radicale."""

    has_labels = True

    def __init__(self, server: Radicale) -> None:
        self.desk = Desk(server)

    def settings(self, name: str) -> dict[str, str]:
        server = self.desk.server
        found = {"TYPE": "caldav", "URL": self.desk.url, "USER": server.user, "PASSWORD": server.password}
        return {f"{name}_{key}": value for key, value in found.items()}

    def adds(self, title: str, due: str = "") -> None:
        self.desk.adds(_escaped(title), *([f"DUE;VALUE=DATE:{due.replace('-', '')}"] if due else []), ago=0)

    def sets(self, tag: str, name: str, value: str | bool) -> None:
        uid = self._uid(tag)
        if name == "done":
            extra = ["PERCENT-COMPLETE:100", "COMPLETED:20261120T100000Z"] if value else []
            status = "COMPLETED" if value else "NEEDS-ACTION"
            self.desk.edits(uid, f"STATUS:{status}", *extra, clear="PERCENT-COMPLETE COMPLETED")
            return
        key = {"title": "SUMMARY", "text": "DESCRIPTION", "due": "DUE"}[name]
        day = f"DUE;VALUE=DATE:{str(value).replace('-', '')}"
        self.desk.edits(uid, *([day if name == "due" else f"{key}:{_escaped(str(value))}"] if value else []), clear=key)

    def toggles(self, tag: str, label: str) -> None:
        task = self.desk.task(self._uid(tag))
        self.desk.edits(task.uid, "CATEGORIES:" + ",".join(sorted(task.categories ^ {label})))

    def deletes(self, tag: str) -> None:
        self.desk.deletes(self._uid(tag))

    def all(self) -> list[Seen]:
        return [
            Seen(
                task.title,
                task.get("DESCRIPTION"),
                str(date.fromisoformat(task["DUE"][:8])) if task.get("DUE") else "",
                task.get("STATUS") == "COMPLETED",
                frozenset(task.categories) & {*LABELS},
                task.gone,
            )
            for task in self.desk.all()
        ]

    def _uid(self, tag: str) -> str:
        [uid] = [task.uid for task in self.desk.all() if task.title.endswith(f" {tag}")]
        return uid


class DeckOffice:
    """A Deck board. People move cards between its columns."""

    has_labels = True

    def __init__(self, deck: Deck) -> None:
        board = deck.board(f"Brett {next(_numbers)}")
        self.user, self.password = deck.accounts["bridge"]
        self.person = DeckPerson(deck.url, *deck.accounts["anna"], board.id)
        self.title = board.title
        there = {one["title"]: int(one["id"]) for one in self._board()["labels"]}
        for label in LABELS:
            if label not in there:
                path = f"/boards/{board.id}/labels"
                there[label] = int(self.person.call("POST", path, {"title": label, "color": "31CC7C"})["id"])
        self.labels = {label: there[label] for label in LABELS}

    def settings(self, name: str) -> dict[str, str]:
        found = {"TYPE": "nextcloud-deck", "URL": self.person.url, "USER": "bridge", "PASSWORD": self.password}
        return {f"{name}_{key}": value for key, value in {**found, "COLLECTION": self.title}.items()}

    def adds(self, title: str, due: str = "") -> None:
        made = self.person.add(title)
        if due:
            self.person.edit(made, "duedate", _noon(due))

    def sets(self, tag: str, name: str, value: str | bool) -> None:
        card = str(self._card(tag)["id"])
        if name == "done":
            self.person.edit(card, "stack", self.person.columns["Erledigt" if value else "Offen"])
        elif name == "due":
            self.person.edit(card, "duedate", _noon(str(value)) if value else None)
        else:
            self.person.edit(card, {"title": "title", "text": "description"}[name], value)

    def toggles(self, tag: str, label: str) -> None:
        card = self._card(tag)
        there = any(one["title"] == label for one in card["labels"] or ())
        path = f"/boards/{self.person.board}/stacks/{card['stackId']}/cards/{card['id']}"
        self.person.call("PUT", f"{path}/{'removeLabel' if there else 'assignLabel'}", {"labelId": self.labels[label]})

    def deletes(self, tag: str) -> None:
        self.person.remove(str(self._card(tag)["id"]))

    def all(self) -> list[Seen]:
        erledigt = self.person.columns["Erledigt"]
        return [
            Seen(
                card["title"],
                card["description"] or "",
                _day(card["duedate"]),
                card["stackId"] == erledigt or bool(card.get("done")),
                frozenset(one["title"] for one in card["labels"] or ()) & {*LABELS},
                bool(card["archived"]),
            )
            for card in self._cards()
        ]

    def _board(self) -> Any:
        return self.person.call("GET", f"/boards/{self.person.board}")

    def _cards(self) -> list[Any]:
        root = f"/boards/{self.person.board}/stacks"
        stacks = [*self.person.call("GET", root), *self.person.call("GET", f"{root}/archived")]
        return [card for stack in stacks for card in stack.get("cards") or () if not card.get("deletedAt")]

    def _card(self, tag: str) -> Any:
        [card] = [one for one in self._cards() if one["title"].endswith(f" {tag}")]
        return card


class GitLabOffice:
    """A GitLab project. What is closed and was not done says so in an invisible line."""

    has_labels = True

    def __init__(self, gitlab: GitLab) -> None:
        number = next(_numbers)
        gitlab.project(f"stadt/vorhaben-{number}")
        self.person = GitLabPerson(gitlab.url, "glpat-anna", f"stadt/vorhaben-{number}", "glpat-bridge")

    def settings(self, name: str) -> dict[str, str]:
        found = {"TYPE": "gitlab", "URL": self.person.url, "TOKEN": "glpat-bridge", "COLLECTION": self.person.project}
        return {f"{name}_{key}": value for key, value in found.items()}

    def adds(self, title: str, due: str = "") -> None:
        self.person.call("POST", "/issues", {"title": title, **({"due_date": due} if due else {})})

    def sets(self, tag: str, name: str, value: str | bool) -> None:
        if name == "done":
            self._put(tag, state_event="close" if value else "reopen")
        else:
            self._put(tag, **{{"title": "title", "text": "description", "due": "due_date"}[name]: value})

    def toggles(self, tag: str, label: str) -> None:
        there = label in self._issue(tag)["labels"]
        self._put(tag, **{"remove_labels" if there else "add_labels": label})

    def deletes(self, tag: str) -> None:
        self.person.call("DELETE", f"/issues/{self._issue(tag)['iid']}")

    def all(self) -> list[Seen]:
        return [
            Seen(
                issue["title"],
                re.sub(r"\n*<!-- strategy-bridge.*?-->", "", issue["description"] or ""),
                issue["due_date"] or "",
                issue["state"] == "closed",
                frozenset(issue["labels"]) & {*LABELS},
                issue["state"] == "closed" and "strategy-bridge: cancelled" in (issue["description"] or ""),
            )
            for issue in self._issues()
        ]

    def _issues(self) -> list[Any]:
        found: list[Any] = self.person.call("GET", "/issues?per_page=100&scope=all")
        assert len(found) < 100
        return found

    def _issue(self, tag: str) -> Any:
        [issue] = [one for one in self._issues() if one["title"].endswith(f" {tag}")]
        return issue

    def _put(self, tag: str, **fields: object) -> None:
        self.person.call("PUT", f"/issues/{self._issue(tag)['iid']}", fields)


class RedmineOffice:
    """A project in a real Redmine with German default data; it knows no labels."""

    has_labels = False
    _done, _away, _new = 5, 6, 1

    def __init__(self, redmine: Redmine) -> None:
        self.person = RedminePerson(redmine)

    def settings(self, name: str) -> dict[str, str]:
        person = self.person
        key = person.redmine.keys[person.bridge]
        found = {"TYPE": "redmine", "URL": person.redmine.url, "TOKEN": key, "COLLECTION": person.collection}
        return {f"{name}_{key}": value for key, value in found.items()}

    def adds(self, title: str, due: str = "") -> None:
        self.person.issue(title, **({"due_date": due} if due else {}))

    def sets(self, tag: str, name: str, value: str | bool) -> None:
        native_id = f"issues/{self._issue(tag)['id']}"
        if name == "done":
            self.person.change(native_id, status_id=self._done if value else self._new)
        else:
            attribute = {"title": "subject", "text": "description", "due": "due_date"}[name]
            self.person.change(native_id, **{attribute: value})

    def toggles(self, tag: str, label: str) -> None:
        raise NotImplementedError("Redmine's issues have no labels")

    def deletes(self, tag: str) -> None:
        self.person.remove(f"issues/{self._issue(tag)['id']}")

    def all(self) -> list[Seen]:
        return [
            Seen(
                issue["subject"],
                (issue["description"] or "").replace("\r\n", "\n"),
                issue.get("due_date") or "",
                issue["status"]["id"] == self._done,
                None,
                issue["status"]["id"] == self._away,
            )
            for issue in self._issues()
        ]

    def _issues(self) -> list[Any]:
        path = f"/projects/{self.person.collection}/issues.json"
        found: list[Any] = self.person.call("GET", path, status_id="*", limit="100")["issues"]
        assert len(found) < 100
        return found

    def _issue(self, tag: str) -> Any:
        [issue] = [one for one in self._issues() if one["subject"].endswith(f" {tag}")]
        return issue


class OpenProjectOffice:
    """An OpenProject project; it knows no labels. Its people work on Sundays, too."""

    has_labels = False

    def __init__(self, server: OpenProject) -> None:
        self.project = server.project(f"vorhaben-{next(_numbers)}").identifier
        self.person = OpenProjectPerson(server.url, "opapi-anna", self.project, "opapi-bridge")
        there = self.person.call("GET", "/statuses")["_embedded"]["elements"]
        self.statuses = {one["name"]: f"/api/v3/statuses/{one['id']}" for one in there}

    def settings(self, name: str) -> dict[str, str]:
        found = {"TYPE": "openproject", "URL": self.person.url, "TOKEN": "opapi-bridge", "COLLECTION": self.project}
        return {f"{name}_{key}": value for key, value in found.items()}

    def adds(self, title: str, due: str = "") -> None:
        self.person.add(title)
        if due:
            self.sets(title.rpartition(" ")[2], "due", due)

    def sets(self, tag: str, name: str, value: str | bool) -> None:
        if name == "done":
            self._patch(tag, _links={"status": {"href": self.statuses["Closed" if value else "New"]}})
        elif name == "due":
            self._patch(tag, dueDate=value or None, ignoreNonWorkingDays=True)
        elif name == "text":
            self._patch(tag, description={"raw": value})
        else:
            self._patch(tag, subject=value)

    def toggles(self, tag: str, label: str) -> None:
        raise NotImplementedError("work packages have no labels")

    def deletes(self, tag: str) -> None:
        self.person.remove(str(self._package(tag)["id"]))

    def all(self) -> list[Seen]:
        return [
            Seen(
                package["subject"],
                package["description"]["raw"] or "",
                package.get("dueDate") or package.get("date") or "",
                package["_links"]["status"]["title"] == "Closed",
                None,
                package["_links"]["status"]["title"] == "Rejected",
            )
            for package in self.packages()
        ]

    def packages(self) -> list[Any]:
        """Every work package, closed ones too."""
        answer = self.person.call("GET", f"/projects/{self.project}/work_packages?filters=[]&pageSize=1000")
        assert answer["total"] == answer["count"]
        found: list[Any] = answer["_embedded"]["elements"]
        return found

    def _package(self, tag: str) -> Any:
        [package] = [one for one in self.packages() if one["subject"].endswith(f" {tag}")]
        return package

    def _patch(self, tag: str, **fields: object) -> None:
        package = self._package(tag)
        body = {"lockVersion": package["lockVersion"], **fields}
        self.person.call("PATCH", f"/work_packages/{package['id']}?notify=false", body)


class WorkbookOffice:
    """A plan in an .xlsx file on a shared drive."""

    has_labels = True
    _columns = ("Titel", "Beschreibung", "Status", "Fällig", "Schlagworte", "Fortschritt", "Zuständig")

    def __init__(self, folder: Path) -> None:
        self.path = folder / f"plan-{next(_numbers)}.xlsx"
        book = openpyxl.Workbook()
        book.worksheets[0].append(self._columns)
        book.save(self.path)

    def settings(self, name: str) -> dict[str, str]:
        return {f"{name}_TYPE": "workbook", f"{name}_COLLECTION": str(self.path)}

    def adds(self, title: str, due: str = "") -> None:
        book, sheet, columns = self._open()
        row = sheet.max_row + 1
        sheet.cell(row, columns["Titel"]).value = title
        sheet.cell(row, columns["Fällig"]).value = date.fromisoformat(due) if due else None
        book.save(self.path)

    def sets(self, tag: str, name: str, value: str | bool) -> None:
        written: Any = value or None
        if name == "done":
            written = "Erledigt" if value else "Offen"
        elif name == "due" and value:
            written = date.fromisoformat(str(value))
        column = {"title": "Titel", "text": "Beschreibung", "due": "Fällig", "done": "Status"}[name]
        self._write(tag, column, written)

    def toggles(self, tag: str, label: str) -> None:
        [seen] = [one for one in self.all() if one.tag == tag]
        self._write(tag, "Schlagworte", ", ".join(sorted((seen.labels or frozenset()) ^ {label})) or None)

    def deletes(self, tag: str) -> None:
        book, sheet, columns = self._open()
        sheet.delete_rows(self._row(sheet, columns, tag))
        book.save(self.path)

    def all(self) -> list[Seen]:
        _, sheet, columns = self._open()
        rows = [
            {title: sheet.cell(row, column).value for title, column in columns.items()}
            for row in range(2, sheet.max_row + 1)
        ]
        return [
            Seen(
                row["Titel"],
                row["Beschreibung"] or "",
                str(row["Fällig"].date()) if row["Fällig"] else "",
                row["Status"] == "Erledigt",
                frozenset(part.strip() for part in (row["Schlagworte"] or "").split(",")) & {*LABELS},
                row["Status"] == "Archiviert",
            )
            for row in rows
            if row["Titel"]
        ]

    def _open(self) -> tuple[Any, Any, dict[str, int]]:
        book = openpyxl.load_workbook(self.path)
        sheet = book.worksheets[0]
        return book, sheet, {cell.value: cell.column for cell in sheet[1] if cell.value}

    def _row(self, sheet: Any, columns: dict[str, int], tag: str) -> int:
        titles = [(row, sheet.cell(row, columns["Titel"]).value or "") for row in range(2, sheet.max_row + 1)]
        [row] = [row for row, title in titles if title.endswith(f" {tag}")]
        return row

    def _write(self, tag: str, column: str, value: Any) -> None:
        book, sheet, columns = self._open()
        sheet.cell(self._row(sheet, columns, tag), columns[column]).value = value
        book.save(self.path)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def _noon(day: str) -> str:
    return datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=BERLIN).isoformat()


def _day(moment: str | None) -> str:
    return str(datetime.fromisoformat(moment).astimezone(BERLIN).date()) if moment else ""
