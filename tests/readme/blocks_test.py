"""What counts as a block of the README, and what its marks say."""

import unittest

from blocks import blocks

README = r"""# Title

    first -d '{"a":1}' \
        second   # a word

    third
Text.

```yaml
a:
    b: within fences
```

<!-- not run: costs money -->

    pay

<!-- a comment for writers -->

    free

<!-- run as Python -->

    print()
"""


class Blocks(unittest.TestCase):
    def setUp(self):
        self.found = blocks(README)

    def test_marks_hold_for_the_next_block_alone(self):
        self.assertEqual([(b.line, b.mark, b.reason) for b in self.found],
                         [(3, "run", ""), (16, "not run: costs money", "costs money"), (20, "run", ""),
                          (24, "run as Python", "")])

    def test_commands_go_on_after_a_backslash_and_across_empty_lines(self):
        self.assertEqual(self.found[0].commands(), ["first -d '{\"a\":1}' second   # a word", "third"])

    def test_a_block_ends_with_the_file(self):
        self.assertEqual(blocks("    last")[0].text, "last\n")


if __name__ == "__main__":
    unittest.main()
