"""What OpenProject makes of text: whom it notifies, and what it shows in the place of what was written.

Written after its source: app/services/notifications/create_from_model_service.rb (MENTION_PATTERN) and
lib/open_project/text_formatting/matchers (resource_links_matcher.rb, attribute_macros.rb, setting_macros.rb).
"""

from __future__ import annotations

import re

_MENTIONS = (
    r'<mention[^>]*(?:data-type="user"[^>]*data-id="(\d+)")',
    r'data-id="(\d+)"[^>]*data-type="(?:user|group)"[^>]*>',
    r'<mention[^>]*(?:data-type="group"[^>]*data-id="(\d+)")',
    r"\b(?:user|group)#(\d+)\b",
    r'\buser:"(.+?)"',
)
_LINK = re.compile(
    r"(?:(?<=[\s(,\-\[>*_|\\])|^)!?(?:[a-z0-9\-_]+:)?(?:version|message|project|user|group|document|meeting|view)?"
    r"#+\d+(?=[^\w\s]\W|\.\Z|,|\)|\s|\]|<|$)",
    re.MULTILINE,
)
_EMBEDDED = re.compile(r'\w+(?:Label|Value):[^"\s.]+', re.ASCII)
_SETTING = re.compile(r"\{\{opSetting:(.+?)\}\}")
_ELEMENT = re.compile(r"<(?:macro|opce-macro)\b[^>]*>|<mention\b[^>]*>", re.IGNORECASE)


def called(text: str) -> set[str]:
    """The ids and logins of those who are notified because a text names them."""
    return {found for pattern in _MENTIONS for found in re.findall(pattern, text, re.ASCII)}


def replaced(text: str) -> list[str]:
    """What is shown as something else than it says."""
    return [found[0] for pattern in (_LINK, _EMBEDDED, _SETTING, _ELEMENT) for found in pattern.finditer(text)]
