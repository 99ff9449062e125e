"""How long PostgreSQL works on one thing for us, and keeps what it has locked."""

from collections.abc import Mapping

from settings.field import Settings, setting


class Sessions(Settings):
    """Time-outs that connections to PostgreSQL ask for. What answers within two seconds has shorter ones."""

    lock_timeout_seconds: float = setting(
        "DUNNING_LOCK_TIMEOUT_SECONDS",
        "Seconds that a statement waits for a lock that somebody else holds.",
        default=5.0,
        example="5",
        cure="Give seconds from 0.5 to 60.",
        ge=0.5,
        le=60,
    )
    statement_timeout_seconds: float = setting(
        "DUNNING_STATEMENT_TIMEOUT_SECONDS",
        "Seconds that a statement may take. A server that says nothing for five more is given up on.",
        default=10.0,
        example="10",
        cure="Give seconds from 1 to 30.",
        ge=1,
        le=30,
    )
    idle_transaction_timeout_seconds: float = setting(
        "DUNNING_IDLE_TRANSACTION_TIMEOUT_SECONDS",
        "Seconds after which the server ends a transaction whose process says nothing any more, and lets go "
        "of its locks: that machine may have lost power.",
        default=15.0,
        example="15",
        cure="Give seconds from 5 to 600.",
        ge=5,
        le=600,
    )

    @property
    def session_timeouts(self) -> Mapping[str, str]:
        """The server's names for them, in its milliseconds."""
        return {
            "lock_timeout": _milliseconds(self.lock_timeout_seconds),
            "statement_timeout": _milliseconds(self.statement_timeout_seconds),
            "idle_in_transaction_session_timeout": _milliseconds(self.idle_transaction_timeout_seconds),
        }


def _milliseconds(seconds: float) -> str:
    return str(round(seconds * 1000))
