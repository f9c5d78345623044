"""What grows, one file each. `tests/bench/growth` finds every file of this folder by itself.

A file has SCALE (scale.py), PROGRAMS (what to build) and measure(bench), which yields each step with
its values as soon as they are known.
"""
