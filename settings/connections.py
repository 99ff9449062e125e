"""What the processes connect to: PostgreSQL, the mail server; and in which mode."""

from settings.field import Settings, setting
from settings.urls import DatabaseUrl, SmtpUrl, for_asyncpg, for_sqlalchemy


class Database(Settings):
    """PostgreSQL, where facts, cases and effects live."""

    database_url: DatabaseUrl = setting(
        "DATABASE_URL",
        "The PostgreSQL database (15 or newer). Understands `?host=/socket/directory` and `?sslmode=`. "
        "Several hosts may stand there, with commas between them: the one that can write is looked for.",
        example="postgresql://dunning:password@127.0.0.1:5432/dunning",
        cure="Give a PostgreSQL URL in the environment or in .env.",
    )

    @property
    def database_url_sqlalchemy(self) -> str:
        """For `create_async_engine`. Holds the password: never log it."""
        return for_sqlalchemy(self.database_url.get_secret_value())

    @property
    def database_dsn(self) -> str:
        """For `db.connecting.connect`. Holds the password: never log it."""
        return for_asyncpg(self.database_url.get_secret_value())


class Mode(Settings):
    """Which of two worlds is served; they never mix."""

    livemode: bool = setting(
        "DUNNING_LIVEMODE",
        "`true` handles live events only, `false` test events only. "
        "Keys and events of the other mode are refused.",
        default=True,
        example="false",
        cure="Write true or false.",
    )


class Smtp(Settings):
    """The server that takes our mail."""

    smtp_url: SmtpUrl = setting(
        "SMTP_URL",
        "The mail server: `smtp://` (STARTTLS when offered) or `smtps://` (TLS from the start), "
        "with user and password where needed, each percent-encoded.",
        example="smtp://user:password@mail.example.com:587",
        cure="Give the mail server's URL in the environment or in .env.",
    )
