"""Completion as people meet it: real bash, zsh and fish on a terminal, who ask the real command and a real gateway."""

import contextlib
import fcntl
import os
import pathlib
import select
import shutil
import subprocess
import tempfile
import termios
import unittest

import find_live  # noqa: F401
from live.gateway import Gateway
from live.process import DEADLINE_SECONDS, environment, wait_until
from live.programs import BIN

# `got` writes its arguments to a file, each ended by a NUL.
BASH = r"""
PS1=; got() { printf '%s\0' "$@" >got.new; mv got.new got; }
source <(pictory completion bash)
_offered() { _pictory; printf '%s\n' "${COMPREPLY[@]}" >offered.new; mv offered.new offered; COMPREPLY=(); compopt +o default; }
"""
ZSH = r"""
PS1=; got() { printf '%s\0' "$@" >got.new; mv got.new got; }
autoload -Uz compinit; compinit -u -D
source <(pictory completion zsh)
functions -c _pictory _real
_offered() {
  compadd() { (( ! $+values )) || printf '%s\n' "${values[@]}" >offered.new }
  : >offered.new; _real; unfunction compadd; mv offered.new offered
}
"""
FISH = r"""
function fish_prompt; end; function fish_greeting; end
function got; printf '%s\0' $argv >got.new; mv got.new got; end
pictory completion fish | source
"""


class Shell:
    """An interactive shell on a terminal, in a folder of its own."""

    COMMANDS = {"bash": ["bash", "--norc", "--noprofile", "-i"], "zsh": ["zsh", "-f", "-i"],
                "fish": ["fish", "--no-config", "-i"]}
    BEGIN = {"bash": BASH, "zsh": ZSH, "fish": FISH}

    def __init__(self, name, folder, env):
        self.name, self.folder, self.env = name, folder, env
        self.terminal, theirs = os.openpty()
        self.process = subprocess.Popen(self.COMMANDS[name], env=env, cwd=folder, stdin=theirs, stdout=theirs,
                                        stderr=theirs, start_new_session=True,
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(theirs)
        self.shown = b""
        (folder / "begin").write_text(self.BEGIN[name])
        self.type(". ./begin\ngot ready\n")
        try:
            self.take("got")
        except AssertionError:
            self.end()
            raise
        (folder / "begin").unlink()

    def type(self, text):
        os.write(self.terminal, text.encode())

    def look(self):
        while select.select([self.terminal], [], [], 0)[0]:
            self.shown += os.read(self.terminal, 65536)

    def see(self, text):
        """Waits for what the shell shows. With keys waiting behind a tabulator some show no list."""
        def there():
            self.look()
            return text.encode() in self.shown
        wait_until(there, f"{text} on the terminal of {self.name}")

    def take(self, name):
        """What the shell writes to a file."""
        file = self.folder / name

        def there():
            self.look()
            return file.exists()
        try:
            wait_until(there, name)
        except (AssertionError, OSError):
            raise AssertionError(f"{self.name} wrote no {name}; it showed at last {self.shown[-400:]!r}") from None
        text = file.read_text()
        file.unlink()
        return text

    def completed(self, line):
        """The words of the line after the tabulator key, as the shell would run it."""
        self.type(line + "\t" + "\x01got \n")  # at its beginning
        return self.take("got").split("\0")[:-1]

    def offered(self, line):
        """The words that are offered for the last one."""
        if self.name == "fish":  # has a way to ask
            done = subprocess.run(["fish", "--no-config", "-c", "pictory completion fish | source; complete -C $argv[1]",
                                   line], env=self.env, cwd=self.folder, text=True, capture_output=True,
                                  timeout=DEADLINE_SECONDS)
            return [each.split("\t")[0] for each in done.stdout.splitlines()]
        use = {"bash": "complete -F {} pictory\n", "zsh": "compdef {} pictory\n"}[self.name]
        self.type(use.format("_offered") + line + "\t")
        said = self.take("offered").split()
        self.type("\x15" + use.format("_pictory"))
        return said

    def end(self):
        self.process.kill()
        self.process.wait()
        os.close(self.terminal)


class Completion:
    """The cases, which hold in each shell."""

    name = None

    @classmethod
    def setUpClass(cls):
        if shutil.which(cls.name) is None:
            raise unittest.SkipTest(f"there is no {cls.name}")
        cls.exits = contextlib.ExitStack()
        cls.addClassCleanup(cls.exits.close)
        state = cls.exits.enter_context(tempfile.TemporaryDirectory())
        cls.g = Gateway(state, speed=20)
        cls.exits.callback(cls.g.end)
        cls.done = cls.g.json("image", "--prompt", "A lake at sunset", "--wait")["jobId"]
        cls.stuck = cls.g.json("preview", "--name", "sandbox-stuck", "--text", "Hello.", "--label",
                               "name=$(touch pwned)\x1b[31m;`touch pwned`")["jobId"]

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        for name in ("films one.jsonl", "ca.pem", "$(touch pwned).json", "slides.pptx"):
            (self.folder / name).touch()
        env = environment({"PATH": f"{BIN}:{os.environ['PATH']}", "HOME": str(self.folder), "TERM": "xterm",
                           "LC_ALL": "C.UTF-8", "PICTORY_GATEWAY": self.g.grpc, "PICTORY_COMPLETION_SECONDS": "20",
                           "XDG_STATE_HOME": str(self.folder / "s"),
                           "XDG_CONFIG_HOME": str(self.folder / "c"), "XDG_DATA_HOME": str(self.folder / "d")})
        self.shell = Shell(self.name, self.folder, env)
        self.addCleanup(self.shell.end)

    def test_words(self):
        for typed, words in {
            "pictory dele": ["pictory", "delete"],
            "pictory --ser": ["pictory", "--server"],
            "pictory list --stat": ["pictory", "list", "--state"],
            "pictory list --state ru": ["pictory", "list", "--state", "running"],
            "pictory list --state=ru": ["pictory", "list", "--state=running"],
            "pictory list -o wi": ["pictory", "list", "-o", "wide"],
            "pictory --color nev": ["pictory", "--color", "never"],
            "pictory preview --aspect-ratio 16:": ["pictory", "preview", "--aspect-ratio", "16:9"],
            "pictory help compl": ["pictory", "help", "completion"],
            "pictory submit fil": ["pictory", "submit", "films one.jsonl"],
            "pictory list --tls-ca=ca": ["pictory", "list", "--tls-ca=ca.pem"],
            "pictory upload sli": ["pictory", "upload", "slides.pptx"],
            "pictory result x -o '$(t": ["pictory", "result", "x", "-o", "$(touch pwned).json"],
            "pictory watch sli": ["pictory", "watch", "sli"],  # no file is meant
            "pictory nonsense --sta": ["pictory", "nonsense", "--sta"],
        }.items():
            with self.subTest(typed):
                self.assertEqual(self.shell.completed(typed), words)
        self.assertIn("transcribe", self.shell.offered("pictory "))
        self.assertEqual(self.shell.offered("pictory list -o "), ["wide", "id", "json"])
        self.assertFalse((self.folder / "pwned").exists())

    def test_jobs(self):
        self.assertEqual(self.shell.offered("pictory watch "), [self.stuck, self.done])
        self.assertEqual(self.shell.offered("pictory open "), [self.done])
        self.assertIn(self.stuck, self.shell.offered(f"pictory render {self.stuck[:4]}"))
        self.assertEqual(self.shell.completed(f"pictory get {self.done[:-1]}"), ["pictory", "get", self.done])
        self.assertEqual(self.shell.completed("pictory update-preview "), ["pictory", "update-preview"])
        self.assertEqual(self.shell.completed(f"pictory --server '{self.g.grpc}' open "),
                         ["pictory", "--server", self.g.grpc, "open", self.done])
        # A word that names another gateway is no command.
        for server in ("127.0.0.1:1", "'$(touch pwned)'", "\\$\\(touch pwned"):
            self.assertEqual(self.shell.offered(f"pictory --server {server} watch "), [])
        # Where there are many, their list is shown, with what they are.
        self.shell.type("pictory watch \t\t\t")
        self.shell.see(self.stuck)
        self.shell.type("\x15got seen\n")
        self.shell.take("got")
        if self.name != "bash":
            self.assertIn(b"preview", self.shell.shown)
        self.assertNotIn(b"\x1b[31m;", self.shell.shown)
        self.assertFalse((self.folder / "pwned").exists())


class Bash(Completion, unittest.TestCase):
    name = "bash"


class Zsh(Completion, unittest.TestCase):
    name = "zsh"


class Fish(Completion, unittest.TestCase):
    name = "fish"


if __name__ == "__main__":
    unittest.main()
