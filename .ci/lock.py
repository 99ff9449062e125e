"""Write the lock files: what pip chooses today, with the hashes of its wheels for every supported Python.

Called by `./run lock`. Run it with the oldest supported Python, since that one has the most dependencies.

    requirements.lock       what the service needs, and setuptools, which builds it
    requirements-dev.lock   what the sandbox, the tests and the linters need beside it
    .ci/*.lock              tools that `./run` uses now and then, each in an environment of its own
    benchmarks/peers/djstripe/requirements.lock     what `./run bench` measures beside us, likewise
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.request import Request, urlopen

ROOT = Path(__file__).resolve().parent.parent
HEADER = """\
# {about}
# Good for Python 3.11 to 3.13 on Linux, x86_64 and aarch64. Written by `./run lock`; do not edit.
# Install it with `pip install --require-hashes`: then it is what PyPI had on that day, or nothing.
"""
APART = {
    ".ci/audit.lock": ("pip-audit>=2.10",),
    ".ci/virtualenv.lock": ("virtualenv>=21.15",),
    "benchmarks/peers/djstripe/requirements.lock": (
        "dj-stripe>=2.11",
        "gunicorn>=27",
        "psycopg[binary]>=3.3",
    ),
}
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
INDEX = "https://pypi.org/simple/"
PATIENCE = 60  # seconds for one answer of the index
PLATFORM = re.compile(r"any|manylinux\w+_(x86_64|aarch64)")
ABIS = {"none", "abi3", "cp311", "cp312", "cp313"}

Pins = Mapping[str, str]
"""Versions by name."""


def main() -> None:
    everything = resolve(f"{ROOT}[dev]", "setuptools>=77")
    service = resolve(str(ROOT), "setuptools>=77", like=everything)
    write("requirements.lock", "What the service runs with, and setuptools, which builds it.", service)
    rest = {name: version for name, version in everything.items() if name not in service}
    write("requirements-dev.lock", "What the sandbox, the tests and the linters need beside it.", rest)
    for name, wanted in APART.items():
        needs = "they need" if len(wanted) > 1 else "it needs"
        write(name, f"{', '.join(wanted)}, and what {needs}.", resolve(*wanted))


def resolve(*wanted: str, like: Pins | None = None) -> Pins:
    """What pip chooses for these requirements, but for ourselves: as in `like`, where that has a version."""
    with tempfile.TemporaryDirectory() as folder:
        constraints, report = Path(folder, "constraints.txt"), Path(folder, "report.json")
        constraints.write_text("".join(f"{line}\n" for line in pins(like or {})), encoding="utf-8")
        arguments = ("--constraint", str(constraints), "--report", str(report))
        pip("--dry-run", "--ignore-installed", *arguments, *wanted)
        found = json.loads(report.read_text(encoding="utf-8"))["install"]
    packages = {normal(each["metadata"]["name"]): each["metadata"]["version"] for each in found}
    packages.pop("dunning-worker", None)
    return packages


def pins(packages: Pins) -> list[str]:
    return [f"{name}=={version}" for name, version in sorted(packages.items())]


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def write(name: str, about: str, packages: Pins) -> None:
    """Write one file, once it is known to be installable on every supported Python and machine."""
    entries = (
        " \\\n".join([f"{package}=={version}", *(f"    --hash=sha256:{each}" for each in found)])
        for package, version in sorted(packages.items())
        if (found := hashes(package, version))
    )
    text = HEADER.format(about=about) + "".join(f"{entry}\n" for entry in entries)
    with tempfile.TemporaryDirectory() as folder:
        resolved = Path(folder, "new.lock")
        resolved.write_text(text, encoding="utf-8")
        for python in PYTHONS:
            for machine in MACHINES:
                check(resolved, python, machine, folder)
                print(f"{name}: wheels for Python {python} on {machine} are all there")  # noqa: T201 -- progress
    (ROOT / name).write_text(text, encoding="utf-8")


def hashes(package: str, version: str) -> Iterable[str]:
    """The SHA-256 of every wheel of this version that one of ours could take; ends the script without any.

    All of them, and not only what pip would take here: which one that is depends on a machine's glibc.
    """
    kind = {"Accept": "application/vnd.pypi.simple.v1+json"}
    asked = Request(f"{INDEX}{package}/", headers=kind)  # noqa: S310 -- INDEX is https
    with urlopen(asked, timeout=PATIENCE) as answer:  # noqa: S310 -- as above
        files = json.load(answer)["files"]
    found = sorted({file["hashes"]["sha256"] for file in files if suits(file["filename"], version)})
    return found or sys.exit(f"{INDEX}{package}/ has no wheel of {version} for us")


def suits(filename: str, version: str) -> bool:
    """Whether a file is a wheel of this version for a Python and machine of ours."""
    if not filename.endswith(".whl"):
        return False
    of, *_, abi, platform = filename.removesuffix(".whl").split("-")[1:]
    fits = not ABIS.isdisjoint(abi.split(".")) and any(map(PLATFORM.fullmatch, platform.split(".")))
    return of == version and fits


def check(lock: Path, python: str, machine: str, folder: str) -> None:
    """Fail unless each pin has a wheel for that Python on that machine: users have no compilers."""
    platforms = [argument for glibc in GLIBC for argument in ("--platform", f"{glibc}_{machine}")]
    wanted = ("--python-version", python, "--only-binary", ":all:", "--no-deps", "--target", folder)
    pip("--dry-run", "--require-hashes", *wanted, *platforms, "--requirement", str(lock))


def pip(*arguments: str) -> None:
    """Run `pip install`; ends the script with pip's own words when it fails."""
    subprocess.run([sys.executable, "-m", "pip", "install", "-qq", *arguments], check=True)  # noqa: S603 -- own pip


if __name__ == "__main__":
    main()
