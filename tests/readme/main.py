"""Follows the README and the pages that go on from it: runs each of their blocks as it stands there, in order, in one
shell and against the gateway and sandbox that the README itself starts. What is not run, and why, is listed at the end.

Only JOB is put in: the id of the job before it that the command needs.

    tests/readme/run            from this tree: builds, fetches packages, and writes what the README says into the tree
    tests/readme/run --quick    on what is built, in a folder of its own, on free ports and with a quick sandbox;
                                without what would have to be fetched or compiled. PICTORY_BIN names the programs

Exit 77: something that it needs (grpcurl, jq) is not there.
"""

import argparse
import contextlib
import os
import pathlib
import re
import shutil
import sys
import tempfile
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path[:0] = [str(ROOT / "tests" / "readme"), str(ROOT / "tests" / "support" / "python")]
os.environ.setdefault("PICTORY_BIN", str(ROOT / "build" / "release" / "bin"))

from blocks import blocks  # noqa: E402
from live.gateway import Gateway, gateway  # noqa: E402
from shell import Shell  # noqa: E402

PAGES = ["README.md", *(f"server/docs/{name}.md" for name in ("using", "http", "cli", "operations", "sandbox", "errors", "mesh",
                                                                "kubernetes", "proofs", "performance", "architecture")),
         ".github/CONTRIBUTING.md"]
ADDRESS = "127.0.0.1:50051"
HTTP_ADDRESS = "http://127.0.0.1:8080"
WORDS = (b'[{"id":"SceneText_0001","elementType":"SceneText","type":"text","startTime":0,"duration":2,'
         b'"text":"Other words."}]')
LETTER = b'{"name":"Letter","scenes":[{"sceneId":"s1","sentence":"Dear {{name}},"}]}'
FILES = {"talk.mp4": b"the talk", "slides.pptx": b"the slides", "changes.json": WORDS,
         "letter.pictai": LETTER,
         "films.jsonl": b'{"kind":"image","body":{"prompt":"A lake at sunset"}}\n'}  # a reader's own
KINDS = {"CreatePreview": "preview", "Render": "render", "Transcribe": "transcription",
         "preview": "preview", "render": "render", "transcribe": "transcription"}
# The job that a command's JOB stands for.
NEEDS = {"WatchJob": "preview", "Render": "preview", "UpdatePreview": "preview", "update-preview": "preview", "Summarize": "transcription",
         "render": "preview", "result": "render", "summarize": "transcription", "get": "render"}
# An environment with the same packages, if it was set up.
EXAMPLE = ROOT / "build" / "callers" / "python" / ".venv"


def method(command):
    """Of grpcurl the method, of pictory the command."""
    words = re.search(r"PictoryJobs/(\w+)|^pictory ([\w-]+)", command)
    return words and (words[1] or words[2])


class Reader:
    def __init__(self, folder, quick):
        self.folder, self.quick = folder, quick
        self.shell = Shell(folder)
        self.jobs = {}
        self.http = None
        self.rest = contextlib.ExitStack()
        self.left_out = []
        for name, content in FILES.items():
            (folder / name).write_bytes(content)

    def follow(self, page, block):
        self.page = page
        if block.reason:
            self.leave_out(block, block.reason)
        elif block.mark == "run":
            self.run(block)
        elif block.mark.startswith("run by "):
            self.leave_out(block, block.mark)
        else:
            way, _, kind = block.mark.partition(" with a ")
            if kind:
                block.text = block.text.replace("JOB\"", f"{self.jobs[kind]}\"")
            {"run in the background": self.serve, "run as C++": self.compile, "run as Python": self.python,
             "run as config": self.configure,
             "run as a gateway with HTTP": self.serve_http}[way](block)

    def leave_out(self, block, why):
        self.left_out.append(f"{self.page}:{block.line}: {why}")

    def run(self, block):
        for command in block.commands():
            if self.quick and "-m venv" in command:
                if not EXAMPLE.exists():
                    return self.leave_out(block, "would fetch packages (tests/callers/run --set-up python does)")
                self.leave_out(block, f"{command} (the example's own is there, with the packages)")
                command = f". '{EXAMPLE}/bin/activate'"
            name = method(command)
            if "JOB" in command:
                command = command.replace("JOB", self.jobs[NEEDS[name]])
            command = command.replace(ADDRESS, self.shell.env["PICTORY_GATEWAY"])
            said = self.shell.run(command.replace(HTTP_ADDRESS, self.http or HTTP_ADDRESS))
            if name in KINDS:
                job = re.search(r'"jobId": "(\S+)"|^job\s+(\S+)', said, re.MULTILINE)
                self.jobs[KINDS[name]] = job[1] or job[2]
                self.shell.run(f"pictory wait {self.jobs[KINDS[name]]}")
            self.look_at(command, said)
        return None

    def look_at(self, command, said):
        """Whether what a command leaves behind is what the README promises."""
        if "demo.mp4" in command and (self.folder / "demo.mp4").read_bytes()[4:8] != b"ftyp":
            sys.exit("readme: demo.mp4 is no mp4")
        if "$API" in command and said.strip() in ("", "null") and " -o " not in command and "=$(" not in command:
            sys.exit(f"readme: {command} shows nothing")
        url = said.strip()
        if command.startswith("jq -r .fileUrl") and urllib.request.urlopen(url, timeout=10).read() != FILES["talk.mp4"]:
            sys.exit(f"readme: {url} is not what was uploaded")

    def serve(self, block):
        command, = block.commands()
        if self.quick:
            self.shell.env.update(PICTORY_LISTEN="127.0.0.1:0", PICTORY_ADMIN_LISTEN="127.0.0.1:0",
                                  PICTORY_SANDBOX_SPEED="20", PICTORY_BIN=os.environ["PICTORY_BIN"])
        said = self.shell.background(command, until="curl http://")
        self.shell.env["PICTORY_GATEWAY"] = re.search(r"PICTORY_GATEWAY=(\S+)", said)[1]
        if not self.quick and self.shell.env["PICTORY_GATEWAY"] != ADDRESS:
            sys.exit(f"readme: {command} does not serve at {ADDRESS}")

    def serve_http(self, block):
        command, = block.commands()
        flags = command.replace(HTTP_ADDRESS.removeprefix("http://"), "127.0.0.1:0").split()[1:]
        print(command, flush=True)
        self.http = self.rest.enter_context(gateway(*[f for f in flags if f != "--sandbox"])).http

    def python(self, block):
        if not (self.folder / "pictory").exists():  # the stubs
            return self.leave_out(block, "needs the block before it")
        (self.folder / "block.py").write_text(block.text.replace(ADDRESS, self.shell.env["PICTORY_GATEWAY"]))
        if "JOB_STATE_SUCCEEDED" not in self.shell.run("python block.py"):
            sys.exit("readme: the job of the Python sample did not succeed")
        return None

    def compile(self, block):
        if self.quick:
            return self.leave_out(block, "would be compiled for half a minute")
        lines = block.text.replace(ADDRESS, self.shell.env["PICTORY_GATEWAY"]).splitlines()
        includes = [line for line in lines if line.startswith("#include")]
        body = [line for line in lines if line not in includes]
        project = self.folder / "build" / "readme"
        shutil.rmtree(project, ignore_errors=True)
        shutil.copytree(ROOT / "tests" / "client" / "consumer", project)
        (project / "consumer.cc").write_text("\n".join(
            [*includes, "int main() {", *body, "return done.ok() ? 0 : 1;", "}", ""]))
        self.shell.run("cmake --build --preset release --target pictory_client")
        self.shell.run("cmake --install build/release --component client --prefix build/readme/prefix")
        self.shell.run("cmake -G Ninja -S build/readme -B build/readme/build -DCMAKE_PREFIX_PATH=$PWD/build/readme/prefix")
        self.shell.run("cmake --build build/readme/build && build/readme/build/consumer")
        return None

    def configure(self, block):
        file = self.folder / "gateway.conf"
        file.write_text(block.text)
        file.chmod(0o600)
        print(f"pictory-gateway --config {file.name}", flush=True)
        with tempfile.TemporaryDirectory() as state:
            g = Gateway(state, "--config", file)
            log = g.log.read_text()
            g.end()
        for line in block.text.splitlines():
            setting = re.match(r"(max-\S+) = (\S+)", line)
            if setting and f'"{setting[1]}":"{setting[2]} (' not in log:
                sys.exit(f"readme: {setting[0]} does not hold\n{log}")


@contextlib.contextmanager
def place(quick):
    """The tree itself; or a folder that looks like it, and has the programs where the README has them built."""
    if not quick:
        yield ROOT
        return
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for part in ("cmake", "protos", "client"):
            (folder / part).symlink_to(ROOT / part)
        (folder / "build" / "release").mkdir(parents=True)
        (folder / "build" / "release" / "bin").symlink_to(os.environ["PICTORY_BIN"])
        (folder / "build" / "tools").symlink_to(ROOT / "build" / "tools")
        yield folder


def main():
    parser = argparse.ArgumentParser(prog="tests/readme/run", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="on what is built")
    quick = parser.parse_args().quick
    tools = os.pathsep.join([str(ROOT / "build" / "tools" / "bin"), os.environ["PATH"]])
    missing = [name for name in ("grpcurl", "jq", "curl") if shutil.which(name, path=tools) is None]
    if missing:
        print(f"readme: there is no {' and no '.join(missing)} (cmake/grpcurl, cmake/install-deps --tests)")
        return 77
    with place(quick) as folder:
        reader = Reader(folder, quick)
        try:
            for page in PAGES:
                for block in blocks((ROOT / page).read_text()):
                    reader.follow(page, block)
        finally:
            reader.shell.end()
            reader.rest.close()
    print("", "Not run:", *reader.left_out, sep="\n")
    wanted = set(KINDS.values())
    if set(reader.jobs) != wanted:
        sys.exit(f"readme: they show no {', '.join(wanted - set(reader.jobs))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
