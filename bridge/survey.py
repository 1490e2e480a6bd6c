"""What survives on a platform: measured by a round trip of samples through the mapping and the text format.

No request is sent. A record with sample values is made up as the mapping would write it, and read again; what does not
come back is not mirrored there. A text is besides written and read in the format that the connector names, and looked
at: does the platform show it formatted, or as characters? The words are `KEPT`, `COARSER`, `MISSING` for fields,
`KEPT`, `CHARACTERS`, `MISSING` for formatting.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from connectors.base import NEW, Abilities, Changes, Connector, Fields, HasTextFormats, Native
from connectors.richtext import FORMATS, TextFormat
from mappings.canonical import FIELDS, Cell, FieldSpec, Kind, Type, Value, alike, cell_of
from mappings.translate import Translator, Vocabulary

KEPT, COARSER, MISSING, CHARACTERS = "kept", "coarser", "missing", "characters"

CONSTRUCTS: Mapping[str, str] = {
    "headings": "# Stand\n\n## Nächste Schritte",
    "bold": "Sehr **wichtig** heute",
    "italic": "Sehr *wichtig* heute",
    "strike": "Nicht ~~wichtig~~ heute",
    "code": "Mit `make test` prüfen",
    "code_blocks": "```sh\n/close\n```",
    "links": "Siehe [die Seite](https://example.org/plan)",
    "images": "![Plan](https://example.org/plan.png)",
    "bullets": "- Räume\n  - Möbel\n- Technik",
    "numbers": "1. planen\n2. bauen",
    "tasks": "- [ ] offen\n- [x] fertig",
    "quotes": "> So steht es im Beschluss.",
    "tables": "| Amt | Größe |\n| --- | ---: |\n| Bau | 12 |",
    "rules": "---",
    "other_numbers": "4. prüfen\n5. abnehmen",
    "code_in_lists": "- Aufruf:\n\n  ```sh\n  make test\n  ```",
}
"""What people format with, each as a small text."""

_TARGET = "Probe und Ziel"

_SAMPLES: Mapping[Type, Value] = {
    Type.LINE: "Probe",
    Type.TEXT: "Zwei Zeilen:\nä ö ü „so“ 🎉",
    Type.NUMBER: 40,
    Type.DATE: "2026-12-01",
    Type.REFERENCE: _TARGET,
    Type.REFERENCES: _TARGET,
}


@dataclass(frozen=True)
class Survival:
    """Canonical field to a word, and what people format with to a word; empty where nothing is known of it."""

    fields: Mapping[str, str] = field(default_factory=dict)
    formatting: Mapping[str, str] = field(default_factory=dict)


def survival(translator: Translator, connector: Connector, changes: Changes) -> Survival:
    """What of a task survives on this platform."""
    trial = _Trial(translator, changes, connector.abilities)
    fields = {name: trial.field(spec) for name, spec in FIELDS.items()}
    native = next(iter(translator.natives("description")), "")
    names = connector.text_formats() if isinstance(connector, HasTextFormats) else {}
    form = FORMATS.get(names.get(native, ""))
    if form is None or fields["description"] == MISSING:
        return Survival(fields)
    return Survival(fields, {name: trial.formatting(text, native, form) for name, text in CONSTRUCTS.items()})


class _Trial:
    """Made-up tasks of one platform."""

    def __init__(self, translator: Translator, changes: Changes, abilities: Abilities) -> None:
        self._translator = translator
        self._options = {native: dict(titles) for native, titles in (changes.options or {}).items()}
        seen = {native for record in changes.records for native in record.fields or ()}
        taken = abilities.create_fields
        self._there = None if taken is None else taken | seen | abilities.defaults.keys()

    def field(self, spec: FieldSpec) -> str:
        """What becomes of one canonical field."""
        natives = self._translator.natives(spec.name)
        if not natives or (self._there is not None and natives.isdisjoint(self._there)):
            return MISSING
        wanted = [self._cell(spec, value) for value in _values(spec)]
        said = [self._read(cell, value) for cell, value in wanted]
        exact = [values is not None and len(values) == 1 for values in said]
        meant = [
            values is not None and any(alike(cell, one, value) for one in values)
            for (cell, value), values in zip(wanted, said, strict=True)
        ]
        if not any(meant):
            return MISSING
        return KEPT if all(exact) and all(meant) else COARSER

    def formatting(self, text: str, native: str, form: TextFormat) -> str:
        """What becomes of a formatted text."""
        fields = self._written({"description": text})
        there = form.write(str(fields.get(native) or ""))
        said = self._asserted({**fields, native: form.read(there)}, "description")
        if said != frozenset({text}):
            return MISSING
        return KEPT if form.shows(text) else CHARACTERS

    def _cell(self, spec: FieldSpec, value: Value) -> tuple[Cell, Value]:
        return (cell_of(spec.name, str(value)), value) if spec.many else (spec.name, value)

    def _read(self, cell: Cell, value: Value) -> frozenset[Value] | None:
        beside: dict[Cell, Value] = {"status": "done"} if cell == "completed_on" else {}
        beside |= {"status": "in_progress"} if cell == "progress" else {}
        return self._asserted(self._written({**beside, cell: value}), cell)

    def _written(self, cells: Mapping[Cell, Value]) -> Fields:
        blank = self._translator.blank()
        writing = self._translator.create(Kind.TASK, {"title": "Probe", **cells}, self._vocabulary(), _Anyone(), 0)
        return {**blank, **writing.fields}

    def _asserted(self, fields: Fields, cell: Cell) -> frozenset[Value] | None:
        for native, value in fields.items():
            if native in self._options:
                self._options[native] |= {one: one[len(NEW) :] for one in _texts(value) if one.startswith(NEW)}
        return self._translator.read(fields, self._vocabulary(), _Anyone()).asserted(cell)

    def _vocabulary(self) -> Vocabulary:
        return Vocabulary(there=self._options, meant=self._options, bound={})


def _values(spec: FieldSpec) -> tuple[Value, ...]:
    if spec.type is Type.CHOICE:
        return tuple(value for value in spec.choices if value is not None)
    return (_SAMPLES.get(spec.type, "probe"),)


def _texts(value: Native) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (value,) if isinstance(value, str) else ()


class _Anyone:
    """References to records that are only made up: the id says it all."""

    def item_of(self, native_id: str) -> str | None:
        return native_id

    def native_of(self, item: str) -> str | None:
        return item

    def title_of(self, item: str) -> str:
        return item

    def milestone_titled(self, title: str, limit: int | None = None) -> str | None:
        return title if title == _TARGET else None
