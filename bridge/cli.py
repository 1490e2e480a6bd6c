"""The command line: reads the arguments and the settings, wires, and nothing else.

Exit codes everywhere: 0 done · 1 done, but something is parked or a connector failed · 2 settings or usage, decided
before any request is sent · 3 the guard or a first contact needs ``--accept``.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NoReturn

from bridge import config
from bridge.screen import Screen
from bridge.texts import Texts, texts


def main(argv: Sequence[str] | None = None) -> None:
    """The command ``strategy-bridge``."""
    sys.exit(run(argv))


def run(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    args = parser().parse_args(argv)
    if args.command == "init":
        return _run(Screen(texts(config.language_of()), for_machines=args.json), args, None)
    try:
        settings = config.load()
    except config.SettingsError as error:
        screen = Screen(texts(error.language), for_machines=args.json)
        screen.problems(error.problems)
        screen.warnings(error.warnings)
        return 2
    screen = Screen(texts(settings.language), for_machines=args.json)
    screen.warnings(settings.warnings)
    return _run(screen, args, settings)


def _run(screen: Screen, args: argparse.Namespace, settings: config.Settings | None) -> int:
    """The command itself; `init` alone needs no settings."""
    from bridge.commands import COMMANDS as RUN  # the engine is loaded only when there is something to do
    from bridge.ledger_errors import LeaseHeld, LedgerError
    from bridge.passport.command import passport
    from bridge.setup.command import init

    try:
        if settings is None:
            return init(screen, args)
        return {**RUN, "passport": passport}[args.command](settings, screen, args)
    except LedgerError as error:
        screen.problems([str(error)])
        return 2
    except LeaseHeld as error:
        screen.problems([str(error)])
        return 1
    except KeyboardInterrupt:
        return 130


COMMANDS = (
    "init",
    "check",
    "plan",
    "sync",
    "status",
    "items",
    "show",
    "conflicts",
    "run",
    "passport",
    "disconnect",
)
"""The names of all commands, in the order in which they are listed."""

MOST = 2000
"""Records that a passport makes at most."""


class Formatter(argparse.HelpFormatter):
    """Help with a heading in the language that is set."""

    def __init__(self, t: Texts, prog: str) -> None:
        super().__init__(prog)
        self.t = t

    def add_usage(self, usage: str | None, actions: Any, groups: Any, prefix: str | None = None) -> None:
        """The first line."""
        super().add_usage(usage, actions, groups, f"{self.t('help.usage')} " if prefix is None else prefix)


class Parser(argparse.ArgumentParser):
    """Arguments that are explained, and refused, in the language that is set."""

    def __init__(self, t: Texts, **how: Any) -> None:
        super().__init__(**how, add_help=False, allow_abbrev=False, formatter_class=partial(Formatter, t))
        self.t = t
        self.choices = self.add_argument_group(t("help.options"))
        self.choices.add_argument("-h", "--help", action="help", help=t("help.help"))

    def positional(self, name: str) -> None:
        """One argument that must be there."""
        group = self.add_argument_group(self.t("help.arguments"))
        group.add_argument(name, metavar=name.upper(), help=self.t(f"help.{name}"))

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and end with 2. A secret that was given as an option is not repeated."""
        self.print_usage(sys.stderr)
        if re.search(r"--(password|token)\b(?!-file)", message):
            message = self.t("init.no_plain")
        Screen(self.t).problems([message])
        sys.exit(2)


def parser() -> Parser:
    """The arguments of every command. They work without settings."""
    t = texts(config.language_of())
    top = Parser(t, prog="strategy-bridge", description=t("help.about"))
    version = f"strategy-bridge {_version()}"
    top.choices.add_argument("--version", action="version", version=version, help=t("help.version"))
    commands = top.add_subparsers(  # type: ignore[call-overload]
        dest="command", required=True, metavar="COMMAND", title=t("help.commands"), parser_class=partial(Parser, t)
    )
    for name in COMMANDS:
        one = commands.add_parser(name, help=t(f"help.{name}"), description=t(f"help.{name}"))
        if name == "show":
            one.positional("item")
        elif name in ("disconnect", "passport"):
            one.positional("name")
        if name == "sync":
            one.choices.add_argument(
                "--accept", nargs="?", const=True, default=False, metavar="DIGEST", help=t("help.accept")
            )
        if name == "init":
            for option in ("type", "name", "url", "user", "password-file", "token-file", "collection"):
                metavar = "FILE" if option.endswith("file") else option.upper()
                one.choices.add_argument(
                    f"--{option}", metavar=metavar, help=t(f"help.init_{option.replace('-', '_')}")
                )
            for option in ("allow-http", "read-only", "replace"):
                one.choices.add_argument(
                    f"--{option}", action="store_true", help=t(f"help.init_{option.replace('-', '_')}")
                )
        if name == "passport":
            one.choices.add_argument("--records", type=number, default=3, metavar="N", help=t("help.records"))
            one.choices.add_argument("--out", metavar="FILE", help=t("help.out"))
        one.choices.add_argument("--json", action="store_true", help=t("help.json"))
    return top


def number(text: str) -> int:
    """How many records may be made in one go."""
    if not text.isdecimal() or not int(text) <= MOST:
        raise ValueError
    return int(text)


def _version() -> str:
    try:
        return version("strategy-bridge")
    except PackageNotFoundError:
        return "0 (not installed)"
