"""gRPC-Web through server/deploy/envoy-web.yaml: from Node, and from a page in headless Chromium."""

import functools
import http.server
import json
import shutil
import subprocess
import threading

import envoy
import tools
import yaml
from check import equal, true
from shapes import DOCUMENTED, documented, host_of, manager_of

WEB = DOCUMENTED.parent / "envoy-web.yaml"
HERE = tools.HERE / "web"
WORK = tools.WORK / "web"
CORS = "envoy.filters.http.cors"
RUN_SECONDS = 120


def for_pages_of(origin, target):
    config = documented(target, WEB)
    host_of(config)["typed_per_filter_config"][CORS]["allow_origin_string_match"] = [{"exact": origin}]
    return config


def without_web():
    """The file without what it has for gRPC-Web."""
    config = yaml.safe_load(WEB.read_text())
    del host_of(config)["typed_per_filter_config"]
    manager_of(config)["http_filters"] = manager_of(config)["http_filters"][2:]
    return config


def stamp():
    """Changes with what is fetched and generated."""
    return (HERE / "package.json").read_text() + tools.stamp()


def set_up():
    WORK.mkdir(parents=True, exist_ok=True)
    for file in HERE.iterdir():
        shutil.copy(file, WORK)
    done = WORK / "set-up"
    if done.exists() and done.read_text() == stamp():
        return
    common = next((tools.WORK / "venv" / "lib").glob("python3*/site-packages"))
    (WORK / "gen").mkdir(exist_ok=True)
    with open(WORK / "log", "w") as log:
        for command in (["npm", "install", "--silent", "--no-fund", "--no-audit", "--prefix", WORK],
                        [tools.PYTHON, "-m", "grpc_tools.protoc", "-I", tools.ROOT / "protos", "-I", common,
                         f"--plugin=protoc-gen-es={WORK}/node_modules/.bin/protoc-gen-es", f"--es_out={WORK}/gen",
                         "--es_opt=target=js,import_extension=js", *tools.protos(), "google/rpc/error_details.proto"]):
            if not tools.attempt(command, log):
                raise AssertionError(f"{' '.join(map(str, command))} failed (see {log.name})")
    done.write_text(stamp())


def node(*args):
    done = subprocess.run(["node", *args], cwd=WORK, capture_output=True, text=True, timeout=RUN_SECONDS)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return json.loads(done.stdout)


def previews(sandbox):
    return len([each for each in sandbox.accepted() if each["path"] == "/v2/video/storyboard"])


def pages(exits):
    """A server of the pages, on a port the system chooses; its origin."""
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=WORK))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    exits.callback(server.shutdown)
    return f"http://127.0.0.1:{server.server_address[1]}"


def from_node(bench):
    set_up()
    wrong = envoy.check(WEB)
    yield true(f"{WEB.relative_to(tools.ROOT)} as it is", not wrong, wrong or "taken", "no complaint of Envoy")
    yield true("it is envoy.yaml with gRPC-Web", without_web() == yaml.safe_load(DOCUMENTED.read_text()),
               "it is", "the same but for gRPC-Web")
    sandbox, gateway = bench.side(sandbox=("--speed", "20"))
    [front] = bench.chain([functools.partial(for_pages_of, "https://app.example.com")], gateway.grpc)
    for case, seen, wanted in node("node.js", f"http://{front.target}", "of-node"):
        yield equal(f"Node: {case}", seen, wanted)
    yield equal("Node: POSTs at Pictory", previews(sandbox), 1)


def from_a_browser(bench):
    chromium = shutil.which("chromium")
    if chromium is None:
        raise AssertionError("Chromium is not here; cmake/install-deps --browser installs it")
    set_up()
    node("-e", "(await import('esbuild')).buildSync({entryPoints: ['page.js'], bundle: true, format: 'esm',"
               " outfile: 'bundle.js'}); console.log('{}')", "--input-type=module")
    ours, foreign = pages(bench.exits), pages(bench.exits)
    sandbox, gateway = bench.side(sandbox=("--speed", "20"))
    [front] = bench.chain([functools.partial(for_pages_of, ours)], gateway.grpc)

    def open_page(origin, request):
        return node("browser.js", chromium, f"{origin}/index.html?base=http://{front.target}&request={request}")

    for case, seen, wanted in open_page(ours, "of-a-page"):
        yield equal(f"Chromium: {case}", seen, wanted)
    yield equal("Chromium: POSTs at Pictory", previews(sandbox), 1)
    before = front.stat("pictory_gateway.upstream_rq_total")
    other = open_page(foreign, "of-another")
    yield true("a page of another origin", "failed" in other, str(other)[:60], "no answer")
    yield equal("calls that reached the gateway for it", front.stat("pictory_gateway.upstream_rq_total") - before, 0)
