"""What the page loads, and what it does without."""

import subprocess
import sys

from settings.loading import fields_by_name
from settings.processes import PortalSettings
from tests.console.process import ROOT


def test_showing_a_page_can_call_no_provider() -> None:
    """Stripe's library is not even loaded to serve pages; the process knows no key of the worker's."""
    program = "import sys, portal.server; print(sorted({'stripe', 'aiosmtplib'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"
    assert {"STRIPE_API_KEY", "SMTP_URL"}.isdisjoint(fields_by_name(PortalSettings))
