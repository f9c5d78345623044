"""Keys of callers, as the program makes them."""

import re
import subprocess

from live.programs import BIN


def keygen(tenant, name="ci"):
    """The key, and its lines for the file of --tenants."""
    done = subprocess.run([BIN / "pictory-gateway", "keygen", "--tenant", tenant, "--name", name],
                          capture_output=True, text=True, check=True)
    key = re.search(r"^pgk_\S{43}$", done.stdout, re.M).group()
    return key, done.stdout[done.stdout.index("[[tenants."):]
