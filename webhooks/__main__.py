"""The serving process: `python -m webhooks FD` reads its configuration as JSON from that file descriptor.

Started by `dunning receiver`, which has checked the settings and replaces itself by this: the libraries that
read settings and draw command lines take more memory than the whole receiver.
"""

import os
import sys

from webhooks.config import ReceiverConfig
from webhooks.server import serve


def main() -> int:
    """Serve with the configuration handed over; the process's exit code."""
    with os.fdopen(int(sys.argv[1])) as source:
        config = ReceiverConfig.from_json(source.read())
    return serve(config)


if __name__ == "__main__":
    sys.exit(main())
