"""A small model of a terminal: what is on it after some bytes, and after its window changed."""

import re
import unicodedata

# Printed text, a control character, or a control sequence.
TOKEN = re.compile(r"\x1b\[(\??)(\d*)([A-Za-z])|([\r\n])|([^\x1b\r\n]+)")


def width(character):
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


class Screen:
    """`reflow`: whether it breaks lines anew when it becomes narrower, as most do, or cuts them off,
    as xterm does. Above its first row there is no end to it."""

    def __init__(self, columns, reflow):
        self.columns = columns
        self.reflow = reflow
        self.rows = [[]]  # of cells; the second one of a wide character is empty
        self.goes_on = [False]  # whether a row was broken, and the next one is the rest of it
        self.row = self.column = 0
        self.wraps = True
        self.broken = 0  # lines, by printing

    def feed(self, text):
        at = 0
        while at < len(text):
            token = TOKEN.match(text, at)
            if token is None:
                raise AssertionError(f"the model does not know {text[at:at + 20]!r}")
            at = token.end()
            private, number, command, control, printed = token.groups()
            if printed:
                for character in printed:
                    self._put(character)
            elif control == "\r":
                self.column = 0
            elif control == "\n":
                self._down()
            elif command == "J" and not private and number in ("", "0"):
                del self.rows[self.row + 1:], self.goes_on[self.row + 1:]
                del self.rows[self.row][self.column:]
                self.goes_on[self.row] = False
            elif command == "A" and not private:
                self.row = max(0, self.row - int(number or 1))
            elif private and number == "7" and command in "hl":
                self.wraps = command == "h"
            else:
                raise AssertionError(f"the model does not know {token.group()!r}")

    def _down(self):
        self.row += 1
        if self.row == len(self.rows):
            self.rows.append([])
            self.goes_on.append(False)

    def _put(self, character):
        columns = width(character)
        if columns == 0:
            return
        if self.column + columns > self.columns:
            if self.wraps:
                self.broken += 1
                self.goes_on[self.row] = True
                self._down()
                self.column = 0
            else:
                self.column = self.columns - columns
        row = self.rows[self.row]
        row.extend(" " * (self.column - len(row)))
        row[self.column:self.column + columns] = [character] + [""] * (columns - 1)
        self.column += columns

    def resize(self, columns):
        self.columns = columns
        if not self.reflow:
            for row in self.rows:
                del row[columns:]
            self.column = min(self.column, columns - 1)
            return
        rows, goes_on, cursor = [], [], None
        line, at = [], None  # a whole line, and where the cursor is in it
        for i, row in enumerate(self.rows):
            if i == self.row:
                at = len(line) + self.column
            line += row
            if self.goes_on[i]:
                continue
            first = len(rows)
            pieces = [line[j:j + columns] for j in range(0, len(line), columns)] or [[]]
            rows += pieces
            goes_on += [True] * (len(pieces) - 1) + [False]
            if at is not None:
                piece = min(at // columns, len(pieces) - 1)
                cursor = first + piece, min(at - piece * columns, columns - 1)
            line, at = [], None
        self.rows, self.goes_on = rows, goes_on
        self.row, self.column = cursor

    def text(self):
        """The rows up to the last that has something."""
        lines = ["".join(row).rstrip() for row in self.rows]
        while lines and not lines[-1]:
            lines.pop()
        return lines
