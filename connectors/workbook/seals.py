"""Ids that notice when they were left behind: beside each stands of which title it was.

Whoever sorts a sheet by its filter moves only the columns that the filter covers, and the hidden one stays where it
was: every id would stand beside another task, and all of them would have been edited. So an id carries a digest of the
title that it was written for. Where titles and digests are the same but in another order, the ids follow the titles; a
title that was changed alone keeps its id.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from connectors.workbook.document import Row

_SEPARATOR = " ~"


def sealed(native_id: str, title: object) -> str:
    """An id with the title that it stands beside."""
    return f"{native_id}{_SEPARATOR}{_digest(title)}"


def opened(text: str) -> tuple[str, str]:
    """Id and digest; one that has no digest (yet) is believed."""
    native_id, _, digest = text.strip().partition(_SEPARATOR)
    return native_id, digest


def _digest(title: object) -> str:
    said = " ".join(str(title or "").casefold().split())
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def follow(rows: Sequence[Row], digests: Mapping[int, str]) -> frozenset[str]:
    """Give every row the id that belongs to it; ``digests`` are by place.

    Returns the ids of which nobody knows any more whose they are: sorted and renamed at once.
    """
    _drop_copies(rows, digests)
    titles = {row.place: _digest(row.fields.get("title")) for row in rows}
    moved = [row for row in rows if row.id and digests.get(row.place, "") not in ("", titles[row.place])]
    sought, there = defaultdict(list), defaultdict(list)
    for row in moved:
        sought[digests[row.place]].append(row.id)
    for row in (*moved, *(row for row in rows if not row.id)):
        there[titles[row.place]].append(row.place)
    found: dict[int, str] = {}
    for digest, ids in sought.items():
        if len(there[digest]) == len(ids):  # of equal titles, the first is the first
            found |= dict(zip(sorted(there[digest]), ids, strict=True))
    if not found:
        return frozenset()  # nothing but new titles
    left = {row.id for row in moved} - set(found.values())
    unknown = [row for row in moved if row.place not in found]
    if len(unknown) == len(left) == 1:
        found[unknown[0].place] = left.pop()
    for row in unknown:
        row.id = ""
    for row in rows:
        row.id = found.get(row.place, row.id)
    return frozenset(left)


def _drop_copies(rows: Sequence[Row], digests: Mapping[int, str]) -> None:
    """Of rows with one id, copied by hand, the one that still has the title keeps it."""
    often = Counter(row.id for row in rows)
    right = [row for row in rows if often[row.id] > 1 and digests.get(row.place) == _digest(row.fields.get("title"))]
    keepers = dict(reversed([(row.id, row.place) for row in right]))
    for row in rows:
        if row.id in keepers and row.place != keepers[row.id]:
            row.id = ""
