"""The verbs of a connector on one Redmine project.

A pull asks what was stamped since the last one, and besides which ids there are: Redmine tells of no deletion (facts:
redmine, section 4). It ends with a look at our own account, since a key that was revoked meanwhile makes issues
invisible and no request fail (section 2). Redmine knows a conditional write, but shows its token only on a page for
people that takes ten times as long (section 4), so every write starts with a fresh read, compares, writes at once and
reads back (R24, R25).
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import replace

from connectors.base import (
    Abilities,
    Access,
    Alive,
    Changes,
    Connector,
    Fields,
    Gone,
    Hidden,
    Identity,
    Moved,
    Native,
    Offer,
    OutOfScope,
    Probe,
    Record,
    Ref,
)
from connectors.errors import (
    CursorExpired,
    Forbidden,
    NotFound,
    PlatformError,
    Rejected,
    Transient,
    VersionMismatch,
)
from connectors.redmine import privacy, texts
from connectors.redmine.binding import Binding, Cursor, bind
from connectors.redmine.records import ISSUES, VERSIONS, Records, hash_of, issue_body, last_changes, split, version_body
from connectors.redmine.shapes import Issue, Project, Version, read
from connectors.redmine.wire import PAGE, KeyHttp, Wire
from connectors.redmine.words import AWAY, CLOSED, ISSUE, OPEN, PUT_AWAY, VERSION, Words

Row = dict[str, object]


class RedmineConnector:
    """One project. Safe to use from several threads once it is identified."""

    def __init__(self, access: Access, http: KeyHttp) -> None:
        fit = access.confidential
        self._wire = Wire(http, private=fit)
        self._access = access
        self._records = Records(self._wire.root, self._wire.instance, private=fit)
        self._empty = privacy.empty(fit)
        self._binding: Binding | None = None
        self._words: Words | None = None
        self._asked = False
        # A new issue gets no other status than the first where the workflow wants that; others are ignored (section 4).
        created = frozenset(self._empty) - {"status"}
        self.abilities = Abilities(create_fields=created, defaults=self._empty, writes=access.writes or 2)

    @property
    def requests(self) -> int:
        """Requests sent since this connector was made."""
        return self._wire.http.requests

    @property
    def clock(self) -> tuple[float, float] | None:
        """How far the server's clock is ahead of ours; None where it sends no Date."""
        return self._wire.http.clock

    # ---- who we are bound to -----------------------------------------------------------------------------------

    @property
    def _bound(self) -> Binding:
        if self._binding is None:
            raise RuntimeError("identify comes first")
        return self._binding

    def identify(self, remembered: str | None = None) -> Identity:
        """Find the project by identifier, id or name, and what our account may do there."""
        wire, host = self._wire, self._wire.http.host
        setting = "\n".join((wire.root, self._access.collection))
        found = Binding.remembered(remembered, setting) or bind(wire, setting, self._access.collection)
        self._binding = found
        self._learn(found.defaults)
        said = found.warnings(host, confidential=self._access.confidential)
        return Identity("redmine", host, str(found.project), found.title, found.writable, said)

    def collections(self) -> list[Offer]:
        """The projects that our account sees, each by its identifier. A bad key would show none, so it is tried."""
        self._wire.me()
        return [Offer(one.identifier, one.name, None if one.is_open else False) for one in self._wire.projects()]

    def memory(self) -> str | None:
        """The project that the settings name, our rights there, and what a new issue gets."""
        return self._binding.text() if self._binding else None

    def _learn(self, defaults: Mapping[str, Native]) -> None:
        self.abilities = replace(self.abilities, defaults={**self._empty, **defaults})

    def _read_words(self) -> Words:
        """What there is by now of trackers, statuses and priorities."""
        found = self._wire.words(self._project())
        if found.defaults != self._bound.defaults:
            self._binding = replace(self._bound, defaults=found.defaults)
            self._learn(found.defaults)
        self._words = found
        return found

    def text_formats(self) -> Mapping[str, str]:
        """The description of an issue is rich text; that of a version is one line."""
        return {"description": self._bound.rich.name}

    def _learn_formatting(self, issue: int) -> None:
        """Where nothing told it yet how text is formatted there, an issue does (facts: redmine, section 4)."""
        if self._bound.formatting or self._asked:
            return
        self._asked = True
        self._binding = replace(self._bound, formatting=self._wire.formatting(issue))

    def _project(self) -> Project:
        return self._wire.still(self._bound.project, self._bound.title)

    @property
    def _vocabulary(self) -> Words:
        return self._words or self._read_words()

    # ---- reading -----------------------------------------------------------------------------------------------

    def pull(self, cursor: str | None, known: Mapping[str, str]) -> Changes:
        """What was stamped since the cursor, all ids and all versions; everything, if there is no cursor."""
        try:
            return self._pull(cursor, known)
        except NotFound:
            self._project()
            raise

    def _pull(self, cursor: str | None, known: Mapping[str, str]) -> Changes:
        wire, project = self._wire, self._bound.project
        before = Cursor.read(cursor, project) if cursor is not None else Cursor(project)
        whole = cursor is None or not before.since
        since = str(wire.newest(project).get("updated_on", "")) if whole else before.since
        rows = list(wire.issues(project, **({} if whole else {"updated_on": before.asks})))
        if not whole:
            if not rows:  # what was stamped last is gone, or the server went back in time (R5)
                raise CursorExpired(f"{wire.http.host} shows nothing that is as new as what it showed before.")
            # What changes while we turn pages is newer than all of the first one.
            since = max(since, *(str(row.get("updated_on")) for row in rows[:PAGE]))
        listed = {f"{ISSUES}/{row['id']}": row for row in rows}
        there = set(listed) if whole else {f"{ISSUES}/{id}" for id in wire.issue_ids(project)} | set(listed)
        versions = {f"{VERSIONS}/{row['id']}": row for row in wire.versions(project) if _home(row) == project}
        hashes = {key: hash_of(row) for key, row in {**listed, **versions}.items()}
        fresh = {key: row for key, row in {**listed, **versions}.items() if before.seen.get(key) != hashes[key]}
        found = self._read(fresh, whole=cursor is None)
        me = wire.me().id
        if me != self._bound.me:
            self._binding = replace(self._bound, me=me)
        here = Cursor(project, since, whole=before.whole if cursor else time.time())
        seen = {
            k: hashes[k]
            for k, row in {**listed, **versions}.items()
            if k in versions or here.overlaps(row.get("updated_on"))
        }
        return Changes(
            tuple(one for key, one in found.items() if one is not None and known.get(key) != one.version),
            replace(here, seen=seen).text(),
            True,
            present=frozenset((there | set(versions)) - {key for key, one in found.items() if one is None}),
            options=self._vocabulary.options if found or cursor is None else None,
        )

    def _read(self, rows: Mapping[str, Row], *, whole: bool) -> dict[str, Record | None]:
        """Rows as records; None for an issue that is private and not ours to carry elsewhere."""
        if not rows and not whole:
            return {}
        words, project, me = self._read_words(), self._bound.project, self._bound.me
        parents = self._wire.issue_ids(project, child_id="*") if any(_is_issue(key) for key in rows) else frozenset()
        found: dict[str, Record | None] = {}
        for key, row in rows.items():
            if _is_issue(key):
                issue = read(Issue, row)
                if issue is not None:
                    self._learn_formatting(issue.id)
                    rich = self._bound.rich
                    record = self._records.issue(issue, words, rich, parent=issue.id in parents, me=me)
                    found[key] = None if self._kept_back(issue) else record
                    continue
            else:
                version = read(Version, row)
                if version is not None:
                    found[key] = self._records.version(version, words)
                    continue
            found[key] = self._records.unreadable(key, row, project)
        return found

    def _kept_back(self, one: Issue | Version) -> bool:
        """Whether it is private, and we are not fit for that (ADR 0021)."""
        return isinstance(one, Issue) and one.is_private and not self._access.confidential

    def _fetch(self, native_id: str) -> Issue | Version:
        """An issue or version as it is now. Raises NotFound where it is not there, Forbidden where it is not shown."""
        found = split(native_id)
        if found is None:
            raise NotFound(f"{native_id!r} is neither an issue nor a version.")
        what, id = found
        return self._wire.issue(id) if what == ISSUES else self._wire.version(id)

    def _record(self, one: Issue | Version) -> Record:
        if isinstance(one, Version):
            return self._records.version(one, self._vocabulary)
        self._learn_formatting(one.id)
        parent, me = bool(one.children), self._bound.me
        return self._records.issue(one, self._vocabulary, self._bound.rich, parent=parent, me=me)

    def _compared(self, ref: Ref, if_version: str) -> tuple[Issue | Version, Record]:
        """The record as it is now, which must be what the engine believes it is (R24)."""
        name = ref.native_id
        try:
            one = self._fetch(name)
        except Forbidden:
            raise NotFound(f"{self._wire.http.host} does not show us {name} any more.") from None
        if one.created_on != ref.born:  # ids are used again (section 4)
            raise NotFound(f"{name} on {self._wire.http.host} is another one by now.")
        if one.project.id != self._bound.project or self._kept_back(one):
            raise NotFound(f"{name} is not among what is mirrored of “{self._bound.title}” any more.")
        record = self._record(one)
        if record.version != if_version:
            raise VersionMismatch(f"{name} on {self._wire.http.host} has changed since it was read.", record=record)
        return one, record

    def probe(self, ref: Ref) -> Probe:
        """Ask for the record itself: 404 is proof, and 403 is lost sight of (facts: redmine, section 3)."""
        try:
            one = self._fetch(ref.native_id)
        except NotFound:
            self._project()  # which is there, so that this one was deleted and not the whole project
            return Gone()
        except Forbidden:
            return Hidden()
        if one.created_on != ref.born:
            return Gone()
        if self._kept_back(one):
            return OutOfScope()
        record = self._record(one)
        if one.project.id != self._bound.project:
            return Moved(record.collection, record)
        return Alive(record)

    # ---- writing -----------------------------------------------------------------------------------------------

    def create(self, fields: Fields, mark: str) -> Record:
        """Make an issue, or a version. Redmine has no place for a mark."""
        sent = time.time()
        privacy.before_create(self._wire, self._bound, fields, fit=self._access.confidential)
        made = self._make_version(fields) if fields.get("type") == VERSION else self._make_issue(fields)
        if isinstance(made, Issue):
            privacy.after_create(self._wire, made, fields)
            self._format(made, fields)
        name = f"{VERSIONS if isinstance(made, Version) else ISSUES}/{made.id}"
        try:
            return self._wire.stamped(self._record(self._fetch(name)), sent)
        except PlatformError:
            return self._record(made)  # it is made, that much is known; and this is what it was made of

    def _make_issue(self, fields: Fields) -> Issue:
        # A start that is not said would be today (section 4).
        body = issue_body({"start": None, **fields}, self._vocabulary, self._bound.rich)
        try:
            return self._wire.make_issue(self._bound.project, body)
        except Rejected:
            if not self._is_closed(fields.get("milestone")):
                raise
            # Nothing new comes into a version that is locked or closed (section 5): better without it than not at all.
            return self._wire.make_issue(self._bound.project, {**body, "fixed_version_id": ""})

    def _format(self, made: Issue, fields: Fields) -> None:
        """The first issue of an instance tells how text is formatted there: too late for its own description."""
        before = self._bound.rich
        self._learn_formatting(made.id)
        if self._bound.rich is not before and fields.get("description"):
            body = issue_body({"description": fields["description"]}, self._vocabulary, self._bound.rich)
            self._wire.change_issue(made.id, body)

    def _is_closed(self, milestone: Native) -> bool:
        found = split(str(milestone)) if milestone is not None else None
        return found is not None and self._wire.version(found[1]).status != OPEN

    def _make_version(self, fields: Fields) -> Version:
        return self._wire.make_version(self._bound.project, version_body(fields, self._vocabulary))

    def update(self, ref: Ref, fields: Fields, if_version: str) -> Record:
        """Write these fields on the record as it is at this moment, and read it back: success proves nothing."""
        one, record = self._compared(ref, if_version)
        shown = record.fields or {}
        changed = {name: value for name, value in fields.items() if name in shown and shown[name] != value}
        sent = time.time()
        wrote = self._change_version(one, changed) if isinstance(one, Version) else self._change_issue(one, changed)
        if not wrote:
            return record
        try:
            return self._wire.stamped(self._record(self._fetch(ref.native_id)), sent)
        except NotFound:
            raise
        except PlatformError as error:  # the write was answered: nothing is under way, and a probe will tell
            raise Transient(f"{self._wire.http.host} did not say what it made of {ref.native_id}.") from error

    def _change_issue(self, issue: Issue, changed: Fields) -> bool:
        if changed.get("private"):  # before any text is sent, which may be confidential itself
            privacy.hide(self._wire, self._bound, issue)
            self._change_issue(issue, {name: value for name, value in changed.items() if name != "private"})
            return True
        body = issue_body(changed, self._vocabulary, self._bound.rich, issue.description)
        status = body.get("status_id")
        allowed = None if issue.allowed_statuses is None else {one.id for one in issue.allowed_statuses}
        if status is not None and "tracker_id" not in body and allowed is not None and status not in allowed:
            # It would be ignored without a word, and be possible later: when the subtasks are closed, say (section 4).
            name = next((one.name for one in self._vocabulary.statuses if one.id == status), str(status))
            raise Rejected(
                f"{self._wire.http.host} does not let our account set issue {issue.id} to “{name}” now: the workflow "
                "forbids it, or an open subtask or a blocking issue does."
            )
        if body:  # a write of nothing would stamp the issue (section 3)
            self._wire.change_issue(issue.id, body)
        return bool(body)

    def _change_version(self, version: Version, changed: Fields) -> bool:
        body = version_body(changed, self._vocabulary)
        if changed.get("status") == AWAY and not version.wiki_page_title:
            body["wiki_page_title"] = PUT_AWAY
        elif "status" in changed and version.wiki_page_title == PUT_AWAY:
            body["wiki_page_title"] = ""
        if body.get("status") == OPEN and version.status != CLOSED:
            del body["status"]  # a locked version stays locked
        if body:
            self._wire.change_version(version.id, body)
        return bool(body)

    def delete(self, ref: Ref, if_version: str) -> None:
        """Delete an issue or a version; neither can be fetched back. Nothing that others would die with."""
        one, _ = self._compared(ref, if_version)
        if isinstance(one, Version):
            self._wire.delete_version(one.id)
        elif one.children:
            raise Rejected(f"Issue {one.id} has subtasks, which would be deleted with it.")
        else:
            self._wire.delete_issue(one.id)

    # ---- what is known of the platform -------------------------------------------------------------------------

    def normalises(self, name: str, sent: Native, shown: Native) -> bool:
        """What a version has no room for."""
        text = sent if isinstance(sent, str) else ""
        if name == "title":
            return shown != sent and shown == texts.name(text)
        if name == "description":
            return shown != sent and bool(text) and shown == texts.brief(text)
        if name == "type":
            return sent == ISSUE and str(shown).isdecimal()
        return name == "progress" and sent is None and shown == 0

    def times(self, ref: Ref, names: Collection[str]) -> Mapping[str, float]:
        """When these fields of an issue last changed, by its journals (R4); a version has none."""
        what, id = split(ref.native_id) or ("", 0)
        if what != ISSUES:
            return {}
        history = self._wire.history(id)
        return last_changes(history, names) if history.created_on == ref.born else {}

    def id_of(self, mark: str) -> str:
        """Redmine chooses its ids itself."""
        return ""


def _is_issue(native_id: str) -> bool:
    return native_id.startswith(ISSUES)


def _home(row: Row) -> object:
    """The project that a version belongs to: a listing also has those that others share (section 5)."""
    project = row.get("project")
    return project.get("id") if isinstance(project, dict) else None


def connect(access: Access) -> Connector:
    """A connector to the project that the settings name."""
    return RedmineConnector(access, KeyHttp(access))
