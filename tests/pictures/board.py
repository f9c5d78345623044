"""The board, as Chromium shows it at a real gateway with its sandbox: jobs in several states, and a film."""

import os
import subprocess
import sys

from svg import PICTURES, ROOT

sys.path.append(str(ROOT / "tests" / "support" / "python"))

from live.gateway import gateway  # noqa: E402

JOBS = [
    ("preview", ["--name", "spring", "--text", "Spring is here. The gateway takes its story."], "news", "spring"),
    ("preview", ["--name", "sandbox-fail", "--text", "This one goes wrong."], "sport", "final"),
    ("transcribe", ["https://media.example.com/talk.mp4"], "news", "talk"),
    ("image", ["--prompt", "A lake at sunset"], "travel", "lakes"),
    ("preview", ["--name", "sandbox-stuck", "--text", "This one takes long."], "travel", "alps"),
    ("preview", ["--name", "x sandbox-stuck", "--text", "This one takes long."], "sport", "cup"),
]


def main():
    work = ROOT / "build" / "board"
    with gateway("--http-listen", "127.0.0.1:0", speed=20) as g:
        for kind, words, team, film in JOBS:
            waits = [] if any("stuck" in word for word in words) else ["--wait"]
            g.run(kind, *words, "--label", f"team={team}", "--label", f"film={film}", *waits, "--json")
        preview = g.json("list", "--label", "film=spring")["jobId"]
        for _ in range(2):  # the second time it is the same job
            render = g.json("render", preview, "--request-id", "film-7", "--label", "team=news", "--label", "film=spring",
                            "--wait")["jobId"]
        g.pages.fault("reset", times=1, act=True)  # its answer is lost
        g.run("preview", "--name", "lost", "--text", "Where has it gone?", "--label", "team=sport", "--label", "film=relay")
        subprocess.run(["node", work / "picture.js", f"{g.http}/#/jobs/{render}", PICTURES / "board.png"], check=True,
                       env={**os.environ, "BOARD_ROOT": str(ROOT)})


if __name__ == "__main__":
    PICTURES.mkdir(exist_ok=True)
    main()
