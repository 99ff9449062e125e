"""What the access API loads, and what it does without."""

import subprocess
import sys

from tests.console.process import ROOT


def test_the_api_loads_no_stripe_no_templates_and_no_queue() -> None:
    """It answers from local rows alone: it could not ask Stripe if it wanted to."""
    heavy = ["stripe", "jinja2", "css_inline", "dramatiq", "redis", "httpx", "aiosmtplib"]
    program = f"import sys, console.server; print(sorted(set({heavy}) & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"
