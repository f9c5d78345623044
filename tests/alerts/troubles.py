"""What makes each alert fire: a gateway, and something that goes wrong with it."""

import base64
import contextlib
import os
import pathlib
import signal
import socket
import sqlite3
import subprocess
import urllib.error

from live.certificates import Authority
from live.gateway import Gateway
from live.postgres import Postgres
from live.process import wait_until
from live.programs import BIN
from live.receiver import Receiver
from live.rows import Outcome, Row
from live.tenants import keygen
from prometheus import INSTANCE, Prometheus

STORY = "One sentence is enough."
LONG_TALK = "https://media.example.com/talk-sandbox-minutes-250.mp4"  # its transcript has 6 MiB


class Scene:
    """One gateway with its sandbox, and the Prometheus that looks at it."""

    def __init__(self, folder, exits, name, window):
        self.folder, self.exits, self.name = folder, exits, name
        self.prometheus = Prometheus(folder / "prometheus", window)
        exits.callback(self.prometheus.end)
        self.g = None

    def gateway(self, *flags, listen=None, database=None, **kwargs):
        self.g = Gateway(self.folder / "gateway", *flags, start=False, **kwargs)
        self.g.database = database
        if listen:
            self.g.listen = listen
        self.exits.callback(self.end)
        self.start()
        return self.g

    def start(self):
        self.g.start()
        self.prometheus.watch(self.g.admin)

    def end(self):
        """Also of a gateway that a wrapper has started: the process that has the state directory."""
        lock = self.g.state / "jobs" / "sandbox" / "jobs.lock"
        with contextlib.suppress(OSError, IndexError, ValueError):
            if self.g.wrapper and self.g.process.poll() is None:
                os.kill(int(lock.read_text().split()[0]), signal.SIGKILL)
        self.g.kill()

    def receiver(self, status):
        """Somebody to be told of jobs who answers so: the URL, and the file of the secret."""
        receiver = Receiver(lambda request: status)
        self.exits.callback(receiver.end)
        secret = self.folder / "secret"
        secret.touch(0o600)
        secret.write_text("whsec_" + base64.b64encode(os.urandom(32)).decode())
        return receiver.url(), secret

    def submit(self, name, *args):
        return self.g.run("preview", "--name", name, "--text", STORY, "--request-id", name, *args)

    def job(self, name, *args):
        return self.g.json("preview", "--name", name, "--text", STORY, "--request-id", name, *args)

    def quiet(self):
        """Waits until it was looked at, and says that nothing is wrong yet."""
        wait_until(lambda: self.prometheus.value(f'up{{instance="{INSTANCE}"}}') == 1, "the first look", every=0.1)
        wait_until(lambda: self.name not in self.prometheus.states(), f"{self.name} to be silent before any trouble",
                   every=0.1)


TROUBLES = []


def trouble(name, what, window="4s"):
    """Makes a row of a generator. It yields once all is well, and again wherever it can be asked for more trouble, if
    the alert does not fire yet."""
    def make(run):
        def measure(folder, _options):
            with contextlib.ExitStack() as exits:
                scene = Scene(folder, exits, name, window)
                steps = run(scene)
                next(steps)
                scene.quiet()

                def fires():
                    next(steps, None)
                    return scene.prometheus.fires(name)
                alert = wait_until(fires, f"{name}; there is {sorted(scene.prometheus.states())}", every=0.1)
                return Outcome(True, "", [alert["annotations"]["summary"]])
        TROUBLES.append(Row(name, what, measure))
        return run
    return make


@trouble("PictoryGatewayDown", "it was killed")
def down(scene):
    scene.gateway()
    yield
    scene.g.kill()


@trouble("PictoryGatewayMissing", "nothing names it as a target any more")
def missing(scene):
    scene.gateway()
    yield
    scene.prometheus.watch(None)


@trouble("PictoryGatewayRestarts", "it is killed and started again and again", window="60s")
def restarts(scene):
    scene.gateway()
    yield
    for _ in range(4):
        began = scene.prometheus.value("process_start_time_seconds")
        scene.g.kill()
        scene.start()
        wait_until(lambda before=began: scene.prometheus.value("process_start_time_seconds") not in (None, before),
                   "a look at the new process", every=0.1)
        yield


@trouble("PictoryUnreachable", "every connection to Pictory is reset")
def unreachable(scene):
    scene.gateway()
    scene.job("sandbox-stuck")
    yield
    scene.g.pages.fault("reset", match={"path_prefix": "/"})


@trouble("PictoryCredentialsRefused", "Pictory answers 401 to everything")
def credentials(scene):
    scene.gateway()
    scene.job("sandbox-stuck")
    yield
    scene.g.pages.fault("status", match={"path_prefix": "/"}, status=401)


@trouble("PictoryRateLimits", "Pictory answers 429 to polls", window="30s")
def rate_limits(scene):
    scene.gateway()
    scene.job("sandbox-stuck")
    yield
    scene.g.pages.fault("status", match={"method": "GET"}, status=429, retry_after=1)


@trouble("PictoryErrors", "Pictory answers 503 to polls", window="30s")
def errors(scene):
    scene.gateway()
    scene.job("sandbox-stuck")
    yield
    scene.g.pages.fault("status", match={"method": "GET"}, status=503)


@trouble("PictoryBudgetUsedUp", "thirty jobs are polled with two requests a second")
def budget(scene):
    scene.gateway("--requests-per-second", "2", "--burst", "40")
    yield
    for number in range(15):
        scene.job(f"sandbox-stuck-{number}")


# The age is the real one of a store that is an hour older than it was.
@trouble("PictoryJobsUnconfirmed", "a submit got no answer, an hour ago")
def unconfirmed(scene):
    scene.gateway()
    yield
    scene.g.pages.fault("reset")
    if scene.job("a")["state"] != "JOB_STATE_UNCONFIRMED":
        raise AssertionError("the submit was answered")
    scene.g.terminate()
    with contextlib.closing(sqlite3.connect(scene.g.state / "jobs" / "sandbox" / "jobs.db")) as db, db:
        db.execute("UPDATE jobs SET sent_at = sent_at - 3600000000, create_time = create_time - 3600000000")
    scene.start()


@trouble("PictoryJobsFail", "all jobs fail", window="20s")
def fail(scene):
    scene.gateway()
    yield
    for number in range(30):
        scene.submit(f"sandbox-fail-{number}")
        yield


@trouble("PictoryJobsLost", "Pictory cleans a job before its end was seen")
def lost(scene):
    scene.gateway()
    yield
    scene.g.pages.fault("status", match={"method": "GET"}, status=503)
    job = scene.job("a")["pictoryJobId"]

    def cleaned():
        try:
            return scene.g.pages.ask("POST", "/sandbox/clean", {"job": job})
        except urllib.error.HTTPError:
            return None
    wait_until(cleaned, "the end of the job at Pictory", every=0.1)
    scene.g.pages.forget_faults()


@trouble("PictoryJobsUnasked", "the account of an unfinished job is not in the tenants file any more")
def unasked(scene):
    key, lines = keygen("acme")
    tenants = scene.folder / "tenants.toml"
    old, new = (f'[accounts.{name}]\napi_key_file = "of the sandbox: is not read"\n' for name in ("old", "new"))
    tenants.write_text(f'{old}{new}[tenants.acme]\naccount = "old"\n{lines}')
    scene.gateway("--tenants", tenants)
    scene.g.json("preview", "--name", "sandbox-stuck", "--text", STORY, key=key)
    yield
    scene.g.terminate()
    tenants.write_text(f'{new}[tenants.acme]\naccount = "new"\n{lines}')
    scene.start()


@trouble("PictoryResultsTooLarge", "a transcript has 6 MiB, and 3 are allowed")
def too_large(scene):
    scene.gateway("--max-job-reply-mib", "3")
    yield
    scene.g.json("transcribe", LONG_TALK)


# What is a quarter of an hour in the rule is five seconds here.
@trouble("PictoryPollerStuck", "no poll is ever answered")
def stuck(scene):
    scene.gateway()
    scene.job("sandbox-stuck")
    yield
    scene.g.pages.fault("never_answer", match={"method": "GET"})


@trouble("PictoryGatewayWatchesFull", "ten of ten watches are open")
def watches(scene):
    scene.gateway("--max-watches", "10")
    job = scene.job("sandbox-stuck")["jobId"]
    yield
    for _ in range(10):
        watch = subprocess.Popen([BIN / "pictory", "watch", job], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                 env={**scene.g.env, "PICTORY_GATEWAY": scene.g.grpc})
        scene.exits.callback(lambda process=watch: (process.kill(), process.wait()))


@trouble("PictoryGatewayRefuses", "submits beyond the limit of the day", window="30s")
def refuses(scene):
    scene.gateway("--max-submits-per-day", "1")
    scene.job("a")
    yield
    for number in range(200):
        scene.submit(f"more-{number}")
        yield


@trouble("PictoryGatewayUnderPressure", "the thread that tells watchers always comes 300 ms late")
def pressure(scene):
    g = scene.gateway("--allow-core-dumps")  # else only root may look at it
    yield
    watchers = next(task.name for task in pathlib.Path(f"/proc/{g.pid}/task").iterdir()
                  if (task / "comm").read_text().strip() == "watchers")
    strace = subprocess.Popen(["strace", "-o", os.devnull, "-p", watchers, "-e", "trace=futex",
                               "-e", "inject=futex:delay_exit=300000"], stderr=subprocess.DEVNULL)
    scene.exits.callback(lambda: (strace.kill(), strace.wait()))


@trouble("PictoryGatewayStoreAway", "its PostgreSQL is killed")
def away(scene):
    server = Postgres()
    scene.exits.callback(server.end)
    scene.gateway(database=server.database("jobs"))
    yield
    server.kill()


@trouble("PictoryGatewayStoreSlow", "each flush of the disk takes 400 ms longer")
def slow(scene):
    scene.gateway(wrapper=("strace", "-f", "-o", os.devnull, "-e", "trace=fdatasync,fsync",
                           "-e", "inject=fdatasync,fsync:delay_enter=400000"))
    yield
    for number in range(100):
        scene.submit(f"slow-{number}")
        yield


@trouble("PictoryGatewayDiskFull", "its disk has 100 MiB")
def disk(scene):
    scene.gateway()
    yield
    scene.g.terminate()
    jobs = scene.g.state / "jobs"
    scene.g.wrapper = ("unshare", "--mount", "--map-root-user", "sh", "-c",
                       'mount -t tmpfs -o size=100m,mode=700 tmpfs "$0" && exec "$@"', jobs)
    scene.start()


@trouble("PictoryGatewayDiskFills", "its disk of 100 MiB has 3 MiB left")
def fills(scene):
    yield from disk(scene)
    jobs = pathlib.Path(f"/proc/{scene.g.pid}/root{scene.g.state}/jobs")
    room = os.statvfs(jobs)
    with open(jobs / "filler", "wb") as filler:
        os.posix_fallocate(filler.fileno(), 0, room.f_bavail * room.f_frsize - 3 * 2**20)


@trouble("PictoryGatewayFilesFull", "connections take most of 1024 files")
def files(scene):
    scene.gateway(wrapper=("prlimit", "--nofile=1024:1024"))
    host, port = scene.g.grpc.rsplit(":", 1)
    yield
    for _ in range(640):
        connection = socket.create_connection((host, int(port)))
        scene.exits.callback(connection.close)


@trouble("PictoryCertificateEnds", "its certificate of a month ends in two days")
def certificate(scene):
    authority = Authority(scene.folder / "ca")
    long, short = authority.issue("long"), authority.issue("short", days=2, begun=28)
    scene.gateway("--tls-cert-file", long.cert, "--tls-key-file", long.key, listen="tls:127.0.0.1:0")
    yield
    os.replace(short.key, long.key)
    os.replace(short.cert, long.cert)


@trouble("PictorySubmitsNearLimit", "both submits of the day are spent")
def near_limit(scene):
    scene.gateway("--max-submits-per-day", "2")
    yield
    scene.job("a")
    scene.job("b")


@trouble("PictoryCreditsNearCap", "a tenant has used the AI credits of its day")
def credits(scene):
    key, lines = keygen("acme")
    tenants = scene.folder / "tenants.toml"
    tenants.write_text(f"[tenants.acme]\nlimits = {{ credits_per_day = 2 }}\n{lines}")
    scene.gateway("--tenants", tenants)
    yield
    made = scene.g.run("image", "--prompt", "A lighthouse.", key=key)
    if made.returncode:
        raise AssertionError(made.stderr)


@trouble("PictoryFilesKept", "the tenants file is no TOML any more")
def kept(scene):
    tenants = scene.folder / "tenants.toml"
    tenants.write_text("[tenants.default]\n")
    scene.gateway("--tenants", tenants)
    yield
    tenants.write_text("[tenants.default\n")


def render_into_an_archive(scene, fault, *flags, **settings):
    """Before the trouble, and then the render of a gateway that cannot archive it."""
    archive = scene.folder / "archive"
    archive.mkdir(mode=0o700)
    scene.gateway("--archive-dir", archive, "--archive-min-free-mib", "0", *flags)
    preview = scene.job("a", "--wait")["jobId"]
    yield
    scene.g.pages.fault(fault, match={"path_prefix": "/media/"}, **settings)
    scene.g.json("render", preview, "--wait")


@trouble("PictoryArchiveGivenUp", "a video is larger than a file may be")
def too_large_a_file(scene):
    return render_into_an_archive(scene, "huge_body", "--archive-max-file-mib", "1", bytes=2**20 + 1)


@trouble("PictoryArchiveBehind", "no link of the results can be fetched")
def behind(scene):
    return render_into_an_archive(scene, "status", status=503)


@trouble("PictoryNotificationsGivenUp", "a receiver answers 410")
def given_up(scene):
    url, secret = scene.receiver(410)
    scene.gateway("--notify-url", url, "--notify-secret-files", secret)
    yield
    scene.job("a")


@trouble("PictorySubmitsStopped", "somebody has put the file there")
def stopped(scene):
    scene.gateway()
    yield
    (scene.g.state / "jobs" / "stop-submits").touch()
