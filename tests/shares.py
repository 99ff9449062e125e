"""Who runs what: the tests of a file stay together, and so do those of a room that is dear to enter."""

from __future__ import annotations

from xdist.scheduler import LoadFileScheduling

# Chromium, a portal and an application are started once for all of them.
TOGETHER = ("tests/browser/",)


class Shares(LoadFileScheduling):
    """A file at a time for whoever is free next, in the order in which the tests are found."""

    def _split_scope(self, nodeid: str) -> str:
        """The part of the suite that a test belongs to."""
        file = super()._split_scope(nodeid)
        return next((room for room in TOGETHER if file.startswith(room)), file)
