"""`python -m tests.chaos.guided NAME ...`: one parser under atheris, with libFuzzer's options."""

from __future__ import annotations

import sys

import atheris  # type: ignore[import-not-found, unused-ignore]  # not needed for anything else

ROOMS = ["console", "dunning", "emails", "language", "outbound", "portal", "providers"]
with atheris.instrument_imports(include=ROOMS):
    from tests.chaos.parsers import PARSERS, fault


def main() -> None:
    """Run until a limit of libFuzzer's is reached; a fault ends it with another exit code than 0."""
    parser = PARSERS[sys.argv.pop(1)]

    def once(data: bytes) -> None:
        if found := fault(parser, data):
            raise RuntimeError(found)

    atheris.Setup(sys.argv, once)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
