"""What projects, issues, milestones and labels do on a GitLab server (A 1 to A 5 of facts: platform-apis).

"(source)" marks what is not in the facts and was read in GitLab's own code. Whoever acts is named by account id.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from datetime import date, datetime

from tests.fakes.gitlab_model import (
    DEVELOPER,
    OWNER,
    PLANNER,
    Clock,
    Group,
    Issue,
    Json,
    Label,
    Milestone,
    Project,
    User,
    forbidden,
    invalid,
    unknown,
    wrong,
)
from tests.fakes.gitlab_text import called, carried_out, referred_to

ISSUE_PARAMETERS = (
    *("title", "description", "labels", "add_labels", "remove_labels", "milestone_id", "due_date", "start_date"),
    *("confidential", "state_event", "assignee_ids", "issue_type", "discussion_locked", "updated_at", "weight"),
)


class World:
    """Everything that the server keeps. ``release`` is GitLab's own: 18.3 pages issues by keyset, 19.1 has starts."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.release = (19, 1)
        self.users: dict[int, User] = {}
        self.groups: dict[int, Group] = {}
        self.projects: dict[int, Project] = {}
        self.labels: dict[int, Label] = {}
        self.milestones: dict[int, Milestone] = {}
        self.issues: dict[int, Issue] = {}
        self.countable = 10_000
        """A 1: from how many rows on their number is not told any more."""
        self._ids = itertools.count(11, 7)  # ids are global and leave gaps

    @property
    def has_starts(self) -> bool:
        """A 2: an issue's start date exists over REST since 19.1."""
        return self.release >= (19, 1)

    # ---- making a world --------------------------------------------------------------------------------------

    def add_user(self, username: str, *, admin: bool = False) -> User:
        user = User(next(self._ids), username, admin)
        self.users[user.id] = user
        return user

    def add_group(self, path: str, parent: int | None = None, visibility: str = "private") -> Group:
        group = Group(next(self._ids), path, parent, visibility)
        self.groups[group.id] = group
        return group

    def add_project(self, path: str, name: str, group: int | None = None, visibility: str = "private") -> Project:
        project = Project(next(self._ids), path, name, group, visibility)
        self.projects[project.id] = project
        return project

    def add_label(self, name: str, project: int | None = None, group: int | None = None) -> Label:
        label = Label(next(self._ids), name, project, group)
        self.labels[label.id] = label
        return label

    # ---- who may see and do what -----------------------------------------------------------------------------

    def level(self, user: int, project: Project) -> int:
        if self.users[user].admin:
            return OWNER
        return max(project.members.get(user, 0), self.level_in(user, project.group))

    def above(self, group: int | None) -> list[Group]:
        """The group and those above it."""
        found = []
        while group is not None:
            found.append(self.groups[group])
            group = self.groups[group].parent
        return found

    def level_in(self, user: int, group: int | None) -> int:
        """The role that somebody has by a group or one above it (source: highest_group_member)."""
        if group is not None and self.users[user].admin:
            return OWNER
        return max((one.members.get(user, 0) for one in self.above(group)), default=0)

    def group(self, user: int, name: str) -> Group:
        """A 1: like a project, a group that is not for you is not there."""
        for one in self.groups.values():
            seen = self.level_in(user, one.id) or one.visibility in ("public", "internal")
            inside = any(self.level(user, project) for project in self.projects_of(one))
            if name in (str(one.id), one.path) and (seen or inside):
                return one
        raise unknown("Group")

    def projects_of(self, group: Group) -> list[Project]:
        """The projects of a group and of its subgroups."""
        return [one for one in self.projects.values() if group in self.above(one.group)]

    def project(self, user: int, name: str) -> Project:
        """A 1: a project that is not for you is not there."""
        found = [one for one in self.projects.values() if name in (str(one.id), one.path)]
        if not found or not (self.level(user, found[0]) or found[0].visibility in ("public", "internal")):
            raise unknown("Project")
        return found[0]

    def sees(self, user: int, issue: Issue) -> bool:
        """A 5: confidential issues are for Planners and above, and for whoever wrote them."""
        project = self.projects[issue.project]
        level = self.level(user, project)
        open_to_all = project.visibility in ("public", "internal") and project.issues_access_level == "enabled"
        if project.issues_access_level == "disabled" or not (level or open_to_all):
            return False
        return not issue.confidential or level >= PLANNER or issue.author == user

    def issue(self, user: int, project: Project, iid: int) -> Issue:
        for issue in self.issues.values():
            if (issue.project, issue.iid) == (project.id, iid) and self.sees(user, issue):
                return issue
        raise unknown("Issue")

    def _may(self, user: int, project: Project, level: int) -> None:
        if project.archived or self.level(user, project) < level:
            raise forbidden()

    # ---- issues ----------------------------------------------------------------------------------------------

    def make_issue(self, user: int, project: Project, params: Json) -> Issue:
        if project.archived or not self.level(user, project):
            raise forbidden()
        if "title" not in params:
            raise wrong("title is missing")  # A 6: a parameter, told by the interface itself
        params = self._permitted(user, project, params)
        orders = carried_out(params.get("description"), None)
        values = params | {"description": orders.text}
        self._check(project, values)
        now = self.clock.moment()
        project.last_iid += 1
        issue = Issue(next(self._ids), project.last_iid, project.id, str(params["title"]), user, now, now)
        self.issues[issue.id] = issue
        self._assign(user, issue, values)
        self._obey(user, issue, orders.commands)
        self._announce(issue, "", "")
        return issue

    def put_issue(self, user: int, project: Project, iid: int, params: Json) -> Issue:
        issue = self.issue(user, project, iid)
        if project.archived or (self.level(user, project) < PLANNER and issue.author != user):
            raise forbidden()
        known = {name: value for name, value in params.items() if name in ISSUE_PARAMETERS}
        if not known:  # A 2: at least one known field
            raise wrong(f"{', '.join(ISSUE_PARAMETERS)} are missing, at least one parameter must be provided")
        title, description = issue.title, issue.description
        known = self._permitted(user, project, known)
        event = known.pop("state_event", None)
        if event is not None:  # A 2: this service runs first, and stays done when the rest is refused
            self.set_state(user, issue, str(event))
        orders = None
        if "description" in known:
            orders = carried_out(known["description"], description)
            known["description"] = orders.text
        self._check(project, known)
        self._assign(user, issue, known)
        if orders:
            self._obey(user, issue, orders.commands)
        self._announce(issue, title, description or "")
        return issue

    def _permitted(self, user: int, project: Project, params: Json) -> Json:
        """What a Guest may not set is dropped without a word (source), and so is a start date before 19.1 (A 2)."""
        dropped = set() if self.has_starts else {"start_date"}
        if self.level(user, project) < PLANNER:
            dropped |= {"labels", "add_labels", "remove_labels", "milestone_id", "due_date", "start_date"}
        return {name: value for name, value in params.items() if name not in dropped}

    def _check(self, project: Project, params: Json) -> None:
        """A 2: lengths, and what is refused as a whole before anything is stored."""
        if "title" in params:
            if not str(params["title"]).strip():
                raise invalid("title", "can't be blank")
            if len(str(params["title"])) > 255:
                raise invalid("title", "is too long (maximum is 255 characters)")
        if len(str(params.get("description") or "")) > 1_048_576:
            raise invalid("description", "is too long (maximum is 1048576 characters)")
        for name in ("due_date", "start_date"):
            if params.get(name):
                _day(name, params[name])
        for name in ("milestone_id",):
            if params.get(name) and not str(params[name]).isdecimal():
                raise wrong(f"{name} is invalid")

    def _assign(self, user: int, issue: Issue, params: Json) -> None:
        """A 2: a save that changes nothing touches nothing."""
        before = self._picture(issue)
        if "title" in params:
            issue.title = str(params["title"]).strip()
        if "description" in params:
            issue.description = str(params["description"] or "")
        for name in ("due_date", "start_date"):
            if name in params:
                setattr(issue, name, params[name] or None)  # A 2: an empty text clears it
        for name in ("confidential", "issue_type"):
            if name in params:
                setattr(issue, name, params[name])
        if "milestone_id" in params:
            self._set_milestone(user, issue, int(params["milestone_id"] or 0))
        self._set_labels(user, issue, params)
        if self._picture(issue) != before:
            self.touch(issue)

    @staticmethod
    def _picture(issue: Issue) -> Json:
        values = vars(issue)
        return {name: repr(value) for name, value in values.items() if name not in ("updated_at", "events", "heard")}

    def touch(self, record: Issue | Milestone) -> None:
        record.updated_at = self.clock.moment()

    def _set_milestone(self, user: int, issue: Issue, wanted: int) -> None:
        """A 2: by the global id. One that is not the project's, or its groups', is ignored and clears it (source)."""
        project = self.projects[issue.project]
        milestone = self.milestones.get(wanted)
        above = [one.id for one in self.above(project.group)]
        ours = milestone and (milestone.project == project.id or milestone.group in above)
        new = wanted if ours else None
        for old, action in ((issue.milestone, "remove"), (new, "add")):
            if old is not None and issue.milestone != new:
                title = self.milestones[old].title
                self._log(user, issue, "milestone", action=action, milestone={"id": old, "title": title})
        issue.milestone = new

    def _set_labels(self, user: int, issue: Issue, params: Json) -> None:
        """A 2: `labels` replaces the set, the other two change it; names that are unknown become labels."""
        ids = list(issue.labels)
        if "labels" in params:
            ids = [self._label(issue.project, name) for name in _names(params["labels"])]
        ids += [self._label(issue.project, name) for name in _names(params.get("add_labels"))]
        gone = set(_names(params.get("remove_labels")))
        new = list(dict.fromkeys(one for one in ids if self.labels[one].name not in gone))
        for one, action in [(one, "add") for one in new if one not in issue.labels] + [
            (one, "remove") for one in issue.labels if one not in new
        ]:
            self._log(user, issue, "label", action=action, label={"id": one, "name": self.labels[one].name})
        issue.labels = new

    def labels_of(self, project: Project) -> list[Label]:
        """Those of the project and of the groups above it."""
        above = [one.id for one in self.above(project.group)]
        return [one for one in self.labels.values() if one.project == project.id or one.group in above]

    def _label(self, project: int, name: str) -> int:
        known = [one.id for one in self.labels_of(self.projects[project]) if one.name == name]
        return known[0] if known else self.add_label(name, project=project).id

    def edit_label(self, label: int, name: str) -> None:
        """Renaming a label touches no issue (source)."""
        self.labels[label].name = name

    def drop_label(self, label: int) -> None:
        """Nor does deleting one (source)."""
        del self.labels[label]
        for issue in self.issues.values():
            issue.labels = [one for one in issue.labels if one != label]

    def set_state(self, user: int, issue: Issue, event: str) -> None:
        """A 2, A 4: the initial state has no event."""
        state = {"close": "closed", "reopen": "opened"}.get(event)
        if state is None:
            raise wrong("state_event does not have a valid value")
        if issue.state != state:
            issue.state = state
            issue.closed_at = self.clock.moment() if state == "closed" else None
            self._log(user, issue, "state", state="closed" if state == "closed" else "reopened")
            self.touch(issue)

    def _log(self, user: int, issue: Issue, kind: str, **said: Json) -> None:
        event = {
            "id": next(self._ids),
            "user": {"id": user, "username": self.users[user].username},
            "created_at": self.clock.moment(),
            "resource_type": "Issue",
            "resource_id": issue.id,
        }
        issue.events[kind].append(event | said)

    def _obey(self, user: int, issue: Issue, commands: list[tuple[str, str]]) -> None:
        """A 3: what a description says is done, by whoever's account sent it."""
        for name, argument in commands:
            if name in ("close", "reopen"):
                self.set_state(user, issue, name)
            elif name == "confidential":
                issue.confidential = True
            elif name == "label":
                self._set_labels(user, issue, {"add_labels": argument.replace("~", "")})
            elif name == "due":
                issue.due_date = argument
            elif name == "title":
                issue.title = argument
            self.touch(issue)

    def _announce(self, issue: Issue, title: str, description: str) -> None:
        """A 3: whoever is newly named is told, and an issue that is newly referred to gets a note, on every update."""
        fresh = called(issue.title) | called(issue.description)
        for user in self.users.values():
            if {user.username, "all"} & (fresh - called(title) - called(description)):
                user.told.append(f"You were mentioned in {issue.title}")
        for number in referred_to(issue.description) - referred_to(description):
            for other in self.issues.values():
                if (other.project, other.iid) == (issue.project, number) and other is not issue:
                    other.heard.append(f"mentioned in issue #{issue.iid}")
                    self.touch(other)

    def comment(self, issue: Issue, text: str) -> None:
        """A 2: a new note bumps the issue's updated_at."""
        issue.notes.append(text)
        self.touch(issue)

    def delete_issue(self, user: int, project: Project, iid: int, unmodified_since: datetime | None) -> None:
        """A 5: Owner or Planner; A 2: the only conditional write there is."""
        issue = self.issue(user, project, iid)
        if self.level(user, project) not in (PLANNER, OWNER):
            raise forbidden()
        if unmodified_since is not None and issue.updated_at > unmodified_since:
            raise type(forbidden())(412, {"message": "412 Precondition Failed"})
        del self.issues[issue.id]

    def move_issue(self, user: int, project: Project, iid: int, to: Project) -> Issue:
        """A 5: the old one is closed and points to the new one's global id; the copy keeps its birth (source)."""
        issue = self.issue(user, project, iid)
        self._may(user, project, PLANNER)
        self._may(user, to, PLANNER)
        to.last_iid += 1
        now = self.clock.moment()
        copy = Issue(next(self._ids), to.last_iid, to.id, issue.title, issue.author, issue.created_at, now)
        copy.description, copy.due_date, copy.start_date = issue.description, issue.due_date, issue.start_date
        names = {self.labels[one].name for one in issue.labels}
        copy.labels = [one.id for one in self.labels_of(to) if one.name in names]
        copy.confidential = issue.confidential
        milestone = self.milestones.get(issue.milestone or 0)
        if milestone and milestone.group in [one.id for one in self.above(to.group)]:  # (source: by its title)
            copy.milestone = milestone.id
        self.issues[copy.id] = copy
        issue.moved_to = copy.id
        self.set_state(user, issue, "close")
        self.touch(issue)
        return copy

    # ---- milestones ------------------------------------------------------------------------------------------

    def milestones_of(self, project: Project, *, ancestors: bool = False) -> Iterator[Milestone]:
        """A 1: those of groups come with `include_ancestors` only."""
        for one in self.milestones.values():
            if one.project == project.id or (
                ancestors and one.group in [each.id for each in self.above(project.group)]
            ):
                yield one

    def milestone(self, project: Project, number: int) -> Milestone:
        """Under a project only its own milestones are found."""
        found = self.milestones.get(number)
        if found is None or found.project != project.id:
            raise unknown("Milestone")
        return found

    def make_milestone(self, user: int, project: Project, params: Json) -> Milestone:
        self._may(user, project, PLANNER)  # A 2: Planner or Reporter
        if "title" not in params:
            raise wrong("title is missing")
        self._check_milestone(project, params, None)
        now = self.clock.moment()
        project.last_milestone += 1
        made = Milestone(next(self._ids), project.last_milestone, "", now, now, project=project.id)
        self.milestones[made.id] = made
        self.assign_milestone(made, params)
        return made

    def make_group_milestone(self, group: int, title: str) -> Milestone:
        now = self.clock.moment()
        made = Milestone(next(self._ids), len(self.milestones) + 1, title, now, now, group=group)
        self.milestones[made.id] = made
        return made

    def put_milestone(self, user: int, project: Project, number: int, params: Json) -> Milestone:
        found = self.milestone(project, number)
        self._may(user, project, PLANNER)
        self._check_milestone(project, params, found)
        before = repr(found)
        self.assign_milestone(found, params)
        event = params.get("state_event")
        if event is not None:
            states = {"close": "closed", "activate": "active"}
            if event not in states:
                raise wrong("state_event does not have a valid value")
            found.state = states[event]
        if repr(found) != before:
            self.touch(found)
        return found

    @staticmethod
    def assign_milestone(milestone: Milestone, params: Json) -> None:
        """No quick actions and no mentions here: they belong to issues (A 3)."""
        if "title" in params:
            milestone.title = str(params["title"]).strip()
        if "description" in params:
            milestone.description = str(params["description"] or "")
        for name in ("due_date", "start_date"):
            if name in params:
                setattr(milestone, name, params[name] or None)

    def _check_milestone(self, project: Project, params: Json, found: Milestone | None) -> None:
        others = [one for one in self.milestones_of(project, ancestors=True) if one is not found]
        self.check_values(params, found, [one.title for one in others])

    @staticmethod
    def check_values(params: Json, found: Milestone | None, there: list[str]) -> None:
        if "title" in params:
            title = str(params["title"]).strip()
            if not title:
                raise invalid("title", "can't be blank")
            if len(title) > 255:
                raise invalid("title", "is too long (maximum is 255 characters)")
            if title in there:  # A 2
                raise invalid("title", "already being used for another group or project milestone.")
        dates = {
            name: params.get(name, getattr(found, name, None)) or None
            for name in ("start_date", "due_date")
            if name in params or found is not None
        }
        for name, value in dates.items():
            if value:
                _day(name, value)
        start, due = dates.get("start_date"), dates.get("due_date")
        if start and due and due < start:
            raise invalid("due_date", "must be greater than start date")  # (source)

    def delete_milestone(self, user: int, project: Project, number: int) -> None:
        """The issues lose it, and are not touched (A 2)."""
        found = self.milestone(project, number)
        self._may(user, project, PLANNER)
        del self.milestones[found.id]
        for issue in self.issues.values():
            if issue.milestone == number:
                issue.milestone = None

    def promote(self, user: int, project: Project, number: int) -> Milestone:
        """A 2: a new milestone of the group takes its place: another id, and no issue is touched (source)."""
        old = self.milestone(project, number)
        self._may(user, project, DEVELOPER)
        assert project.group is not None
        del self.milestones[number]
        new = self.make_group_milestone(project.group, old.title)
        new.description, new.due_date, new.start_date, new.state = (
            old.description,
            old.due_date,
            old.start_date,
            old.state,
        )
        for issue in self.issues.values():
            if issue.milestone == number:
                issue.milestone = new.id
        return new


def _names(text: Json) -> list[str]:
    """A 2: names with commas between them."""
    return [name.strip() for name in str(text or "").split(",") if name.strip()]


def _day(name: str, value: Json) -> None:
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        raise wrong(f"{name} is invalid")
    try:
        date.fromisoformat(value)
    except ValueError:
        raise wrong(f"{name} is invalid") from None
