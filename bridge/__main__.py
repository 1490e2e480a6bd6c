"""``python -m bridge`` is ``strategy-bridge``."""

from bridge.cli import main

if __name__ == "__main__":
    main()
