"""Which project or group a connector is bound to, and what it remembers between two pulls and two runs.

A project is chosen once, by path, id or name; from then on its id counts, wherever people move or rename it (R30). So
is a group, by its path or id, and behind a colon the one of its projects in which new issues are made.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta

from connectors.errors import CursorExpired, NotACollection
from connectors.gitlab.shapes import PLANNER, Group, Project, moment

OVERLAP = timedelta(seconds=60)
"""How long a change may take from its stamp to the moment when others see it (facts: platform-apis, A1)."""

_MANY = 500
"""Rows within the overlap of which digests are kept; where more changed at once they are just read again."""


@dataclass(frozen=True)
class Cursor:
    """What the last listing saw.

    ``home`` is what was listed (see `wire`), ``newest`` the latest ``updated_at`` of an issue, ``at`` the server's time
    when the listing began, ``issues`` how many there were, ``last`` the greatest id of one. ``rows`` are digests of the
    issues within the overlap, ``milestones`` those of all milestones: what reads the same again did not change, what is
    missing may be gone.
    """

    home: str
    at: str | None = None
    newest: str | None = None
    issues: int = 0
    last: int = 0
    rows: Mapping[str, str] = field(default_factory=dict)
    milestones: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str | None, home: str) -> Cursor | None:
        """A cursor of ours, of this very project or group, or CursorExpired; None for none."""
        if text is None:
            return None
        try:
            found = cls(**json.loads(text))
        except (ValueError, TypeError):
            found = cls("")
        if found.home != home:
            raise CursorExpired("The cursor is not one of what is mirrored.")
        return found

    def text(self) -> str:
        """For the ledger."""
        return json.dumps(asdict(self))

    @property
    def since(self) -> str | None:
        """From when on changes are asked for; None if the server told no time: then everything is read again.

        That is the latest change that was seen, but some time before the listing began: what changed behind its
        back, or was not committed yet, may not be in it (R6). The border is included, and answers show whole
        milliseconds of what the database keeps finer, so the latest change itself is listed again (A1).
        """
        if self.at is None:
            return None
        settled = _moment(self.at) - OVERLAP
        return moment(min(settled, _moment(self.newest)) if self.newest else settled)

    def kept(self, rows: Mapping[str, tuple[datetime, str]]) -> Cursor:
        """This cursor with the digests of those rows that will be listed again."""
        since = _moment(self.since) if self.since else None
        again = {key: digest for key, (stamp, digest) in rows.items() if since is not None and stamp >= since}
        return Cursor(**{**asdict(self), "rows": again if len(again) <= _MANY else {}})


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@dataclass(frozen=True)
class Binding:
    """The project or group, our account, what it may do there, and the setting that they were found by.

    ``makes`` is the project in which new issues are made, "" for none. ``level`` is our role, in a group the highest in
    one of its projects; ``level_above`` the one that decides on milestones. ``inside`` are the projects of a group.
    """

    setting: str
    home: str
    path: str
    title: str
    user: int
    level: int
    level_above: int
    admin: bool
    writes: bool
    archived: bool
    public: bool
    makes: str
    inside: tuple[str, ...] = ()

    @classmethod
    def to(cls, project: Project, setting: str, user: int, *, admin: bool, writes: bool) -> Binding:
        """What the server says of the project and of our account; ``writes``: whether the token may change things."""
        return cls(
            setting,
            f"projects/{project.id}",
            project.path_with_namespace,
            project.name_with_namespace or project.path_with_namespace,
            user,
            project.level,
            project.level,
            admin,
            writes,
            project.archived,
            project.shows_issues,
            str(project.id),
        )

    @classmethod
    def to_group(
        cls,
        group: Group,
        projects: Sequence[Project],
        makes: str,
        setting: str,
        user: int,
        *,
        admin: bool,
        writes: bool,
    ) -> Binding:
        """The same of a group with its projects."""
        own = [one for one in projects if one.path_with_namespace.rpartition("/")[0] == group.full_path]
        return cls(
            setting,
            f"groups/{group.id}",
            group.full_path,
            group.full_name or group.full_path,
            user,
            max((one.level for one in projects), default=0),
            min((one.level_above for one in own or projects), default=0),
            admin,
            writes,
            archived=False,
            public=group.open_to_all or any(one.shows_issues for one in projects),
            makes=makes,
            inside=tuple(sorted(str(one.id) for one in projects)),
        )

    @classmethod
    def remembered(cls, text: str | None, setting: str) -> Binding | None:
        """What an earlier run found, if it is the answer to the same question."""
        try:
            said = json.loads(text) if text else {}
            found = cls(**{**said, "inside": tuple(said.get("inside", ()))}) if said else None
        except (ValueError, TypeError, AttributeError):
            return None
        return found if found and found.setting == setting else None

    @property
    def is_group(self) -> bool:
        """Whether it is a group and not a project."""
        return self.home.startswith("groups/")

    @property
    def collection(self) -> str:
        """The collection's own id; a group and a project may have the same number."""
        return self.home if self.is_group else self.makes

    @property
    def kind(self) -> str:
        """What people call it."""
        return "group" if self.is_group else "project"

    def now(self, project: Project) -> Binding:
        """The same with what the server says of the project by now."""
        return Binding.to(project, self.setting, self.user, admin=self.admin, writes=self.writes)

    def text(self) -> str:
        """For the ledger."""
        return json.dumps(asdict(self))

    @property
    def sees_all(self) -> bool:
        """Whether our account sees confidential issues too, so that what it does not see is not there (A5)."""
        return self.admin or self.level >= PLANNER

    @property
    def writable(self) -> bool:
        """Whether our account may change what is mirrored."""
        return self.writes and not self.archived and self.sees_all

    @property
    def manages_milestones(self) -> bool:
        """Whether our account may change the milestones: those of a group belong to all its projects."""
        return self.admin or self.level_above >= PLANNER or not self.is_group

    def warnings(self, host: str, setting: str) -> tuple[str, ...]:
        """What people should know before the first pass; ``setting`` names the project or group."""
        where = f"the {self.kind} “{self.path}” on {host}"
        member = self.writes and not self.archived
        role = f"Our account is no Planner or Reporter of {where}: nothing is written."
        said = (
            (not self.writes, f"The token has no scope “api”: nothing is written to {where}."),
            (self.writes and self.archived, f"Archived is {where}: nothing is written there."),
            (member and not self.sees_all, role),
            (self.public, f"Everybody may read {where}: what is not public is made confidential there."),
            (self.writable and not self.makes, f"Nothing new is made in {where}: {self.without(setting)}."),
        )
        return tuple(text for holds, text in said if holds)

    def without(self, setting: str) -> str:
        """How to say in which project of a group new issues are made."""
        return f"say in which project, with {setting}={self.path}:PROJECT"


def choose(projects: Sequence[Project], wanted: str, host: str, setting: str) -> Project:
    """The project that a setting means by its name, which nobody can address it by."""
    named = [one for one in projects if folded(wanted) in (folded(one.name), folded(one.name_with_namespace))]
    if len(named) == 1:
        return named[0]
    found = tuple(sorted(one.path_with_namespace for one in named or projects))
    there = ", ".join(f"“{path}”" for path in found) or "none"
    if named:
        raise NotACollection(f"{host} has several projects that {setting} may mean: {there}.", found=found)
    raise NotACollection(
        f"{host} shows our account no project “{wanted}” ({setting}); it is a member of: {there}.", found=found
    )


def folded(text: str) -> str:
    """A title as people compare it: composed, without case, blanks collapsed."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())
