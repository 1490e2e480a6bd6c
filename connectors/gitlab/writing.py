"""From native fields that shall change to the bodies of requests (facts: platform-apis, A2, A3).

Labels are added and taken away one by one and never sent as a set, which would take away those that somebody else
put there meanwhile. Opening and closing is a request of its own: sent together with other values it is carried out
first, and stays done when those are refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from connectors.base import Fields, Native
from connectors.errors import Rejected
from connectors.gitlab.project import CONFIDENTIAL, MEMBERS, PUBLIC, SECRET, BoundProject
from connectors.gitlab.shapes import CANCELLED, CLOSED, MILESTONE, Address, Issue, Milestone, state_of
from connectors.gitlab.text import cancelled_at, line_in, text_to, title_to

Body = dict[str, object]
Steps = tuple[Body, ...]
"""The bodies of the requests by which a record comes to show what is wanted, in their order."""


def new_issue(fields: Fields, bound: BoundProject) -> Body:
    """The body that makes an issue; whatever is not asked for is left out.

    In a project that everybody may read an issue is confidential unless it is said to be public.
    """
    body = _plain(fields)
    body["title"] = title_to(str(fields.get("title") or ""))
    body["description"] = text_to(str(fields.get("description") or ""))
    if labels := _names(fields.get("labels"), bound):
        body["labels"] = ",".join(sorted(labels))
    if fields.get("milestone"):
        body["milestone_id"] = _milestone(fields["milestone"])
    everybody = bound.project().shows_issues
    if (everybody and fields.get("visibility") != PUBLIC) or (fields.get("visibility") == SECRET and bound.fit):
        body["confidential"] = True
    elif fields.get("visibility") == SECRET or fields.get("visibility") == CONFIDENTIAL:
        raise _unseen(bound)
    return body


def new_milestone(fields: Fields, bound: BoundProject) -> Body:
    """The body that makes a milestone. There are no confidential ones, so not every one may be made everywhere."""
    if bound.shows_milestones and fields.get("visibility") != PUBLIC:
        raise Rejected(
            f"Everybody may read the milestones of “{bound.binding.path}”, and this one is not public: "
            "make it public, or leave it out there."
        )
    description = text_to(str(fields.get("description") or ""))
    return {**_plain(fields), "title": title_to(str(fields.get("title") or "")), "description": description}


def issue_steps(issue: Issue, shown: Fields, fields: Fields, bound: BoundProject, now: datetime | None) -> Steps:
    """What brings an issue from what it shows to the fields that are wanted; ``now`` by the server's clock."""
    changed = _changed(shown, fields)
    line = cancelled_at(now)
    if issue.state == "closed":
        line = line_in(issue.description or "", issue.closed_at) or cancelled_at(issue.closed_at)
    body = _body(issue.description, shown, changed, line)
    if "milestone" in changed:
        body["milestone_id"] = _milestone(changed["milestone"])
    if "visibility" in changed:
        body |= _readers(changed["visibility"], issue, bound)
    added, removed = _label_changes(issue, changed, bound)
    if added:
        body["add_labels"] = ",".join(sorted(added))
    if removed:
        body["remove_labels"] = ",".join(sorted(removed))
    return _in_order(body, issue.state, changed, "reopen")


def milestone_steps(milestone: Milestone, shown: Fields, fields: Fields) -> Steps:
    """What brings a milestone from what it shows to the fields that are wanted."""
    changed = _changed(shown, fields)
    body = _body(milestone.description, shown, changed, cancelled_at(None))
    return _in_order(body, milestone.state, changed, "activate")


def _changed(shown: Fields, fields: Fields) -> dict[str, Native]:
    return {name: value for name, value in fields.items() if name in shown and shown[name] != value}


def _body(description: str | None, shown: Fields, changed: Mapping[str, Native], line: str) -> Body:
    """What issues and milestones have in common; ``line`` stands under what is not done."""
    body: Body = {name: changed[name] or "" for name in ("due_date", "start_date") if name in changed}
    if "title" in changed:
        body["title"] = title_to(str(changed["title"] or ""))
    there = description or ""
    under = line if changed.get("status", shown["status"]) == CANCELLED else ""
    if "description" in changed or ("status" in changed and line_in(there) != under):
        text = changed.get("description", shown["description"])
        body["description"] = text_to(str(text or ""), there, line=under)
    return body


def _in_order(body: Body, state: str, changed: Mapping[str, Native], reopen: str) -> Steps:
    """Closed last and opened first, so that nothing in between looks like something that was done."""
    steps = [body] if body else []
    if "status" in changed:
        closed, shut = changed["status"] in (CLOSED, CANCELLED), state == "closed"
        if closed and not shut:
            steps.append({"state_event": "close"})
        elif shut and not closed:
            steps.insert(0, {"state_event": reopen})
    return tuple(steps)


def _plain(fields: Fields) -> Body:
    return {name: fields[name] for name in ("due_date", "start_date") if fields.get(name)}


def _milestone(value: Native) -> int:
    """The global id of a milestone, 0 for none."""
    if not value:
        return 0
    found = Address.of(str(value))
    if found is None or found.kind != MILESTONE:
        raise Rejected(f"{value} is no milestone on GitLab.")
    return found.id


def _readers(value: Native, issue: Issue, bound: BoundProject) -> Body:
    """Whether an issue is confidential. Nothing is opened to more people than the word says."""
    everybody = bound.project(issue.project_id).shows_issues
    if value == SECRET and bound.fit:
        return {} if issue.confidential else {"confidential": True}
    if value in (CONFIDENTIAL, SECRET) and not everybody:
        raise _unseen(bound)
    if bound.keeps_secrets(issue.project_id):
        return {"confidential": False} if issue.confidential else {}
    changes = everybody and value in (CONFIDENTIAL, MEMBERS, PUBLIC) and issue.confidential != (value != PUBLIC)
    return {"confidential": value != PUBLIC} if changes else {}


def _unseen(bound: BoundProject) -> Rejected:
    """Nothing is made that would not be read again."""
    return Rejected(f"Confidential issues of “{bound.binding.path}” are not mirrored, so none is made.")


def _names(elements: Native, bound: BoundProject) -> set[str]:
    """The names of labels of a new issue; what no label can be is left out, and is seen to be when it is read."""
    found = set()
    for element in elements if isinstance(elements, tuple) else ():
        try:
            found.add(bound.name(element))
        except Rejected:
            continue
    return found


def _label_changes(issue: Issue, changed: Mapping[str, Native], bound: BoundProject) -> tuple[set[str], set[str]]:
    """The names of labels to add and to take away, those that say a state included."""
    there = set(issue.labels)
    states = {name for name in there if state_of(name) is not None}
    added: set[str] = set()
    removed: set[str] = set()
    wanted = changed.get("labels")
    if isinstance(wanted, tuple):
        names = {bound.name(element) for element in wanted}
        added, removed = names - there, there - states - names
    if "status" in changed and changed["status"] not in (CLOSED, CANCELLED):
        state = bound.state(changed["status"])
        kept = {state} if state is not None else set()
        added, removed = added | (kept - there), removed | (states - kept)
    return added, removed
