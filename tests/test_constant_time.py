"""Where secrets are compared, found by reading every comparison in the project: never letter by letter."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.test_rooms import ROOMS, ROOT

# What an attacker would like to guess, letter by letter, is named like this.
SECRET = re.compile(r"secret|password|signature|digest|token|api_?key|bearer|bound|login")
# What such names are compared for otherwise, and why the time it takes tells nothing.
OTHERWISE = {
    ("console/keyring.py", "digest not in self._stored"): "looked up by the hash of what was given",
    ("db/api_keys.py", "api_keys.c.id == key_id"): "the number of a key",
    ("db/links.py", "links.c.digest == digest"): "looked up by the hash of what was given",
    ("portal/links.py", "base64_encode(base64_decode(signature)) == signature.encode()"): "with itself",
    ("settings/checks.py", "len(secret) == len('whsec_')"): "our own, at the start",
}
# Who lets somebody in: file and function. The links of the page are itsdangerous', which does the same.
DOORS = {
    "providers/stripe/webhook.py": "verify",
    "providers/svix_signature.py": "verify",
    "providers/basic_login.py": "verify",
    "console/keyring.py": "_in_settings",
    "portal/forms.py": "check",
}
TELLING = ast.Eq | ast.NotEq | ast.In | ast.NotIn


def comparisons(tree: ast.AST) -> Iterator[ast.Compare]:
    """Every `==`, `!=`, `in` and `not in`: those end at the first difference."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and any(isinstance(each, TELLING) for each in node.ops):
            yield node


def of_secrets(source: str) -> list[str]:
    """Those comparisons of which a part is named like a secret."""
    found = []
    for node in comparisons(ast.parse(source)):
        names = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
        names |= {each.attr for each in ast.walk(node) if isinstance(each, ast.Attribute)}
        if any(SECRET.search(name.lower()) for name in names):
            found.append(ast.unparse(node))
    return found


def is_even(source: str, function: str) -> bool:
    """Whether a door compares by `compare_digest`, and all there is before it says anything."""
    [door] = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef) and node.name == function
    ]
    calls = [ast.unparse(node.func) for node in ast.walk(door) if isinstance(node, ast.Call)]
    loops = [node for node in ast.walk(door) if isinstance(node, ast.For)]
    leaves = [
        node
        for loop in loops
        for node in ast.walk(loop)
        if isinstance(node, ast.Return | ast.Break | ast.Raise)
    ]
    # What is asked before, of a header's scheme or length, is no secret.
    compared = [ast.unparse(node) for loop in loops for node in comparisons(loop)]
    return any(call.endswith("compare_digest") for call in calls) and not leaves and not compared


def test_no_secret_is_compared_letter_by_letter() -> None:
    """In no room; what looks like it stands in the table above with its reason."""
    rooms = sorted(ROOMS - {"sandbox"})
    files = [path for room in rooms for path in sorted((ROOT / room).rglob("*.py"))]
    found = {
        (str(path.relative_to(ROOT)), compared)
        for path in files
        for compared in of_secrets(path.read_text("utf-8"))
    }
    assert found == set(OTHERWISE)


@pytest.mark.parametrize(("file", "function"), DOORS.items())
def test_every_door_takes_as_long_for_any_secret(file: str, function: str) -> None:
    """And the test would notice `==`, or a loop that ends at the first that fits."""
    source = (ROOT / file).read_text("utf-8")
    assert is_even(source, function)
    assert not is_even(re.sub(r"(hmac\.)?compare_digest\((.+), (.+)\)", r"(\2 == \3)", source), function)
    if "|=" in source:
        hasty = re.sub(r"(\w+) \|= (.+)", r"if \2: break", source)
        assert not is_even(hasty, function)


def test_a_comparison_would_be_found() -> None:
    """A negative control."""
    assert of_secrets("def f(a):\n    return a.signature == expected") == ["a.signature == expected"]
