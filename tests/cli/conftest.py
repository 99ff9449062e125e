"""What the tests of the command line need."""

from collections.abc import Iterator

import pytest

from sandbox.postgres import PostgresServer


@pytest.fixture
def empty_database_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A database that no migration has been run on."""
    yield postgres_server.create_database("cli_empty")
    postgres_server.drop_database("cli_empty")
