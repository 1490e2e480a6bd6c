"""Asking a person on a terminal. A secret is never shown, nor asked for where it would be.

Without a terminal nothing is asked (`Silent`): what is missing ends the command, and is named.
"""

from __future__ import annotations

import getpass
import sys
import warnings
from typing import Protocol

from rich.console import RenderableType
from rich.text import Text

from bridge.screen import Screen


class Stop(Exception):
    """The command cannot go on: its exit code, and sentences why."""

    def __init__(self, code: int, *sentences: str) -> None:
        super().__init__("\n".join(sentences))
        self.code = code
        self.sentences = sentences


class Asks(Protocol):
    """Who answers."""

    answers: bool
    """Whether somebody is there to answer, so that a mistake can be made good."""

    def tell(self, *pictures: RenderableType) -> None:
        """Say something that explains a question."""
        ...

    def line(self, question: str, option: str, default: str = "") -> str:
        """One line of text; ``option`` is how it is given where nobody answers."""
        ...

    def secret(self, question: str, option: str) -> str:
        """One line that nobody sees."""
        ...

    def yes(self, question: str, default: bool) -> bool:
        """Yes or no; where nobody answers, the default."""
        ...


class Person:
    """Somebody at a terminal."""

    answers = True

    def __init__(self, screen: Screen) -> None:
        self._screen, self._t = screen, screen.t

    def tell(self, *pictures: RenderableType) -> None:
        """On the screen."""
        self._screen.show(Text(), *pictures)

    def line(self, question: str, option: str, default: str = "") -> str:
        """Enter alone takes what stands in brackets."""
        hint = f" [{default}]" if default else ""
        return self._typed(f"{question}{hint}: ") or default

    def secret(self, question: str, option: str) -> str:
        """What is typed is not shown; where the terminal cannot do that, it is not typed at all."""
        with warnings.catch_warnings():
            warnings.simplefilter("error", getpass.GetPassWarning)
            try:
                return getpass.getpass(f"{question}: ")
            except getpass.GetPassWarning:
                raise Stop(2, self._t("init.no_echo", option=option)) from None
            except EOFError:
                raise KeyboardInterrupt from None

    def yes(self, question: str, default: bool) -> bool:
        """A word that means neither is asked for again."""
        yes, no = self._t("init.yes"), self._t("init.no")
        while True:
            said = self._typed(
                f"{question} [{yes.upper()}/{no}]: " if default else f"{question} [{yes}/{no.upper()}]: "
            )
            if not said:
                return default
            if said.casefold()[0] in (yes[0], "y", "j"):
                return True
            if said.casefold()[0] == no[0]:
                return False

    def _typed(self, prompt: str) -> str:
        self._screen.show(Text())
        try:
            return input(prompt).strip()
        except EOFError:
            raise KeyboardInterrupt from None
        except UnicodeDecodeError:
            return ""


class Silent:
    """Nobody: what is missing ends the command."""

    answers = False

    def __init__(self, screen: Screen) -> None:
        self._t = screen.t

    def tell(self, *pictures: RenderableType) -> None:
        """Nobody looks."""

    def line(self, question: str, option: str, default: str = "") -> str:
        """The default, if there is one."""
        if default:
            return default
        raise Stop(2, self._t("init.missing", options=option))

    def secret(self, question: str, option: str) -> str:
        """There is none."""
        raise Stop(2, self._t("init.missing", options=option))

    def yes(self, question: str, default: bool) -> bool:
        """The default."""
        return default


def whoever_is_there(screen: Screen) -> Asks:
    """A person if there is a terminal to ask on, and no machine that wants one value on stdout."""
    if screen.for_machines or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return Silent(screen)
    return Person(screen)
