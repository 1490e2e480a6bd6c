"""Work on a live platform that leaves nothing behind: records are made, written, read back and taken away again.

What lay there before is never written to. What an unanswered create may have left is found by its title, which nobody
else has: it bears our stamp. Only milestones have titles that stay the same from run to run, since on some platforms a
label comes to be for each of them. Labels and other options that came to be stay, since no
connector can delete one: they are told.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar
from zoneinfo import ZoneInfo

from bridge.config import ConnectorSettings
from bridge.passport.report import OPTION
from connectors.base import Alive, Connector, Fields, Gone, Identity, Probe, Record
from connectors.errors import Lost, NotFound, PlatformError, RateLimited, Transient, VersionMismatch
from mappings.canonical import Cell, Kind, Value, normal, shortened
from mappings.translate import Reading, Translator, Vocabulary, Writing

ROUNDS = 4
"""Times that what could not be deleted is tried again: a parent goes only after its children."""

TRIES = 5
"""Times that a platform is asked which says "later"; a file is at rest two seconds after it was saved."""

_Answer = TypeVar("_Answer")


@dataclass
class Made:
    """A record of ours, as it was last seen."""

    record: Record
    kind: Kind
    title: str

    @property
    def item(self) -> str:
        """Who it is to the translator: here a record and its item are one."""
        return self.record.ref.native_id

    @property
    def fields(self) -> Fields:
        """Its native fields."""
        return self.record.fields or {}


class Bench:
    """One connector at work, and a second one to the same collection that plays somebody else."""

    def __init__(
        self, settings: ConnectorSettings, zone: ZoneInfo, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.settings = settings
        self.translator = Translator(settings.mapping, zone)
        self.connector: Connector = settings.type.connect(settings.access)
        self.other: Connector = settings.type.connect(settings.access)
        self.stamp = f"Passport {uuid.uuid4().hex[:6]}"
        self.voc = Vocabulary()
        self.made: list[Made] = []
        self.before: frozenset[str] = frozenset()
        self._unsure: set[str] = set()  # titles of creates of which nobody said what came of them
        self._options: dict[str, frozenset[str]] | None = None  # those that were there before us, once we looked
        self._sleep = sleep

    def identify(self) -> Identity:
        """Sign in, twice."""
        found = self.patiently(self.connector.identify)
        self.patiently(lambda: self.other.identify(self.connector.memory()))
        return found

    def look(self) -> int:
        """Remember what lies there already, and count it."""
        changes = self.patiently(lambda: self.connector.pull(None, {}))
        self.before = frozenset(record.ref.native_id for record in changes.records) | changes.present
        self._learn(changes.options or {})
        self._options = {native: frozenset(titles) for native, titles in self.voc.there.items()}
        return len(self.before)

    # ---- making, writing, reading ----------------------------------------------------------------------------

    def title(self, text: str = "") -> str:
        """A title that nobody else has."""
        return f"{self.stamp} {text}"

    def make(self, text: str, kind: Kind = Kind.TASK, mark: str = "") -> Made:
        """A new record of ours."""
        title = f"Passport {text}" if kind is Kind.MILESTONE else self.title(text)
        mark = mark or f"passport-{uuid.uuid4()}"
        writing = self.translator.create(kind, {"title": title}, self.voc, self, int(time.time()))
        takes = self.connector.abilities.create_fields
        fields = {name: value for name, value in writing.fields.items() if takes is None or name in takes}
        self._unsure.add(title)
        record = self.connector.create(fields, mark)
        self._unsure.discard(title)
        made = Made(record, kind, title)
        self.made.append(made)
        self._learn(record.options)
        rest = {name: value for name, value in writing.fields.items() if name not in fields}
        if rest:
            made.record = self._update(made, rest)
        return made

    def write(self, made: Made, wanted: Mapping[Cell, Value]) -> Writing:
        """Let a record show what is wanted, as a pass would."""
        made.title = str(wanted.get("title", made.title))
        for _ in range(TRIES):
            writing = self.translator.write(wanted, made.fields, self.voc, self, int(time.time()), made.record.locked)
            if not writing.fields:
                break
            try:
                made.record = self._update(made, writing.fields)
                break
            except VersionMismatch:  # a server derives dates, or moves a version along with another record
                self.read(made)
        return writing

    def read(self, made: Made) -> Reading:
        """What the platform says of a record now."""
        answer = self.probe(made)
        if not isinstance(answer, Alive):
            raise NotFound(f"{made.title} is not there any more.")
        made.record = answer.record
        return self.reading(made)

    def reading(self, made: Made) -> Reading:
        """What the record said when it was last seen."""
        return self.translator.read(made.fields, self.voc, self)

    def probe(self, made: Made) -> Probe:
        """What became of a record."""
        return self.patiently(lambda: self.connector.probe(made.record.ref))

    def forget(self, made: Made) -> None:
        """A record that is known to be gone."""
        self.made.remove(made)

    def patiently(self, ask: Callable[[], _Answer]) -> _Answer:
        """Ask again where the platform says "later"; nothing that may have been carried out is asked twice."""
        for _ in range(TRIES - 1):
            try:
                return ask()
            except RateLimited as error:
                self._sleep(min(error.retry_after, 60.0))
            except Lost:
                raise
            except Transient as error:
                if not error.answered:
                    raise
                self._sleep(1.0)
        return ask()

    def _update(self, made: Made, fields: Fields) -> Record:
        record = self.patiently(lambda: self.connector.update(made.record.ref, fields, made.record.version))
        self._learn(record.options)
        return record

    def _learn(self, options: Mapping[str, Mapping[str, str]]) -> None:
        there = {**self.voc.there}
        for native, titles in options.items():
            there[native] = {**there.get(native, {}), **titles}
        self.voc = Vocabulary(there=there, meant=there, bound={})

    # ---- who is who, for the translator ----------------------------------------------------------------------

    def item_of(self, native_id: str) -> str | None:
        """A record and its item are one."""
        return native_id

    def native_of(self, item: str) -> str | None:
        """The same the other way round."""
        return item

    def title_of(self, item: str) -> str:
        """The title of a record of ours."""
        return next((one.title for one in self.made if one.item == item), item)

    def milestone_titled(self, title: str, limit: int | None = None) -> str | None:
        """The milestone of ours with that title."""
        titles = {one.item: one.title for one in self.made if one.kind is Kind.MILESTONE}
        found = [item for item, other in titles.items() if normal(shortened(other, limit)) == normal(title)]
        return found[0] if len(found) == 1 else None

    # ---- taking away -----------------------------------------------------------------------------------------

    def clean(self) -> tuple[str, ...]:
        """Delete every record of ours. What is left, by address or title; labels that came to be, with a "+"."""
        left: list[str] = []
        try:
            for _ in range(ROUNDS if self.made else 0):
                for made in [*reversed(self.made)]:
                    if self._deleted(made):
                        self.made.remove(made)
            left = self._strays()
        except (PlatformError, KeyboardInterrupt):  # it is down, or somebody cannot wait: say what is there
            pass
        return tuple(made.record.url or made.title for made in self.made) + tuple(left)

    def _deleted(self, made: Made) -> bool:
        """Whether a record of ours is away now."""
        try:
            answer = self.probe(made)
            if not isinstance(answer, Alive):
                return isinstance(answer, Gone)
            self.patiently(lambda: self.connector.delete(made.record.ref, answer.record.version))
        except NotFound:
            return True
        except Transient:
            raise
        except PlatformError:
            return False
        return True

    def _strays(self) -> list[str]:
        """What a create left that got no answer, and the options that came to be."""
        changes = self.patiently(lambda: self.connector.pull(None, {}))
        known = {made.item for made in self.made}
        left = []
        for record in changes.records:
            title = self.translator.title(record.fields or {})
            if record.ref.native_id in self.before | known or title not in self._unsure or record.own is False:
                continue
            if not self._deleted(Made(record, Kind.TASK, title)):
                left.append(record.url or title)
        if self._options is None:
            return left
        for native, titles in (changes.options or {}).items():
            new = titles.keys() - self._options.get(native, frozenset())
            left += sorted(f"{OPTION}{titles[option]}" for option in new)
        return left
