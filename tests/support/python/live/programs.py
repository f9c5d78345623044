"""BIN, the folder of the programs: that of PICTORY_BIN, or else build/check/bin, which is then brought up to date."""

import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[4]
TARGETS = ["pictory-gateway", "pictory", "load", "insist", "flood"]

if "PICTORY_BIN" not in os.environ:
    takes = f"{pathlib.Path(sys.argv[0]).name} takes at most five minutes, mostly less than one."
    if subprocess.run([ROOT / "cmake" / "prepare", takes, "--tests", "check", *TARGETS]).returncode != 0:
        sys.exit(1)
    os.environ["PICTORY_BIN"] = str(ROOT / "build" / "check" / "bin")
BIN = pathlib.Path(os.environ["PICTORY_BIN"])


def grpc_version():
    """Of the library that the gateway is built with, such as (1, 51)."""
    said = subprocess.run([BIN / "pictory-gateway", "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(int(number) for number in re.search(r"gRPC (\d+)\.(\d+)", said).groups())
