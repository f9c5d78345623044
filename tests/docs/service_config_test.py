"""The service config of the clients, and those clients that read none and say the same in their own words."""

import json
import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CLIENT = ROOT / "client"
PACKAGES = CLIENT / "packages"
SERVICE = "pictory.jobs.v1.PictoryJobs"


def only(path, pattern):
    """What the one match of the pattern in a file names."""
    [found] = re.findall(pattern, path.read_text(), re.MULTILINE)
    return found


def snake(name):
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


class ServiceConfig(unittest.TestCase):
    def setUp(self):
        config = json.loads((CLIENT / "service_config.json").read_text())
        [self.policy] = [each for each in config["methodConfig"] if "retryPolicy" in each]
        [self.streams] = [each for each in config["methodConfig"][1:] if "timeout" not in each]

    def names(self, methods):
        self.assertEqual({name["service"] for name in methods["name"]}, {SERVICE})
        return [name["method"] for name in methods["name"]]

    def test_it_names_methods_that_there_are_and_all_streams(self):
        calls = re.findall(r"^  rpc (\w+)\(\w+\) returns \((stream )?", (
            ROOT / "protos/pictory/jobs/v1/pictory_jobs.proto").read_text(), re.MULTILINE)
        self.assertEqual(set(self.names(self.streams)), {name for name, stream in calls if stream})
        self.assertLessEqual(set(self.names(self.policy)), {name for name, stream in calls if not stream})

    def test_connect_and_tonic_repeat_the_same_reads(self):
        reads = {snake(name) for name in self.names(self.policy)}
        connect = only(PACKAGES / "connect/src/calls.ts", r"^const READS = \[(.*)\];$")
        self.assertEqual({snake(name) for name in re.findall(r"'(\w+)'", connect)}, reads)
        tonic = (PACKAGES / "rust/src/calls.rs").read_text()
        self.assertEqual(set(re.findall(r"^    Read (\w+)\(", tonic, re.MULTILINE)), reads)

    def test_all_make_as_many_attempts(self):
        attempts = {path: int(only(PACKAGES / path, r"\b(?:ATTEMPTS|attempts)\b(?:: u32)?\s+?= (\d+)\b")) for path in (
            "connect/src/patience.ts", "rust/src/limits.rs", "node/patience.js", "python/pictory_jobs/patience.py",
            "go/patience.go", "java/src/main/java/ai/pictory/jobs/Limits.java")}
        attempts["C++"] = int(only(CLIENT / "include/pictory_jobs/options.h", r"\bmax_attempts = (\d+);"))
        self.assertEqual(set(attempts.values()), {self.policy["retryPolicy"]["maxAttempts"]}, attempts)


if __name__ == "__main__":
    unittest.main()
