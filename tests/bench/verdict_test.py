"""The arithmetic of the benchmark house."""

import unittest

from verdict import Figure, Goal, in_windows, number, readme


def figure(ours, reference, goal):
    return Figure("name", "What it is", "calls/s", ours, reference, goal)


class Verdict(unittest.TestCase):
    def test_the_ratio_is_the_median_of_the_rounds_not_of_the_sides(self):
        # The machine was three times slower in the second round, for both.
        seen = figure([90, 30, 80], [100, 30, 100], Goal(at_least=0.8))
        self.assertEqual(seen.ratios, [0.9, 1.0, 0.8])
        self.assertEqual(seen.ratio, 0.9)

    def test_at_least(self):
        self.assertEqual(figure([80], [100], Goal(at_least=0.8)).verdict, "met")
        self.assertEqual(figure([79], [100], Goal(at_least=0.8)).verdict, "short")

    def test_at_most(self):
        self.assertEqual(figure([130], [100], Goal(at_most=1.3)).verdict, "met")
        self.assertEqual(figure([131], [100], Goal(at_most=1.3)).verdict, "short")

    def test_an_absolute_goal_is_about_ours_alone(self):
        self.assertEqual(figure([25], [1], Goal(at_most=25, absolute=True)).verdict, "met")
        self.assertEqual(figure([26], [1000], Goal(at_most=25, absolute=True)).verdict, "short")

    def test_the_guard_is_another_bound_than_the_goal(self):
        goal = Goal(at_least=0.8, guard=0.5)
        self.assertTrue(figure([60], [100], goal).guarded)
        self.assertFalse(figure([49], [100], goal).guarded)
        self.assertFalse(figure([3], [1], Goal(at_most=1, guard=2)).guarded)
        self.assertTrue(figure([1], [1000], Goal(at_least=0.8)).guarded)

    def test_runs_come_in_pairs(self):
        with self.assertRaises(ValueError):
            figure([1, 2], [1], Goal(at_least=1))
        with self.assertRaises(ValueError):
            figure([], [], Goal(at_least=1))

    def test_a_goal_has_one_bound(self):
        with self.assertRaises(ValueError):
            Goal()
        with self.assertRaises(ValueError):
            Goal(at_least=1, at_most=2)

    def test_the_line(self):
        line = figure([81, 90, 85], [100, 100, 100], Goal(at_least=0.8)).line()
        self.assertEqual(line, "FIGURE name 85 100 0.85 ≥0.8× met unit=calls/s runs=3 ratios=0.81–0.9")

    def test_the_table(self):
        rows = readme([figure([50_000], [100_000], Goal(at_least=0.8))])
        self.assertEqual(rows[2], "| What it is | 50 000 calls/s | 100 000 calls/s | 0.5 (0.5–0.5) | "
                                  "≥ 0.8 × | short |")

    def test_numbers(self):
        self.assertEqual([number(x) for x in (0, 0.01234, 1.236, 12.36, 123.6, 1234567)],
                         ["0", "0.0123", "1.24", "12.4", "124", "1 234 567"])

    def test_the_most_and_the_least_in_any_window(self):
        def seen(times, began, ended):  # a window of ten
            return in_windows(times, began, ended, 10e-9)

        self.assertEqual(seen([0, 9, 10, 15], 0, 30), (3, 0))  # 6 to 16; 20 to 30
        self.assertEqual(seen([0, 10, 20], 0, 30), (1, 1))  # the end is the next window's
        self.assertEqual(seen([5, 6, 7], 0, 12), (3, 3))
        self.assertEqual(seen([-1, 5, 40], 0, 20), (1, 0))  # what is outside does not count
        self.assertEqual(seen([], 0, 20), (0, 0))


if __name__ == "__main__":
    unittest.main()
