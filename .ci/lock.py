"""Write requirements.lock: what pip chooses for `.[dev]` today, valid for every supported Python and machine.

Called by `./run lock`. Run it with the oldest supported Python, since that one has the most dependencies.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

HEADER = """\
# The versions this project is developed, tested and shipped with,
# good for Python 3.11 to 3.13 on Linux, x86_64 and aarch64.
# Written by `./run lock`; do not edit. `./run` installs all of it, the Dockerfile reads it as constraints.
"""
PYTHONS = ("3.11", "3.12", "3.13")
MACHINES = ("x86_64", "aarch64")
GLIBC = (
    "manylinux2014",
    "manylinux_2_17",
    "manylinux_2_24",
    "manylinux_2_26",
    "manylinux_2_27",
    "manylinux_2_28",
)


def main() -> None:
    root = Path(__file__).resolve().parent.parent
    lock = root / "requirements.lock"
    with tempfile.TemporaryDirectory() as folder:
        resolved = Path(folder) / "requirements.lock"
        resolved.write_text(HEADER + "".join(f"{pin}\n" for pin in resolve(root)), encoding="utf-8")
        for python in PYTHONS:
            for machine in MACHINES:
                check(resolved, python, machine, folder)
                print(f"wheels for Python {python} on {machine}: all there")  # noqa: T201 -- progress of a script
        lock.write_text(resolved.read_text(encoding="utf-8"), encoding="utf-8")


def resolve(root: Path) -> list[str]:
    """`name==version` of everything `.[dev]` needs, and of setuptools, which builds it."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        pip("--dry-run", "--ignore-installed", "--report", str(report), f"{root}[dev]", "setuptools>=77")
        found = json.loads(report.read_text(encoding="utf-8"))["install"]
    packages = {
        item["metadata"]["name"].lower().replace("_", "-"): item["metadata"]["version"] for item in found
    }
    del packages["dunning-worker"]
    return [f"{name}=={version}" for name, version in sorted(packages.items())]


def check(lock: Path, python: str, machine: str, folder: str) -> None:
    """Fail unless each pin has a wheel for that Python on that machine: users have no compilers."""
    platforms = [argument for glibc in GLIBC for argument in ("--platform", f"{glibc}_{machine}")]
    wanted = [
        "--python-version",
        python,
        "--only-binary",
        ":all:",
        "--no-deps",
        "--target",
        folder,
        *platforms,
    ]
    pip("--dry-run", *wanted, "--requirement", str(lock))


def pip(*arguments: str) -> None:
    """Run `pip install`; ends the script with pip's own words when it fails."""
    subprocess.run([sys.executable, "-m", "pip", "install", "-qq", *arguments], check=True)  # noqa: S603 -- own pip


if __name__ == "__main__":
    main()
