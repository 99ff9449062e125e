"""The `dunning` command. Exit codes: 0 done, 1 failed, 2 wrong usage or settings, 130 interrupted.

Nothing is imported before it is known what for: the receiver has to start fast and stay small.
"""

import gc
import sys

RECEIVER = "receiver"
# Objects that were made and still are; with Python's own 700 a seventh of a start goes into looking through
# what was loaded, none of which is garbage.
GARBAGE_AFTER = 10_000


def main() -> None:
    """Run `dunning` with the arguments of this process, and exit."""
    try:
        if next((word for word in sys.argv[1:] if not word.startswith("-")), None) == RECEIVER:
            from cli.receiving import receive

            receive()
        gc.set_threshold(GARBAGE_AFTER)
        from cli.commands import run

        run()
    except KeyboardInterrupt:
        sys.exit(130)
