"""Private issues, for connectors that are marked as fit for what is confidential (ADR 0021).

Who may not set the mark is not refused: it is ignored without a word (facts: redmine, section 4), and the issue is
there for everybody. So our rights are read anew before every use of the mark, and afterwards it is looked at, since a
workflow can forbid it besides and tells nobody.
"""

from __future__ import annotations

from connectors.base import Fields
from connectors.errors import PlatformError, Rejected
from connectors.redmine.binding import ALL, Binding, Rights, rights
from connectors.redmine.records import EMPTY
from connectors.redmine.shapes import Issue
from connectors.redmine.wire import Wire
from connectors.redmine.words import VERSION


def empty(fit: bool) -> Fields:
    """What a record shows that was made with nothing."""
    return {**EMPTY, "private": False} if fit else EMPTY


def before_create(wire: Wire, bound: Binding, fields: Fields, *, fit: bool) -> None:
    """Refuse to make what shall be private and would not be: a version never is."""
    if not fields.get("private"):
        return
    if not fit:
        raise Rejected(f"Private issues of “{bound.title}” are not mirrored, so none is made.")
    if fields.get("type") == VERSION:
        raise Rejected(f"Versions of {wire.http.host} cannot be private, so no confidential milestone is made there.")
    if not _now(wire, bound).hides:
        raise Rejected(
            f"Our account may not make issues private in “{bound.title}”, so nothing confidential is made there: give "
            "its role that right."
        )


def after_create(wire: Wire, made: Issue, fields: Fields) -> None:
    """Take back what did not become private after all. What cannot be deleted stays ours, and shows what it is."""
    if not fields.get("private") or made.is_private:
        return
    try:
        wire.delete_issue(made.id)
    except PlatformError:
        return
    raise Rejected(
        f"{wire.http.host} did not make issue {made.id} private, so it was deleted again: does the workflow let our "
        "account set that mark?"
    )


def hide(wire: Wire, bound: Binding, issue: Issue) -> None:
    """Make an issue private, and prove it. Not one that would be out of our own sight then."""
    own, allowed = issue.author is not None and issue.author.id == bound.me, _now(wire, bound)
    if not (allowed.hides if own else allowed.hides == ALL and allowed.sees):
        raise Rejected(
            f"Our account may not make issue {issue.id} of “{bound.title}” private, or would not see it any more then: "
            "give its role these rights."
        )
    wire.change_issue(issue.id, {"is_private": True})
    if not wire.issue(issue.id).is_private:
        raise Rejected(
            f"{wire.http.host} did not make issue {issue.id} private: does the workflow let our account set that mark?"
        )


def _now(wire: Wire, bound: Binding) -> Rights:
    return rights(wire, wire.me(memberships=True), bound.project)
