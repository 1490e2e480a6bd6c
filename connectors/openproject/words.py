"""What a project calls its types, statuses, priorities and versions, and how they become options.

Everything has an id of its own, so that renaming a status edits no work package. Three options are ours: ``task``
stands for the project's type for tasks, by whatever name it has it, ``milestone`` for its first milestone type, and
``away`` is the status of what was put away. Statuses that a new task of ours may get come first: each type has a
workflow of its own, and the first status of a meaning is the one that is written.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from connectors.base import NEW, Native, Options
from connectors.errors import Rejected
from connectors.openproject.shapes import Form, Named, Priority, Status, Type, Version

TASK, MILESTONE, AWAY = "task", "milestone", "away"

_TASKS = ("task", "aufgabe")
"""What the type for tasks is called in OpenProject's default data (app/seeders, config/locales/crowdin)."""

# OpenProject has no archive. A work package that was deleted elsewhere gets the closed status that says "not to be
# done", by its name in the default data or one that people use for it; the API tells no more of a status.
_REJECTED = (
    *("rejected", "zurückgewiesen", "abgelehnt", "abgewiesen"),
    *("archiviert", "archived", "verworfen", "eingestellt", "abgebrochen"),
    *("cancelled", "canceled", "discarded", "won't do", "won't fix"),
)


@dataclass(frozen=True)
class Words:
    """The vocabulary of one project, as it was last read. ``form`` is None where we may make nothing there."""

    types: Sequence[Type] = ()
    statuses: Sequence[Status] = ()
    priorities: Sequence[Priority] = ()
    versions: Sequence[Version] = ()
    form: Form | None = field(default=None)

    @property
    def task(self) -> Type | None:
        """The type that a new task gets."""
        return task_type(self.types)

    @property
    def milestone(self) -> Type | None:
        """The type that a new milestone gets."""
        return next((one for one in self.types if one.is_milestone), None)

    @property
    def away(self) -> Status | None:
        """The status of what was put away, if there is one."""
        closed = {folded(one.name): one for one in reversed(self.statuses) if one.is_closed}
        return next((closed[name] for name in _REJECTED if name in closed), None)

    @property
    def options(self) -> Options:
        """What `connectors.base.Changes.options` wants to know; what can be chosen comes first."""
        settable = set(self.form.statuses) if self.form else set()
        statuses = sorted(self.statuses, key=lambda one: one.id not in settable)
        priorities = sorted(self.priorities, key=lambda one: not one.is_active)
        versions = sorted(self.versions, key=lambda one: one.status != "open")
        ours = ({TASK: "Work package"} if self.task else {}) | ({MILESTONE: "Milestone"} if self.milestone else {})
        return {
            "type": {**ours, **_titles(self.types)},
            "status": {self.status(one.id): one.name for one in statuses},
            "priority": _titles(priorities),
            "versions": _titles(versions),
        }

    @property
    def defaults(self) -> dict[str, Native]:
        """What a task shows that was made with nothing."""
        status = next((one for one in self.statuses if one.is_default), None)
        priority = next((one for one in self.priorities if one.is_default), None)
        return {
            "type": str(self.task.id) if self.task else None,
            "status": self.status(status.id) if status else None,
            "priority": str(priority.id) if priority else None,
            **({"progress": self.form.progress if self.form else None} if self.has_progress else {}),
        }

    @property
    def has_progress(self) -> bool:
        """Whether people say how far a task is. Where its status says it, the number is nobody's word (B, R7)."""
        attribute = self.form.attributes.get("percentageDone") if self.form else None
        return attribute is None or attribute.writable

    def status(self, id: int) -> str:
        """The option that stands for a status."""
        return AWAY if self.away is not None and self.away.id == id else str(id)

    # ---- what to write ---------------------------------------------------------------------------------------

    def type_id(self, option: Native) -> int:
        """The type that an option stands for."""
        if option in (None, TASK) and self.task is not None:
            return self.task.id
        if option == MILESTONE and self.milestone is not None:
            return self.milestone.id
        return _number(option, "type")

    def is_milestone(self, option: Native) -> bool:
        """Whether a new work package of this type is a milestone."""
        id = self.type_id(option)
        return any(one.id == id and one.is_milestone for one in self.types)

    def status_id(self, option: Native) -> int:
        """The status that an option stands for."""
        if option == AWAY:
            if self.away is None:
                raise Rejected("There is no closed status that stands for “put away” here, such as “Rejected”.")
            return self.away.id
        return _number(option, "status")

    def priority_id(self, option: Native) -> int:
        """The priority that an option stands for."""
        return _number(option, "priority")

    def version_named(self, name: str) -> Version | None:
        """The version of this name that things can be put into, the older one if there are several."""
        named = [one for one in self.versions if one.status == "open" and folded(one.name) == folded(name)]
        return min(named, key=lambda one: one.id, default=None)


def task_type(types: Sequence[Type]) -> Type | None:
    """The type that a new task gets: by its name, else the first that is no milestone type."""
    plain = [one for one in types if not one.is_milestone]
    return next((one for one in plain if folded(one.name) in _TASKS), plain[0] if plain else None)


def folded(text: str) -> str:
    """A title as people compare it: composed, without case, blanks collapsed."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def _titles(named: Sequence[Named]) -> Mapping[str, str]:
    return {str(one.id): one.name for one in named}


def _number(option: Native, what: str) -> int:
    """An id; our account makes no types, statuses or priorities."""
    if isinstance(option, str) and option.isdecimal():
        return int(option)
    raise Rejected(f"There is no {what} “{str(option).removeprefix(NEW)}” for work packages here.")
