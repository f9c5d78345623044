"""The house rules of the docs: links lead somewhere, names are those of something that exists, lines are short, and
words are those of the glossary. What the examples do is looked at by tests/readme."""

import fnmatch
import functools
import os
import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
COLUMNS = 120
LAYERS = {p.name for p in (ROOT / "server").iterdir() if p.is_dir()}
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`]+)`")
GLOSSARY = "server/docs/architecture.md"
# Of its list of words that are not used, those that no page has another use for.
NOT_USED = re.compile(r"\bin doubt\b|\bdoubtful\b|\bheal(s|ed|ing)?\b|\breconcil|\bcall(s|ed|ing)? back\b|\btombstone|"
                      r"\bsettle[sd]?\b", re.IGNORECASE)

# The same in code, where a name is one word.
NOT_USED_IN_CODE = re.compile(r"in doubt|doubtful|(?<![a-z])heals?(?![a-z])|reconcil|calls? back|buried|(?<![a-z])bur(y|ies)|"
                              r"(?<![a-z])(un)?settle|unkeyed", re.IGNORECASE)
NAMES_THAT_STAY = re.compile(r"JOB_BEING_SETTLED|(?i:keyless.settle)|jobs_un(settled|keyed)|in_doubt|\"unsettled\"|"
                             r"[sS]ettleBeforeMoving|\w*NOT_USED\w* = .*")
# Networks that are cut heal in them, machines and threads settle, and streams are settled.
OTHER_TRADES = ("tests/bench/*", "tests/mesh/cutter.py", "tests/mesh/losses.py", "tests/trouble/*", "*fake_clock*",
                "*/standard_streams*", "client/cli/output.cc", "tests/docs/docs_test.py")


@functools.cache
def code():
    """The sources of the program and of its tests; without those in which the words have another meaning."""
    found = []
    for folder in ("server", "client", "protos", "tests"):
        found += [path for path in (ROOT / folder).rglob("*") if path.suffix in (".cc", ".h", ".proto", ".py")]
    names = sorted(str(path.relative_to(ROOT)) for path in found
                   if not {"node_modules", ".venv", "build"} & set(path.relative_to(ROOT).parts))
    return [name for name in names if not any(fnmatch.fnmatch(name, other) for other in OTHER_TRADES)]


@functools.cache
def pages():
    """Each page of this tree: its path, from the root."""
    found = []
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [f for f in folders if not f.startswith(("build", ".git")) or f == ".github"]
        folders[:] = [f for f in folders if f not in ("node_modules", ".venv")]
        found += [str(pathlib.Path(folder, f).relative_to(ROOT)) for f in files if f.endswith(".md")]
    return sorted(found)


@functools.cache
def text_of(page):
    return (ROOT / page).read_text()


@functools.cache
def prose(page):
    """The lines of a page without its indented and fenced blocks, which are empty here, so that numbers stay."""
    lines, fenced = [], False
    for line in text_of(page).splitlines():
        fence = line.startswith("```")
        fenced ^= fence
        lines.append("" if fenced or fence or line.startswith("    ") else line)
    return lines


def anchor(heading):
    """What GitHub makes of a heading."""
    bare = re.sub(r"[`*]|\]\([^)]*\)|\[", "", heading.strip()).lower()
    return re.sub(r"[^\w\- ]", "", bare).replace(" ", "-")


@functools.cache
def anchors(page):
    return {anchor(line.lstrip("#")) for line in prose(page) if line.startswith("#")}


def broken(page, link):
    """What is wrong with a link of a page; empty if nothing is, or if it leads out of this tree."""
    if re.match(r"\w+:", link):
        return ""
    path, _, fragment = link.partition("#")
    target = (ROOT / page).parent / path if path else ROOT / page
    if not target.exists():
        return f"{page}: {link} leads nowhere"
    if fragment and fragment not in anchors(str(target.resolve().relative_to(ROOT))):
        return f"{page}: {link} has no such heading"
    return ""


@functools.cache
def missing(code):
    """The path that a piece of code names, if it is one of this tree's and does not exist."""
    name = code.split()[0].rstrip("/") if code.split() else ""
    of_a_store_or_import = name.endswith("jobs.db") or name.startswith("pictory/jobs/v1")
    if not re.fullmatch(r"[\w.\-]+(/[\w.\-*]+)+", name) or of_a_store_or_import:
        return ""
    top = name.split("/")[0]
    if top in LAYERS and top != "protos":
        name = "server/" + name
    elif top not in ("server", "tests", "client", "cmake", "protos"):
        return ""
    found = any(any(ROOT.glob(name + end)) for end in ("", ".h"))
    # A class by its layer, such as rpc/Server.
    declared = name.split("/")[-1]
    if not found and declared[0].isupper() and top in LAYERS:
        sources = [*(ROOT / "server" / top).glob("*.h"), *(ROOT / "server" / top).glob("*.cc")]
        found = any(re.search(rf"\b{declared}\b", s.read_text()) for s in sources)
    return "" if found else name


@functools.cache
def all_tests():
    """`Suite.Test` of every test in C++."""
    found = set()
    for source in (ROOT / "tests").rglob("*.cc"):
        found |= {f"{s}.{n}" for s, n in re.findall(r"\bTEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\)", source.read_text())}
    for source in (ROOT / "tests").rglob("*.h"):
        found |= {f"{s}.{n}" for s, n in re.findall(r"\bTYPED_TEST_P\(\s*(\w+),\s*(\w+)\)", source.read_text())}
        found |= {f"{s}.{n}" for s, n in re.findall(r"\bTEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\)", source.read_text())}
    return found


def unknown_proofs(line):
    """Names of tests in one line of a table that are those of none."""
    suite = ""
    for code in CODE.findall(line):
        name = code.replace("…", "*")
        if re.fullmatch(r"(e2e_\w+)", name):
            if not re.search(rf"\b{name}\b", (ROOT / "tests/e2e/CMakeLists.txt").read_text()):
                yield code
        elif re.fullmatch(r"\w+_test\.py", name):
            if not any((ROOT / "tests").rglob(name)):
                yield code
        elif re.fullmatch(r"(?=.*[a-z])[A-Z][\w*]*(\.[\w*]+)?|\.[A-Z][\w*]*", name):
            if name.startswith("."):
                name = suite + name
            suite = name.split(".")[0]
            pattern = name if "." in name else name + ".*"
            if not fnmatch.filter(all_tests(), pattern):
                yield code


class Docs(unittest.TestCase):
    maxDiff = None

    def test_links_lead_somewhere(self):
        wrong = [broken(page, link) for page in pages() for link in LINK.findall(CODE.sub("", "\n".join(prose(page))))]
        self.assertEqual([w for w in wrong if w], [])

    def test_every_page_for_readers_is_reached_from_the_readme(self):
        seen, todo = set(), ["README.md"]
        while todo:
            page = todo.pop()
            if page in seen:
                continue
            seen.add(page)
            for link in LINK.findall("\n".join(prose(page))):
                target = ((ROOT / page).parent / link.partition("#")[0]).resolve()
                if target.is_dir():
                    todo += [str(p.relative_to(ROOT)) for p in target.glob("*.md")]
                elif target.suffix == ".md" and target.exists():
                    todo.append(str(target.relative_to(ROOT)))
        self.assertEqual({p for p in pages() if p.startswith("server/docs")} - seen, set())

    def test_named_files_exist(self):
        wrong = [f"{page}: {missing(code)}" for page in pages() if "/decisions/" not in page
                 for line in prose(page) for code in CODE.findall(line) if missing(code)]
        self.assertEqual(wrong, [])

    def test_named_proofs_exist(self):
        tables = {"server/docs/proofs.md": "|", "tests/contract/hostile.md": "|"}
        wrong = [f"{page}: {name}" for page, begin in tables.items() for line in prose(page) if line.startswith(begin)
                 for name in unknown_proofs(line.rstrip(" |").rsplit("|", 1)[-1])]
        self.assertEqual(wrong, [])

    def test_named_rows_of_chaos_and_trouble_exist(self):
        page = text_of("server/docs/proofs.md")
        rows = {"chaos": re.findall(r"tests/chaos/run --only ([\w-]+)", page),
                "trouble": re.findall(r"\| `([\w-]+)` \|$", page.partition("## Under trouble")[2].partition("##")[0],
                                      re.MULTILINE)}
        wrong = []
        for folder, names in rows.items():
            sources = "".join(p.read_text() for p in (ROOT / "tests" / folder).glob("*.py"))
            self.assertGreater(len(names), 5, folder)
            wrong += [name for name in names if f'"{name}"' not in sources]
        self.assertEqual(wrong, [])

    def test_named_attacks_exist(self):
        threats = text_of("server/docs/security.md").partition("## Threats")[2]
        names = re.findall(r"`([a-z]+(?:-[a-z]+)*)`", threats)
        sources = "".join(p.read_text() for p in (ROOT / "tests" / "attack").glob("*.py"))
        self.assertGreater(len(names), 15)
        self.assertEqual([name for name in names if f'"{name.removesuffix("-edge")}"' not in sources], [])

    def test_lines_are_short(self):
        wrong = [f"{page}:{number} has {len(line)} columns" for page in pages()
                 for number, line in enumerate(prose(page), 1)
                 if len(line) > COLUMNS and not line.startswith("|")]
        self.assertEqual(wrong, [])

    def test_words_of_the_code_are_those_of_the_glossary(self):
        """Comments, texts and names; but no name that others rely on, nor one of another trade."""
        wrong = [f"{path}:{number}: {match[0]}" for path in code()
                 for number, line in enumerate((ROOT / path).read_text().splitlines(), 1)
                 for match in NOT_USED_IN_CODE.finditer(NAMES_THAT_STAY.sub("", line))]
        self.assertEqual(wrong, [])

    def test_words_are_those_of_the_glossary(self):
        wrong = [f"{page}:{number}: {match[0]}" for page in pages() if page != GLOSSARY
                 for number, line in enumerate(prose(page), 1) for match in NOT_USED.finditer(CODE.sub("", line))]
        self.assertEqual(wrong, [])


if __name__ == "__main__":
    unittest.main()
