"""The arithmetic of the growth tables, and their picture."""

import unittest
from xml.etree import ElementTree

import plot
from scale import Column, Scale


def scale(beside=None):
    return Scale("jobs", "Jobs in memory", "jobs",
                 [Column("kib", "Memory", "KiB", "Memory"), Column("cpu", "CPU", "µs")], beside)


class Table(unittest.TestCase):
    def test_a_row_a_step(self):
        seen = scale()
        seen.add(1000, {"kib": 1.234, "cpu": 20})
        seen.add(1_000_000, {"kib": 1234.4, "cpu": 21})
        self.assertEqual(seen.markdown(), [
            "Jobs in memory:", "", "| Jobs | Memory, KiB | CPU, µs |", "| -- | -- | -- |",
            "| 1 000 | 1.23 | 20 |", "| 1 000 000 | 1 234 | 21 |"])
        self.assertEqual(seen.line(1_000_000), "GROWTH jobs 1000000 kib=1234 cpu=21")

    def test_beside_another_the_ratio_is_told(self):
        seen = scale("none")
        seen.add(10, {"kib": (3, 2), "cpu": (4, 4)})
        self.assertEqual(seen.markdown()[-1], "| 10 | 3 (1.5 ×) | 4 (1 ×) |")
        self.assertEqual(seen.line(10), "GROWTH jobs 10 kib=3/2 cpu=4/4")

    def test_every_column_needs_a_value(self):
        with self.assertRaisesRegex(ValueError, "jobs: cpu"):
            scale().add(1, {"kib": 1})


class Axis(unittest.TestCase):
    def test_it_begins_at_0_and_ends_above_the_most(self):
        self.assertEqual(plot.ticks([3, 17], log=False), [0, 5, 10, 15, 20])
        self.assertEqual(plot.ticks([8], log=False), [0, 2, 4, 6, 8])
        self.assertEqual(plot.ticks([0.0], log=False), [0, 1])

    def test_it_takes_in_whole_powers_of_ten(self):
        self.assertEqual(plot.ticks([4.2, 3000], log=True), [1, 10, 100, 1000, 10_000])
        self.assertEqual(plot.ticks([10], log=True), [10, 100])

    def test_steps_stand_by_their_logarithm_and_0_as_far_before_them(self):
        self.assertEqual(plot.places([10, 100, 1000]), [0, 0.5, 1])
        self.assertEqual(plot.places([0, 10, 100]), [0, 0.5, 1])

    def test_steps_are_shortened(self):
        self.assertEqual([plot.short(step) for step in (0, 500, 10_000, 2_500_000)],
                         ["0", "500", "10k", "2.5M"])


class Picture(unittest.TestCase):
    def test_every_value_is_a_dot_and_what_is_shown_only_in_the_table_is_not(self):
        seen = scale("none")
        seen.add(0, {"kib": (1, 2), "cpu": (4, 4)})
        seen.add(10, {"kib": (3, 2), "cpu": (4, 4)})
        root = ElementTree.fromstring(plot.svg([seen.row(), seen.row()], "<What> it is"))
        tag = "{http://www.w3.org/2000/svg}"
        dots = root.findall(f"{tag}circle")
        self.assertEqual(len(dots), 8)
        # Twice as much is half as far from the top; 3 is the end of the axis.
        first, second = (float(dot.get("cy")) for dot in dots[:2])
        self.assertLess(second, first)
        self.assertEqual(root.find(f"{tag}title").text, "<What> it is")


if __name__ == "__main__":
    unittest.main()
