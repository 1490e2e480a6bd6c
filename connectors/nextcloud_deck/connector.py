"""The verbs of a connector on one Deck board.

Deck has no conditional writes and a PUT replaces the whole card, so every write starts with a fresh read of the
card, compares, writes at once and reads back (R24, R25). A pull costs one request when nothing changed anywhere,
one when only other boards did, three else; a card that was moved to another board does not stamp the board that it
left (facts: nextcloud, section 1.3), so such a move is seen with the next change of our board or the next sweep.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from pydantic import ValidationError

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
    Options,
    OutOfScope,
    Probe,
    Record,
    Ref,
)
from connectors.errors import (
    Forbidden,
    Lost,
    NotFound,
    PlatformError,
    Rejected,
    Transient,
    VersionMismatch,
)
from connectors.http import Http
from connectors.nextcloud_deck.binding import Binding, Cursor
from connectors.nextcloud_deck.board import BoundBoard, labels_of
from connectors.nextcloud_deck.shapes import WHOLE, Card, utc, version_of
from connectors.nextcloud_deck.wire import HEADERS, Deleted, Wire

_EMPTY: Fields = {
    "title": "",
    "description": "",
    "stack": None,
    "done": None,
    "archived": False,
    "duedate": None,
    "startdate": None,
    "labels": (),
}
_CREATED = frozenset({"title", "description", "stack", "duedate", "startdate", "labels"})


class DeckConnector:
    """One board. Safe to use from several threads once it is identified."""

    def __init__(self, access: Access, http: Http) -> None:
        self._wire = Wire(http)
        self._bound = BoundBoard(self._wire, access, self._learn)
        self.abilities = Abilities(create_fields=_CREATED, defaults=_EMPTY, writes=access.writes or 1)

    @property
    def requests(self) -> int:
        """Requests sent since this connector was made."""
        return self._wire.http.requests

    @property
    def clock(self) -> tuple[float, float] | None:
        """How far the server's clock is ahead of ours."""
        return self._wire.http.clock

    # ---- who we are bound to -----------------------------------------------------------------------------------

    def identify(self, remembered: str | None = None) -> Identity:
        """Find the board by title or id, and what our account may do there."""
        found, host = self._bound.identify(remembered), self._wire.http.host
        return Identity("nextcloud-deck", host, found.board, found.title, found.writable, found.warnings(host))

    def collections(self) -> list[Offer]:
        """The boards of our account, each by its id."""
        found = self._bound.boards().boards
        return [Offer(str(one.id), one.title, one.writable) for one in found if not one.deleted_at]

    def text_formats(self) -> Mapping[str, str]:
        """Deck shows the description of a card as Markdown."""
        return {"description": "markdown"}

    def memory(self) -> str | None:
        """The board that the settings name, and our rights on it."""
        return self._bound.memory()

    def _learn(self, found: Binding, stack: str | None) -> None:
        """A card that is made without a list is put into the first one; before Deck 1.18 it cannot start (R7)."""
        unknown = frozenset() if found.since_1_18 else frozenset({"startdate"})
        defaults = {name: value for name, value in _EMPTY.items() if name not in unknown}
        self.abilities = replace(
            self.abilities, create_fields=_CREATED - unknown, defaults={**defaults, "stack": stack}
        )

    # ---- reading -----------------------------------------------------------------------------------------------

    def pull(self, cursor: str | None, known: Mapping[str, str]) -> Changes:
        """Ask for all boards since the cursor's ETag; read the cards only if ours may have changed."""
        seen = Cursor.read(cursor, self._bound.id)
        listing = self._wire.boards(seen.tag)
        if listing is None:
            return Changes((), cursor, complete=False, delta=True)
        board = self._bound.adopt(listing)
        here = Cursor.after(listing, board).text()
        if seen.modified is not None and board.last_modified == seen.modified:
            return Changes((), here, complete=False, delta=True)
        records = {}
        for archived in (False, True):  # archived between the two reads: the second is right
            for raw in self._wire.listed(board.id, archived=archived):
                record = self._listed(raw, archived)
                records[record.ref.native_id] = record
        changed = tuple(one for key, one in records.items() if known.get(key) != one.version)
        return Changes(changed, here, True, present=frozenset(records), options=board.options)

    def _listed(self, raw: object, archived: bool) -> Record:
        """A card of a listing; one that cannot be read is a problem of its own (R27)."""
        try:
            return self._record(Card.model_validate(raw), no_labels_is_null=archived)
        except ValidationError:
            number = raw.get("id") if isinstance(raw, dict) else None
            if not isinstance(number, int):
                raise Transient(f"{self._wire.http.host} lists a card without an id.") from None
            stamp = raw.get("lastModified") if isinstance(raw, dict) else None
            return Record(
                Ref(self._wire.instance, str(number)),
                self._bound.id,
                f"unreadable {stamp}",
                stamp if isinstance(stamp, int) else None,
                {},
                url=self._url(self._bound.id, number),
                problem=f"Card {number} has a shape that we cannot read.",
            )

    def _record(self, card: Card, *, no_labels_is_null: bool = False, collection: str = "") -> Record:
        fields = card.fields(no_labels_is_null=no_labels_is_null)
        board = collection or self._bound.id
        mine = card.owner_id.casefold() == self._bound.binding.user.casefold()
        return Record(
            Ref(self._wire.instance, str(card.id)),
            board,
            version_of(fields),
            card.last_modified,
            fields,
            url=self._url(board, card.id),
            own=mine if card.owner_id else None,
            created_at=card.created_at,
            # assignLabel and removeLabel answer 500 on an archived card (facts: nextcloud, section 1.7)
            locked=frozenset({"labels"}) if card.archived else frozenset(),
        )

    def _url(self, board: str, card: int) -> str:
        return f"{self._wire.root}/index.php/apps/deck/board/{board}/card/{card}"

    def _card(self, native_id: str) -> Card:
        raw = self._wire.card(native_id)
        try:
            return Card.model_validate(raw)
        except ValidationError:
            raise Rejected(f"Card {native_id} has a shape that we cannot read.") from None

    def _compared(self, ref: Ref, if_version: str) -> Card:
        """The card as it is now, which must be what the engine believes it is (R24)."""
        card = self._card(ref.native_id)
        if self._bound.place(card) != self._bound.id:
            raise NotFound(f"Card {ref.native_id} is not on the board “{self._bound.binding.title}” any more.")
        record = self._record(card)
        if record.version != if_version:
            raise VersionMismatch(f"Card {ref.native_id} has changed since it was read.", record=record)
        self._bound.may_write()
        return card

    def probe(self, ref: Ref) -> Probe:
        """Ask for the card itself (facts: nextcloud, section 10)."""
        try:
            card = self._card(ref.native_id)
        except Deleted:
            return Gone()
        except NotFound:
            # 403 for whatever we may not see. Our board being there as before, the card was deleted for good.
            return Gone() if self._bound.boards().living(self._bound.id) else Hidden()
        place = self._bound.place(card)
        if place == self._bound.id:
            return Alive(self._record(card))
        return Moved(place, self._record(card, collection=place)) if place else OutOfScope()

    # ---- writing -----------------------------------------------------------------------------------------------

    def create(self, fields: Fields, mark: str) -> Record:
        """Make a card with its labels in one request, and read it: the answer shows it without them.

        A bad label would be refused after the card was made (facts: nextcloud, section 1.1), so labels are
        looked up first. Deck has no place for a mark.
        """
        self._bound.may_write()
        resolved, made = self._bound.resolved(fields)
        board = self._bound.board()
        stack = resolved.get("stack") or next(iter(board.columns), None)
        if stack is None:
            raise Rejected(f"The board “{board.title}” has no list that a card could be put into.")
        labels = resolved.get("labels") or ()
        body: dict[str, object] = {
            "title": resolved.get("title") or "",
            "description": resolved.get("description") or "",
            "labels": [int(one) for one in labels] if isinstance(labels, tuple) else [],
        }
        for name in ("duedate", "startdate"):
            if resolved.get(name):  # an empty text would mean NOW
                body[name] = utc(resolved[name])
        try:
            raw = self._wire.make_card(board, int(str(stack)), body)
        except Forbidden as error:
            raise self._bound.refused(error, labels=bool(labels)) from None
        try:
            card = Card.model_validate(raw)
        except ValidationError:
            raise Lost(f"{self._wire.http.host} did not say which card it made.") from None
        try:
            record = self._record(self._card(str(card.id)))
        except PlatformError:
            # It is made, that much is known. What its labels are is not, so they are left out (R7).
            record = self._record(card.model_copy(update={"labels": None}))
        return replace(record, options=made)

    def update(self, ref: Ref, fields: Fields, if_version: str) -> Record:
        """Write these fields on the card as it is at this moment, with no call more than they need."""
        try:
            resolved, made = self._bound.resolved(fields)
        except Rejected:
            self._compared(ref, if_version)  # a label that was just deleted is somebody's edit, not a bad value
            raise
        card = self._compared(ref, if_version)
        try:
            self._write(card, resolved)
        except Forbidden as error:
            raise self._bound.refused(error, labels="labels" in resolved) from None
        try:
            record = self._record(self._card(ref.native_id))
        except NotFound:
            raise
        except PlatformError as error:  # the writes were answered: nothing is under way, and a probe will tell
            raise Transient(f"{self._wire.http.host} did not say what it made of card {ref.native_id}.") from error
        return replace(record, options=made)

    def _write(self, card: Card, fields: Fields) -> None:
        board, shown = int(self._bound.id), card.fields()
        changed = {name: value for name, value in fields.items() if name in shown and shown[name] != value}
        if changed.get("stack", "") is None:  # a card is always in some list
            del changed["stack"]
        if any(name in changed for name in WHOLE):
            self._wire.put_card(board, card, card.whole(changed, self._bound.binding.user))
        archived = card.archived
        if archived and changed.get("archived") is False:
            self._wire.act(board, card, "unarchive")
            archived = False
        if "labels" in changed and not archived:
            here, wanted = set(labels_of(shown["labels"])), set(labels_of(changed["labels"]))
            for verb, labels in (("removeLabel", here - wanted), ("assignLabel", wanted - here)):
                for label in sorted(labels, key=int):
                    self._wire.act(board, card, verb, labelId=int(label))
        if changed.get("archived") is True:
            self._wire.act(board, card, "archive")

    def rename_option(self, name: str, option: str, title: str) -> Options:
        """Rename a label; lists are people's own."""
        if name != "labels":
            raise Rejected(f"The {name} of a card cannot be renamed by us.")
        self._bound.may_write()
        return {name: {option: self._bound.rename_label(option, title)}}

    def delete(self, ref: Ref, if_version: str) -> None:
        """Put the card into the trash of its board."""
        card = self._compared(ref, if_version)
        try:
            self._wire.delete_card(int(self._bound.id), card)
        except Forbidden as error:
            raise self._bound.refused(error, labels=False) from None

    def normalises(self, name: str, sent: Native, shown: Native) -> bool:
        """Deck keeps text byte for byte, save on MySQL without utf8mb4 (facts: nextcloud, section 1.5)."""
        if name == "description":
            return re.sub("[\U00010000-\U0010ffff]", "\ufffd", str(sent or "")) == shown
        return name == "labels" and self._bound.same_labels(labels_of(sent), labels_of(shown))

    def id_of(self, mark: str) -> str:
        """Deck chooses its ids itself."""
        return ""


def connect(access: Access) -> Connector:
    """A connector to the board that the settings name."""
    return DeckConnector(access, Http(access, headers=HEADERS))
