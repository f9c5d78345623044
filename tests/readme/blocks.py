"""The blocks of a page: what stands indented by four, but between fences, and how it is to be run.

A comment in front of a block, which no reader sees, says what is not run and why (`<!-- not run: REASON -->`), or how
(`<!-- run as Python -->`, and with which job in the place of JOB: `<!-- run as Python with a preview -->`). A block without
one is a list of commands for bash."""

import dataclasses
import re

MARK = re.compile(r"<!-- (not run: .+|run.*) -->")


@dataclasses.dataclass
class Block:
    line: int  # of its first line
    mark: str  # "run" if there is none
    text: str

    @property
    def reason(self):
        """Why it is not run; empty if it is."""
        return self.mark.removeprefix("not run: ") if self.mark.startswith("not run: ") else ""

    def commands(self):
        """One for each line; those that end in a backslash go on in the next."""
        return [line for line in re.sub(r"\\\n\s*", "", self.text).splitlines() if line.strip()]


def blocks(readme):
    found, mark, lines, fenced = [], "", [], False
    for number, line in enumerate([*readme.splitlines(), ""], 1):
        fenced ^= line.startswith("```")
        if not fenced and line.startswith("    ") or (lines and not line):
            lines.append(line[4:])
            continue
        if lines:  # a line that is neither ends a block
            found.append(block(number - len(lines), mark, lines))
            mark, lines = "", []
        if line:
            marked = MARK.fullmatch(line)
            mark = marked.group(1) if marked else ""
    if lines:
        found.append(block(number + 1 - len(lines), mark, lines))
    return found


def block(line, mark, lines):
    return Block(line, mark or "run", "\n".join(lines).strip("\n") + "\n")
