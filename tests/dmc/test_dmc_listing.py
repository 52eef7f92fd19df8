"""What must be installed beside the package is said where environments are listed."""

from __future__ import annotations

import subprocess
import sys


def test_listing_says_what_pixels_need():
    command = [sys.executable, "-m", "harness", "list", "environments"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "dm_control requires EnvPool" in listed and "libosmesa6" in listed
