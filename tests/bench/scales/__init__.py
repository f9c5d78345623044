"""What grows, one file each, in the order that `tests/bench/growth` gives them.

A file has SCALE (scale.py), PROGRAMS (what to build) and measure(bench), which yields each step with
its values as soon as they are known.
"""
