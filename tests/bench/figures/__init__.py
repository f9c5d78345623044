"""The figures, one file each. `tests/bench/run` finds every file of this folder by itself.

A figure's file has

    ABOUT     one line for `run --help`
    PROGRAMS  the build targets it starts
    def measure(bench):  yields Figure objects (verdict.py); may call bench.note(lines) for tables
                         beyond them, and bench.leave_out(what) for what a missing tool forbids
    def prepare():  may be there, to build what CMake does not

`bench` (house.py) starts programs on loopback, on ports the system chooses, and ends them when
measure() is over, however that comes. It says how long to measure (bench.seconds), how often
(bench.runs) and whether time is short (bench.quick).

The rules that make a figure worth something:

* It is a ratio to a reference of our own (reference/), which does the least that the work needs and
  runs in the same round: ours, reference, ours, reference … The machine is never quiet, so what is
  compared must have seen the same noise.
* CPU of the server for one unit of work comes before the wall clock, which the load programs and
  everybody else on the machine share.
* The load is the same program for both sides, and the messages have the same sizes.
* Everything is bounded: in time, in count, and in what it leaves behind, which is nothing.

What grows with numbers is measured by tests/bench/growth, what happens in trouble by tests/trouble/run.
"""
