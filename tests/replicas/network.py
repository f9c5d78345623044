"""A PostgreSQL in a network of its own, and the cable to it, which can be cut: what is sent then is gone, and nobody is
told. Needs root."""

import os
import subprocess

from live.postgres import Postgres, program


def run(*command):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: {done.stderr.strip()}")


class Network:
    """A namespace, and a cable that joins it to this one, while the `with` lasts."""

    def __init__(self):
        if os.geteuid() != 0:
            raise AssertionError("only root makes networks; run this row as root")
        pid = os.getpid()
        self.name, self.cable = f"pictory-{pid}", f"pg-{pid}"
        first = pid % 32768 * 4  # in 198.18.0.0/15, which is for tests
        self.near, self.far = (f"198.{18 + (at >> 16)}.{at >> 8 & 255}.{at & 255}" for at in (first + 1, first + 2))

    def __enter__(self):
        run("ip", "netns", "add", self.name)
        try:
            run("ip", "link", "add", self.cable, "type", "veth", "peer", "name", "far", "netns", self.name)
            run("ip", "addr", "add", f"{self.near}/30", "dev", self.cable)
            run("ip", "link", "set", self.cable, "up")
            run("ip", "-n", self.name, "addr", "add", f"{self.far}/30", "dev", "far")
            run("ip", "-n", self.name, "link", "set", "far", "up")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc):
        run("ip", "netns", "del", self.name)  # and with it the cable

    def inside(self, *command):
        return ["ip", "netns", "exec", self.name, *map(str, command)]

    def cut(self):
        for way in ("INPUT", "OUTPUT"):
            run(*self.inside("iptables", "-w", "-A", way, "-j", "DROP"))

    def mend(self):
        for way in ("INPUT", "OUTPUT"):
            run(*self.inside("iptables", "-w", "-F", way))


class PostgresApart(Postgres):
    """Found over the network, and by its socket, which no cable leads to."""

    def __init__(self, network):
        self.network = network
        super().__init__()

    def spawn(self):
        access = self.folder / "access"
        access.write_text(f"local all all trust\nhost all all {self.network.near}/32 trust\n")
        as_servant = ("setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups")
        self.process = subprocess.Popen(
            self.network.inside(*as_servant, program("postgres"), "-D", self.data, "-c", "listen_addresses=*", "-c",
                                f"hba_file={access}"), cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def over_the_network(self, database):
        """As database() names it, but by its address."""
        return database.replace(f"host={self.folder}", f"host={self.network.far}")
