"""BIN, the folder of the programs: that of PICTORY_BIN, or else build/check/bin, which is then brought up to date."""

import os
import pathlib
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
