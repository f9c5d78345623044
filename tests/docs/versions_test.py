"""The version has one place, the top CMakeLists.txt. Where it has to be repeated it is the same."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def found(path, pattern):
    return re.findall(pattern, (ROOT / path).read_text(), re.MULTILINE)


class Versions(unittest.TestCase):
    def setUp(self):
        [self.version] = found("CMakeLists.txt", r"^project\(PictoryJobs VERSION (\d+\.\d+\.\d+) ")

    def test_the_chart(self):
        self.assertEqual(found("server/deploy/helm/Chart.yaml", r"^version: (\S+)"), [self.version])
        self.assertEqual(found("server/deploy/helm/Chart.yaml", r'^appVersion: "(\S+)"'), [self.version])

    def test_the_changelog_begins_with_it(self):
        self.assertEqual(found("server/docs/changelog.md", r"^## (\S+)")[0], self.version)

    def test_examples_that_name_it(self):
        named = found("server/docs/operations.md", r"pictory-gateway:(\d[\d.]+)")
        self.assertEqual(set(named), {self.version})
        [minor] = set(found("server/docs/compatibility.md", r"find_package\(PictoryJobs ([\d.]+)\)"))
        self.assertEqual(minor, self.version.rpartition(".")[0])

    def test_the_store(self):
        [said] = found("server/docs/compatibility.md", r"its schema has version (\d+) now")
        [steps] = [re.findall(r"\{(\d+), kVersion", text) for text in
                   found("server/store/schema.cc", r"migrations = \{([^;]*);")]
        self.assertEqual(said, steps[-1])


if __name__ == "__main__":
    unittest.main()
