"""Starts the programs a figure needs, on loopback and on ports the system chooses, and ends them."""

import json
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

BUILD = pathlib.Path(__file__).resolve().parents[2] / "build" / "bench"
os.environ["PICTORY_BIN"] = str(BUILD / "bin")
sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "support" / "python"))

from live.gateway import Gateway  # noqa: E402
from live.process import Process  # noqa: E402
from live.programs import BIN, ROOT  # noqa: E402
from live.tenants import keygen  # noqa: E402

NOT_LONGER_THAN_US = ("setpriv", "--pdeathsig", "KILL")
SERVICE = "/pictory.jobs.v1.PictoryJobs/"
REFERENCE = "/pictory.bench.v1.Reference/"
API_KEY = "pictai_bench"
TENANT = "default"  # whose jobs `fill` makes
ASKS = 200     # for a job that has been polled once
PATIENCE = 90  # seconds, for anything that should take far less

STORYBOARD = """storyboard {
  video_name: "bench" aspect_ratio: "16:9" language: "en"
  voice_over { enabled: true ai_voices { speaker { string_value: "Jackson" } speed: 100 } }
  scenes { story: "One line of the story that is told." create_scene_on_end_of_sentence: true }
  scenes { story: "Another line, which ends it." background { visual_url: "https://media.example.com/b.mp4" type: "video" } }
}"""
# What the gateway makes of it.
STORYBOARD_JSON = (
    '{"videoName":"bench","scenes":[{"story":"One line of the story that is told.",'
    '"createSceneOnEndOfSentence":true},{"story":"Another line, which ends it.","background":'
    '{"visualUrl":"https://media.example.com/b.mp4","type":"video"}}],"aspectRatio":"16:9",'
    '"language":"en","voiceOver":{"enabled":true,"aiVoices":[{"speed":100,"speaker":"Jackson"}]}}')

NGINX = """daemon off; master_process off; worker_rlimit_nofile 8192; pid {folder}/pid;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 1000000000; client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  upstream bench {{ server {upstream}; keepalive 1024; keepalive_requests 1000000000; }}
  server {{
    listen {target} ssl http2; http2_max_concurrent_streams 1024;
    ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem;
    location / {{ proxy_pass http://bench; proxy_http_version 1.1; proxy_set_header Connection ""; }}
  }}
}}
"""


class Program(Process):
    """A child process that reads lines and prints lines, and cannot outlive this one."""

    def __init__(self, *command, log, env=None):
        self.name = pathlib.Path(command[0]).name
        self.log = log
        self.unread = b""
        with open(log, "ab") as errors:
            self.process = subprocess.Popen(
                [*NOT_LONGER_THAN_US, *map(str, command)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=errors, env=env)

    def fail(self, what):
        raise RuntimeError(f"{self.name}: {what} (exit {self.process.poll()})\n{self.said()}")

    def say(self, line=""):
        self.process.stdin.write(f"{line}\n".encode())
        self.process.stdin.flush()

    def line(self, patience=PATIENCE):
        """The next line it prints."""
        give_up = time.monotonic() + patience
        while b"\n" not in self.unread:
            left = give_up - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                self.fail("said nothing for too long")
            more = os.read(self.process.stdout.fileno(), 65536)
            if not more:
                self.process.wait()
                self.fail("ended too early")
            self.unread += more
        line, self.unread = self.unread.split(b"\n", 1)
        return line.decode()

    def values(self, word):
        """The numbers of the next line, which begins with `word`."""
        first, *rest = self.line().split()
        if first != word:
            self.fail(f"said {first}, not {word}")
        return [int(value) for value in rest]

    def end(self):
        self.kill()
        self.process.stdin.close()
        self.process.stdout.close()


class Bench:
    """What a figure's measure() works with. With `identities` its gateways ask who calls, and its load programs show
    an API key."""

    def __init__(self, quick, runs, folder=None, identities=False):
        self.quick = quick
        self.runs = runs or (3 if quick else 5)
        self.few_runs = min(self.runs, 2) if quick else self.runs  # of what takes long
        self.seconds = 0.4 if quick else 1.5
        self.notes = []
        self.left_out = []
        self.folder = folder or pathlib.Path(tempfile.mkdtemp(prefix="run-", dir=place()))
        self.programs = []
        self.count = 0
        self.bearer, self.tenants = None, ()
        if identities:
            self.bearer, lines = keygen(TENANT)
            self.tenants = ("--tenants", self.path("tenants.toml"))
            self.tenants[1].write_text(lines)

    def end_all(self):
        while self.programs:
            self.programs.pop().end()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.end_all()

    def close(self):
        self.end_all()
        shutil.rmtree(self.folder, ignore_errors=True)

    def note(self, lines):
        """Text to be printed behind the figures."""
        self.notes += [*lines, ""]

    def leave_out(self, what):
        """Says that something of this figure cannot be had here, and why."""
        self.left_out.append(what)

    def path(self, name):
        """One that nothing else uses, and that goes with the bench."""
        self.count += 1
        return self.folder / f"{self.count}-{name}"

    def start(self, program, *arguments, bearer=None):
        """A bench program, by its name without bench_; if it calls, it shows this key or token, or that of all."""
        bearer = bearer or self.bearer
        return self._start(program, BIN / f"bench_{program}", *arguments,
                           env={**os.environ, "BENCH_BEARER": bearer} if bearer else None)

    def start_other(self, path, *arguments):
        """A program of others."""
        return self._start(path.name, path, *arguments)

    def _start(self, name, *command, env=None):
        started = Program(*command, log=self.path(name), env=env)
        self.programs.append(started)
        return started

    def server(self, program, *arguments):
        """One that prints its port; `target` is its address."""
        return serving(self.start(program, *arguments))

    def peer(self, name, *command):
        """A server as well, but a program of others, with an account like our gateway's."""
        return serving(self._start(name, *command, env={**os.environ, "PICTORY_API_KEY": API_KEY}))

    def gateway(self, *flags, store="durable", poll_seconds=None, jobs=0, finished=0, kind=0,
                after=None, env=None, database=None):
        """The gateway as it is shipped or, with another store or poll interval, bench_gateway. It finds
        so many unfinished jobs, of one kind (JobKind) or of all, and finished ones in its store, or
        what another has left there, which has ended; or else its jobs are in a `database`."""
        program, arguments = "pictory-gateway", ()
        if store != "durable" or poll_seconds is not None:
            program, arguments = "bench_gateway", (store, poll_seconds or 3600)
        started = Gateway(self.path("gateway") if after is None else after.state, *self.tenants, *flags, sandbox=False,
                          program=program, arguments=arguments, wrapper=NOT_LONGER_THAN_US,
                          env={"PICTORY_API_KEY": API_KEY, **(env or {})}, start=False)
        started.database = database
        if jobs + finished > 0:
            subprocess.run([BIN / "fill", started.state / "jobs" / "pictory", str(jobs), str(finished),
                            str(kind)], check=True, stdout=subprocess.DEVNULL)
        started.start(every=0.001)
        self.programs.append(started)
        started.target = started.grpc
        return started

    def gateway_to(self, upstream, *flags, budget=1000000, burst=1000000, **options):
        """One whose account has budget for everything, unless said."""
        return self.gateway("--base-url", f"{upstream.scheme}://{upstream.target}/pictoryapis",
                            "--requests-per-second", budget, "--burst", burst, *flags, **options)

    def tls_before(self, upstream):
        """A proxy that offers HTTP/2 over TLS; `ca_file` is what to trust. None if there is no nginx."""
        if shutil.which("nginx") is None:
            return None
        folder = self.path("nginx")
        folder.mkdir()
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
             "subjectAltName=IP:127.0.0.1", "-keyout", folder / "key.pem", "-out",
             folder / "cert.pem"], check=True, stderr=subprocess.DEVNULL)
        with socket.create_server(("127.0.0.1", 0)) as free:  # nginx cannot say which port it got
            target = "127.0.0.1:%d" % free.getsockname()[1]
        (folder / "nginx.conf").write_text(
            NGINX.format(folder=folder, target=target, upstream=upstream.target))
        started = Program("nginx", "-p", folder, "-c", folder / "nginx.conf", "-e",
                          folder / "error.log", log=folder / "log")
        self.programs.append(started)
        started.scheme, started.target, started.ca_file = "https", target, folder / "cert.pem"
        return started

    def end(self, *programs, orderly=False):
        for program in programs:
            if orderly and (code := program.terminate()[0]) != 0:
                raise RuntimeError(f"it ended with {code}: {program.said()}")
            program.end()
            self.programs.remove(program)

    def request(self, text, message):
        """A file with the serialised message; `message` is a type of our API, or None for the Ask of
        the reference, with `text` as its payload."""
        return self.saved(field(1, text) if message is None else
                          protoc("--encode", message, text.encode()))

    def saved(self, data):
        path = self.path("request")
        path.write_bytes(data)
        return path

    def call(self, server, method, request, message):
        """One call to the gateway: the answer in the text format."""
        saved = self.path("answer")
        self._call(server, method, request, "--save", saved)
        return protoc("--decode", message, saved.read_bytes()).decode()

    def answer_bytes(self, server, method, request):
        return self._call(server, method, request)["answer_bytes"]

    def _call(self, server, method, request, *arguments):
        caller = self.start("unary_load", "--target", server.target, "--method", SERVICE + method,
                            "--request", request, "--calls", 1, *arguments)
        seen = json.loads(caller.line())
        self.end(caller)
        return seen

    def submit(self, gateway):
        """The job_id of a new preview."""
        request = self.request(STORYBOARD, "CreatePreviewRequest")
        answer = self.call(gateway, "CreatePreview", request, "CreatePreviewResponse")
        return re.search(r'job_id: "([^"]+)"', answer).group(1)

    def transcribe(self, gateway):
        """The job_id of a new transcription."""
        request = self.request('file_url: "https://media.example.com/a.mp4"', "TranscribeRequest")
        answer = self.call(gateway, "Transcribe", request, "TranscribeResponse")
        return re.search(r'job_id: "([^"]+)"', answer).group(1)

    def running_job(self, gateway):
        """A new transcription that has been polled once. The first answer changes a job, too, and must
        not be taken for a change that was asked for."""
        job = self.transcribe(gateway)
        ask = self.request(f'job_id: "{job}"', "GetJobRequest")
        for _ in range(ASKS):
            if "JOB_STATE_RUNNING" in self.call(gateway, "GetJob", ask, "GetJobResponse"):
                return job
        raise RuntimeError(f"the gateway does not see its job run: {gateway.said()}")

    def load(self, server, method, request, callers, warm=0.2, request_bytes=0, bearer=None):
        """A closed loop of calls for bench.seconds: what unary_load prints. With `request_bytes`, of
        many requests of so many bytes each."""
        loader = self.start("unary_load", "--target", server.target, "--method", method,
                            "--request", request, "--request-bytes", request_bytes,
                            "--callers", callers, "--warm", warm,
                            "--seconds", self.seconds, "--server-pid", server.pid, bearer=bearer)
        seen = json.loads(loader.line())
        if seen["failed"]:
            loader.fail(f"{seen['failed']} calls failed")
        self.end(loader)
        return seen

    def benchmark(self, program):
        """A Google Benchmark program's cases, in random turns: name → MB/s of CPU time, one a run."""
        done = subprocess.run(
            [BIN / f"bench_{program}", "--benchmark_format=json",
             f"--benchmark_repetitions={self.runs}", "--benchmark_enable_random_interleaving=true",
             f"--benchmark_min_time={self.seconds / 4}"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=10 * PATIENCE, check=True)
        rates = {}
        for run in json.loads(done.stdout)["benchmarks"]:
            if run["run_type"] == "iteration":
                rates.setdefault(run["name"], []).append(run["bytes_per_second"] / 1e6)
        return rates

    def flush_seconds(self, writes=100):
        """The median time to make 8 KiB durable where the gateways keep their state."""
        path = self.path("flush")
        took = []
        with open(path, "wb", buffering=0) as file:
            for _ in range(writes):
                began = time.monotonic()
                file.write(b"x" * 8192)
                os.fdatasync(file.fileno())
                took.append(time.monotonic() - began)
        path.unlink()
        return statistics.median(took)


def place():
    """Where state directories go: what is flushed should reach a disk, and /tmp may be memory."""
    BUILD.mkdir(parents=True, exist_ok=True)
    return BUILD


def build(targets):
    if not BIN.exists():
        print("Before that it builds, 3 to 10 minutes on two cores the first time.", file=sys.stderr, flush=True)
    for command in (["cmake", "--preset", "bench"],
                    ["cmake", "--build", "--preset", "bench", "--target", *sorted(targets)]):
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True)
        if done.returncode != 0:
            raise SystemExit(f"bench: {' '.join(command)} failed\n{done.stdout[-4000:]}")


def polls_of(upstream):
    """Since its start."""
    upstream.say("count")
    return upstream.values("counted")[0]


def change_at(upstream, command="change"):
    """Does what `command` says (reference/upstream.cc), and returns when the first poll saw it."""
    upstream.say(command)
    return upstream.values("served")[0]


def sent_at(prompted):
    """Has a program that waits for a line send, and returns when it began."""
    prompted.say()
    return prompted.values("sent")[0]


def serving(program):
    program.scheme, program.target = "http", f"127.0.0.1:{program.values('port')[0]}"
    return program


def protoc(mode, message, data):
    return subprocess.run(
        ["protoc", "-I", ROOT / "protos", f"{mode}=pictory.jobs.v1.{message}",
         "pictory/jobs/v1/pictory_jobs.proto"],
        input=data, stdout=subprocess.PIPE, check=True).stdout


def varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def field(number, data):
    """A length-delimited field on the wire."""
    return varint(number << 3 | 2) + varint(len(data)) + data


def payload_for(wire_bytes):
    """The length of a payload that makes an Ask or Answer of so many bytes."""
    length = wire_bytes
    while len(field(1, b"x" * length)) > wire_bytes:
        length -= 1
    return length


def die(*_):
    raise SystemExit("bench: stopped")


def on_signals():
    """So that what was started is ended then, too."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, die)
