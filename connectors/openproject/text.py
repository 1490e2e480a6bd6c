"""Text on its way to OpenProject and back: nothing that is copied there may call anybody or show something else (R15).

OpenProject notifies whom a description or a subject names with ``user#5``, ``user:"login"``, ``group#5`` or a
``<mention …>`` element, whatever stands around it (its source: app/services/notifications/create_from_model_service.rb,
MENTION_PATTERN). It shows another work package in the place of ``#12`` and more of it for ``##12``
(lib/open_project/text_formatting/matchers/resource_links_matcher.rb), a value of another one in the place of
``workPackageValue:12:subject`` (attribute_macros.rb), its own address for ``{{opSetting:…}}`` (setting_macros.rb), and
runs ``<macro …>`` elements. So on the way there a space of no width holds these apart, and on the way back exactly one
is taken away. A bare ``@login`` does nothing today but in the editor; it is held apart as well, since that may change.

A title is no Markdown: only what notifies is held apart there. Addresses are left as they are.
"""

from __future__ import annotations

import re

GAP = "\u200b"
"""A space of no width: no name and no number begins with it."""

_CALL = (
    rf"(?:(?<=user)|(?<=group))#(?={GAP}*[0-9])"
    rf'|(?<=use)r(?={GAP}*:")'
    rf"|<(?={GAP}*(?i:mention))"
    rf"|(?<=data-i)d(?={GAP}*=)"  # the pattern finds data-id and data-type outside of an element too
)
_VALUE = rf"(?:(?<=[A-Za-z0-9_]Labe)l|(?<=[A-Za-z0-9_]Valu)e)(?={GAP}*:)"
_SHOW = (
    rf"(?<![A-Za-z0-9_])@(?={GAP}*[A-Za-z0-9_.])"
    rf"|(?<!&)#(?={GAP}*[0-9])|(?<=&)#(?={GAP}*[0-9]+(?![0-9;]))"  # "&#12;" is a character and no reference
    rf"|{_VALUE}"
    rf"|\{{(?={GAP}*\{{opSetting)"
    rf"|<(?={GAP}*/?(?i:macro|opce-macro))"
)
_ADDRESS = (  # what calls or embeds does so within an address as well
    r"(?<![^\s(<])https?://(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}(?::[0-9]+)?/"
    rf"(?:(?!{_CALL}|{_VALUE})[A-Za-z0-9/._~%+=&?#:;,!$@-])*"
)
_TITLE = re.compile(rf"(?P<sigil>{_CALL})(?P<gap>{GAP}*)")
_TEXT = re.compile(rf"{_ADDRESS}|(?P<sigil>{_CALL}|{_SHOW})(?P<gap>{GAP}*)")


def title_to(text: str) -> str:
    """A title as it is sent: it calls nobody."""
    return _TITLE.sub(_held_apart, text)


def title_from(text: str) -> str:
    """A title as people meant it."""
    return _TITLE.sub(_together, text)


def text_to(text: str, there: str = "") -> str:
    """A description as it is sent.

    Lines that stand ``there`` already stay as OpenProject's own people wrote them: they called whom they name when they
    were written, and holding them apart now would only take away the link.
    """
    armed = {text_from(line): line for line in lf(there).split("\n")}
    return "\n".join(armed.get(line, _TEXT.sub(_held_apart, line)) for line in lf(text).split("\n"))


def text_from(text: str) -> str:
    """A description as people meant it."""
    return _TEXT.sub(_together, lf(text))


def lf(text: str) -> str:
    """The line ends that the engine wants."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _held_apart(found: re.Match[str]) -> str:
    return f"{found['sigil']}{GAP}{found['gap']}" if found["sigil"] else found[0]


def _together(found: re.Match[str]) -> str:
    return f"{found['sigil']}{found['gap'][1:]}" if found["sigil"] else found[0]
