"""The runner of our own programs: output, restarts, stopping in order, and no survivors."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.processes import Exited, Processes, prefixed
from tests.sandbox.machine import alive, processes_of, until

# Says that it is ready and then what it is sent; `stubborn` as an argument makes it ignore SIGTERM.
PROGRAM = """
import signal, sys, time
def on_term(number, frame):
    print("stopping cleanly")
    if "stubborn" not in sys.argv:
        sys.exit(7)
signal.signal(signal.SIGTERM, on_term)
print("ready", *sys.argv[1:])
while True:
    time.sleep(60)
"""
# Starts a child of its own and waits for it, as Dramatiq does.
PARENT = """
import subprocess, sys
subprocess.Popen([sys.executable, "-c", sys.argv[1], sys.argv[2]]).wait()
"""


class Lines(list[tuple[str, str]]):
    """The output, as a callback that remembers."""

    def __call__(self, name: str, line: str) -> None:
        self.append((name, line))


@pytest.fixture
def lines() -> Lines:
    """What the programs write."""
    return Lines()


@pytest.fixture
def processes(lines: Lines) -> Iterator[Processes]:
    """A runner that is stopped at the end of the test."""
    runner = Processes(lines)
    yield runner
    runner.stop_all(1)


def python(*argv: str) -> list[str]:
    """The command line of a program given as text."""
    return [sys.executable, "-c", *argv]


def test_output_is_passed_on_line_by_line(processes: Processes, lines: Lines, tmp_path: Path) -> None:
    """Every line comes with its program's name, in the given environment and directory."""
    code = "import os, sys; print(os.environ['WHO'], os.getcwd()); print('grün', file=sys.stderr)"
    process = processes.start("one", python(code), {"WHO": "me"}, cwd=tmp_path)
    until(lambda: processes.poll() == [Exited("one", process.pid, 0, None)], 10, "the program has ended")
    assert sorted(lines) == [("one", "grün"), ("one", f"me {tmp_path}")]


def test_prefixed_writes_the_name_before_each_line(tmp_path: Path) -> None:
    """The form for a terminal keeps the programs apart."""
    with (tmp_path / "out").open("w") as stream:
        prefixed(stream)("worker", "event.applied")
    assert (tmp_path / "out").read_text() == "    worker | event.applied\n"


def test_stop_is_clean_and_bounded(processes: Processes, lines: Lines) -> None:
    """Each program gets SIGTERM at once; the one that ignores it is killed when the grace is over."""
    processes.start("kind", python(PROGRAM))
    processes.start("stubborn", python(PROGRAM, "stubborn"))
    until(lambda: len(lines) == 2, 10, "both programs are ready")
    assert processes.stop_all(grace_seconds=0.5) == {"kind": 7, "stubborn": 128 + signal.SIGKILL}
    assert lines.count(("kind", "stopping cleanly")) == 1
    assert lines.count(("stubborn", "stopping cleanly")) == 1
    assert processes.poll() == []


def test_sigterm_goes_to_the_program_and_not_to_its_children(processes: Processes, lines: Lines) -> None:
    """What a program has started is for the program to stop; what it leaves behind is swept up."""
    processes.start("parent", python(PARENT, PROGRAM, "child"))
    until(lambda: len(lines) == 1, 10, "the child is ready")
    assert processes.stop_all(grace_seconds=5) == {"parent": 128 + signal.SIGTERM}
    assert lines == [("parent", "ready child")]


def test_exits_are_reported_and_restarted_with_growing_pauses(processes: Processes) -> None:
    """A program that ends by itself is named with its exit code, and started again if asked for."""
    processes.start("fails", python("raise SystemExit(3)"), restart=True)
    exits: list[Exited] = []

    def twice() -> bool:
        exits.extend(processes.poll())
        return len(exits) == 2

    until(twice, 15, "the program has ended twice")
    assert [(exited.name, exited.code, exited.restart_seconds) for exited in exits] == [
        ("fails", 3, 0.5),
        ("fails", 3, 1.0),
    ]


def test_killed_program_is_reported_and_leaves_no_children(
    processes: Processes, lines: Lines, tmp_path: Path
) -> None:
    """After kill -9 of a program its own children are gone as well."""
    process = processes.start("parent", python(PARENT, PROGRAM, str(tmp_path)))
    until(lambda: len(lines) == 1, 10, "the child is ready")
    assert len(processes_of(tmp_path)) >= 2
    process.kill()
    until(lambda: processes_of(tmp_path) == [], 10, "its child is gone")
    assert processes.poll() == [Exited("parent", process.pid, 128 + signal.SIGKILL, None)]


def test_program_that_cannot_be_started_is_reported(processes: Processes, lines: Lines) -> None:
    """A wrong command is an exit with 125, and the reason is in its output."""
    processes.start("wrong", ["/does/not/exist"])
    assert [exited.code for exited in processes.poll()] == [125]
    assert "No such file or directory" in lines[0][1]


# Runs one program through `run`, as `dunning up` does.
RUNNER = f"""
import sys
from sandbox.processes import Processes, prefixed
processes = Processes(prefixed(sys.stdout))
processes.start("one", [sys.executable, "-c", {PROGRAM!r}, sys.argv[1]])
processes.run(lambda exited: print(exited.name, "ended with", exited.code, flush=True))
print("all stopped", flush=True)
"""


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process of its own that runs a program, which is ready."""
    with subprocess.Popen(
        python(RUNNER, str(tmp_path)), stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"       one | ready {tmp_path}\n"
        yield process
        process.kill()


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_run_stops_everything_on_a_signal(
    runner: subprocess.Popen[str], tmp_path: Path, end: signal.Signals
) -> None:
    """Ctrl-C in the terminal goes to the whole group; the programs are stopped once, by the runner."""
    os.killpg(runner.pid, end)
    output, _ = runner.communicate(timeout=10)
    assert output == "       one | stopping cleanly\nall stopped\n"
    assert runner.returncode == 0
    assert processes_of(tmp_path) == []


def test_programs_die_with_the_runner(runner: subprocess.Popen[str], tmp_path: Path) -> None:
    """After kill -9 of the runner neither program nor supervisor is left."""
    pids = processes_of(tmp_path)
    assert len(pids) >= 3  # runner, supervisor, program
    runner.kill()
    until(lambda: processes_of(tmp_path) == [], 10, "everything is gone")
    assert not any(alive(pid) for pid in pids)


def test_run_ends_when_nothing_is_left_to_run(runner: subprocess.Popen[str], tmp_path: Path) -> None:
    """A program that crashes is reported; without a restart there is nothing to wait for."""
    children = set(processes_of(tmp_path)) - {runner.pid}
    program = next(
        pid for pid in children if b"supervisor.py" not in Path(f"/proc/{pid}/cmdline").read_bytes()
    )
    os.kill(program, signal.SIGKILL)
    output, _ = runner.communicate(timeout=10)
    assert output == "one ended with 137\nall stopped\n"
