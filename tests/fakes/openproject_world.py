"""What projects, work packages and versions do on an OpenProject server (B of facts: platform-apis).

"(source)" marks what is not in the facts and was read in OpenProject's own code; "(docs)" its own documentation.
Whoever acts is named by account.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from tests.fakes.openproject_model import (
    MEMBER,
    Clock,
    CustomField,
    Json,
    Priority,
    Project,
    Refusal,
    Status,
    Type,
    User,
    Version,
    WorkPackage,
    fixed,
    forbidden,
    invalid,
    merged,
    unknown,
)
from tests.fakes.openproject_text import called

# (source: app/seeders/standard.yml, config/locales/crowdin/de.seeders.yml) the default data, in two languages
STATUSES = (
    ("New", "Neu", 0),
    ("In specification", "In Spezifikation", 10),
    ("Specified", "Spezifiziert", 20),
    ("Confirmed", "Bestätigt", 20),
    ("To be scheduled", "Zu planen", 20),
    ("Scheduled", "Geplant", 20),
    ("In progress", "In Bearbeitung", 40),
    ("Developed", "Entwickelt", 70),
    ("In testing", "In Test", 80),
    ("Tested", "Getestet", 90),
    ("Test failed", "Test fehlgeschlagen", 70),
    ("Closed", "Erledigt", 100),
    ("On hold", "Gestoppt", 0),
    ("Rejected", "Zurückgewiesen", 0),
)
PRIORITIES = (("Low", "Niedrig"), ("Normal", "Normal"), ("High", "Hoch"), ("Immediate", "Sofort"))
TYPES = (
    ("Task", "Aufgabe", ("New", "In progress", "On hold", "Rejected", "Closed")),
    (
        "Milestone",
        "Meilenstein",
        ("New", "To be scheduled", "Scheduled", "In progress", "On hold", "Rejected", "Closed"),
    ),
    (
        "Summary task",
        "Phase",
        ("New", "To be scheduled", "Scheduled", "In progress", "On hold", "Rejected", "Closed"),
    ),
)


class World:
    """Everything that the server keeps."""

    def __init__(self, clock: Clock, language: str = "en") -> None:
        self.clock = clock
        self.users: dict[int, User] = {}
        self.projects: dict[int, Project] = {}
        self.versions: dict[int, Version] = {}
        self.work_packages: dict[int, WorkPackage] = {}
        self.custom_fields: dict[int, CustomField] = {}
        self.progress_by_status = False
        """B: in this mode the status says the progress, and nobody writes it."""
        self.closing_is_complete = False
        """(source: percent_complete_on_status_closed) closing sets the progress to 100."""
        self.several_versions = False
        """(source: WorkPackageMultipleVersions) then `version` is missing, and `targetVersions` has them."""
        self.starts_today = False
        """(source: work_package_startdate_is_adddate) a new work package starts today unless it says a start."""
        self.trash = False
        """(source: WorkPackages::TrashService) what is deleted can be read by its id, and is not listed."""
        self.holidays: set[str] = set()
        self._ids = itertools.count(5, 4)  # ids are global and leave gaps
        index = 1 if language == "de" else 0
        self.statuses = {
            n: Status(n, names[index], names[2], names[0] == "New", names[0] in ("Closed", "Rejected"))
            for n, names in enumerate(STATUSES, 1)
        }
        self.priorities = {n: Priority(n, names[index], names[0] == "Normal") for n, names in enumerate(PRIORITIES, 7)}
        english = {names[0]: n for n, names in enumerate(STATUSES, 1)}
        self.types = {
            n: Type(n, names[index], names[0] == "Milestone", {english[one] for one in names[2]})
            for n, names in enumerate(TYPES, 1)
        }

    # ---- making a world --------------------------------------------------------------------------------------

    def add_user(self, login: str, *, admin: bool = False) -> User:
        user = User(next(self._ids), login, admin)
        self.users[user.id] = user
        return user

    def add_project(self, identifier: str, name: str, parent: int | None = None) -> Project:
        project = Project(next(self._ids), identifier, name, parent, types=list(self.types))
        self.projects[project.id] = project
        return project

    def add_version(self, project: int, name: str, status: str = "open") -> Version:
        version = Version(next(self._ids), name, project, status)
        self.versions[version.id] = version
        return version

    def status(self, name: str) -> Status:
        return next(one for one in self.statuses.values() if one.name == name)

    # ---- who may see and do what -----------------------------------------------------------------------------

    def rights(self, user: int, project: Project) -> frozenset[str]:
        if not project.active:
            return frozenset()  # not even to an administrator (source: allowed_in_project?)
        return MEMBER if self.users[user].admin else project.members.get(user, frozenset())

    def project(self, user: int, name: str) -> Project:
        """A project that is not for you is not there."""
        found = next((one for one in self.projects.values() if name in (str(one.id), one.identifier)), None)
        if found is None or not (self.users[user].admin or (found.active and (user in found.members or found.public))):
            raise unknown()
        return found

    def demand(self, user: int, project: Project, right: str) -> None:
        if right not in self.rights(user, project):
            raise forbidden()

    def sees(self, user: int, found: WorkPackage) -> bool:
        return "view_work_packages" in self.rights(user, self.projects[found.project])

    def work_package(self, user: int, id: int) -> WorkPackage:
        """B: 404 also where it is not visible."""
        found = self.work_packages.get(id)
        if found is None or not self.sees(user, found):
            raise unknown()
        return found

    def listed(self, user: int, project: Project, *, below: bool) -> list[WorkPackage]:
        inside = {project.id} | (
            {one.id for one in self.projects.values() if one.parent == project.id} if below else set()
        )
        return [
            one
            for one in self.work_packages.values()
            if one.project in inside and not one.trashed and self.sees(user, one)
        ]

    def children(self, id: int) -> list[WorkPackage]:
        return [one for one in self.work_packages.values() if one.parent == id and not one.trashed]

    # ---- work packages ---------------------------------------------------------------------------------------

    def make(self, user: int, body: Json, project: Project | None = None, *, notify: bool = True) -> WorkPackage:
        links = body.get("_links", {})
        project = project or self.project(user, str(_id(links.get("project"))))
        self.demand(user, project, "add_work_packages")
        type = self.types.get(_id(links.get("type")) or 0) or self.types[project.types[0]]
        if type.id not in project.types:
            raise invalid("type", "Type is not set to one of the allowed values.")
        now = self.clock.moment()
        made = WorkPackage(
            0,
            project.id,
            type.id,
            next(one.id for one in self.statuses.values() if one.is_default),
            next(one.id for one in self.priorities.values() if one.is_default),
            user,
            "",
            now,
            now,
        )
        made.progress = 0 if self.progress_by_status else None
        self._defaults(made, body, links)
        self._write(
            user, made, {**body, "_links": {k: v for k, v in links.items() if k not in ("project", "type")}}, new=True
        )
        made.id = next(self._ids)
        self.work_packages[made.id] = made
        self._settle(made.parent)
        self._tell(user, "", f"{made.subject}\n{made.description}", made, notify=notify)
        return made

    def _defaults(self, made: WorkPackage, body: Json, links: Json) -> None:
        """(source: set_attributes_service.rb) what is not said is the parent's, or today."""
        parent = self.work_packages.get(_id(links.get("parent")) or 0)
        if parent is not None:
            made.start = parent.start if "startDate" not in body and "date" not in body else None
            made.due = parent.due if "dueDate" not in body and "date" not in body else None
        elif self.starts_today and "startDate" not in body and "date" not in body:
            made.start = self.clock.moment().date().isoformat()
        template = self.types[made.type].template
        if template and not (body.get("description") or {}).get("raw"):
            made.description = template

    def patch(self, user: int, id: int, body: Json, *, notify: bool = True) -> WorkPackage:
        found = self.work_package(user, id)
        if found.trashed:
            raise unknown()
        if "lockVersion" not in body or body["lockVersion"] != found.lock_version:  # B: mandatory
            raise Refusal(409, "UpdateConflict", "Couldn't update the resource because of conflicting modifications.")
        self.demand(user, self.projects[found.project], "edit_work_packages")
        before, parent = f"{found.subject}\n{found.description}", found.parent
        copy = WorkPackage(**{**vars(found), "versions": list(found.versions), "custom": dict(found.custom)})
        self._write(user, copy, body, new=False)
        changed = vars(copy) != vars(found)
        vars(found).update(vars(copy))
        if changed:
            self._touch(found)
        for one in {parent, found.parent} if changed else ():
            self._settle(one)
        self._tell(user, before, f"{found.subject}\n{found.description}", found, notify=notify)
        return found

    def delete(self, user: int, id: int) -> None:
        """B: hard, and all children with it."""
        found = self.work_package(user, id)
        if found.trashed:
            raise unknown()
        self.demand(user, self.projects[found.project], "delete_work_packages")
        for child in self.children(id):
            self.delete(user, child.id)
        if self.trash:
            found.trashed = True
        else:
            del self.work_packages[id]
        self._settle(found.parent)

    def comment(self, id: int, text: str) -> None:
        """B: an activity; the work package's own time moves, its lock version need not."""
        found = self.work_packages[id]
        found.comments.append(text)
        found.updated_at = self.clock.moment()

    def move(self, id: int, to: Project) -> None:
        """Into another project, by somebody who may."""
        found = self.work_packages[id]
        found.project = to.id
        found.versions = []
        self._touch(found)

    def _touch(self, found: WorkPackage) -> None:
        found.lock_version += 1
        found.updated_at = self.clock.moment()

    # ---- what a change means ---------------------------------------------------------------------------------

    def _write(self, user: int, found: WorkPackage, body: Json, *, new: bool) -> None:
        refusals = list(self._refused(found, body, new=new))
        refusals += self._linked(user, found, body.get("_links", {}), new=new)
        type = self.types[found.type]
        if "subject" in body:
            found.subject = body["subject"] or ""
        if not 1 <= len(found.subject) <= 255:  # B
            refusals.append(invalid("subject", f"Subject {'is too long' if found.subject else 'cannot be blank'}."))
        if "description" in body:  # B: html is ignored
            found.description = (body["description"] or {}).get("raw") or (type.template if new else "")
        if "scheduleManually" in body:
            found.by_hand = body["scheduleManually"] or not self.children(found.id)  # (docs) only with children
        if "ignoreNonWorkingDays" in body:
            found.any_day = bool(body["ignoreNonWorkingDays"])
        if "percentageDone" in body:
            found.progress = body["percentageDone"]
        refusals += self._dated(found, body)
        for id, field in self.custom_fields.items():
            found.custom.setdefault(id, field.default or "")
            if field.required and not found.custom[id]:
                refusals.append(invalid(f"customField{id}", f"{field.name} can't be blank."))
        if refusals:
            raise merged(refusals)

    def _refused(self, found: WorkPackage, body: Json, *, new: bool) -> Iterator[Refusal]:
        """What may not be written at all."""
        type, milestone = self.types[found.type], self.types[found.type].is_milestone
        if self.statuses[found.status].is_readonly and not new:  # B: everything but the status
            others = (body.keys() - {"lockVersion", "_links"}) | (body.get("_links", {}).keys() - {"status"})
            if others:
                yield fixed(sorted(others)[0])
        if "percentageDone" in body and self.progress_by_status:
            yield fixed("percentageDone")
        if "subject" in body and type.makes_subjects:
            yield fixed("subject")
        wrong = {"startDate", "dueDate"} if milestone else {"date"}  # B: a milestone has a date and nothing else
        for name in sorted(wrong & body.keys()):
            yield fixed(name)
        if not found.by_hand and self.children(found.id):  # B: inferred from the children
            for name in sorted({"startDate", "dueDate"} & body.keys()):
                yield fixed(name)

    def _linked(self, user: int, found: WorkPackage, links: Json, *, new: bool) -> list[Refusal]:
        refusals = []
        if "status" in links:
            status, workflow = self.statuses.get(_id(links["status"]) or 0), self.types[found.type].workflow
            if status is None:
                refusals.append(invalid("status", "Status does not exist."))
            elif new:  # (source: reassign_status) another type's status is replaced without a word
                found.status = status.id if status.id in workflow else found.status
            elif status.id != found.status and not {status.id, found.status} <= workflow:
                refusals.append(
                    invalid(
                        "status",
                        "Status is invalid because no valid transition exists from old to new status for the current "
                        "user's roles.",
                    )
                )
            else:
                self._set_status(found, status)
        if "priority" in links:
            found.priority = _id(links["priority"]) or 0
            if found.priority not in self.priorities:
                refusals.append(invalid("priority", "Priority can't be blank."))
        if "parent" in links:
            refusals += self._set_parent(user, found, _id(links["parent"]))
        if "version" in links:
            refusals += self._set_versions(found, [_id(links["version"])])
        if "targetVersions" in links:
            refusals += self._set_versions(found, [_id(one) for one in links["targetVersions"]])
        if "project" in links and not new:
            found.project = self.project(user, str(_id(links["project"]))).id
        return refusals

    def _set_status(self, found: WorkPackage, status: Status) -> None:
        found.status = status.id
        if self.progress_by_status:
            found.progress = status.ratio
        elif self.closing_is_complete and status.is_closed:
            found.progress = 100

    def _set_parent(self, user: int, found: WorkPackage, id: int | None) -> list[Refusal]:
        found.parent = id
        if id is None:
            return []
        parent = self.work_packages.get(id)
        if parent is None or not self.sees(user, parent):
            return [invalid("parent", "Parent does not exist.")]
        if self.types[parent.type].is_milestone:  # (source: base_contract.rb, validate_parent_not_milestone)
            return [invalid("parent", "Parent cannot be a milestone.")]
        above: WorkPackage | None = parent
        while above is not None:
            if above.id == found.id:
                return [invalid("parent", "A work package cannot be linked to one of its subtasks.")]
            above = self.work_packages.get(above.parent or 0)
        return []

    def _set_versions(self, found: WorkPackage, ids: Iterable[int | None]) -> list[Refusal]:
        wanted = [id for id in ids if id is not None]
        for id in wanted:
            version = self.versions.get(id)
            if version is None or (version.status != "open" and id not in found.versions):
                return [invalid("version", "Version is not set to one of the allowed values.")]
        found.versions = wanted
        return []

    def _dated(self, found: WorkPackage, body: Json) -> list[Refusal]:
        """B and (source: set_attributes_service.rb): dates move to working days unless that is allowed."""
        old = (found.start, found.due)
        if "date" in body:
            found.start = found.due = body["date"]
        found.start = body.get("startDate", found.start)
        found.due = body.get("dueDate", found.due)
        if "ignoreNonWorkingDays" in body and found.start and "dueDate" not in body and "date" not in body and old[1]:
            found.due = found.start  # derived from the start and a duration, which is one day here
        if not found.any_day:
            found.start, found.due = self.soonest(found.start), self.soonest(found.due)
        if self.types[found.type].is_milestone:
            found.start = found.due
        if found.start and found.due and found.start > found.due:
            return [invalid("dueDate", "Finish date must be greater than or equal to the start date.")]
        return []

    def works(self, day: str) -> bool:
        return date.fromisoformat(day).weekday() < 5 and day not in self.holidays

    def soonest(self, day: str | None) -> str | None:
        while day is not None and not self.works(day):
            day = (date.fromisoformat(day) + timedelta(days=1)).isoformat()
        return day

    def _settle(self, id: int | None) -> None:
        """B: one change moves the dates, and the lock versions, of those above."""
        found = self.work_packages.get(id or 0)
        if found is None or found.by_hand:
            return
        children = self.children(found.id)
        starts = [one.start or one.due for one in children if one.start or one.due]
        ends = [one.due or one.start for one in children if one.due or one.start]
        dates = (min(map(str, starts), default=None), max(map(str, ends), default=None))
        if children and dates != (found.start, found.due):
            found.start, found.due = dates
            self._touch(found)
            self._settle(found.parent)

    # ---- who is told -----------------------------------------------------------------------------------------

    def _tell(self, user: int, before: str, after: str, found: WorkPackage, *, notify: bool) -> None:
        """B: `notify=false` tells nobody; else those who are named by what was added."""
        if not notify:
            return
        for name in called(after) - called(before):
            for one in self.users.values():
                if name in (str(one.id), one.login) and one.id != user:
                    one.told.append(f"mentioned in {found.subject}")


def _id(link: Json) -> int | None:
    """B: a link ends in an id; a null href clears."""
    href = (link or {}).get("href")
    number = str(href or "").rpartition("/")[2]
    return int(number) if number.isdecimal() else None
