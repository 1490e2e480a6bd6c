"""Who a row is, and which rows it names (ADR 0017).

A row that the bridge made or has written to has its id in the column `cells.ID`. Any other is held by its title until
the bridge first writes to the file, and then keeps that very id in the column: no pull ever writes. Offices name other
rows by their titles, or by the number in a column that counts them; the bridge means their ids.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from connectors.base import Fields, Native
from connectors.workbook import cells
from connectors.workbook.document import Document, Row

HELD = "row-"
"""How the id of a row begins that people made."""


def by_id(document: Document) -> dict[str, Row]:
    """Every row by its id. Of two with one id the upper keeps it: the other was copied by hand."""
    found: dict[str, Row] = {}
    held = []
    for row in document.rows():
        if row.id and row.id not in found:
            found[row.id] = row
        else:
            held.append(row)
    for row in held:
        number = 1
        while (native_id := _held(row, number)) in found:
            number += 1
        found[native_id] = row
    return found


def _held(row: Row, number: int) -> str:
    said = f"{' '.join(str(row.fields.get('title')).casefold().split())}\n{number}"
    return HELD + hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def pin(document: Document) -> dict[str, Row]:
    """Every row, each with the id in its column that it is known by."""
    rows = by_id(document)
    for native_id, row in rows.items():
        if row.id != native_id:
            document.identify(row, native_id)
    return rows


class Names:
    """References: a cell names another row by its title, by its number, or by its id where that is not clear."""

    def __init__(self, rows: Mapping[str, Row]) -> None:
        self._rows = rows
        self._by_title = _unique((str(row.fields.get("title") or ""), one) for one, row in rows.items())
        self._by_number = _unique((row.number, one) for one, row in rows.items())
        self._by_parts = {cells.read("depends_on", title): one for title, one in self._by_title.items() if "," in title}

    def read(self, fields: Fields) -> dict[str, Native]:
        """With ids in the place of names. What names no row, or several, is absent and not empty (R7)."""
        found: dict[str, Native] = {}
        for name, value in fields.items():
            if name not in cells.REFERENCES or value is None:
                found[name] = value
            elif name not in cells.SETS:
                if (native_id := self._id(str(value))) is not None:
                    found[name] = native_id
            elif (ids := self._ids(value)) is not None:
                found[name] = ids
        return found

    def written(self, fields: Fields) -> dict[str, Native]:
        """With names in the place of ids; rows are numbers where the column has nothing but numbers."""
        found = dict(fields)
        for name in cells.REFERENCES & fields.keys():
            value, counts = fields[name], self._counts(name)
            if isinstance(value, str):
                found[name] = self._name(value, counts)
            elif isinstance(value, tuple):
                found[name] = tuple(self._name(one, counts) for one in value)
        return found

    def _ids(self, value: Native) -> tuple[str, ...] | None:
        """The rows that a list names; one title may have the commas of a list in it."""
        listed = value if isinstance(value, tuple) else ()
        whole = self._by_parts.get(listed) if len(listed) > 1 else None
        ids = [self._id(one) for one in listed] if whole is None else [whole]
        return None if None in ids else tuple(sorted({one for one in ids if one is not None}))

    def _id(self, said: str) -> str | None:
        return said if said in self._rows else self._by_title.get(said) or self._by_number.get(said)

    def _name(self, native_id: str, counts: bool) -> str:
        row = self._rows.get(native_id)
        if row is None:
            return native_id
        if counts and self._by_number.get(row.number) == native_id:
            return row.number
        title = str(row.fields.get("title") or "")
        return title if self._by_title.get(title) == native_id and not set(title) & set(";\n") else native_id

    def _counts(self, name: str) -> bool:
        """Whether every reference in a column is a number of a row."""
        values = [row.fields.get(name) for row in self._rows.values()]
        said = [one for value in values for one in (value if isinstance(value, tuple) else (value,)) if one]
        return bool(said) and all(one in self._by_number and one not in self._by_title for one in said)


def _unique(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """What only one row is called, and by whom."""
    found: dict[str, str] = {}
    twice = {""}
    for name, native_id in pairs:
        twice |= {name} if name in found else set()
        found[name] = native_id
    return {name: native_id for name, native_id in found.items() if name not in twice}


def refer_again(document: Document, before: Mapping[str, Row], written: str, fields: frozenset[str]) -> None:
    """Let every cell name the row that it named before a title came or changed; what was just written stays."""
    named = Names(before)
    after = by_id(document)
    names = Names(after)
    for native_id, row in after.items():
        old = named.read(before[native_id].fields) if native_id in before else {}
        new = names.read(row.fields)
        for name in cells.REFERENCES & old.keys():
            ours = native_id == written and name in fields
            value = old[name]
            still = value if isinstance(value, tuple) else (value,)
            if not ours and new.get(name) != value and all(one in after for one in still):
                document.change(row, names.written({name: value}))
