"""The project that we are bound to as it is in this pass: who may read it, and its labels by id and name.

Both are read when they are first needed after `forget`, which every pull begins with: a project that was opened to
everybody a minute ago must not get internal tasks as public issues, and a label that was renamed since would be
made a second time, for the interface takes labels by name and makes those that it does not know (A2).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from connectors.base import NEW, Access, Fields, Native, Options
from connectors.errors import NotACollection, NotFound, Rejected
from connectors.gitlab.binding import Binding, choose, folded
from connectors.gitlab.shapes import CANCELLED, CLOSED, OPENED, Issue, Label, Project, state_of
from connectors.gitlab.wire import Wire

CONFIDENTIAL, MEMBERS, PUBLIC = "confidential", "members", "public"
"""Who may read an issue: the project's own staff, whoever may see the project, or everybody on the internet.

Only where the last is possible the first is offered: elsewhere nothing needs to be hidden from the project's guests.
"""


@dataclass(frozen=True)
class Labels:
    """The labels that can be put on issues of the project."""

    names: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, labels: Iterable[Label]) -> Labels:
        """By id, in the order of their ids: the one that was there first comes first."""
        return cls({str(one.id): one.name for one in sorted(labels, key=lambda one: one.id)})

    @property
    def ids(self) -> dict[str, str]:
        """By name; the older one where a group and its project have the same."""
        return {name: key for key, name in reversed(list(self.names.items()))}

    @property
    def states(self) -> dict[str, str]:
        """Those that say how far an issue is, with what they say of it."""
        return {key: state for key, name in self.names.items() if (state := state_of(name)) is not None}

    @property
    def others(self) -> dict[str, str]:
        """Those that are labels and nothing else."""
        return {key: name for key, name in self.names.items() if state_of(name) is None}


class BoundProject:
    """Our project. Safe to use from several threads."""

    def __init__(self, wire: Wire, access: Access) -> None:
        self._wire, self._access = wire, access
        self._binding: Binding | None = None
        self._project: Project | None = None
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
        """The project's id, which is the collection's."""
        return self.binding.project

    def identify(self, remembered: str | None) -> Binding:
        """Find the project, or remember it without a request."""
        access, wire = self._access, self._wire
        setting = "\n".join((wire.root, access.collection))
        self._binding = Binding.remembered(remembered, setting)
        if self._binding is None:
            project = self._find(access.collection.strip().strip("/"))
            if not project.has_issues:
                raise NotACollection(
                    f"The project “{project.path_with_namespace}” on {wire.http.host} has no issues: switch them on."
                )
            account, scopes = wire.account(), wire.scopes()
            writes = scopes is None or "api" in scopes
            self._binding = Binding.to(project, setting, account.id, admin=account.is_admin, writes=writes)
            self._project = project
        return self.binding

    def memory(self) -> str | None:
        """For the next run."""
        return self._binding.text() if self._binding else None

    def _find(self, wanted: str) -> Project:
        try:
            return self._wire.project(wanted)
        except NotFound:
            pass
        chosen = choose(self.mine(), wanted, self._wire.http.host, f"{self._access.name.upper()}_COLLECTION")
        return self._wire.project(str(chosen.id))

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
            self._project = self._labels = None

    def project(self, *, afresh: bool = False) -> Project:
        """The project with our role. NotFound when it is not shown to us any more."""
        with self._reading:
            if self._project is None or afresh:
                self._project = self._wire.project(self.id)
                self._binding = self.binding.now(self._project)
            return self._project

    def labels(self, *names: str) -> Labels:
        """The labels; read again if one of these names is not among them."""
        with self._reading:
            if self._labels is None or not self._labels.ids.keys() >= set(names):
                self._labels = Labels.of(self._wire.labels(self.id))
            return self._labels

    def ids(self, issue: Issue) -> dict[str, str]:
        """The ids of an issue's labels by name, as far as they are still there."""
        ids = self.labels(*issue.labels).ids if issue.labels else {}
        return {name: ids[name] for name in issue.labels if name in ids}

    def options(self) -> Options:
        """What `connectors.base.Changes.options` wants to know."""
        labels = self.labels()
        readers = (CONFIDENTIAL, PUBLIC) if self.project().shows_issues else (MEMBERS,)
        states = {one: one for one in (OPENED, CLOSED, CANCELLED)}
        return {
            "status": {**states, **labels.states},
            "labels": labels.others,
            "visibility": {one: one for one in readers},
        }

    @property
    def shows_issues(self) -> bool:
        """Whether everybody may read our issues, as far as it is known without asking."""
        return self._project.shows_issues if self._project else self.binding.public

    def visibility(self, *, confidential: bool = False) -> str:
        """Who may read an issue, or a milestone."""
        if confidential:
            return CONFIDENTIAL
        return PUBLIC if self.project().shows_issues else MEMBERS

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
