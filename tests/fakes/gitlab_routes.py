"""The routes of GitLab's interface and the shapes of its answers; see `gitlab` for what "A 1" means."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import unquote, urlencode

from tests.fakes import gitlab_groups
from tests.fakes.gitlab_model import Issue, Json, Milestone, Project, Refusal, Token, forbidden, unknown, wrong
from tests.fakes.gitlab_world import World

KEYSET_ORDERS = ("created_at", "updated_at", "title", "id", "weight", "due_date", "relative_position")
ORDERS = (*KEYSET_ORDERS, "priority", "label_priority", "milestone_due", "popularity")


@dataclass
class Answer:
    """What goes back. ``body`` None is the empty one of 204."""

    status: int
    body: Json = None
    headers: dict[str, str] = field(default_factory=dict)


class Routes:
    """One request of one account. ``url`` is the whole address without the query, as the server knows itself."""

    def __init__(self, world: World, token: Token, url: str, query: Mapping[str, list[str]], body: Json, headers: Json):
        self.world, self.token, self.user = world, token, token.user
        self.url, self.query, self.body, self.headers = url, query, body or {}, headers

    def answer(self, method: str, path: str) -> Answer:
        if method != "GET" and "api" not in self.token.scopes:  # A 6
            said = {"error": "insufficient_scope", "error_description": "The request requires higher privileges"}
            raise Refusal(403, {**said, "scope": "api"})
        for verb, pattern, act in self._routes():
            found = re.fullmatch(pattern, path)
            if found and verb == method:
                result = act(*(unquote(part) for part in found.groups()))
                return result if isinstance(result, Answer) else Answer(201 if method == "POST" else 200, result)
        raise Refusal(404, {"error": "404 Not Found"})

    def _routes(self) -> list[tuple[str, str, Callable[..., Any]]]:
        project, issue, milestone = r"/projects/([^/]+)", r"/issues/(\d+)", r"/milestones/(\d+)"
        group = r"/groups/([^/]+)"
        return [
            ("GET", "/user", self._account),
            ("GET", "/personal_access_tokens/self", lambda: {"scopes": list(self.token.scopes), "active": True}),
            ("GET", "/projects", self._projects),
            ("GET", project, self._project),
            ("GET", "/issues", self._all_issues),
            ("GET", issue, self._by_id),
            ("GET", f"{project}/issues", self._issues),
            ("POST", f"{project}/issues", self._make_issue),
            ("GET", project + issue, self._issue),
            ("PUT", project + issue, self._put_issue),
            ("DELETE", project + issue, self._delete_issue),
            ("POST", f"{project}{issue}/move", self._move),
            ("POST", f"{project}{issue}/notes", self._comment),
            ("GET", f"{project}{issue}/resource_(state|label|milestone)_events", self._events),
            ("GET", f"{project}/labels", self._labels),
            ("GET", f"{project}/milestones", self._milestones),
            ("POST", f"{project}/milestones", self._make_milestone),
            ("GET", project + milestone, self._milestone),
            ("PUT", project + milestone, self._put_milestone),
            ("DELETE", project + milestone, self._delete_milestone),
            ("POST", f"{project}{milestone}/promote", self._promote),
            ("GET", group, self._group),
            ("GET", f"{group}/projects", self._projects_of),
            ("GET", f"{group}/issues", self._issues_of),
            ("GET", f"{group}/labels", self._labels_of),
            ("GET", f"{group}/milestones", self._milestones_of),
            ("POST", f"{group}/milestones", self._write_milestone_of),
            ("GET", group + milestone, self._milestone_of),
            ("PUT", group + milestone, self._write_milestone_of),
            ("DELETE", group + milestone, self._delete_milestone_of),
        ]

    # ---- who and where ---------------------------------------------------------------------------------------

    def _account(self) -> Json:
        user = self.world.users[self.user]
        return {"id": user.id, "username": user.username, **({"is_admin": True} if user.admin else {})}

    def _projects(self) -> Answer:
        mine = [one for one in self.world.projects.values() if self.user in one.members]
        return self._listed([self._show_project(one) for one in mine])

    def _project(self, name: str) -> Json:
        moved = [one for one in self.world.projects.values() if name in one.old_paths]
        if moved:  # A 5: since 16.7 an old path is redirected
            return Answer(301, None, {"Location": f"{self.url.partition('/projects/')[0]}/projects/{moved[0].id}"})
        return self._show_project(self.world.project(self.user, name))

    def _show_project(self, project: Project) -> Json:
        level = project.members.get(self.user)
        above = self.world.level_in(self.user, project.group)
        return {
            "id": project.id,
            "name": project.name,
            "name_with_namespace": f"{project.path.split('/')[0].title()} / {project.name}",
            "path_with_namespace": project.path,
            "visibility": project.visibility,
            "archived": project.archived,
            "issues_enabled": project.issues_access_level != "disabled",
            "issues_access_level": project.issues_access_level,
            "permissions": {
                "project_access": {"access_level": level, "notification_level": 3} if level else None,
                "group_access": {"access_level": above, "notification_level": 3} if above else None,
            },
        }

    def _labels(self, name: str) -> Answer:
        project = self.world.project(self.user, name)
        rows = [
            {"id": one.id, "name": one.name, "color": "#428BCA", "is_project_label": one.project is not None}
            for one in sorted(self.world.labels_of(project), key=lambda one: one.name)
        ]
        return self._listed(rows)

    # ---- issues ----------------------------------------------------------------------------------------------

    def _all_issues(self) -> Answer:
        """A 1: without `scope=all` these are only those that I made."""
        mine = self._one("scope", "created_by_me") != "all"
        seen = [one for one in self.world.issues.values() if self.world.sees(self.user, one)]
        return self._listed_issues([one for one in seen if not mine or one.author == self.user], keyset=False)

    def _by_id(self, number: str) -> Json:
        """A 1: by its global id only for administrators."""
        if not self.world.users[self.user].admin:
            raise forbidden()
        found = self.world.issues.get(int(number))
        if found is None:
            raise unknown("Issue")
        return self.show(found)

    def _issues(self, name: str) -> Answer:
        project = self.world.project(self.user, name)
        if project.issues_access_level == "disabled":
            raise unknown("Not Found")
        mine = [
            one for one in self.world.issues.values() if one.project == project.id and self.world.sees(self.user, one)
        ]
        return self._listed_issues(mine, keyset=True)

    def _listed_issues(self, issues: list[Issue], *, keyset: bool) -> Answer:
        order, sort = self._one("order_by", "created_at"), self._one("sort", "desc")
        if order not in ORDERS:
            raise wrong("order_by does not have a valid value")
        if sort not in ("asc", "desc"):
            raise wrong("sort does not have a valid value")
        found = [one for one in issues if self._fits(one)]
        key = order if order in ("created_at", "updated_at", "title", "id") else "created_at"
        found.sort(key=lambda one: (getattr(one, key), one.id), reverse=sort == "desc")
        if keyset and self._one("pagination", "") == "keyset" and "order_by" in self.query and "sort" in self.query:
            if self.world.release >= (18, 3) and order in KEYSET_ORDERS:
                return self._by_keyset(found, key, descending=sort == "desc")
            # A 1: an order without a keyset falls back silently; elsewhere, and before, it is a 405
            if self.world.release < (17, 0):
                raise Refusal(405, {"error": "Keyset pagination is not yet available for this type of request"})
        return self._listed([self.show(one) for one in found])

    def _fits(self, issue: Issue) -> bool:
        """A 1: the borders of time filters are included, and compare with what the database keeps."""
        state = self._one("state", "all")
        if state not in ("opened", "closed", "all"):
            raise wrong("state does not have a valid value")
        iids = self.query.get("iids[]")
        borders = [
            (name.split("_")[0] + "_at", name.endswith("after"), self._one(name, ""))
            for name in ("updated_after", "updated_before", "created_after", "created_before")
        ]
        return (
            state in ("all", issue.state)
            and (iids is None or str(issue.iid) in iids)
            and all(
                (getattr(issue, name) >= _parsed(text)) if after else (getattr(issue, name) <= _parsed(text))
                for name, after, text in borders
                if text
            )
        )

    def _by_keyset(self, found: Sequence[Issue], key: str, *, descending: bool) -> Answer:
        """A 1: the next page begins behind the last row, not at a number; no headers besides. Empty at the end."""
        cursor = self._one("cursor", "")
        if cursor:
            last = json.loads(base64.urlsafe_b64decode(cursor))
            value: Any = last["value"] if key in ("title", "id") else datetime.fromisoformat(last["value"])
            there = (value, last["id"])
            found = [
                one
                for one in found
                if ((getattr(one, key), one.id) < there if descending else (getattr(one, key), one.id) > there)
            ]
        page = found[: self._per_page()]
        headers = {}
        if page:
            end = getattr(page[-1], key)
            text = end.isoformat() if isinstance(end, datetime) else end
            after = base64.urlsafe_b64encode(json.dumps({"value": text, "id": page[-1].id}).encode()).decode()
            headers = {"Link": f'<{self._address(cursor=after)}>; rel="next"', "X-NEXT-CURSOR": after}
        return Answer(200, [self.show(one) for one in page], headers)

    def _make_issue(self, name: str) -> Json:
        return self.show(self.world.make_issue(self.user, self.world.project(self.user, name), self.body))

    def _issue(self, name: str, iid: str) -> Json:
        return self.show(self.world.issue(self.user, self.world.project(self.user, name), int(iid)))

    def _put_issue(self, name: str, iid: str) -> Json:
        return self.show(self.world.put_issue(self.user, self.world.project(self.user, name), int(iid), self.body))

    def _delete_issue(self, name: str, iid: str) -> Answer:
        text = self.headers.get("if-unmodified-since")
        since = parsedate_to_datetime(text) if text else None
        self.world.delete_issue(self.user, self.world.project(self.user, name), int(iid), since)
        return Answer(204)

    def _move(self, name: str, iid: str) -> Json:
        to = self.world.project(self.user, str(self.body["to_project_id"]))
        return self.show(self.world.move_issue(self.user, self.world.project(self.user, name), int(iid), to))

    def _comment(self, name: str, iid: str) -> Json:
        issue = self.world.issue(self.user, self.world.project(self.user, name), int(iid))
        self.world.comment(issue, str(self.body["body"]))
        return {"id": 1, "body": self.body["body"], "system": False, "noteable_iid": issue.iid}

    def _events(self, name: str, iid: str, kind: str) -> Answer:
        issue = self.world.issue(self.user, self.world.project(self.user, name), int(iid))
        return self._listed([event | {"created_at": stamp(event["created_at"])} for event in issue.events[kind]])

    def show(self, issue: Issue) -> Json:
        """A 1: labels are names, sorted; `with_labels_details` tells more of them."""
        world = self.world
        names = sorted(world.labels[one].name for one in issue.labels)
        details = [{"name": name, "color": "#428BCA", "description": None} for name in names]
        milestone = world.milestones.get(issue.milestone) if issue.milestone is not None else None
        author = world.users[issue.author]
        path = world.projects[issue.project].path
        shown = {
            "id": issue.id,
            "iid": issue.iid,
            "project_id": issue.project,
            "title": issue.title,
            "description": issue.description,
            "state": issue.state,
            "created_at": stamp(issue.created_at),
            "updated_at": stamp(issue.updated_at),
            "closed_at": stamp(issue.closed_at) if issue.closed_at else None,
            "labels": details if self._one("with_labels_details", "") == "true" else names,
            "milestone": self.show_milestone(milestone) if milestone else None,
            "assignees": [{"id": one, "username": world.users[one].username} for one in issue.assignees],
            "author": {"id": author.id, "username": author.username, "name": author.username.title()},
            "type": issue.issue_type.upper(),
            "issue_type": issue.issue_type,
            "user_notes_count": len(issue.notes),
            "due_date": issue.due_date,
            "confidential": issue.confidential,
            "moved_to_id": issue.moved_to,
            "web_url": f"https://gitlab.example/{path}/-/issues/{issue.iid}",
        }
        return shown | ({"start_date": issue.start_date} if world.has_starts else {})

    # ---- groups ----------------------------------------------------------------------------------------------

    def _group(self, name: str) -> Json:
        found = self.world.group(self.user, name)
        return {
            "id": found.id,
            "name": found.path.rpartition("/")[2].title(),
            "full_path": found.path,
            "full_name": " / ".join(part.title() for part in found.path.split("/")),
            "visibility": found.visibility,
            "parent_id": found.parent,
        }

    def _projects_of(self, name: str) -> Answer:
        found = self.world.group(self.user, name)
        below = self._one("include_subgroups", "false") == "true"
        return self._listed(
            [
                self._show_project(one)
                for one in self.world.projects_of(found)
                if (below or one.group == found.id)
                and (self.world.level(self.user, one) or one.visibility in ("public", "internal"))
            ]
        )

    def _issues_of(self, name: str) -> Answer:
        """A 1: subgroups are always in it, archived projects only when asked for; no keyset, and that is said."""
        found = self.world.group(self.user, name)
        if self._one("pagination", "") == "keyset":
            raise Refusal(405, {"error": "Keyset pagination is not yet available for this type of request"})
        live = self._one("non_archived", "true") == "true"
        projects = [one.id for one in self.world.projects_of(found) if not (live and one.archived)]
        seen = [one for one in self.world.issues.values() if one.project in projects]
        return self._listed_issues([one for one in seen if self.world.sees(self.user, one)], keyset=False)

    def _labels_of(self, name: str) -> Answer:
        """Only the group's own and those above it, unless asked for more (docs.gitlab.com/api/group_labels)."""
        found = self.world.group(self.user, name)
        rows = gitlab_groups.labels_in(self.world, found)
        if self._one("only_group_labels", "true") == "true":
            rows = [one for one in rows if one.group is not None]
        if self._one("include_descendant_groups", "false") != "true":
            projects = [one.id for one in self.world.projects.values() if one.group == found.id]
            above = [one.id for one in self.world.above(found.id)]
            rows = [one for one in rows if one.group in above or one.project in projects]
        return self._listed([{"id": one.id, "name": one.name, "color": "#428BCA"} for one in rows])

    def _milestones_of(self, name: str) -> Answer:
        found = self.world.group(self.user, name)
        return self._listed(
            [self.show_milestone(one) for one in self.world.milestones.values() if one.group == found.id]
        )

    def _milestone_of(self, name: str, number: str) -> Json:
        return self.show_milestone(
            gitlab_groups.milestone_of(self.world, self.world.group(self.user, name), int(number))
        )

    def _write_milestone_of(self, name: str, number: str = "") -> Json:
        group = self.world.group(self.user, name)
        wanted = int(number) if number else None
        return self.show_milestone(gitlab_groups.write_group_milestone(self.world, self.user, group, wanted, self.body))

    def _delete_milestone_of(self, name: str, number: str) -> Answer:
        gitlab_groups.delete_group_milestone(self.world, self.user, self.world.group(self.user, name), int(number))
        return Answer(204)

    # ---- milestones ------------------------------------------------------------------------------------------

    def _milestones(self, name: str) -> Answer:
        project = self.world.project(self.user, name)
        ancestors = self._one("include_ancestors", "") == "true"
        return self._listed(
            [self.show_milestone(one) for one in self.world.milestones_of(project, ancestors=ancestors)]
        )

    def _make_milestone(self, name: str) -> Json:
        project = self.world.project(self.user, name)
        return self.show_milestone(self.world.make_milestone(self.user, project, self.body))

    def _milestone(self, name: str, number: str) -> Json:
        return self.show_milestone(self.world.milestone(self.world.project(self.user, name), int(number)))

    def _put_milestone(self, name: str, number: str) -> Json:
        project = self.world.project(self.user, name)
        return self.show_milestone(self.world.put_milestone(self.user, project, int(number), self.body))

    def _delete_milestone(self, name: str, number: str) -> Answer:
        self.world.delete_milestone(self.user, self.world.project(self.user, name), int(number))
        return Answer(204)

    def _promote(self, name: str, number: str) -> Json:
        return self.show_milestone(self.world.promote(self.user, self.world.project(self.user, name), int(number)))

    def show_milestone(self, milestone: Milestone) -> Json:
        where = {"project_id": milestone.project} if milestone.project else {"group_id": milestone.group}
        return {
            "id": milestone.id,
            "iid": milestone.iid,
            **where,
            "title": milestone.title,
            "description": milestone.description,
            "state": milestone.state,
            "created_at": stamp(milestone.created_at),
            "updated_at": stamp(milestone.updated_at),
            "due_date": milestone.due_date,
            "start_date": milestone.start_date,
            "expired": False,
            "web_url": f"https://gitlab.example/-/milestones/{milestone.iid}",
        }

    # ---- lists -----------------------------------------------------------------------------------------------

    def _one(self, name: str, default: str) -> str:
        return self.query.get(name, [default])[-1]

    def _per_page(self) -> int:
        """A 1: 20 unless asked for more, and never more than 100."""
        asked = self._one("per_page", "20")
        return min(int(asked), 100) if asked.isdecimal() and int(asked) else 20

    def _address(self, **changed: str) -> str:
        query = {name: values for name, values in self.query.items() if name not in changed}
        return f"{self.url}?{urlencode({**query, **changed}, doseq=True)}"

    def _listed(self, rows: list[Json]) -> Answer:
        """A 1: pages by number; above ten thousand nobody counts any more."""
        size, page = self._per_page(), int(self._one("page", "1"))
        start, pages = (page - 1) * size, -(-len(rows) // size)
        links = {"first": 1} | ({"prev": page - 1} if page > 1 else {}) | ({"next": page + 1} if page < pages else {})
        headers = {"x-page": str(page), "x-per-page": str(size), "x-next-page": str(links.get("next", ""))}
        headers["x-prev-page"] = str(links.get("prev", ""))
        if len(rows) <= self.world.countable:
            links["last"] = max(pages, 1)
            headers |= {"x-total": str(len(rows)), "x-total-pages": str(pages)}
        headers["Link"] = ", ".join(
            f'<{self._address(page=str(number), per_page=str(size))}>; rel="{name}"' for name, number in links.items()
        )
        return Answer(200, rows[start : start + size], headers)


def stamp(moment: datetime) -> str:
    """A 1: answers have milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _parsed(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise wrong("a moment is invalid") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
