"""What an instance calls its trackers, statuses and priorities, and how they become options.

Everything has an id of its own, so that renaming a status edits no issue. Three options are ours: ``issue`` stands for
"whatever tracker the project gives to a new issue", ``version`` says that a record is a version, and ``away`` is the
status of what was put away, by whatever id the instance has it. A version knows no more than open, locked (nothing new
may be put into it) and closed: it shows the status of a new issue until it is closed, and then the first closed one.
One that was put away is closed and carries `PUT_AWAY`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

from connectors.base import NEW, Native, Options
from connectors.errors import Rejected
from connectors.redmine.shapes import Named, Priority, Status, Tracker, Version

ISSUE, VERSION, AWAY = "issue", "version", "away"
OPEN, CLOSED = "open", "closed"

PUT_AWAY = "Eingestellt"
"""The wiki page of a version that was put away; as long as there is no such page, only the form shows it."""

# Redmine has no archive. An issue that was deleted elsewhere gets the closed status that says "not to be done", by
# its name in Redmine's default data or one that people use for it; the API tells no more of a status than its name.
_REJECTED = (
    *("abgewiesen", "rejected"),
    *("archiviert", "archived", "abgelehnt", "verworfen", "eingestellt", "abgebrochen"),
    *("cancelled", "canceled", "discarded", "won't do", "won't fix"),
)

_FINISHED = ("erledigt", "closed", "geschlossen", "abgeschlossen", "fertig", "umgesetzt", "done", "completed")


@dataclass(frozen=True)
class Words:
    """The vocabulary of one project, as it was last read."""

    trackers: Sequence[Tracker] = ()
    statuses: Sequence[Status] = ()
    priorities: Sequence[Priority] = ()
    own: Sequence[Named] = field(default=())
    """The trackers of our project, the first of which a new issue gets."""

    @property
    def away(self) -> Status | None:
        """The status of what was put away, if there is one."""
        closed = {_folded(status.name): status for status in reversed(self.statuses) if status.is_closed}
        return next((closed[name] for name in _REJECTED if name in closed), None)

    @property
    def options(self) -> Options:
        """What `connectors.base.Changes.options` wants to know; inactive priorities last, so that none is chosen."""
        priorities = sorted(self.priorities, key=lambda one: not one.active)
        return {
            "type": {VERSION: "Version", ISSUE: "Issue", **{str(one.id): one.name for one in self.own}},
            "status": {self.status(one.id): one.name for one in self.statuses},
            "priority": {str(one.id): one.name for one in priorities},
        }

    @property
    def defaults(self) -> dict[str, Native]:
        """The type, status and priority of an issue that was made without any."""
        tracker = self.tracker(self.own[0].id) if self.own else None
        status = tracker.default_status if tracker and tracker.default_status else next(iter(self.statuses), None)
        priority = next((one for one in self.priorities if one.is_default), None)
        return {
            "type": str(tracker.id) if tracker else None,
            "status": self.status(status.id) if status else None,
            "priority": str(priority.id) if priority else None,
        }

    def tracker(self, id: int) -> Tracker | None:
        """A tracker by its id."""
        return next((one for one in self.trackers if one.id == id), None)

    def status(self, id: int) -> str:
        """The option that stands for a status."""
        return AWAY if self.away is not None and self.away.id == id else str(id)

    # ---- what to write ---------------------------------------------------------------------------------------

    def tracker_id(self, option: Native) -> int | None:
        """The tracker that an option stands for; None where the project shall choose."""
        if option in (None, ISSUE):
            return None
        return _number(option, "type")

    def status_id(self, option: Native) -> int:
        """The status of an issue that an option stands for."""
        if option == AWAY:
            if self.away is None:
                raise Rejected("There is no closed status that stands for “put away” here, such as “Rejected”.")
            return self.away.id
        return _number(option, "status")

    def priority_id(self, option: Native) -> int:
        """The priority that an option stands for."""
        return _number(option, "priority")

    def version_status(self, option: Native) -> str:
        """The status of a version that an option comes down to."""
        return CLOSED if option == AWAY or option in self._closed else OPEN

    def of_version(self, version: Version) -> Native:
        """The option that stands for the status of a version."""
        if version.status != CLOSED:
            return self.defaults["status"]
        if version.wiki_page_title == PUT_AWAY:
            return AWAY
        return self._closed[0] if self._closed else self.defaults["status"]

    @property
    def _closed(self) -> tuple[str, ...]:
        """The closed statuses, those first that say "done" by their name."""
        closed = [one for one in self.statuses if one.is_closed and one != self.away]
        closed.sort(key=lambda one: _folded(one.name) not in _FINISHED)
        return tuple(self.status(one.id) for one in (*closed, *filter(None, [self.away])))


def _number(option: Native, what: str) -> int:
    """An id; the API offers no way to make a tracker, a status or a priority (facts: redmine, section 2)."""
    if isinstance(option, str) and option.isdecimal():
        return int(option)
    raise Rejected(f"There is no {what} “{str(option).removeprefix(NEW)}” for issues here.")


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())
