"""Events as Stripe sends them, every field there: `<what>.<shape>.json`.

`acacia` is the shape before API version 2025-03-31, `endive` that of 2026-10-28; bodies of one name tell of
the same thing.
"""

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
OLD_SHAPE, NEW_SHAPE, THIN = "acacia", "endive", "thin"


def body(name: str, shape: str) -> dict[str, Any]:
    """One event, freshly read."""
    event: dict[str, Any] = json.loads((HERE / f"{name}.{shape}.json").read_text())
    return event


def names() -> list[str]:
    """Everything that is there in both shapes."""
    return sorted({path.name.split(".")[0] for path in HERE.glob(f"*.{OLD_SHAPE}.json")})
