"""`dunning receiver` in two processes: one reads the settings while the other loads what serves.

The libraries that read settings and draw command lines take more memory than the whole receiver, and longer
to load. So the process that was started, which supervisors know, never loads them: a child of it does, hands
over the checked configuration and ends. It goes through a pipe, since arguments can be read by every user of
the machine.
"""

import gc
import os
import sys
from typing import NoReturn


def receive() -> NoReturn:
    """Serve as the command line and the settings say; where they are wrong, exit as their reader did."""
    gc.disable()  # until requests are served: whatever is loaded stays
    reading, writing = os.pipe()
    reader = os.fork()  # before anything is loaded, and before there are threads
    if reader == 0:
        os.close(reading)
        # Pydantic looks through every installed package for them; none is meant to see our secrets.
        os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"
        from cli.commands import run

        run(writing)
    os.close(writing)
    # Meanwhile.
    from webhooks.config import ReceiverConfig
    from webhooks.server import serve

    with os.fdopen(reading) as pipe:
        handed_over = pipe.read()
    _, status = os.waitpid(reader, 0)
    if not handed_over:
        sys.exit(os.waitstatus_to_exitcode(status))
    sys.exit(serve(ReceiverConfig.from_json(handed_over)))
