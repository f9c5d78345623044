"""A network that can be made to swallow everything."""

import contextlib
import selectors
import socket
import threading

ONCE = 65536


class Relay:
    """Passes on bytes between clients and a target, until freeze(): from then on it reads nothing,
    sends nothing and closes nothing. Its sockets stay open until the end of the `with`."""

    def __init__(self, target):
        host, port = target.rsplit(":", 1)
        self.to = (host, int(port))
        self.exits = contextlib.ExitStack()
        self.listener = self.keep(socket.create_server(("127.0.0.1", 0)))
        self.target = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.waking, self.woken = map(self.keep, socket.socketpair())
        self.selector = self.keep(selectors.DefaultSelector())
        self.thread = threading.Thread(target=self.run)

    def keep(self, what):
        return self.exits.enter_context(contextlib.closing(what))

    def __enter__(self):
        self.selector.register(self.listener, selectors.EVENT_READ, self.accept)
        self.selector.register(self.woken, selectors.EVENT_READ, None)
        self.thread.start()
        return self

    def __exit__(self, *exc):
        self.freeze()
        self.exits.close()

    def freeze(self):
        if self.thread.is_alive():
            self.waking.send(b"x")
            self.thread.join()

    def run(self):
        while True:
            for key, _ in self.selector.select():
                if key.data is None:
                    return
                key.data()

    def accept(self):
        client = self.keep(self.listener.accept()[0])
        server = self.keep(socket.create_connection(self.to))
        self.selector.register(client, selectors.EVENT_READ, lambda: self.pass_on(client, server))
        self.selector.register(server, selectors.EVENT_READ, lambda: self.answer(server, client))

    def answer(self, server, client):
        self.pass_on(server, client)

    def pass_on(self, one, other):
        data = one.recv(ONCE)
        if data:
            other.sendall(data)  # the load is small: it takes all of it
        else:
            self.selector.unregister(one)
            other.shutdown(socket.SHUT_WR)
