"""The command line: reads the arguments and the settings, wires, and nothing else.

Exit codes everywhere: 0 done · 1 done, but something is parked or a connector failed · 2 settings or usage, decided
before any request is sent · 3 the guard or a first contact needs ``--accept``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NoReturn

from bridge import config
from bridge.screen import Screen
from bridge.texts import texts


def main(argv: Sequence[str] | None = None) -> None:
    """The command ``strategy-bridge``."""
    sys.exit(run(argv))


def run(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    args = parser().parse_args(argv)
    try:
        settings = config.load()
    except config.SettingsError as error:
        screen = Screen(texts(error.language), for_machines=args.json)
        screen.problems(error.problems)
        screen.warnings(error.warnings)
        return 2
    screen = Screen(texts(settings.language), for_machines=args.json)
    screen.warnings(settings.warnings)
    from bridge.commands import COMMANDS  # the engine is loaded only when there is something to do
    from bridge.ledger_errors import LeaseHeld, LedgerError

    try:
        return COMMANDS[args.command](settings, screen, args)
    except LedgerError as error:
        screen.problems([str(error)])
        return 2
    except LeaseHeld as error:
        screen.problems([str(error)])
        return 1
    except KeyboardInterrupt:
        return 130


class Formatter(argparse.HelpFormatter):
    """Help with a heading in the language that is set."""

    def add_usage(self, usage: str | None, actions: Any, groups: Any, prefix: str | None = None) -> None:
        """The first line."""
        super().add_usage(usage, actions, groups, f"{_about('usage')} " if prefix is None else prefix)


class Parser(argparse.ArgumentParser):
    """Arguments that are explained, and refused, in the language that is set."""

    def __init__(self, **how: Any) -> None:
        super().__init__(**how, add_help=False, formatter_class=Formatter)
        self.choices = self.add_argument_group(_about("options"))
        self.choices.add_argument("-h", "--help", action="help", help=_about("help"))

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and end with 2."""
        self.print_usage(sys.stderr)
        Screen(texts(config.language_of())).problems([message])
        sys.exit(2)


def parser() -> Parser:
    """The arguments of every command. They work without settings."""
    top = Parser(prog="strategy-bridge", description=_about("about"))
    version = f"strategy-bridge {_version()}"
    top.choices.add_argument("--version", action="version", version=version, help=_about("version"))
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND", title=_about("commands"))
    for name in ("check", "plan", "sync", "status", "items", "show", "conflicts", "run", "disconnect"):
        one = commands.add_parser(name, help=_about(name), description=_about(name))
        if name == "show":
            one.add_argument_group(_about("arguments")).add_argument("item", metavar="ITEM", help=_about("item"))
        elif name == "disconnect":
            one.add_argument_group(_about("arguments")).add_argument("name", metavar="NAME", help=_about("name"))
        if name == "sync":
            one.choices.add_argument(
                "--accept", nargs="?", const=True, default=False, metavar="DIGEST", help=_about("accept")
            )
        one.choices.add_argument("--json", action="store_true", help=_about("json"))
    return top


def _about(key: str) -> str:
    return texts(config.language_of())(f"help.{key}")


def _version() -> str:
    try:
        return version("strategy-bridge")
    except PackageNotFoundError:
        return "0 (not installed)"
