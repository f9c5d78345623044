"""A real PostgreSQL of Debian's, on a unix socket in a folder of its own, with everything flushed as in earnest."""

import glob
import os
import pathlib
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile

from live.process import wait_until

USER = "gateway"


def program(name):
    found = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"))
    if not found:
        raise AssertionError(f"there is no {name}; `cmake/install-deps --tests` installs PostgreSQL")
    return found[-1]


def psql(database, script):
    """Lines of columns with tabs between them."""
    done = subprocess.run([program("psql"), "-d", database, "-XqAt", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-c", script],
                          check=True, capture_output=True, text=True)
    return done.stdout.splitlines()


def servant(folder):
    """Who it runs as, for subprocess, and whose the folder is from now on: it refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam("postgres")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


class Postgres:
    STANDBY = "standby"

    def __init__(self, primary=None):
        """Empty; or a standby of another one, which follows it from now on."""
        # Short, because the path of a socket must be.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
        self.log = self.folder / "log"
        self.servant = servant(self.folder)
        self.folder.chmod(0o711)
        made = [program("initdb"), "-D", self.data, "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        if primary:
            made = [program("pg_basebackup"), "-D", self.data, "-X", "stream", "-R", "-c", "fast", "--no-sync", "-d",
                    f"host={primary.folder} user={USER} application_name={self.STANDBY}"]
        subprocess.run(made, check=True, stdout=subprocess.DEVNULL, cwd="/", **self.servant)
        with open(self.data / "postgresql.conf", "a") as settings:
            settings.write(f"listen_addresses = ''\nunix_socket_directories = '{self.folder}'\n")
        self.start()

    @property
    def data(self):
        return self.folder / "data"

    def start(self):
        def serves():
            if self.process.poll() is not None:  # those of the one before hold its folder for a moment
                self.spawn()
            return subprocess.run([program("pg_isready"), "-q", "-h", self.folder]).returncode == 0
        self.spawn()
        wait_until(serves, f"PostgreSQL in {self.folder}", every=0.1)

    def spawn(self):
        self.process = subprocess.Popen([program("postgres"), "-D", self.data], cwd="/", stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, **self.servant)

    def serve_tls(self, issued, password):
        """Serves over TCP, too, by TLS and to who knows the password. Says at which address of this machine."""
        address = ".".join(["127", *(str(1 + secrets.randbelow(254)) for _ in range(3))])
        for name, text in (("server.crt", issued.cert.read_text()), ("server.key", issued.key.read_text()),
                           ("pg_hba.conf", "local all all trust\nhostssl all all 127.0.0.0/8 scram-sha-256\n")):
            path = self.data / name
            path.write_text(text)
            path.chmod(0o600)
            if self.servant:
                os.chown(path, self.servant["user"], self.servant["group"])
        with open(self.data / "postgresql.conf", "a") as settings:
            settings.write(f"listen_addresses = '{address}'\nssl = on\n")
        self.sql(f"ALTER ROLE {USER} PASSWORD '{password}'")
        self.kill()
        self.start()
        return address

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def end(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def sql(self, script, database="postgres"):
        """The lines that it prints; see psql."""
        return psql(f"host={self.folder} user={USER} dbname={database}", script)

    def database(self, name):
        """Makes one, and says how a gateway names it."""
        self.sql(f"CREATE DATABASE {name}")
        return f"host={self.folder} user={USER} dbname={name}"

    def wait_for_standby(self):
        """From now on every commit waits for its standby, which has caught up."""
        for setting in (f"ALTER SYSTEM SET synchronous_standby_names = 'FIRST 1 ({self.STANDBY})'",
                        "SELECT pg_reload_conf()"):
            self.sql(setting)
        wait_until(lambda: self.sql("SELECT sync_state FROM pg_stat_replication") == ["sync"], "the standby", every=0.1)

    def promote(self):
        """Makes a standby a primary."""
        self.sql("SELECT pg_promote()")
