"""The pages of the manual: well formed, with all that the help has, and installed with the scripts of the shells."""

import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import find_live  # noqa: F401
from live.process import environment
from live.programs import BIN

BUILD = pathlib.Path(BIN).parent
PAGES = sorted((BUILD / "share" / "man").glob("man*/*.[18]"))
FLAG = re.compile(r"(?<![\w-])(--?[a-z][\w.-]*)")


def run(*command):
    done = subprocess.run([str(each) for each in command], text=True, capture_output=True, timeout=120,
                          env=environment())
    if done.returncode:
        raise AssertionError(f"{command}: {done.stdout}{done.stderr}")
    return done.stdout


def read(page):
    """As it is read, without how it is drawn."""
    return re.sub(r".\x08", "", run("mandoc", "-T", "utf8", "-O", "width=400", page))


def commands(program, *above):
    """Those of a program, and of its commands that have some of their own."""
    words = run(BIN / program, *above, "--help")
    if "\nSubcommands:\n" not in words:
        return
    listed = words.split("\nSubcommands:\n")[1].split("\n\n")[0]
    for name in re.findall(r"^  ([a-z-]+)", listed, re.MULTILINE):
        yield " ".join([*above, name])
        if name not in ("help", "version"):
            yield from commands(program, *above, name)


class Manual(unittest.TestCase):
    def test_the_pages_are_well_formed(self):
        self.assertGreater(len(PAGES), 25)
        for page in PAGES:
            for command in (["mandoc", "-T", "lint", "-W", "warning"], ["groff", "-ww", "-man", "-z", "-T", "utf8"]):
                with self.subTest(page.name, by=command[0]):
                    done = subprocess.run([*command, page], text=True, capture_output=True, timeout=60)
                    self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

    def test_all_that_the_help_says_stands_there(self):
        seen = set()
        for program, section, least in ("pictory", 1, 150), ("pictory-gateway", 8, 80):
            flags = 0
            for command in ["", *commands(program)]:
                if command in ("help", "version"):
                    continue
                name = "-".join([program, *command.split()])
                seen.add(f"{name}.{section}")
                text = read(BUILD / "share" / "man" / f"man{section}" / f"{name}.{section}")
                words = run(BIN / program, *command.split(), "--help")
                for line in words.splitlines():
                    if re.match(r"  -", line):
                        for flag in FLAG.findall(line.split("  ")[1]):
                            flags += 1
                            self.assertRegex(text, rf"(?<![\w-]){re.escape(flag)}(?![\w-])", name)
                    elif variable := re.search(r"Env:(\w+)", line):
                        self.assertIn(variable[1], text, name)
                text = " ".join(text.split())
                for example in re.findall(rf"^  ({program} .*)", words, re.MULTILINE):
                    self.assertIn(" ".join(example.split()), text, name)
            self.assertGreater(flags, least)
        self.assertEqual(seen, {page.name for page in PAGES})

    def test_they_are_installed_with_the_scripts_of_the_shells(self):
        with tempfile.TemporaryDirectory() as root:
            for component in "cli", "server":
                run("env", f"DESTDIR={root}", "cmake", "--install", BUILD, "--component", component)
            place = next(pathlib.Path(root).glob("**/man1")).parent.parent
            for shell, file in (("bash", "bash-completion/completions/pictory"),
                                ("zsh", "zsh/site-functions/_pictory"),
                                ("fish", "fish/vendor_completions.d/pictory.fish")):
                self.assertEqual((place / file).read_text(), run(BIN / "pictory", "completion", shell))
            self.assertEqual(sorted(each.name for each in place.glob("man/man*/*")), sorted(p.name for p in PAGES))


if __name__ == "__main__":
    if shutil.which("mandoc") is None or shutil.which("groff") is None:
        raise SystemExit("mandoc and groff are missing: cmake/install-deps --tests")
    unittest.main()
