"""Many watches of a server, and a change that all of them are told."""

CONNECTIONS = 16
HEARTBEAT_SECONDS = 25  # between two of a quiet watch


class Watches:
    """They are open, after `opening` seconds, `kib` resident at the server for each. `change` makes the
    server tell them something and returns when that began. They reach it at `target`, if that is not
    its own."""

    def __init__(self, bench, server, method, request, watches, *flags, change=None,
                 connections=CONNECTIONS, target=None):
        self.server, self.watches, self.change = server, watches, change
        self.empty = server.memory()
        self.client = bench.start("watch_load", "--target", target or server.target, "--method", method,
                                  "--request", request, "--watches", watches, "--connections",
                                  min(watches, connections), *flags)
        self.opening = self.client.values("open")[0] / 1e9
        self.kib = (server.memory() - self.empty) / watches / 1024

    def round(self):
        """Milliseconds until the last watch has the change, µs of server CPU a message, its bytes."""
        began, (_, last, size), cpu = self._round("", "round")
        return {"all": (last - began) / 1e6, "cpu": cpu, "bytes": size}

    def reached(self, *quantiles):
        """Milliseconds until so many of the watches have the change, 1 being all; µs of server CPU a
        message."""
        began, at, cpu = self._round(" ".join(map(str, quantiles)), "reached")
        return [(one - began) / 1e6 for one in at], cpu

    def _round(self, line, answer):
        self.client.say(line)
        self.client.values("armed")
        cpu = self.server.cpu()
        began = self.change()
        told = self.client.values(answer)
        return began, told, (self.server.cpu() - cpu) * 1e6 / self.watches
