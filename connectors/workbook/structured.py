"""A .yaml file as a document: a list of tasks, at the top or under one key. Comments, order and quotes stay.

ruamel.yaml is used and not PyYAML, because it alone keeps comments when it writes.
"""

from __future__ import annotations

import io
from collections.abc import Mapping

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scalarstring import LiteralScalarString

from connectors.base import Fields, Native
from connectors.workbook import cells, words
from connectors.workbook.document import Row, Unfit, Unreadable


class Structured:
    """One list of mappings. Every task may have every field, whether it has the key yet or not."""

    loses = ""
    astray: frozenset[str] = frozenset()
    order = tuple(cells.HEADERS)
    names = frozenset(order) - cells.OURS

    def __init__(self, content: bytes) -> None:
        self._yaml = YAML()
        self._yaml.preserve_quotes = True
        self._yaml.width = 10_000
        self._yaml.indent(mapping=2, sequence=4, offset=2) if b"\n  - " in content else None
        try:
            self._whole = self._yaml.load(content.decode("utf-8-sig"))
        except (UnicodeDecodeError, YAMLError):
            raise Unreadable from None
        self._tasks = _tasks(self._whole)
        self._english = words.is_english(key for task in self._tasks if isinstance(task, CommentedMap) for key in task)

    def rows(self) -> list[Row]:
        """Every task with a title, or with an id and anything else in it."""
        found = (self._row(place) for place in range(len(self._tasks)) if isinstance(self._tasks[place], CommentedMap))
        return [row for row in found if row.fields["title"] or (row.id and any(row.fields.values()))]

    def identify(self, row: Row, native_id: str) -> None:
        """Give a task its id."""
        self._tasks[row.place][cells.ID] = native_id

    def change(self, row: Row, fields: Fields) -> None:
        """Write these keys and no others; what is empty gets no key that was not there."""
        task = self._tasks[row.place]
        keys = self._keys(task)
        for name, value in fields.items():
            if value not in (None, ()) or name in keys:
                task[keys.get(name) or self._key(name)] = self._said(name, value)

    def append(self, native_id: str, fields: Mapping[str, Native]) -> None:
        """Add a task behind the last one."""
        self._tasks.append(CommentedMap())
        row = Row(len(self._tasks) - 1, "", {})
        self.change(row, {name: fields[name] for name in self.order if name in fields})
        self.identify(row, native_id)

    def remove(self, row: Row) -> None:
        """Take a task out."""
        del self._tasks[row.place]

    def save(self) -> bytes:
        """The whole file."""
        text = io.StringIO()
        self._yaml.dump(self._whole, text)
        return text.getvalue().encode("utf-8")

    def _row(self, place: int) -> Row:
        task = self._tasks[place]
        keys = self._keys(task)
        fields = {name: cells.read(name, task[keys[name]] if name in keys else None) for name in self.names}
        number = cells.text_of(task[keys[cells.NUMBER]]) if cells.NUMBER in keys else ""
        return Row(place, cells.text_of(task.get(cells.ID)).strip(), fields, number=number.strip())

    def _said(self, name: str, value: Native) -> object:
        if name in cells.SETS:
            return list(value) if isinstance(value, tuple) else []
        if value is not None and name in cells.DATES:
            return cells.day(value)
        if isinstance(value, str) and "\n" in value and not value.startswith((" ", "\n", "\t")):
            return LiteralScalarString(value)
        if isinstance(value, str):
            tasks = (task for task in self._tasks if isinstance(task, CommentedMap))
            beside = (cells.text_of(task[keys[name]]) for task in tasks if name in (keys := self._keys(task)))
            return words.said(name, value, beside, english=self._english)
        return value

    @staticmethod
    def _keys(task: CommentedMap) -> dict[str, str]:
        listed = list(task)
        return {name: listed[place] for name, place in cells.columns_of(listed).items()}

    def _key(self, name: str) -> str:
        """What the other tasks call this field, else the first word for it."""
        others = (self._keys(task) for task in self._tasks if isinstance(task, CommentedMap))
        return next((keys[name] for keys in others if name in keys), cells.HEADERS[name][self._english][0].casefold())


def _tasks(whole: object) -> CommentedSeq:
    if isinstance(whole, CommentedSeq):
        return whole
    lists = [one for one in whole.values() if isinstance(one, CommentedSeq)] if isinstance(whole, CommentedMap) else []
    if len(lists) != 1:
        raise Unfit
    return lists[0]
