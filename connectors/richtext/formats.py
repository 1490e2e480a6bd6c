"""What a text format is, and the two that need no translation."""

from __future__ import annotations

from typing import Protocol


class TextFormat(Protocol):
    """How a platform writes rich text; the canonical text is CommonMark.

    The laws, for every text there is (line ends are LF everywhere):

    * ``read(write(text)) == text``, whatever stands ``there``: nothing is lost, and nothing is changed on the way;
    * ``write(read(native), there=native) == native``: what nobody changed stays as people wrote it, byte for byte;
    * a change of one block of the canonical text changes that block of the native one, and no other;
    * what only this format knows (colours, macros) is never brought to life by text from elsewhere (R15).
    """

    name: str

    def read(self, native: str) -> str:
        """The canonical text of a native one."""
        ...

    def write(self, text: str, there: str = "") -> str:
        """The native text for a canonical one; ``there`` is the native text that it replaces."""
        ...

    def shows(self, text: str) -> bool:
        """Whether people see what is formatted in this canonical text as formatted, and not as characters."""
        ...


class Verbatim:
    """A format in which the canonical text stands as it is: Markdown itself, and text without any formatting."""

    def __init__(self, name: str, *, formatted: bool) -> None:
        self.name = name
        self._formatted = formatted

    def read(self, native: str) -> str:
        """The text as it is."""
        return native

    def write(self, text: str, there: str = "") -> str:
        """The text as it is."""
        return text

    def shows(self, text: str) -> bool:
        """Everything where Markdown is shown as such; nothing where text is only characters."""
        return self._formatted
