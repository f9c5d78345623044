"""Between a gateway and PostgreSQL servers: stops at a call of the store, so that something can happen just then."""

import contextlib
import dataclasses
import selectors
import socket
import threading

from live.relay import ONCE, Relay

COMMIT = b"COMMIT\0"


@dataclasses.dataclass(frozen=True)
class Moment:
    """Of a transaction with a statement that has this text: before the statement is passed on, before its COMMIT is, or
    when that is done and not answered."""

    text: bytes
    stage: str  # statement, commit, answer

    def __str__(self):
        return f"{self.stage} of {self.text.decode()}"


class Tap:
    """Relays to servers, one each; gateways are to know those instead. What comes at the moment never arrives."""

    def __init__(self, targets):
        self.relays = [Tapped(self, target) for target in targets]
        self.moment = self.then = None
        self.hit = threading.Event()
        self.lock = threading.Lock()  # a relay is a thread

    def __enter__(self):
        with contextlib.ExitStack() as exits:
            for each in self.relays:
                exits.enter_context(each)
            self.exits = exits.pop_all()
        return self

    def __exit__(self, *exc):
        self.exits.close()

    def wait_for(self, moment, then, patience=60):
        """Runs `then` at the next such moment, and returns when it is done."""
        self.hit.clear()
        self.then, self.moment = then, moment
        if not self.hit.wait(patience):
            raise AssertionError(f"there was no {moment}")

    def is_now(self, connection, data, to_server):
        """Whether this is the moment, once; what was to be done then is done."""
        with self.lock:
            moment = self.moment
            if moment is None:
                return False
            if to_server and moment.text in data:
                connection.within = moment
                now = moment.stage == "statement"
            elif to_server:
                now = connection.within is moment and data.endswith(COMMIT) and moment.stage == "commit"
                connection.committing = connection.within is moment and data.endswith(COMMIT)
            else:
                now = connection.within is moment and connection.committing and moment.stage == "answer"
            if now:
                self.moment = None
        if now:
            self.then()
            self.hit.set()
        return now


class Connection:
    within = None       # the moment whose statement it has passed on
    committing = False  # and whether its COMMIT was the last thing to be passed on


class Tapped(Relay):
    def __init__(self, tap, target):
        super().__init__(target)
        self.tap, self.connections = tap, {}

    def accept(self):
        client = self.keep(self.listener.accept()[0])
        try:
            server = self.keep(socket.create_connection(self.to))
        except OSError:  # it is down, and so is the way to it
            client.close()
            return
        connection = Connection()
        for one, other, to_server in ((client, server, True), (server, client, False)):
            self.selector.register(one, selectors.EVENT_READ,
                                   lambda a=one, b=other, way=to_server: self.hand_on(connection, a, b, way))

    def hand_on(self, connection, one, other, to_server):
        data = b""
        with contextlib.suppress(OSError):
            data = one.recv(ONCE)
        with contextlib.suppress(OSError):
            if data and not self.tap.is_now(connection, data, to_server):
                return other.sendall(data)
        for each in (one, other):
            with contextlib.suppress(KeyError, ValueError, OSError):
                self.selector.unregister(each)
            each.close()
