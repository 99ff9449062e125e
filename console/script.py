"""The script that shows a banner or a wall: a file of a few kilobytes, named by what is in it."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from hashlib import sha256, sha384
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Script:
    """`name` changes with the content, so that it may be kept for ever; `integrity` is for the script tag."""

    content: bytes
    name: str
    integrity: str


@cache
def script() -> Script:
    """The script as it is in this version."""
    content = (Path(__file__).parent / "static" / "banner.js").read_bytes()
    return Script(
        content,
        f"banner.{sha256(content).hexdigest()[:12]}.js",
        f"sha384-{b64encode(sha384(content).digest()).decode()}",
    )
