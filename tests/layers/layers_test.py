"""The house rules that a compiler does not see: who may include whom, and what nobody may use."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SERVER = ROOT / "server"

# Each layer and the layers it may include, besides itself.
BASE = {"base"}
ALLOWED = {
    "base": set(),
    "json": BASE,
    "obs": BASE | {"json"},
    "http": BASE,
    "pictory": BASE | {"json", "http"},
    "tenants": BASE | {"pictory"},
    "jobs": BASE | {"pictory", "tenants"},
    "archive": BASE | {"jobs", "pictory", "http"},
    "notify": BASE | {"jobs", "tenants", "pictory", "json", "http"},
    "watch": BASE | {"jobs"},
    "store": BASE | {"jobs", "pictory"},
    "postgres": BASE | {"jobs", "pictory", "store"},
    "rpc": BASE | {"jobs", "watch", "pictory", "json", "obs", "tenants"},
    "board": set(),
    "face": BASE | {"board", "rpc", "tenants", "pictory", "json", "http"},
    "mcp": BASE | {"face", "pictory", "json", "http"},
    "admin": BASE | {"pictory", "http", "obs"},
    "sandbox": BASE | {"http"},
    "contract": BASE | {"jobs", "pictory", "json", "http"},
}
ALLOWED["app"] = set(ALLOWED)

# Libraries, and the only places that may know them.
OWNERS = {
    r"grpc(pp|)/|google/protobuf/stubs/logging": {"rpc", "face", "app", "base/library_lines.cc"},
    r"curl/": {"http", "app"},
    r"rapidjson/": {"json", "sandbox"},
    r"SQLiteCpp/|sqlite3\.h": {"store", "app"},
    r"libpq": {"postgres"},
    r"boost/": {"http", "sandbox"},
    r"prometheus/": {"obs"},
    r"toml\+\+/|cjose/|jansson\.h": {"tenants"},
    r"CLI/": {"app"},
    r"pictory/jobs/v1/|google/protobuf/(?!message_lite\.h|io/|stubs/)": {"json", "pictory", "tenants", "jobs", "notify", "store", "postgres", "rpc", "face", "mcp", "contract", "app"},
    r"pictory/jobs/internal/": {"base", "jobs", "rpc", "face", "mcp"},
}

FORBIDDEN = {
    r"kParseFullPrecisionFlag|kParseNanAndInfFlag|kParseInsituFlag":
        "unsafe or non-standard JSON parsing",
    r"absl::(\w*Mutex(Lock)?|CondVar|Notification|Barrier)\b": "absl::Mutex: the thread sanitizer cannot see into the packaged one",
    r"JsonStringToMessage|MessageToJsonString": "protobuf's json_util: many times slower than json/",
    r"CURLOPT_VERBOSE": "would print credentials",
    r"CURLOPT_SSL_VERIFY(PEER|HOST), 0": "certificates are always verified",
}
# The gateway's calls to itself, which confide nothing and must not fail over a certificate that has ended.
FORBIDDEN_ELSEWHERE = {"app/self_dial.cc": "certificates are always verified"}

# A bound by its name. Those of Pictory's own requests stand with their check; other names that look alike are
# no bounds of ours.
BOUND = re.compile(r"constexpr (?:std::chrono::\w+|Duration) (k\w+)|"
                   r"constexpr (?!std::string_view)[\w:<> ]+ (k\w*(?:Max|Most|Least|Min|Floor|Interval|Timeout|Patience|Deadline|Retry|Again|"
                   r"InARow|Cache|PerSecond|Pages|ReadBytes|PieceBytes)[A-Z]?\w*)\b(?! = limits::)", re.MULTILINE)
BOUNDS_ELSEWHERE = {
    "pictory/storyboard_check.cc": "Pictory's own",
    "json/key_sets.cc": "a size up to which a comparison pays",
    "base/host_port.cc": "of DNS",
    "base/json_numbers.cc": "of the JSON library",
    "store/log_header.cc": "of the file's format",
    "store/schema.cc": "one of limits.h in the unit of SQLite",
    "base/errors.cc": "no bound, but the name of a message",
    "jobs/poller_replies.cc": "the most that a field can count",
    "jobs/spending.cc": "a minute and a day",
    "postgres/schema.cc": "no bound, but a version",
    "postgres/connection.cc": "a step of a wait",
    "app/webhooks.cc": "one of limits.h less what is sealed",
}

# Calls by which records change, of a store by any of its interfaces.
WRITES = re.compile(r"\b\w*(?:[Ss]ubmissions|[Jj]obs|[Ss]tore)\w*(?:\(\))?(?:\.|->)(?:Begin|Update|Adopt|TakeOver|Delete|Prune)\(")

INCLUDE = re.compile(r'^\s*#\s*include\s*["<]([^">]+)[">]', re.MULTILINE)


def sources(folder):
    return sorted(p for p in folder.rglob("*") if p.suffix in {".h", ".cc"})


class Layers(unittest.TestCase):
    def test_every_folder_is_a_known_layer(self):
        folders = {p.name for p in SERVER.iterdir() if p.is_dir()} - {"deploy", "docs", "protos"}
        self.assertEqual(folders, set(ALLOWED))

    def test_includes_point_down_only(self):
        wrong = []
        for layer, allowed in ALLOWED.items():
            for path in sources(SERVER / layer):
                for include in INCLUDE.findall(path.read_text()):
                    target = include.split("/")[0]
                    generated = include.startswith("pictory/jobs/")
                    if target in ALLOWED and not generated and target not in allowed | {layer}:
                        wrong.append(f"{path.relative_to(ROOT)} includes {include}")
        self.assertEqual(wrong, [])

    def test_every_bound_stands_in_limits(self):
        wrong = []
        for path in sources(SERVER):
            name = str(path.relative_to(SERVER))
            if name == "base/limits.h" or name.startswith("sandbox/") or name in BOUNDS_ELSEWHERE:
                continue
            wrong += [f"{name}: {bound}" for bound in map("".join, BOUND.findall(path.read_text()))]
        self.assertEqual(wrong, [])

    def test_every_bound_is_kept_by_somebody(self):
        bounds = re.findall(r"^inline constexpr [^=({]*?(k\w+)\s*[={]", (SERVER / "base/limits.h").read_text(), re.M)
        self.assertGreater(len(bounds), 300)
        words = set()
        for folder in ("server", "client", "tests"):
            for path in (ROOT / folder).rglob("*"):
                if path.suffix in (".h", ".cc", ".in") and path.name != "limits.h":
                    words |= set(re.findall(r"\bk[A-Z]\w+", path.read_text()))
        own = (SERVER / "base/limits.h").read_text()
        self.assertEqual([bound for bound in bounds if bound not in words and own.count(bound) < 2], [])

    def test_pictory_is_called_through_one_door(self):
        door = {"jobs/upstream.h", "jobs/upstream.cc", "jobs/outage.h", "jobs/outage.cc", "jobs/turn_line.h"}
        wrong = []
        for path in sources(SERVER):
            name = str(path.relative_to(SERVER))
            if name in door or name.startswith("pictory/") or name.startswith("jobs/account"):
                continue
            if re.search(r'\bPictoryClient\b|"jobs/account\.h"|"jobs/outage\.h"', path.read_text()):
                wrong.append(name)
        self.assertEqual(wrong, [])

    def test_records_are_written_through_one_door(self):
        writers = {str(path.relative_to(SERVER)) for path in sources(SERVER) if WRITES.search(path.read_text())}
        self.assertEqual(writers - {"sandbox/upload_sink.cc"}, {"jobs/ledger.cc"})  # that store is of uploads

    def test_libraries_stay_where_they_belong(self):
        wrong = []
        for layer in ALLOWED:
            for path in sources(SERVER / layer):
                for include in INCLUDE.findall(path.read_text()):
                    for library, owners in OWNERS.items():
                        if re.match(library, include) and not {layer, f"{layer}/{path.name}"} & owners:
                            wrong.append(f"{path.relative_to(ROOT)} includes {include}")
        self.assertEqual(wrong, [])

    def test_the_client_uses_only_the_protos_and_the_leaves(self):
        wrong = []
        for path in sources(ROOT / "client"):
            for include in INCLUDE.findall(path.read_text()):
                target = include.split("/")[0]
                generated = include.startswith("pictory/jobs/")
                if target in ALLOWED and not generated and target not in {"base", "json"}:
                    wrong.append(f"{path.relative_to(ROOT)} includes {include}")
        self.assertEqual(wrong, [])

    def test_nobody_uses_what_is_known_to_harm(self):
        wrong = []
        for path in sources(SERVER):
            code = re.sub(r"//[^\n]*", "", path.read_text())
            code = re.sub(r"static_assert\(.*?\);", "", code, flags=re.DOTALL)  # forbids them too
            for pattern, why in FORBIDDEN.items():
                name = str(path.relative_to(SERVER))
                if re.search(pattern, code) and FORBIDDEN_ELSEWHERE.get(name) != why:
                    wrong.append(f"{path.relative_to(ROOT)}: {why}")
        self.assertEqual(wrong, [])

    def test_headers_are_guarded_and_begin_with_what_they_are(self):
        wrong = []
        for folder in (SERVER, ROOT / "client", ROOT / "tests"):
            for path in sources(folder):
                if path.suffix != ".h":
                    continue
                text = path.read_text()
                if not text.startswith("//") or "#pragma once" not in text:
                    wrong.append(str(path.relative_to(ROOT)))
        self.assertEqual(wrong, [])


if __name__ == "__main__":
    unittest.main()
