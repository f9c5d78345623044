"""Boxes and arrows as SVG, in the colours of the reader's system."""

import html
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
PICTURES = ROOT / "server" / "docs" / "pictures"

STYLE = """
text { font: 14px system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif; fill: #1f2330; }
.small { font-size: 12px; fill: #5b6170; }
.box { fill: #fff; stroke: #9aa1b1; stroke-width: 1.5; }
.line { fill: none; stroke: #7b8294; stroke-width: 1.5; marker-end: url(#tip); }
#tip path { fill: #7b8294; }
.good { stroke: #11683a; } .bad { stroke: #b3151c; } .doubt { stroke: #b46900; } .busy { stroke: #1d4ed8; }
.held { stroke: #6d28d9; } .ours { stroke: #4338ca; stroke-width: 2.5; }
.page { fill: #f6f6f9; }
@media (prefers-color-scheme: dark) {
  text { fill: #e9ebf1; } .small { fill: #a4abbb; } .box { fill: #1b1f29; } .page { fill: #0f1117; }
  .good { stroke: #6ee7a0; } .bad { stroke: #ff9d9d; } .doubt { stroke: #fbbf24; } .busy { stroke: #8cb4ff; }
  .held { stroke: #c4a7fb; } .ours { stroke: #a5b4fc; } .line { stroke: #99a1b3; } #tip path { fill: #99a1b3; }
}
"""


class Drawing:
    def __init__(self, width, height, title):
        self.size, self.title, self.parts, self.boxes = (width, height), title, [], {}

    def box(self, name, x, y, tone="", below="", width=150, height=44):
        """`name` is what it is called by arrows too; `below` is a smaller line in it."""
        self.boxes[name] = (x, y, width, height)
        self.parts.append(f'<rect class="box {tone}" x="{x}" y="{y}" width="{width}" height="{height}" rx="10"/>')
        lines = below.split("\n") if below else []
        top = y + height / 2 + 5 - 8 * len(lines)
        self.text(x + width / 2, top, name)
        for number, line in enumerate(lines, 1):
            self.text(x + width / 2, top + 16 * number, line, small=True)

    def text(self, x, y, words, small=False, anchor="middle"):
        kind = ' class="small"' if small else ""
        self.parts.append(f'<text{kind} x="{x}" y="{y}" text-anchor="{anchor}">{html.escape(words)}</text>')

    def line(self, *points):
        path = "M" + " L".join(f"{x} {y}" for x, y in points)
        self.parts.append(f'<path class="line" d="{path}"/>')

    def side(self, name, where, shift=0):
        """A point on the edge of a box: left, right, top or bottom."""
        x, y, width, height = self.boxes[name]
        return {"left": (x, y + height / 2 + shift), "right": (x + width, y + height / 2 + shift),
                "top": (x + width / 2 + shift, y), "bottom": (x + width / 2 + shift, y + height)}[where]

    def write(self, name):
        PICTURES.mkdir(exist_ok=True)
        width, height = self.size
        marker = ('<marker id="tip" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="8" markerHeight="8" '
                  'orient="auto-start-reverse"><path d="M0 0 L8 4 L0 8z"/></marker>')
        (PICTURES / name).write_text(
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">\n'
            f"<title>{html.escape(self.title)}</title>\n<style>{STYLE}</style>\n<defs>{marker}</defs>\n"
            f'<rect class="page" width="{width}" height="{height}" rx="14"/>\n' + "\n".join(self.parts) + "\n</svg>\n")
