"""Commet: its webhooks as facts."""

from typing import Final

SOURCE: Final = "commet"
