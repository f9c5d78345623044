"""Imported for what it does: the scripts of this folder find the package `live` of tests/support/python."""

import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "support" / "python"))
