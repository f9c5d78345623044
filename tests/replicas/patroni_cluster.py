"""Three PostgreSQL servers under the real Patroni, which agree by the real etcd which of them leads."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import urllib.error
import urllib.request

import tools
from live.postgres import USER, program, psql, servant
from live.process import Process, wait_until
from live.programs import ROOT

REQUIREMENTS = pathlib.Path(__file__).resolve().parent / "requirements.txt"
WORK = ROOT / "build" / "replicas"
PYTHON = WORK / "venv" / "bin" / "python"
DEBIANS = "/usr/bin/python3"  # which the user of the servers may run, too
NODES = 3
# Patroni takes no shorter `ttl`: so long after the leader's last word another one leads.
TTL, LOOP, RETRY = 20, 1, 3
PATIENCE = 300


def set_up():
    """Patroni in an environment of its own, unless it is there already."""
    done, wanted = WORK / "set-up", REQUIREMENTS.read_text()
    if done.exists() and done.read_text() == wanted:
        return
    WORK.mkdir(parents=True, exist_ok=True)
    with open(WORK / "log", "w") as log:
        for command in ([DEBIANS, "-m", "venv", WORK / "venv"],
                        [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", REQUIREMENTS]):
            if not tools.attempt(command, log):
                raise AssertionError(f"{' '.join(map(str, command))} failed (see {log.name})")
    done.write_text(wanted)


def own_address():
    """A loopback address that only this process uses. A port of 127.0.0.1 that the system chose would be taken by
    somebody else while its server is down."""
    pid = os.getpid()
    return f"127.{64 + (pid >> 16 & 63)}.{pid >> 8 & 255}.{pid & 255}"


def children(pid):
    with contextlib.suppress(FileNotFoundError):
        return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


class Node(Process):
    """A server and the Patroni that starts it."""

    def __init__(self, folder, host, number, user):
        self.name, self.host, self.user = f"n{number}", host, user
        self.port, self.rest = 5432 + number, 8008 + number
        self.data, self.log, self.settings = (folder / f"{self.name}{suffix}" for suffix in ("", ".log", ".yml"))
        login = {"username": USER, "password": "unused"}
        self.settings.write_text(json.dumps({  # which is YAML, too
            "scope": "jobs", "name": self.name, "etcd3": {"host": f"{host}:2379"}, "watchdog": {"mode": "off"},
            "restapi": {"listen": f"{host}:{self.rest}", "connect_address": f"{host}:{self.rest}"},
            "bootstrap": {
                "initdb": [{"encoding": "UTF8"}, {"locale": "C.UTF-8"}, "data-checksums"],
                "dcs": {"ttl": TTL, "loop_wait": LOOP, "retry_timeout": RETRY, "synchronous_mode": True,
                        "postgresql": {"use_pg_rewind": True, "parameters": {"max_connections": 200}}}},
            "postgresql": {
                "listen": f"{host}:{self.port}", "connect_address": f"{host}:{self.port}", "data_dir": str(self.data),
                "bin_dir": str(pathlib.Path(program("postgres")).parent), "pgpass": str(folder / f"{self.name}.pass"),
                "authentication": {"superuser": login, "replication": login, "rewind": login},
                "parameters": {"unix_socket_directories": str(folder)},
                "pg_hba": ["local all all trust", "host all all 127.0.0.0/8 trust",
                           "host replication all 127.0.0.0/8 trust"]}}))
        self.start()

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([PYTHON, "-m", "patroni", self.settings], cwd="/", stdout=log, stderr=log,
                                            **self.user)

    def kill(self):
        """Both at once, as when a machine is gone."""
        pids = []
        with contextlib.suppress(FileNotFoundError):
            postmaster = int((self.data / "postmaster.pid").read_text().split()[0])
            pids = [postmaster, *children(postmaster)]
        self.process.kill()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()

    def leads(self):
        try:
            with urllib.request.urlopen(f"http://{self.host}:{self.rest}/primary", timeout=3) as answer:
                return answer.status == 200
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False


class Patroni:
    """Its servers run, and follow the one that leads, once it is made."""

    def __init__(self):
        set_up()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pt", dir="/tmp"))
        self.folder.chmod(0o711)
        self.user, self.host, self.nodes = servant(self.folder), own_address(), []
        try:
            self.etcd = self.start_etcd()
            self.nodes.append(Node(self.folder, self.host, 1, self.user))
            wait_until(lambda: self.nodes[0].leads(), f"a leader: {self.nodes[0].log}", every=0.2, patience=PATIENCE)
            self.nodes += [Node(self.folder, self.host, number, self.user) for number in range(2, NODES + 1)]
            self.wait_until_whole()
        except BaseException:
            self.end()
            raise

    def start_etcd(self):
        client, peer = (f"http://{self.host}:{port}" for port in (2379, 2380))
        with open(self.folder / "etcd.log", "ab") as log:
            return subprocess.Popen(
                ["etcd", "--name", "one", "--data-dir", self.folder / "etcd", "--listen-client-urls", client,
                 "--advertise-client-urls", client, "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                 "--initial-cluster", f"one={peer}"], cwd="/", stdout=log, stderr=log, **self.user)

    def database(self, name):
        """Makes one, and says how a gateway names it: by all servers, of which it takes the one that takes writes."""
        psql(self.named("postgres"), f"CREATE DATABASE {name}")
        return self.named(name)

    def named(self, name, addresses=None):
        """By its own addresses, or others: pairs of host and port."""
        hosts, ports = zip(*(addresses or [(node.host, node.port) for node in self.nodes]))
        return (f"host={','.join(hosts)} port={','.join(map(str, ports))} user={USER} dbname={name} "
                "target_session_attrs=read-write connect_timeout=2")

    def leader(self):
        return next((node for node in self.nodes if node.process.poll() is None and node.leads()), None)

    def members(self):
        """What its nodes say of each other."""
        for node in self.nodes:
            try:
                with urllib.request.urlopen(f"http://{node.host}:{node.rest}/cluster", timeout=3) as answer:
                    return json.loads(answer.read())["members"]
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                continue
        return []

    def wait_until_whole(self):
        """One leads, and the others follow it, one of them synchronously: the leader may be killed."""
        def whole():
            members = self.members()
            states = sorted(member["role"] for member in members if member["state"] in ("running", "streaming"))
            return states == ["leader", *["replica"] * (NODES - 2), "sync_standby"]
        wait_until(whole, f"all of Patroni's servers in {self.folder}: {self.members()}", every=0.5, patience=PATIENCE)

    def takes_writes(self):
        try:
            return psql(self.named("postgres"), "SELECT 1") == ["1"]
        except subprocess.CalledProcessError:
            return False

    def end(self):
        for node in self.nodes:
            node.kill()
        if hasattr(self, "etcd"):
            self.etcd.kill()
            self.etcd.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
