"""Look every pinned package up among the published advisories (osv.dev), by pip-audit.

Called by `./run audit`, whose further arguments are pip-audit's (`--ignore-vuln ID`).

Exit code 0: nothing is known of any of them. 1: something is, and stands on stdout. 2: it could not be found
out, which is no good news.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    found = 0
    for lock in [*sorted(ROOT.glob("*.lock")), *sorted(ROOT.glob(".ci/*.lock"))]:
        packages = audited(lock)
        if packages is None:
            say(f"audit: the advisories could not be asked about {lock.relative_to(ROOT)}: not audited")
            return 2
        print(f"{lock.relative_to(ROOT)}: {len(packages)} packages looked up")  # noqa: T201 -- the answer
        found += sum(told(package) for package in packages)
    print(f"advisories: {found}")  # noqa: T201 -- the answer
    return 1 if found else 0


def audited(lock: Path) -> list[dict[str, object]] | None:
    """What pip-audit says of each package in the file; None when it could not ask about every single one."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder, "answer.json")
        # Everything is read from the file and nothing installed; what cannot be looked up is an error.
        told = ("--strict", "--disable-pip", "--require-hashes", "--progress-spinner", "off")
        asked = ("--vulnerability-service", "osv", "--format", "json", "--output", str(answer))
        done = subprocess.run(  # noqa: S603 -- our own tool
            [sys.executable, "-m", "pip_audit", *told, *asked, *sys.argv[1:], "--requirement", str(lock)],
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        if not answer.is_file():
            say(done.stderr.strip().rpartition("\n")[2])  # a traceback's last line says it all
            return None
        packages: list[dict[str, object]] = json.loads(answer.read_text(encoding="utf-8"))["dependencies"]
    return packages


def told(package: dict[str, object]) -> int:
    """Say which advisories there are about a package, and where they are mended; how many."""
    advisories = package["vulns"]
    assert isinstance(advisories, list)  # noqa: S101 -- pip-audit's own format; tells mypy
    for each in advisories:
        mended = ", ".join(each["fix_versions"]) or "nowhere yet"
        print(f"  {package['name']} {package['version']}: {each['id']}, mended in {mended}")  # noqa: T201
    return len(advisories)


def say(words: str) -> None:
    print(words, file=sys.stderr)  # noqa: T201 -- for whoever called it


if __name__ == "__main__":
    sys.exit(main())
