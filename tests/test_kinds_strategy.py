"""The digital strategy of Aachen from an office's workbook on every kind of platform: what each of them holds.

The office keeps its plan in an .xlsx file; a Deck board, a task list on a real Radicale, a GitLab project and a project
in a real Redmine are empty at first. `python -m pytest -s` on this file prints the table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tests.demo.strategy import Entry, Strategy, load
from tests.mirror import Mirror, written
from tests.offices import (
    CalendarOffice,
    DeckOffice,
    GitLabOffice,
    Makers,
    Office,
    OpenProjectOffice,
    RedmineOffice,
    WorkbookOffice,
)

pytestmark = [pytest.mark.radicale, pytest.mark.redmine, pytest.mark.xdist_group("redmine")]

KINDS = {
    "strategy": "Strategie",
    "goal": "Ziel",
    "action_field": "Handlungsfeld",
    "measure": "Maßnahme",
    "milestone": "Meilenstein",
    "task": "Aufgabe",
}
STATUS = {
    "idea": "Idee",
    "planned": "Geplant",
    "in_progress": "In Arbeit",
    "ongoing": "Dauerhaft",
    "on_hold": "Zurückgestellt",
    "done": "Erledigt",
    "cancelled": "Eingestellt",
    "unknown": "Unbekannt",
}
HEADERS = (
    "Titel",
    "Beschreibung",
    "Art",
    "Status",
    "Fällig",
    "Schlagworte",
    "Gehört zu",
    "Meilenstein",
    "Sichtbarkeit",
)


@dataclass(frozen=True)
class Held:
    """What one platform shows of one item. ``above`` is the title of what it belongs to, "" for nothing."""

    kind: str
    title: str
    due: str
    labels: frozenset[str] = frozenset()
    above: str = ""
    milestone: str = ""


def keeps_the_plan(office: WorkbookOffice, strategy: Strategy) -> None:
    """The office writes its whole plan into the file."""
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.append(HEADERS)
    titles = {entry.id: entry.title for entry in strategy.entries}
    for entry in strategy.entries:
        sheet.append(
            [
                entry.title,
                "\n".join(entry.lines) or None,
                KINDS[entry.kind],
                STATUS[entry.status],
                entry.due,
                ", ".join(entry.labels) or None,
                titles[entry.parent] if entry.parent else None,
                titles[entry.milestone] if entry.milestone else None,
                "Öffentlich" if entry.public else "Intern",
            ]
        )
    book.save(office.path)


# ---- what each platform shows, asked in its own way ---------------------------------------------------------------


def in_workbook(office: Any) -> list[Held]:
    rows = list(openpyxl.load_workbook(office.path).worksheets[0].iter_rows(values_only=True))
    found = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    kinds = {german: kind for kind, german in KINDS.items()}
    return [
        Held(
            kinds[row["Art"]],
            row["Titel"],
            str(row["Fällig"].date()) if row["Fällig"] else "",
            frozenset(part.strip() for part in (row["Schlagworte"] or "").split(",") if part),
            row["Gehört zu"] or "",
            row["Meilenstein"] or "",
        )
        for row in found
    ]


def in_calendar(office: Any) -> list[Held]:
    tasks, kinds = office.desk.all(), {german: kind for kind, german in KINDS.items()}
    titles = {task.uid: task.title for task in tasks}
    held = []
    for task in tasks:
        kind = next((kinds[one] for one in task.categories if one in kinds), "task")
        seen = next(one for one in office.all() if one.title == task.title)
        above = titles.get(task.get("RELATED-TO"), "")
        milestones = {titles[one.uid] for one in tasks if "Meilenstein" in one.categories}
        labels = task.categories - kinds.keys() - milestones - {"öffentlich"}
        milestone = next(iter(task.categories & milestones), "")
        held.append(Held(kind, task.title, seen.due, frozenset(labels), above, milestone))
    return held


def in_deck(office: Any) -> list[Held]:
    cards, kinds = office._cards(), {german: kind for kind, german in KINDS.items()}
    labels = {card["id"]: {one["title"] for one in card["labels"] or ()} for card in cards}
    milestones = {card["title"] for card in cards if "Meilenstein" in labels[card["id"]]}
    days = {one.title: one.due for one in office.all()}
    return [
        Held(
            next((kinds[one] for one in labels[card["id"]] if one in kinds), "task"),
            card["title"],
            days[card["title"]],
            frozenset(labels[card["id"]] - kinds.keys() - milestones - {"öffentlich"}),
            milestone=next(iter(labels[card["id"]] & milestones), ""),
        )
        for card in cards
    ]


def in_gitlab(office: Any) -> list[Held]:
    milestones = office.person.call("GET", "/milestones?per_page=100")
    return [
        Held(
            "task",
            issue["title"],
            issue["due_date"] or "",
            frozenset(one for one in issue["labels"] if "::" not in one),
            milestone=(issue["milestone"] or {}).get("title", ""),
        )
        for issue in office._issues()
    ] + [Held("milestone", one["title"], one["due_date"] or "") for one in milestones]


def in_redmine(office: Any) -> list[Held]:
    issues = office._issues()
    titles = {issue["id"]: issue["subject"] for issue in issues}
    path = f"/projects/{office.person.collection}/versions.json"
    versions = [one for one in office.person.call("GET", path)["versions"] if one["name"] != "Gemeinsam"]
    return [
        Held(
            "task",
            issue["subject"],
            issue.get("due_date") or "",
            above=titles.get(issue.get("parent", {}).get("id"), ""),
            milestone=issue.get("fixed_version", {}).get("name", ""),
        )
        for issue in issues
    ] + [Held("milestone", one["name"], one.get("due_date") or "") for one in versions]


def in_openproject(office: Any) -> list[Held]:
    packages = office.packages()
    titles = {package["_links"]["self"]["href"]: package["subject"] for package in packages}
    held = []
    for package in packages:
        links = package["_links"]
        kind = "milestone" if links["type"]["title"] == "Milestone" else "task"
        above = titles.get(links["parent"]["href"], "")
        day = package.get("dueDate") or package.get("date") or ""
        version = links["version"].get("title", "") if kind == "task" else ""
        held.append(Held(kind, package["subject"], day, above=above, milestone=version))
    return held


LOOKS: Mapping[type, Callable[[Any], list[Held]]] = {
    WorkbookOffice: in_workbook,
    CalendarOffice: in_calendar,
    DeckOffice: in_deck,
    GitLabOffice: in_gitlab,
    RedmineOffice: in_redmine,
    OpenProjectOffice: in_openproject,
}


def table(held: Mapping[str, list[Held]]) -> str:
    """What each platform holds, as people read it."""
    columns = [*KINDS, "due", "labels", "above", "milestone of"]
    lines = [f"{'':12}" + "".join(f"{column:>14}" for column in columns)]
    for name, records in held.items():
        kinds = Counter(one.kind for one in records)
        numbers = [kinds[kind] for kind in KINDS]
        numbers += [sum(bool(value) for value in values) for values in zip(*map(_refers, records), strict=True)]
        lines.append(f"{name:12}" + "".join(f"{number:14}" for number in numbers))
    return "\n".join(lines)


def _refers(one: Held) -> tuple[object, ...]:
    return one.due, one.labels, one.above, one.milestone


def expected(entry: Entry, strategy: Strategy) -> Held:
    """What a platform shows that can hold everything."""
    above = strategy.entry(entry.parent).title if entry.parent else ""
    milestone = strategy.entry(entry.milestone).title if entry.milestone else ""
    day = str(entry.due) if isinstance(entry.due, date) else ""
    return Held(str(entry.kind), entry.title, day, frozenset(entry.labels), above, milestone)


def test_every_platform_holds_the_strategy(makers: Makers, tmp_path: Path) -> None:
    strategy = load()
    offices: dict[str, Office] = {name: make() for name, make in makers.items()}
    mirror = Mirror(tmp_path)
    mirror.sets(bridge_connectors=",".join(offices))
    for name, office in offices.items():
        mirror.sets(**office.settings(name))
        if isinstance(office, WorkbookOffice):
            keeps_the_plan(office, strategy)
    mirror.begins()
    assert written(mirror.sync()) == 0
    held = {name: LOOKS[type(office)](office) for name, office in offices.items()}
    print(f"\n{table(held)}")
    whole = {entry.title: expected(entry, strategy) for entry in strategy.entries}
    for name, records in held.items():
        wanted = [_as_held(offices[name], one, whole) for one in whole.values()]
        assert sorted(records, key=_title) == sorted(filter(None, wanted), key=_title), name


def _as_held(office: Office, one: Held, whole: Mapping[str, Held]) -> Held | None:
    """What a platform can hold of an item; None for nothing."""
    if isinstance(office, DeckOffice):
        return replace(one, above="")
    if isinstance(office, GitLabOffice):
        return replace(one, above="") if one.kind in ("task", "milestone") else None
    if isinstance(office, RedmineOffice | OpenProjectOffice):
        # Only a task is below a task, and in Redmine it has its days from those; a version has 60 characters of name.
        redmine = isinstance(office, RedmineOffice)
        subtasks = [other for other in whole.values() if other.above == one.title and other.kind == "task"]
        above = one.above if one.above and whole[one.above].kind == "task" else ""
        title = _short(one.title) if redmine and one.kind == "milestone" else one.title
        one = replace(one, title=title, due=max((sub.due for sub in subtasks if redmine), default=one.due))
        one = replace(one, labels=frozenset(), above=above, milestone=_short(one.milestone))
        return one if one.kind in ("task", "milestone") else None
    return one


def _short(title: str) -> str:
    """A version's name has no more than 60 characters."""
    return title if len(title) <= 60 else f"{title[:59].rstrip()}…"


def _title(one: Held) -> str:
    return one.title
