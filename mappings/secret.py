"""What only few people may see: a visibility of its own, kept in a native field of its own (ADR 0021).

CLASS in iCalendar, a private issue in Redmine, a confidential one in GitLab. A record that does not carry the field
(its connector is not marked as fit) is what the rest of its visibility says.
"""

from __future__ import annotations

from collections.abc import Mapping

from connectors.base import Native
from mappings.canonical import CONFIDENTIAL, INTERNAL, PUBLIC
from mappings.scene import Codec, Heard, Scene, Wish
from mappings.tables import Secret


class SecretCodec:
    """Visibility where one native field says that a record is confidential; ``open`` tells what the others are."""

    def __init__(self, table: Secret, open: Codec | None) -> None:
        self._table = table
        self._open = open
        self.natives = open.natives if open is not None else frozenset({table.native})

    def read(self, scene: Scene) -> Heard:
        """Confidential, or what else the record says."""
        if self._is_secret(scene):
            return Heard({"visibility": frozenset({CONFIDENTIAL})}, {"visibility": ("secret",)})
        if self._open is None:
            return Heard({"visibility": frozenset({INTERNAL, PUBLIC})}, {"visibility": ("empty",)})
        heard = self._open.read(scene)
        if self._table.native not in scene.fields:
            return heard
        said = {cell: values - {CONFIDENTIAL} or values for cell, values in heard.cells.items()}
        return Heard(said, heard.inputs, heard.waiting, heard.problem)

    def write(self, wish: Wish, scene: Scene) -> Mapping[str, Native]:
        """Closed to most, or opened as far as the word says."""
        native = self._table.native
        if wish.value == CONFIDENTIAL and (wish.fresh or native in scene.fields):
            return {native: self._table.values[0]}
        open = self._open.write(wish, scene) if self._open is not None else {}
        return {**open, native: self._opened} if self._is_secret(scene) else open

    @property
    def _opened(self) -> Native:
        """What the field says of a record that is not confidential."""
        return False if isinstance(self._table.values[0], bool) else None

    def _is_secret(self, scene: Scene) -> bool:
        value = scene.fields.get(self._table.native)
        return any(type(value) is type(one) and value == one for one in self._table.values)
