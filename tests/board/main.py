"""See run."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests" / "support" / "python"))
os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")

from live import rows  # noqa: E402
from live.gateway import Gateway  # noqa: E402
from live.programs import BIN  # noqa: E402
from live.rig import Rig  # noqa: E402
from live.rows import Outcome, Row  # noqa: E402
from live.tenants import keygen  # noqa: E402

WORK = ROOT / "build" / "board"
RUN_SECONDS = 300
HTTP = ("--http-listen", "127.0.0.1:0")
# Of the time that the page's own thread works in a sixtieth of a second, in which all else has to be done too.
BUSY_95_MS, FRAMES_LEAST = 8, 55


def node(folder, script, *args, **env):
    tools = ["pictory", "curl"] + (["grpcurl"] if shutil.which("grpcurl", path=path()) else [])
    done = subprocess.run(["node", WORK / script, *map(str, args)], capture_output=True, text=True, timeout=RUN_SECONDS,
                          env={**os.environ, "PATH": path(), "BOARD_ROOT": str(ROOT), "BOARD_SCRATCH": str(folder),
                               "BOARD_TOOLS": " ".join(tools), **env})
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return json.loads(done.stdout)


def path():
    return f"{ROOT}/build/tools/bin:{os.environ['PATH']}"


def outcome(told, seen=""):
    return Outcome(not told["wrong"], seen or f"{told['looked']} things", told["wrong"])


def alone(script):
    return lambda folder, options: outcome(node(folder, script))


def house(folder, *flags, **kwargs):
    state = folder / "state"
    state.mkdir()
    return Gateway(state, *HTTP, *flags, **kwargs)


def story(folder, by):
    g = house(folder, speed=5)
    try:
        told = node(folder, "story.js", f"{g.http}/", by)
        paid = [entry["path"] for entry in g.pages.accepted() if not entry["path"].endswith("/clean")]
        wanted = ["/v2/video/storyboard", "/v2/video/render", "/v1/aistudio/images", "/v2/transcription", "/v2/transcription"]
        if len(paid) != len(wanted) or not all(map(str.startswith, paid, wanted)):
            told["wrong"].append(f"paid for {paid}")
        return outcome(told)
    finally:
        g.end()


def shell(folder, options):
    archive = folder / "archive"
    archive.mkdir()
    g = house(folder, "--archive-dir", archive, "--archive-min-free-mib", "0")
    try:
        return outcome(node(folder, "shell.js", f"{g.http}/", g.grpc, BIN))
    finally:
        g.end()


def identified(folder, options):
    """Two tenants, of which each sees its own; and one who may only read."""
    acme, acme_lines = keygen("acme")
    other, other_lines = keygen("other")
    tenants = folder / "tenants.toml"
    tenants.write_text(f'[tenants.acme]\nroles = ["read", "submit", "operate"]\n{acme_lines}\n[tenants.other]\nroles = ["read"]\n{other_lines}\n')
    g = house(folder, "--tenants", tenants, env={"PICTORY_API_KEY": "pictai_board"})
    try:
        g.json("image", "--prompt", "A lake at sunset", "--wait", key=acme)
        return outcome(node(folder, "identified.js", f"{g.http}/", acme, other))
    finally:
        g.end()


def unconfirmed(folder, options):
    """A submit whose answer was lost, which a person resolves on the board; and one that is given up."""
    with Rig(folder) as rig:
        sandbox = rig.sandbox("--speed", "20")
        g = rig.gateway(sandbox.url, *HTTP)
        sandbox.fault("reset", times=2, act=True)
        for name in ("first", "second"):
            g.run("preview", "--name", name, "--text", "Hello there.", "--request-id", name)
        return outcome(node(folder, "unconfirmed.js", f"{g.http}/"))


def restart(folder, options):
    """The gateway is killed while the board is open; it goes on by itself."""
    g = house(folder, speed=1)
    try:
        port = g.http.rpartition(":")[2]
        browser = subprocess.Popen(["node", WORK / "restart.js", f"{g.http}/"], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, text=True, env={**os.environ, "BOARD_ROOT": str(ROOT)})
        try:
            assert browser.stdout.readline() == "live\n"
            g.process.kill()
            g.process.wait()
            assert browser.stdout.readline() == "reconnecting\n"
            g.flags[g.flags.index("127.0.0.1:0")] = f"127.0.0.1:{port}"
            g.start()
            return outcome(json.loads(browser.communicate(timeout=RUN_SECONDS)[0]))
        finally:
            browser.kill()
            browser.wait()
    finally:
        g.end()


def looks(folder, options):
    pictures = pathlib.Path(options.pictures) if options.pictures else folder
    pictures.mkdir(exist_ok=True)
    return outcome(node(folder, "looks.js", pictures))


def frames(folder, options):
    told = node(folder, "frames.js", 5 if options.quick else 10)
    if told["drawnPerSecond"] < FRAMES_LEAST:
        told["wrong"].append(f"fewer than {FRAMES_LEAST} frames drawn in a second")
    if told["busy95Ms"] > BUSY_95_MS:
        told["wrong"].append(f"the page's thread works more than {BUSY_95_MS} ms in one frame of 20")
    figures = {name: value for name, value in told.items() if name not in ("wrong", "looked")}
    return Outcome(not told["wrong"], f"{told['drawnPerSecond']} frames drawn a second, busy {told['busy95Ms']} ms of 16.7",
                   told["wrong"] or [json.dumps(figures)])


ROWS = [
    Row("story", "a person submits, watches, plays, reads, filters and deletes",
        lambda folder, options: story(folder, "mouse")),
    Row("keys", "the same without a mouse", lambda folder, options: story(folder, "keys")),
    Row("keyboard", "a long list, a decision and the focus without a mouse", alone("keyboard.js")),
    Row("states", "nothing there, gateway away, refused, no role: said in words", alone("states.js")),
    Row("estimates", "when a job may end, and what stands still, as time passes", alone("estimates.js")),
    Row("restart", "the gateway is killed and comes again", restart),
    Row("identified", "two tenants with keys, one of which may only read", identified),
    Row("unconfirmed", "lost answers, resolved and given up on the board", unconfirmed),
    Row("canaries", "hostile texts and links, and the policy by itself", alone("canaries.js")),
    Row("shell", "what is copied, run in bash and zsh", shell),
    Row("looks", "axe, and nothing cut off, at two widths, light and dark", looks),
    Row("frames", "1,000 moving jobs at 60 frames a second, by Chromium's trace", frames),
]


def main():
    command = "tests/board/run"
    options = rows.arguments(command, __doc__, ROWS, [("--pictures", {"metavar": "DIR"})])
    return rows.main(command, ROWS, options)


if __name__ == "__main__":
    sys.exit(main())
