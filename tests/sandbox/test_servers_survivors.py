"""Nothing outlives its starter, whichever of the processes is killed and whoever the user is."""

import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
import sqlalchemy

from sandbox.runtime import clean_environment
from sandbox.supervisor import NOBODY
from tests.sandbox.machine import alive, permits_namespaces, processes_of, until

HERE = Path(__file__).parent
PROJECT = HERE.parents[1]
PACKAGES = Path(sqlalchemy.__file__).parents[1]
ENVIRONMENT = clean_environment() | {"PYTHONPATH": f"{PROJECT}:{PACKAGES}"}
AS_ROOT = os.geteuid() == 0
WAYS = ["as started"]
if AS_ROOT:
    WAYS.append("as a normal user")
if permits_namespaces():  # where they are not, the first way is without them
    WAYS.append("without namespaces")


def runs_as_nobody(program: str | Path, environment: dict[str, str]) -> bool:
    """Whether uid 65534 can run the interpreter and import what it needs."""
    try:
        attempt = subprocess.run(
            [program, "-c", "import redis, sandbox.postgres"],
            env=environment,
            user=NOBODY,
            group=NOBODY,
            extra_groups=[],
            check=False,
        )
    except PermissionError:
        return False
    return attempt.returncode == 0


@pytest.fixture(scope="session")
def readable_python() -> Iterator[tuple[str, dict[str, str]]]:
    """A Python that uid 65534 can run, and the environment it needs.

    Root's home is closed to others; an interpreter that lives there is copied to where they can read it.
    """
    if runs_as_nobody(sys.executable, ENVIRONMENT):
        yield sys.executable, ENVIRONMENT
        return
    with tempfile.TemporaryDirectory(prefix="dunning-other-") as home:
        bin_, lib = Path(home, "bin"), Path(home, "lib")
        standard = Path(sysconfig.get_path("stdlib"))
        left_out = shutil.ignore_patterns("site-packages", "test", "__pycache__", "idlelib", "config-*")
        shutil.copytree(standard, lib / standard.name, ignore=left_out)
        for shared in standard.parent.glob("libpython*.so*"):
            shutil.copy(shared, lib)
        bin_.mkdir()
        Path(home).chmod(0o755)
        program = str(shutil.copy(Path(sys.executable).resolve(), bin_))
        environment = ENVIRONMENT | {"LD_LIBRARY_PATH": str(lib)}
        if not runs_as_nobody(program, environment):
            pytest.skip(f"uid {NOBODY} cannot read {PROJECT} or {PACKAGES}")
        yield program, environment


@dataclass(frozen=True, slots=True)
class Launcher:
    """How to start the program, and as which uid."""

    command: list[str]
    uid: int
    environment: dict[str, str]


@pytest.fixture(
    params=["as started", "without namespaces", "as a normal user"] if AS_ROOT else ["as started"]
)
def launcher(request: pytest.FixtureRequest) -> Launcher:
    """Root in both ways out of uid 0, and a normal user; as a normal user only that."""
    if request.param == "without namespaces":
        command = [sys.executable, str(HERE / "no_namespaces.py"), sys.executable]
        return Launcher(command, os.geteuid(), ENVIRONMENT)
    if request.param == "as a normal user":
        program, environment = request.getfixturevalue("readable_python")
        return Launcher([program], NOBODY, environment)
    return Launcher([sys.executable], os.geteuid(), ENVIRONMENT)


@pytest.fixture
def directory(launcher: Launcher) -> Iterator[Path]:
    """A directory that belongs to the launcher's user, where that user can reach it."""
    path = Path(tempfile.mkdtemp(prefix="dunning-other-"))
    path.chmod(0o755)
    os.chown(path, launcher.uid, launcher.uid if AS_ROOT else -1)
    yield path
    shutil.rmtree(path)


@contextmanager
def serving(launcher: Launcher, directory: Path) -> Iterator[subprocess.Popen[str]]:
    """The program that starts both servers, in a process group of its own."""
    other_user = launcher.uid != os.geteuid()
    program = subprocess.Popen(
        [*launcher.command, str(HERE / "serve.py"), str(directory)],
        env=launcher.environment | {"HOME": str(directory)},
        cwd=directory,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        user=launcher.uid if other_user else None,
        group=launcher.uid if other_user else None,
        extra_groups=[] if other_user else None,
    )
    with program:
        try:
            yield program
        finally:
            program.kill()


def report(program: subprocess.Popen[str]) -> dict[str, list[str]]:
    """What the program says when both servers answer."""
    assert program.stdout is not None
    line = program.stdout.readline()
    assert line, f"the program ended with exit code {program.wait()}"
    return dict(json.loads(line))


def test_nothing_survives_the_kill_of_the_starter(launcher: Launcher, directory: Path) -> None:
    """kill -9 of the starter ends servers and supervisors; a start right after it works on their data."""
    with serving(launcher, directory) as program:
        postgres_url, valkey_url = report(program)["urls"]
        postgres_host = dict(parse_qsl(urlsplit(postgres_url).query))["host"]
        sockets = [Path(postgres_host), Path(urlsplit(valkey_url).path).parent]
        assert all(path.is_dir() for path in sockets)
        assert len(processes_of(directory)) >= 5  # the program, two supervisors, two servers
        program.kill()
    with serving(launcher, directory) as program:
        # The database `mine` is there from the first run, and so the program ends with an error.
        assert program.wait(30) == 1
    assert 'database "mine" already exists' in (directory / "pg/server.log").read_text()
    assert processes_of(directory) == []
    until(lambda: not any(path.exists() for path in sockets), 10, "socket directories are gone")


@pytest.mark.parametrize("launcher", ["as started"], indirect=True)  # has nothing to do with the uid
def test_ctrl_c_reaches_the_starter_alone(launcher: Launcher, directory: Path) -> None:
    """SIGINT to the whole process group leaves the servers to the starter, which stops them in its order."""
    with serving(launcher, directory) as program:
        pids = report(program)["pids"]
        os.killpg(program.pid, signal.SIGINT)
        assert program.stdout is not None
        assert program.stdout.read() == "both answer\n"
        assert program.wait(20) == 0
    assert not any(alive(int(pid)) for pid in pids)


def test_servers_end_with_their_supervisor(launcher: Launcher, directory: Path) -> None:
    """kill -9 of the supervisors leaves no server behind either."""
    with serving(launcher, directory) as program:
        pids = [int(pid) for pid in report(program)["pids"]]
        for pid in pids:
            os.kill(int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]), signal.SIGKILL)
        until(lambda: not any(alive(pid) for pid in pids), 10, "servers are gone")
        program.communicate(timeout=20)  # leaves by itself, and removes its directories
        assert program.returncode == 0
