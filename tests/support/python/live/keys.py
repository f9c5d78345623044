"""API keys for the gateway, made by the program."""

import re
import subprocess

from live.programs import BIN


def keygen(*args):
    """The key, and its lines for the file."""
    done = subprocess.run([BIN / "pictory-gateway", "keygen", *args], capture_output=True, text=True, check=True)
    key = re.search(r"^pgk_\S{43}$", done.stdout, re.M).group()
    return key, done.stdout[done.stdout.index("[[tenants."):]
