"""The board that we are bound to, as it was last seen: its rights, its lists and labels, and where every list is.

The snapshot is as fresh as the last listing of boards. That is enough: a pull that changes nothing proves that it
still holds, and whatever is not in it is looked up once more before anybody is told no.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from connectors.base import NEW, Access, Fields, Native
from connectors.errors import Forbidden, NotACollection, NotFound, PlatformError, Rejected, Transient, Unauthorized
from connectors.nextcloud_deck.binding import Binding, choose, folded
from connectors.nextcloud_deck.shapes import Board, Card
from connectors.nextcloud_deck.wire import Boards, Wire

_COLOR = "317CCC"  # of a label that we make; six hexadecimal digits, no "#" (facts: nextcloud, section 1.2)


class BoundBoard:
    """Our board. ``learn`` is told what a new card shows, by way of its board, whenever that is found or read."""

    def __init__(self, wire: Wire, access: Access, learn: Callable[[Binding, str | None], None]) -> None:
        self._wire, self._access, self._learn = wire, access, learn
        self._binding: Binding | None = None
        self._board: Board | None = None
        self._places: dict[int, str] = {}
        self._making = threading.RLock()

    # ---- which board, and what is known of it ------------------------------------------------------------------

    @property
    def binding(self) -> Binding:
        """What `identify` found."""
        if self._binding is None:
            raise RuntimeError("identify comes first")
        return self._binding

    @property
    def id(self) -> str:
        """The id of the board, which is the collection's."""
        return self.binding.board

    def identify(self, remembered: str | None) -> Binding:
        """Find the board by title or id, or remember it without a request."""
        wire, access = self._wire, self._access
        setting = "\n".join((wire.root, access.user, access.collection))
        self._binding = Binding.remembered(remembered, setting)
        if self._binding is None:
            listing = self.boards()
            board = choose(listing.boards, access.collection, wire.http.host, f"{access.name.upper()}_COLLECTION")
            self._binding = Binding.to(board, setting, wire.account() or access.user)
            self.adopt(listing)
        else:
            self._learn(self._binding, None)
        return self.binding

    def memory(self) -> str | None:
        """For the next run."""
        return self._binding.text() if self._binding else None

    def boards(self) -> Boards:
        """All boards, whatever is known already."""
        listing = self._wire.boards()
        if listing is None:
            raise Transient(f"{self._wire.http.host} answered 304 to a question without an ETag.")
        return listing

    def adopt(self, listing: Boards) -> Board:
        """Take over what a fresh listing says of our board, and of where every list is.

        A board that is missing or deleted is lost access, never an absence of records (R21).
        """
        found = self.binding
        board = listing.living(found.board)
        if board is None:
            raise NotACollection(
                f"The board “{found.title}” on {self._wire.http.host} is not there any more for our account: "
                f"it was deleted, or is not shared with {found.user} any longer."
            )
        self._binding = Binding.to(board, found.setting, found.user)
        self._board = board
        self._places = {int(stack): str(one.id) for one in listing.boards for stack in one.columns}
        self._learn(self._binding, next(iter(board.columns), None))
        return board

    def read(self) -> Board:
        """Our board, read now."""
        return self.adopt(self.boards())

    def board(self) -> Board:
        """Our board as it was last seen."""
        return self._board or self.read()

    def place(self, card: Card) -> str:
        """The id of the board that a card is on; "" for a card in a deleted list, a ghost (section 1.9).

        A card of a deleted board never comes this far: it is not shown to anybody.
        """
        if card.stack_id not in self._places:
            self.read()
        return self._places.setdefault(card.stack_id, "")

    def may_write(self) -> None:
        """Say once that nothing can be written here, rather than once a card."""
        if not self.board().writable:
            raise Unauthorized(self.binding.only_read(self._wire.http.host))

    def refused(self, error: Forbidden, *, labels: bool) -> PlatformError:
        """What a 403 to a write means: lost rights, a label that was deleted a moment ago, or this card alone."""
        if not self.read().writable:
            return Unauthorized(self.binding.only_read(self._wire.http.host))
        if labels:
            return Rejected(f"{error} A label of it may have been deleted just now.", clean=False)
        return error

    # ---- options -----------------------------------------------------------------------------------------------

    def resolved(self, fields: Fields) -> tuple[dict[str, Native], dict[str, Mapping[str, str]]]:
        """The fields with ids for all options, which are there; and the options that were made for that."""
        resolved: dict[str, Native] = dict(fields)
        made: dict[str, Mapping[str, str]] = {}
        with self._making:
            if resolved.get("stack") is not None:
                resolved["stack"] = self._stack(str(resolved["stack"]))
            if resolved.get("labels"):
                wanted = labels_of(resolved["labels"])
                ids = {self._label(one) for one in wanted}
                resolved["labels"] = tuple(sorted(ids))
                if any(one.startswith(NEW) for one in wanted) and self._board:
                    made["labels"] = {key: title for key, title in self._board.tags.items() if key in ids}
        return resolved, made

    def _stack(self, value: str) -> str:
        """A living list of our board: a card put into a deleted one would be a ghost (section 1.9)."""
        for board in (self._board, None):
            columns = (board or self.read()).columns
            if value in columns:
                return value
            same = [key for key, title in columns.items() if NEW + title == value]
            if same:
                return same[0]
        raise Rejected(f"The board “{self.binding.title}” has no list {value.removeprefix(NEW)!r}.")

    def _label(self, value: str) -> str:
        """A label of our board by id, or by title; made when a title is new and we may."""
        found = self._find_label(value, self._board) or self._find_label(value, self.read())
        if found:
            return found
        if not value.startswith(NEW):
            raise Rejected(f"The board “{self.binding.title}” has no label {value}.")
        return self._make_label(value.removeprefix(NEW))

    @staticmethod
    def _find_label(value: str, board: Board | None) -> str | None:
        """The id of a label: it itself, the one of exactly this title, or the one that people would call the same."""
        tags = board.tags if board else {}
        if value in tags:
            return value
        title = value.removeprefix(NEW) if value.startswith(NEW) else None
        same = [key for key in tags if tags[key] == title]
        same += [key for key in tags if title is not None and folded(tags[key]) == folded(title)]
        return same[0] if same else None

    def _make_label(self, title: str) -> str:
        board = self.board()
        if not board.may("MANAGE"):
            raise Rejected(f"Our account may not make the label “{title}” on the board “{board.title}”.")
        try:
            label = self._wire.make_label(board.id, title, _COLOR)
        except Rejected:  # somebody made it a moment ago: its title is taken (section 1.7)
            found = self._find_label(NEW + title, self.read())
            if found is None:
                raise
            return found
        self._board = board.model_copy(update={"labels": [*(board.labels or ()), label]})
        return str(label.id)

    def rename_label(self, option: str, title: str) -> str:
        """Give a label another title, unless it has it already or somebody else's has; returns its title.

        Deck refuses a title that is there since 1.16 or so, and has no unique index (section 1.7).
        """
        with self._making:
            board = self.read()
            label = next((one for one in board.labels or () if str(one.id) == option), None)
            if label is None:
                raise NotFound(f"The board “{self.binding.title}” has no label {option}.")
            if label.title == title:
                return title
            if self._find_label(NEW + title, board) not in (None, option):
                raise Rejected(f"The board “{board.title}” has another label “{title}”.")
            if not board.may("MANAGE"):
                raise Rejected(f"Our account may not rename the label “{label.title}” on the board “{board.title}”.")
            self._wire.rename_label(board.id, label, title)
            others = [one for one in board.labels or () if one is not label]
            self._board = board.model_copy(update={"labels": [*others, label.model_copy(update={"title": title})]})
            return title

    def same_labels(self, one: tuple[str, ...], other: tuple[str, ...]) -> bool:
        """Whether two sets of labels, ids or new titles, mean the same."""
        tags = self._board.tags if self._board else {}
        first, second = ({folded(tags.get(key) or key.removeprefix(NEW)) for key in keys} for keys in (one, other))
        return first == second


def labels_of(value: Native) -> tuple[str, ...]:
    """A native value that is a set."""
    return value if isinstance(value, tuple) else ()
