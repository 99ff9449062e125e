"""What each setting takes and refuses."""

import pytest

from settings import ApiSettings, ReceiverSettings, SettingsError, ToolSettings, WorkerSettings
from tests.settings.examples import from_env


@pytest.mark.parametrize(
    ("url", "sqlalchemy", "dsn"),
    [
        (
            "postgresql://u:p%40ss@db:5433/dunning",
            "postgresql+asyncpg://u:p%40ss@db:5433/dunning",
            "postgresql://u:p%40ss@db:5433/dunning",
        ),
        ("postgres://u@db/d", "postgresql+asyncpg://u@db/d", "postgresql://u@db/d"),
        ("postgresql+asyncpg://u@db/d", "postgresql+asyncpg://u@db/d", "postgresql://u@db/d"),
        (
            "postgresql:///d?host=/run/a dir",
            "postgresql+asyncpg:///d?host=/run/a%20dir",
            "postgresql:///d?host=/run/a%20dir",
        ),
        (
            "postgresql://u@/d?host=/run&sslmode=disable",
            "postgresql+asyncpg://u@/d?host=/run&ssl=disable",
            "postgresql://u@/d?host=/run&sslmode=disable",
        ),
        (
            "postgresql://u:p%2Cp@one:5433,[::1],three/d?target_session_attrs=read-write",
            "postgresql+asyncpg://u:p%2Cp@/d?host=one%2C%3A%3A1%2Cthree&port=5433%2C5432%2C5432",
            "postgresql://u:p%2Cp@/d?host=one%2C%3A%3A1%2Cthree&port=5433%2C5432%2C5432",
        ),
        (
            "postgresql://u@/d?host=/one,/two&sslmode=disable",
            "postgresql+asyncpg://u@/d?host=/one%2C/two&ssl=disable&port=5432%2C5432",
            "postgresql://u@/d?host=/one%2C/two&sslmode=disable&port=5432%2C5432",
        ),
    ],
)
def test_a_database_url_is_translated_for_both_libraries(url: str, sqlalchemy: str, dsn: str) -> None:
    """SQLAlchemy wants its dialect and `ssl`, asyncpg a plain scheme and `sslmode`."""
    settings = from_env(ToolSettings, DATABASE_URL=url)
    assert settings.database_url_sqlalchemy == sqlalchemy
    assert settings.database_dsn == dsn


@pytest.mark.parametrize(
    ("name", "value", "wrong"),
    [
        ("DATABASE_URL", "mysql://db/d", "must start with postgresql://"),
        ("DATABASE_URL", "postgresql://db:port/d", "is not a URL that can be read"),
        ("DATABASE_URL", "postgresql:///d", "names no server"),
        ("DATABASE_URL", "postgresql://db", "names no database"),
        ("DATABASE_URL", "postgresql://db/d?sslmod=require", "has the option 'sslmod'"),
        ("DATABASE_URL", "postgresql://db/d?sslmode=on", "has an unknown sslmode"),
        ("DATABASE_URL", "postgresql://one,two:port/d", "names a host that cannot be read"),
        ("DATABASE_URL", "postgresql://one,,two/d", "names an empty host"),
        ("DATABASE_URL", "postgresql:///d?host=/one,/two&port=1,2,3", "not as many ports"),
        ("DATABASE_URL", "postgresql://db/d?target_session_attrs=standby", "nothing can be stored on"),
        ("DUNNING_STATEMENT_TIMEOUT_SECONDS", "0", "should be greater than or equal to 1"),
        ("REDIS_URL", "http://localhost", "must start with redis://"),
        ("REDIS_URL", "redis+sentinel://one,two", "does not name what the Sentinels watch"),
        ("REDIS_URL", "redis+sentinel:///dunning/0", "names an empty host"),
        ("REDIS_URL", "redis+sentinel://one:port/dunning", "is not a URL that can be read"),
        ("REDIS_URL", "redis+sentinel://one,two:1:2/dunning", "names a host that cannot be read"),
        ("REDIS_URL", "redis+sentinel://one,two/dunning/first", "something other than a number"),
        ("REDIS_URL", "redis+sentinel://one/dunning?password=x", "has the option 'password'"),
        ("REDIS_URL", "unix://", "names no socket"),
        ("BROKER_URL", "redis://localhost", "must start with amqp:// or amqps://"),
        ("BROKER_URL", "amqp://", "names an empty host"),
        ("BROKER_URL", "amqp://one,two:port/", "names a host that cannot be read"),
        ("BROKER_URL", "amqp://one/;http://two/", "must start with amqp:// or amqps://"),
        ("BROKER_URL", "amqp://user@one/", "has a user name but no password"),
        ("BROKER_URL", "amqp://one/a/b", "names more than one virtual host"),
        ("BROKER_URL", "amqps://one/?heartbeat=5", "has the option 'heartbeat'"),
        ("BROKER_URL", "amqps://one/?cacertfile=/nowhere.pem", "names a cacertfile that is not there"),
        ("BROKER_URL", f"amqp://one/?cacertfile={__file__}", "which only amqps:// has a use for"),
        ("BROKER_URL", f"amqps://one/?keyfile={__file__}", "names a keyfile without its certfile"),
        ("SMTP_URL", "smtp://", "has no host name"),
        ("SMTP_URL", "smtp://user@mail.example.com", "has a user name but no password"),
        ("STRIPE_API_KEY", "pk_test_123", "must start with sk_live_"),
        ("STRIPE_API_BASE", "127.0.0.1:80", "must start with https://"),
        ("DUNNING_LIVEMODE", "maybe", "should be a valid boolean"),
        ("DUNNING_MAIL_FROM", "billing", "is not a mail address"),
        ("DUNNING_MAIL_FROM", "A\nBcc: x <a@b.example>", "contains control characters"),
        ("DUNNING_MAIL_REPLY_TO", "A <a@b.example>", "is not a mail address"),
        ("DUNNING_MAIL_DOMAIN", "a b", "should match pattern"),
        ("DUNNING_BRAND_COLOR", "blue", "is not a colour"),
        ("DUNNING_BRAND_WEBSITE", "javascript:alert(1)", "must start with https://"),
        ("DUNNING_BILLING_PAGE_URL", "http://acme.example/pay", "must start with https://"),
        ("DUNNING_TEAM_WEBHOOK_URL", "https://", "has no host name"),
        ("DUNNING_TIMEZONE", "Mars/Olympus", "timezone"),
        ("DUNNING_WORKER_QUEUES", "events,post", "should be 'events'"),
        ("DUNNING_WORKER_THREADS", "0", "should be greater than or equal to 1"),
        ("DUNNING_AT_EXPIRY", "deleted", "should be 'revoked' or 'limited'"),
        ("DUNNING_FINAL_WARNING_HOURS", "24,72", "must go from the longest"),
        ("DUNNING_FINAL_WARNING_HOURS", "336", "starts before the grace of 14 days"),
    ],
)
def test_a_wrong_value_is_refused_by_name(name: str, value: str, wrong: str) -> None:
    """One problem, under the environment's name, that says what is wrong."""
    with pytest.raises(SettingsError) as caught:
        from_env(WorkerSettings, **{name: value})
    (problem,) = caught.value.problems
    assert problem.name == name
    assert wrong in problem.wrong


def test_a_rabbitmq_takes_the_place_of_redis() -> None:
    """With one no Redis is asked for, nor used where both are set; a broker there has to be."""
    url = "amqp://me:hunter2@one,two:5673/dunning"
    settings = from_env(WorkerSettings, BROKER_URL=url, REDIS_URL="")
    assert (settings.queue_url, from_env(WorkerSettings, BROKER_URL=url).queue_url) == (url, url)
    assert "hunter2" not in repr(settings)
    with pytest.raises(SettingsError) as caught:
        from_env(WorkerSettings, REDIS_URL="")
    (problem,) = caught.value.problems
    assert (problem.name, "BROKER_URL" in problem.wrong) == ("REDIS_URL", True)
    assert from_env(ToolSettings, REDIS_URL="").known_queue_url is None


@pytest.mark.parametrize("secrets", ["secret", "whsec_", "whsec_a,,whsec_b", "whsec_a,", "whsec_a,other"])
def test_a_wrong_signing_secret_is_refused(secrets: str) -> None:
    """An empty or foreign secret in the list would let anybody sign, or nobody."""
    with pytest.raises(SettingsError, match="STRIPE_WEBHOOK_SECRETS holds"):
        from_env(ReceiverSettings, STRIPE_WEBHOOK_SECRETS=secrets)


@pytest.mark.parametrize(
    "keys", ["short", "test-key-0123456789abcdef,short", "with a space in it", "ключ-ключ-ключ-ключ"]
)
def test_a_weak_or_unusable_api_key_is_refused(keys: str) -> None:
    """A bearer key has 16 characters at least, all of which can stand in a header."""
    with pytest.raises(SettingsError, match="DUNNING_API_KEYS holds a key"):
        from_env(ApiSettings, DUNNING_API_KEYS=keys)


@pytest.mark.parametrize(
    ("key", "livemode", "wrong"),
    [
        ("sk_live_0", "false", "is a live key, but DUNNING_LIVEMODE is false"),
        ("rk_live_0", "false", "is a live key, but DUNNING_LIVEMODE is false"),
        ("sk_test_0", "true", "is a test key, but DUNNING_LIVEMODE is true"),
        ("rk_test_0", "", "is a test key, but DUNNING_LIVEMODE is true"),
    ],
)
def test_live_and_test_never_mix(key: str, livemode: str, wrong: str) -> None:
    """A key of the other mode is refused, live being the default."""
    with pytest.raises(SettingsError, match=wrong):
        from_env(WorkerSettings, STRIPE_API_KEY=key, DUNNING_LIVEMODE=livemode)


def test_a_live_key_is_never_sent_in_the_clear() -> None:
    """In live mode another address for Stripe must be encrypted or on this machine."""
    live = {"STRIPE_API_KEY": "sk_live_0", "DUNNING_LIVEMODE": "true"}
    with pytest.raises(SettingsError, match="would send a live key unencrypted"):
        from_env(WorkerSettings, STRIPE_API_BASE="http://proxy.example:8080", **live)
    assert from_env(WorkerSettings, STRIPE_API_BASE="http://127.0.0.1:8080/", **live).stripe_api_base == (
        "http://127.0.0.1:8080"
    )


def test_a_key_of_commets_is_kept_apart_as_stripes_is() -> None:
    """Of the other mode it is refused, and a live one is not sent in the clear; older ones name no mode."""
    for key, mode, why in (
        ("ck_sandbox_0", "true", "is a sandbox key"),
        ("rk_live_0", "false", "is a live key"),
        ("sk_live_0", "true", "must start with ck_ or rk_"),
    ):
        with pytest.raises(SettingsError, match=why):
            from_env(WorkerSettings, COMMET_API_KEY=key, DUNNING_LIVEMODE=mode)
    live = {"COMMET_API_KEY": "ck_older", "STRIPE_API_KEY": "rk_live_0", "DUNNING_LIVEMODE": "true"}
    with pytest.raises(SettingsError, match="would send a live key unencrypted"):
        from_env(WorkerSettings, COMMET_API_BASE="http://proxy.example:8080", **live)
    assert from_env(WorkerSettings, COMMET_API_BASE="http://127.0.0.1:8080", **live)


def test_no_message_and_no_repr_shows_a_secret() -> None:
    """Neither a refused secret nor an accepted one can be read from what Python prints."""
    with pytest.raises(SettingsError) as caught:
        from_env(
            WorkerSettings,
            STRIPE_API_KEY="hidden-one",
            DATABASE_URL="mysql://u:hidden-two@db/d",
            SMTP_URL="http://u:hidden-three@mail",
            DUNNING_TEAM_WEBHOOK_URL="ftp://hidden-four",
        )
    assert len(caught.value.problems) == 4
    assert "hidden" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    accepted = repr(from_env(WorkerSettings)) + repr(from_env(ApiSettings)) + repr(from_env(ReceiverSettings))
    for secret in ("pass@", "0123456789abcdef", "whsec_test_one"):
        assert secret not in accepted
