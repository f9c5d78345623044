"""Many watches of a server, and a change that all of them are told."""

CONNECTIONS = 16


class Watches:
    """They are open, after `opening` seconds, `kib` resident at the server for each. `change` makes the
    server tell them something and returns when that began."""

    def __init__(self, bench, server, method, request, watches, *flags, change=None):
        self.server, self.watches, self.change = server, watches, change
        self.empty = server.resident()
        self.client = bench.start("watch_load", "--target", server.target, "--method", method,
                                  "--request", request, "--watches", watches, "--connections",
                                  min(watches, CONNECTIONS), *flags)
        self.opening = self.client.values("open")[0] / 1e9
        self.kib = (server.resident() - self.empty) / watches / 1024

    def round(self):
        """Milliseconds until the last watch has the change (or the one that --quantile says), µs of
        server CPU a message, its bytes."""
        self.client.say()
        self.client.values("armed")
        cpu = self.server.cpu()
        began = self.change()
        _, last, size = self.client.values("round")
        cpu = self.server.cpu() - cpu
        return {"all": (last - began) / 1e6, "cpu": cpu * 1e6 / self.watches, "bytes": size}
