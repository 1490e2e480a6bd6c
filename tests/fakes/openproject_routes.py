"""The routes and shapes of the fake OpenProject server: API v3, HAL (B of facts: platform-apis)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tests.fakes.openproject_model import (
    API,
    Json,
    Project,
    Refusal,
    Type,
    User,
    Version,
    WorkPackage,
    forbidden,
    invalid,
    unknown,
)
from tests.fakes.openproject_world import World

SELECTABLE = {"id", "subject", "startDate", "dueDate", "date", "_type", "self", "project", "author", "assignee", "*"}
"""(source: work_package_sql_representer.rb) what can be selected; anything else is a 400."""


@dataclass(frozen=True)
class Answer:
    """What goes back."""

    status: int
    body: Json = None


class Routes:
    """One request, being answered. ``old``: a release that shows whole seconds and cannot select."""

    def __init__(self, world: World, user: User, query: dict[str, str], body: Json, *, cap: int, old: bool) -> None:
        self.world, self.user, self.query, self.body = world, user, query, body
        self.cap, self.old = cap, old
        number, project = r"/(\d+)", "/projects/([^/]+)"
        self.table: list[tuple[str, str, Callable[..., Any]]] = [
            ("GET", "/users/me", self._me),
            ("GET", "/projects", self._projects),
            ("GET", project, self._project),
            ("GET", f"{project}/types", self._types),
            ("GET", f"{project}/versions", self._versions),
            ("GET", f"{project}/work_packages", self._list),
            ("POST", f"{project}/work_packages/form", self._form),
            ("GET", "/statuses", self._statuses),
            ("GET", "/priorities", self._priorities),
            ("GET", "/versions/available_projects", self._version_projects),
            ("POST", "/versions", self._make_version),
            ("PATCH", f"/versions{number}", self._rename_version),
            ("GET", r"/days/(\d{4}-\d\d-\d\d)", self._day),
            ("POST", "/work_packages", self._make),
            ("GET", f"/work_packages{number}", self._work_package),
            ("PATCH", f"/work_packages{number}", self._patch),
            ("DELETE", f"/work_packages{number}", self._delete),
            ("POST", f"/work_packages{number}/activities", self._comment),
        ]

    def answer(self, method: str, path: str) -> Answer:
        for verb, pattern, run in self.table:
            found = re.fullmatch(pattern, path)
            if found and verb == method:
                said = run(*found.groups())
                return said if isinstance(said, Answer) else Answer(201 if method == "POST" else 200, said)
        raise unknown()

    # ---- who and where ---------------------------------------------------------------------------------------

    def _me(self) -> Json:
        """(source: user_representer.rb) whether somebody is an administrator only administrators see."""
        user = self.user
        shown = {"_type": "User", "id": user.id, "login": user.login, "name": user.login.title()}
        return {**shown, **({"admin": True} if user.admin else {}), "_links": {}}

    def _projects(self) -> Json:
        seen = []
        for one in self.world.projects.values():
            try:
                seen.append(self._show_project(self.world.project(self.user.id, str(one.id))))
            except Refusal:
                continue
        filters = json.loads(self.query.get("filters", "[]"))
        wanted = [list(one["active"]["values"]) for one in filters if "active" in one]
        return self._collection([one for one in seen if all([("t" if one["active"] else "f")] == w for w in wanted)])

    def _project(self, name: str) -> Json:
        return self._show_project(self.world.project(self.user.id, name))

    def _show_project(self, project: Project) -> Json:
        return {
            "_type": "Project",
            "id": project.id,
            "identifier": project.identifier,
            "name": project.name,
            "active": project.active,
            "public": project.public,
            "_links": {"self": self._link("projects", project.id, project.name)},
        }

    # ---- vocabulary ------------------------------------------------------------------------------------------

    def _types(self, name: str) -> Json:
        project = self._seen(name)
        rows = [
            {"_type": "Type", "id": one.id, "name": one.name, "position": n, "isMilestone": one.is_milestone}
            for n, one in enumerate(self.world.types.values(), 1)
            if one.id in project.types
        ]
        return self._piece(rows)

    def _statuses(self) -> Json:
        rows = [
            {
                "_type": "Status",
                "id": one.id,
                "name": one.name,
                "isClosed": one.is_closed,
                "isDefault": one.is_default,
                "isReadonly": one.is_readonly,
                "defaultDoneRatio": one.ratio,
            }
            for one in self.world.statuses.values()
        ]
        return self._piece(rows)

    def _priorities(self) -> Json:
        rows = [
            {"_type": "Priority", "id": one.id, "name": one.name, "isDefault": one.is_default, "isActive": True}
            for one in self.world.priorities.values()
        ]
        return self._piece(rows)

    def _versions(self, name: str) -> Json:
        project = self._seen(name)
        return self._piece(
            [self._show_version(one) for one in self.world.versions.values() if one.project == project.id or one.shared]
        )

    def _show_version(self, version: Version) -> Json:
        """B: no lock version."""
        links = {"definingProject": self._link("projects", version.project)}
        return {
            "_type": "Version",
            "id": version.id,
            "name": version.name,
            "status": version.status,
            "sharing": "none",
            "startDate": None,
            "endDate": None,
            "_links": links,
        }

    def _version_projects(self) -> Json:
        manages = [one for one in self.world.projects.values() if self._may("manage_versions", one)]
        if not manages:
            raise forbidden()
        return self._piece([self._show_project(one) for one in manages])

    def _rename_version(self, number: str) -> Json:
        version = self.world.versions[int(number)]
        project = self.world.projects[version.project]
        self.world.demand(self.user.id, project, "manage_versions")
        version.name = self._version_name(project)
        return self._show_version(version)

    def _version_name(self, project: Project) -> str:
        """(source) at most 60 characters, once in a project."""
        name = str(self.body["name"])
        if not 1 <= len(name) <= 60:
            raise invalid("name", "Name is too long (maximum is 60 characters).")
        if any(one.name == name and one.project == project.id for one in self.world.versions.values()):
            raise invalid("name", "Name has already been taken.")
        return name

    def _make_version(self) -> Json:
        project = self.world.project(self.user.id, self.body["_links"]["definingProject"]["href"].rpartition("/")[2])
        self.world.demand(self.user.id, project, "manage_versions")
        return self._show_version(self.world.add_version(project.id, self._version_name(project)))

    def _day(self, day: str) -> Json:
        return {"_type": "Day", "date": day, "name": day, "working": self.world.works(day)}

    def _form(self, name: str) -> Answer:
        """B: validates without saving, and lists what is allowed; 200 whatever it says."""
        project = self._seen(name)
        if not self._may("add_work_packages", project):
            raise forbidden()
        type = self.world.types[int(self.body["_links"]["type"]["href"].rpartition("/")[2])]
        statuses = [one for one in self.world.statuses.values() if one.id in type.workflow]
        schema: Json = {
            "_type": "Schema",
            "subject": {"type": "String", "name": "Subject", "required": True, "writable": not type.makes_subjects},
            "percentageDone": {
                "type": "Integer",
                "name": "% Complete",
                "required": False,
                "writable": not self.world.progress_by_status,
            },
            "status": {
                "name": "Status",
                "required": True,
                "writable": True,
                "hasDefault": True,
                "_links": {"allowedValues": [self._link("statuses", one.id, one.name) for one in statuses]},
            },
        }
        for id, field in self.world.custom_fields.items():
            schema[f"customField{id}"] = {
                "name": field.name,
                "required": field.required,
                "writable": True,
                "hasDefault": field.default is not None,
            }
        payload = {
            "percentageDone": 0 if self.world.progress_by_status else None,
            "description": {"raw": type.template},
        }
        return Answer(
            200, {"_type": "Form", "_embedded": {"payload": payload, "schema": schema, "validationErrors": {}}}
        )

    # ---- work packages ---------------------------------------------------------------------------------------

    def _list(self, name: str) -> Json:
        project = self._seen(name)
        if "filters" not in self.query:  # B: open ones only
            found = [
                one
                for one in self.world.listed(self.user.id, project, below=True)
                if not self.world.statuses[one.status].is_closed
            ]
        else:
            below = self.query.get("includeSubprojects", "true") != "false"
            found = self.world.listed(self.user.id, project, below=below)
            for each in json.loads(self.query["filters"]):
                [(name, said)] = each.items()
                self._allows(name, said["values"])
                found = [one for one in found if self._fits(one, name, said["operator"], said["values"])]
        [[field, direction]] = json.loads(self.query.get("sortBy", '[["id","asc"]]'))
        keys: dict[str, Callable[[WorkPackage], Any]] = {
            "id": lambda one: one.id,
            "updatedAt": lambda one: (one.updated_at, one.id),
        }
        found.sort(key=keys[field], reverse=direction == "desc")
        return self._collection([self.show(one) for one in found])

    def _allows(self, name: str, values: list[str]) -> None:
        """(source: id_filter.rb) the id of what is not visible, or in the trash, is no value of the filter."""
        seen = {one.id for one in self.world.work_packages.values() if self.world.sees(self.user.id, one)}
        seen -= {one.id for one in self.world.work_packages.values() if one.trashed}
        if name == "id" and not {int(value) for value in values} <= seen:
            raise Refusal(400, "InvalidQuery", "Filters Id filter has invalid values.")

    def _fits(self, found: WorkPackage, name: str, operator: str, values: list[str]) -> bool:
        """B: borders are included, and one side may be empty."""
        if (name, operator) == ("updatedAt", "<>d"):
            low, high = (datetime.fromisoformat(one) if one else None for one in values)
            return (low is None or low <= found.updated_at) and (high is None or found.updated_at <= high)
        if (name, operator) == ("id", "="):
            return str(found.id) in values
        raise Refusal(400, "InvalidQuery", f"Filters {name} filter does not exist.")

    def _work_package(self, number: str) -> Json:
        return self.show(self.world.work_package(self.user.id, int(number)))

    def _make(self) -> Json:
        return self.show(self.world.make(self.user.id, self.body, notify=self._notify))

    def _patch(self, number: str) -> Json:
        return self.show(self.world.patch(self.user.id, int(number), self.body, notify=self._notify))

    def _delete(self, number: str) -> Answer:
        self.world.delete(self.user.id, int(number))
        return Answer(204)

    def _comment(self, number: str) -> Json:
        found = self.world.work_package(self.user.id, int(number))
        self.world.comment(found.id, str(self.body["comment"]["raw"]))
        return {"_type": "Activity::Comment", "comment": {"raw": found.comments[-1]}}

    @property
    def _notify(self) -> bool:
        return self.query.get("notify", "true") != "false"

    def show(self, found: WorkPackage) -> Json:
        world, type = self.world, self.world.types[found.type]
        dates = {"date": found.due} if type.is_milestone else {"startDate": found.start, "dueDate": found.due}
        more: Json = {} if type.is_milestone else {"derivedStartDate": None, "derivedDueDate": None, "duration": None}
        if world.statuses[found.status].is_readonly:
            more["readonly"] = True
        return {
            "_type": "WorkPackage",
            "id": found.id,
            "lockVersion": found.lock_version,
            "subject": found.subject,
            "description": {"format": "markdown", "raw": found.description, "html": f"<p>{found.description}</p>"},
            "scheduleManually": found.by_hand,
            **dates,
            **more,
            "estimatedTime": None,
            "ignoreNonWorkingDays": found.any_day,
            "percentageDone": found.progress,
            **{f"customField{id}": value for id, value in found.custom.items()},
            "createdAt": self._stamp(found.created_at),
            "updatedAt": self._stamp(found.updated_at),
            "_links": self._links(found, type),
        }

    def _links(self, found: WorkPackage, type: Type) -> Json:
        world, project = self.world, self.world.projects[found.project]
        versions = [self._link("versions", id, world.versions[id].name) for id in found.versions]
        nothing = {"href": None}
        children = [one for one in world.children(found.id) if world.sees(self.user.id, one)]
        parent = world.work_packages.get(found.parent or 0)
        shown = parent is not None and world.sees(self.user.id, parent)
        return {
            "self": self._link("work_packages", found.id, found.subject),
            "type": self._link("types", type.id, type.name),
            "status": self._link("statuses", found.status, world.statuses[found.status].name),
            "priority": self._link("priorities", found.priority, world.priorities[found.priority].name),
            "project": self._link("projects", project.id, project.name),
            "author": self._link("users", found.author, world.users[found.author].login.title()),
            "assignee": nothing,
            "parent": self._link("work_packages", parent.id, parent.subject) if parent and shown else nothing,
            "targetVersions": versions,
            **({} if world.several_versions else {"version": versions[0] if versions else nothing}),
            **(
                {"children": [self._link("work_packages", one.id, one.subject) for one in children]} if children else {}
            ),
            **(
                {"updateImmediately": {"href": f"{API}/work_packages/{found.id}", "method": "patch"}}
                if self._may("edit_work_packages", project)
                else {}
            ),
        }

    # ---- lists -----------------------------------------------------------------------------------------------

    def _collection(self, rows: list[Json]) -> Json:
        """B: `offset` is the number of a page, and an administrator limits its size."""
        size = min(int(self.query.get("pageSize", "20")), self.cap)
        page = int(self.query.get("offset", "1"))
        part = rows[(page - 1) * size : page * size]
        if "select" in self.query:
            part = self._selected(part)
        return {
            "_type": "WorkPackageCollection",
            "total": len(rows),
            "count": len(part),
            "pageSize": size,
            "offset": page,
            "_embedded": {"elements": part},
        }

    def _selected(self, rows: list[Json]) -> list[Json]:
        wanted = {one.partition("/")[2] for one in self.query["select"].split(",") if one.startswith("elements/")}
        if self.old or wanted - SELECTABLE:
            raise Refusal(400, "InvalidSignal", "The requested select is not supported.")
        found = []
        for row in rows:
            links = {name: link for name, link in row["_links"].items() if name in wanted}
            found.append({name: row[name] for name in row.keys() & wanted} | ({"_links": links} if links else {}))
        return found

    def _piece(self, rows: list[Json]) -> Json:
        return {"_type": "Collection", "total": len(rows), "count": len(rows), "_embedded": {"elements": rows}}

    # ---- small words -----------------------------------------------------------------------------------------

    def _may(self, right: str, project: Project) -> bool:
        return right in self.world.rights(self.user.id, project)

    def _seen(self, name: str) -> Project:
        """B: 403 to whoever may see the project and not its work packages."""
        project = self.world.project(self.user.id, name)
        self.world.demand(self.user.id, project, "view_work_packages")
        return project

    def _link(self, what: str, id: int, title: str = "") -> Json:
        return {"href": f"{API}/{what}/{id}", "title": title}

    def _stamp(self, when: datetime) -> str:
        text = when.astimezone(UTC).isoformat(timespec="seconds" if self.old else "milliseconds")
        return text.replace("+00:00", "Z")
