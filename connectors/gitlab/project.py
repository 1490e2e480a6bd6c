"""The project or group that we are bound to as it is in this pass: who may read it, and its labels by id and name.

Both are read when they are first needed after `forget`, which every pull begins with: a project that was opened to
everybody a minute ago must not get internal tasks as public issues, and a label that was renamed since would be
made a second time, for the interface takes labels by name and makes those that it does not know (A2).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field

from connectors.base import NEW, Access, Fields, Native, Options
from connectors.errors import NotACollection, NotFound, Rejected
from connectors.gitlab.binding import Binding, choose, folded
from connectors.gitlab.shapes import CANCELLED, CLOSED, OPENED, PLANNER, Group, Issue, Label, Project, state_of
from connectors.gitlab.wire import Wire

CONFIDENTIAL, MEMBERS, PUBLIC, SECRET = "confidential", "members", "public", "secret"
"""Who may read an issue: the project's own staff, whoever may see the project, or everybody on the internet.

Only where the last is possible the first is offered: elsewhere nothing needs to be hidden from the project's guests.
"""


@dataclass(frozen=True)
class Labels:
    """The labels that can be put on issues.

    The interface knows them by their names, so that those of one name (of several projects of a group, or of a project
    and the group above it) are one label, under the id of the oldest.
    """

    names: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, labels: Iterable[Label]) -> Labels:
        """By id, in the order of their ids: the one that was there first comes first."""
        oldest: dict[str, str] = {}
        for one in sorted(labels, key=lambda one: one.id):
            oldest.setdefault(one.name, str(one.id))
        return cls({id: name for name, id in oldest.items()})

    @property
    def ids(self) -> dict[str, str]:
        """By name."""
        return {name: id for id, name in self.names.items()}

    @property
    def states(self) -> dict[str, str]:
        """Those that say how far an issue is, with what they say of it."""
        return {key: state for key, name in self.names.items() if (state := state_of(name)) is not None}

    @property
    def others(self) -> dict[str, str]:
        """Those that are labels and nothing else."""
        return {key: name for key, name in self.names.items() if state_of(name) is None}


class BoundProject:
    """Our project, or our group with its projects. Safe to use from several threads."""

    def __init__(self, wire: Wire, access: Access) -> None:
        self._wire, self._access = wire, access
        self._binding: Binding | None = None
        self._projects: dict[int, Project] = {}
        self._group: Group | None = None
        self._labels: Labels | None = None
        self._reading = threading.RLock()
        self._making = threading.Lock()

    # ---- which project ----------------------------------------------------------------------------------------

    @property
    def binding(self) -> Binding:
        """What `identify` found."""
        if self._binding is None:
            raise RuntimeError("identify comes first")
        return self._binding

    @property
    def id(self) -> str:
        """The collection's id."""
        return self.binding.collection

    @property
    def home(self) -> str:
        """Where our lists belong to, see `wire`."""
        return self.binding.home

    @property
    def setting(self) -> str:
        """The name of the setting that says which project or group it is."""
        return f"{self._access.name.upper()}_COLLECTION"

    def identify(self, remembered: str | None) -> Binding:
        """Find the project or group, or remember it without a request."""
        access, wire = self._access, self._wire
        setting = "\n".join((wire.root, access.collection))
        self._binding = Binding.remembered(remembered, setting)
        if self._binding is None:
            found, makes = self._find(access.collection.strip().strip("/"))
            projects = (found,) if isinstance(found, Project) else wire.projects_of(str(found.id))
            if not any(one.has_issues for one in projects):
                raise NotACollection(f"The {found.called} on {wire.http.host} has no issues: switch them on.")
            account, scopes = wire.account(), wire.scopes()
            writes = scopes is None or "api" in scopes
            if isinstance(found, Project):
                self._binding = Binding.to(found, setting, account.id, admin=account.is_admin, writes=writes)
            else:
                made_in = self._made_in(projects, makes, found.full_path) if makes else ""
                self._binding = Binding.to_group(
                    found, projects, made_in, setting, account.id, admin=account.is_admin, writes=writes
                )
                self._group = found
            self._projects = {one.id: one for one in projects}
        return self.binding

    def memory(self) -> str | None:
        """For the next run."""
        return self._binding.text() if self._binding else None

    def _find(self, wanted: str) -> tuple[Project | Group, str]:
        """What the setting names, and what it says behind a colon: in which project of a group new issues are made."""
        path, colon, makes = (part.strip().strip("/") for part in wanted.partition(":"))
        if not colon:
            with suppress(NotFound):
                return self._wire.project(wanted), ""
        group = self._wire.group(path) if path else None
        if group is not None:
            return group, makes
        chosen = choose(self.mine(), wanted, self._wire.http.host, self.setting)
        return self._wire.project(str(chosen.id)), ""

    def _made_in(self, projects: Sequence[Project], wanted: str, group: str) -> str:
        """The project of the group in which new issues are made: by path, path in the group, id or name."""
        paths = (wanted, f"{group}/{wanted}")
        for one in projects:
            if str(one.id) == wanted or one.path_with_namespace in paths:
                return str(one.id)
        return str(choose(projects, wanted, self._wire.http.host, self.setting).id)

    def mine(self) -> tuple[Project, ...]:
        """The projects of which our account is a member."""
        try:
            return self._wire.projects()
        except NotFound:
            name = self._access.name.upper()
            raise NotACollection(f"There is no GitLab at {self._wire.root}: is {name}_URL right?") from None

    # ---- as it is now -----------------------------------------------------------------------------------------

    def forget(self) -> None:
        """What was read of the project is of an earlier pass."""
        with self._reading:
            self._projects, self._labels = {}, None

    def projects(self) -> Mapping[int, Project]:
        """Our project, or those of our group, with our roles. NotFound when it is not shown to us any more."""
        with self._reading:
            if not self._projects:
                id = self.home.rpartition("/")[2]
                if self.binding.is_group:
                    found = self._wire.projects_of(id)
                    self._group = self._wire.group(id)
                else:
                    found = (self._wire.project(id),)
                    self._binding = self.binding.now(found[0])
                self._projects = {one.id: one for one in found}
            return self._projects

    def project(self, id: int | str | None = None) -> Project:
        """One project of ours; without an id the one in which new issues are made. NotFound if it is none of ours."""
        wanted = int(id or self.binding.makes or 0)
        found = self.projects().get(wanted)
        if found is None:
            raise NotFound(f"Project {wanted} does not belong to “{self.binding.path}” any more.")
        return found

    def has(self, id: int) -> bool:
        """Whether a project is ours."""
        return id in self.projects() if self.binding.is_group else str(id) == self.binding.makes

    def may_change(self, project: int) -> bool:
        """Whether our account may change the issues of a project; of a single one its binding says it."""
        if not self.binding.is_group:
            return True
        found = self.project(project)
        return not found.archived and (self.binding.admin or found.level >= PLANNER)

    def labels(self, *names: str) -> Labels:
        """The labels; read again if one of these names is not among them."""
        with self._reading:
            if self._labels is None or not self._labels.ids.keys() >= set(names):
                self._labels = Labels.of(self._wire.labels(self.home))
            return self._labels

    def ids(self, issue: Issue) -> dict[str, str]:
        """The ids of an issue's labels by name, as far as they are still there."""
        ids = self.labels(*issue.labels).ids if issue.labels else {}
        return {name: ids[name] for name in issue.labels if name in ids}

    def options(self) -> Options:
        """What `connectors.base.Changes.options` wants to know."""
        labels = self.labels()
        shown = {one.shows_issues for one in self.projects().values()}
        readers = (*((MEMBERS,) if shown != {True} else ()), *((CONFIDENTIAL, PUBLIC) if True in shown else ()))
        readers += (SECRET,) if self.fit and shown != {True} else ()
        states = {one: one for one in (OPENED, CLOSED, CANCELLED)}
        return {
            "status": {**states, **labels.states},
            "labels": labels.others,
            "visibility": {one: one for one in readers},
        }

    @property
    def fit(self) -> bool:
        """Whether the settings say that confidential issues may be mirrored (ADR 0021)."""
        return self._access.confidential

    def keeps_secrets(self, project: int | None) -> bool:
        """Whether a confidential issue of a project says more there than that it is not public."""
        return self.fit and not self.project(project).shows_issues

    @property
    def shows_issues(self) -> bool:
        """Whether everybody may read our new issues, as far as it is known without asking."""
        found = self._projects.get(int(self.binding.makes or 0))
        return found.shows_issues if found else self.binding.public

    @property
    def shows_milestones(self) -> bool:
        """Whether everybody may read our milestones."""
        if not self.binding.is_group:
            return self.project().open_to_all
        self.projects()
        return self._group is None or self._group.open_to_all

    def visibility(self, project: int | None, *, confidential: bool = False) -> str:
        """Who may read an issue of a project; without one, a milestone."""
        if confidential:
            return SECRET if self.keeps_secrets(project) else CONFIDENTIAL
        milestone = project is None and self.binding.is_group
        return PUBLIC if (self.shows_milestones if milestone else self.project(project).shows_issues) else MEMBERS

    # ---- what is to be written --------------------------------------------------------------------------------

    def name(self, element: str) -> str:
        """The name of a label: by id, or of one that is to be made. Rejected for what no label can be.

        A label of the same meaning is taken rather than made a second time with another case.
        """
        known = self.labels()
        if element in known.names:
            return known.names[element]
        if element.startswith(NEW):
            return self._new(element.removeprefix(NEW).strip(), known)
        raise Rejected(f"The project “{self.binding.path}” has no label {element}.")

    def writing(self, fields: Fields) -> AbstractContextManager[object]:
        """Held while something is written that makes a label: two at once would make it twice, or fail."""
        labels = fields.get("labels")
        makes = isinstance(labels, tuple) and any(one.startswith(NEW) for one in labels)
        return self._making if makes else nullcontext()

    def _new(self, name: str, known: Labels) -> str:
        if "," in name:  # the interface takes names with commas between them (A2)
            raise Rejected(f"“{name}” cannot be a label on GitLab, because of its comma.")
        if state_of(name) is not None:
            raise Rejected(f"“{name}” is no label on GitLab, but says how far an issue is.")
        return next((there for there in known.others.values() if folded(there) == folded(name)), name)

    def state(self, status: Native) -> str | None:
        """The name of the label that says a status, None for one that needs none."""
        if status in (OPENED, CLOSED, CANCELLED, None):
            return None
        labels = self.labels()
        if status not in labels.states:
            raise Rejected(f"The project “{self.binding.path}” has no label for the status {status}.")
        return labels.names[str(status)]
