"""``python -m tests.demo`` shows the bridge at work; ``python -m tests.demo play`` leaves its server running."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

from rich.text import Text

from bridge.config import language_of
from tests.demo.bridge_calls import Broken
from tests.demo.place import ROOT, Busy, Place
from tests.demo.play import play
from tests.demo.sentences import console, sentences
from tests.demo.show import Show


def main() -> int:
    """Show, or play. 0 when everything went as promised."""
    parser = argparse.ArgumentParser(prog="python -m tests.demo")
    parser.add_argument("what", nargs="?", choices=("show", "play"), default="show")
    parser.add_argument("--folder", type=Path, default=ROOT / "demo", help="work folder; what a demo left is replaced")
    arguments = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):  # so that the server is ended with us
        signal.signal(number, lambda got, _: sys.exit(128 + got))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also where a shell started us in the background
    os.environ["PYTHONUTF8"] = "1"  # Radicale does not start where the locale knows no umlauts
    place = Place(arguments.folder)
    t = sentences(language_of(os.environ, place.folder if arguments.what == "play" else ROOT / "tests"))
    out = console(t.language)
    try:
        with place.taken():
            if arguments.what == "play":
                return play(place, out, t)
            place.wipe()
            with place.server() as server:
                return 0 if Show(place, server, out, t).run() else 1
    except Busy as folder:
        out.print(Text(t("busy", folder=folder), style="red"))
    except (Broken, RuntimeError) as why:  # the latter: the server did not start, or did not take an edit
        out.print(Text(t("broken", why=why), style="bold red"))
    except KeyboardInterrupt:
        return 130
    return 1


if __name__ == "__main__":
    sys.exit(main())
