"""Messages to JSON and back, against plain RapidJSON and against protobuf's json_util."""

from verdict import Figure, Goal

ABOUT = "storyboards to JSON and transcripts from it, against RapidJSON by hand and json_util"
PROGRAMS = ["bench_json"]


def measure(bench):
    rates = bench.benchmark("json")  # MB/s of JSON text

    def figure(name, about, ours, reference, goal):
        return Figure(name, about, "MB/s", rates[ours], rates[reference], goal)

    yield figure("json.write", "Storyboard to JSON, against a writer by hand",
                 "WriteOurs", "WriteByHand", Goal(at_least=0.4, guard=0.2))
    yield figure("json.write-util", "Storyboard to JSON, against json_util",
                 "WriteOurs", "WriteJsonUtil", Goal(at_least=6, guard=3.5))
    yield figure("json.read", "1 MB transcript to a job, against a parse that keeps nothing",
                 "ReadOurs", "ReadBare", Goal(at_least=0.7, guard=0.4))
    yield figure("json.read-basic", "The same as a poll does, without the words",
                 "ReadWithoutWords", "ReadBare", Goal(at_least=0.9, guard=0.6))
    yield figure("json.read-util", "1 MB transcript to a job, against json_util",
                 "ReadOurs", "ReadJsonUtil", Goal(at_least=6, guard=3.5))
