"""The network between Envoy and the gateway, which loses answers on demand."""

import contextlib
import selectors
import socket
import struct
import threading

from live.relay import ONCE, Relay

HEADER_BYTES, HEADERS = 9, 1  # of an HTTP/2 frame, and its type
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close() resets the connection


class Frames:
    """Tells whether the next bytes of a side of an HTTP/2 connection begin a HEADERS frame."""

    def __init__(self):
        self.left, self.header = 0, b""

    def has_headers(self, data):
        found = False
        while data:
            if self.left:
                taken = min(self.left, len(data))
                self.left, data = self.left - taken, data[taken:]
                continue
            taken = HEADER_BYTES - len(self.header)
            self.header, data = self.header + data[:taken], data[taken:]
            if len(self.header) == HEADER_BYTES:
                self.left, found = int.from_bytes(self.header[:3], "big"), found or self.header[3] == HEADERS
                self.header = b""
        return found


class Cutter(Relay):
    """Loses the next `answers`, each with its connection: reset on both sides, or black, which is that nothing
    goes through any more and nothing is closed until heal()."""

    def __init__(self, target):
        super().__init__(target)
        self.answers, self.how, self.lost = 0, "reset", 0
        self.pairs, self.black, self.frames = [], [], {}
        self.lock = threading.Lock()

    def lose(self, answers, how="reset"):
        with self.lock:
            self.answers, self.how, self.lost = answers, how, 0

    def cut(self):
        """Resets what is connected now, answered or not."""
        with self.lock:
            for pair in self.pairs[:]:
                self.drop(pair, RESET)

    def heal(self):
        """The black connections are found dead, and lose no more."""
        with self.lock:
            self.answers = 0
            for pair in self.black:
                self.close(pair)
            self.black.clear()

    def accept(self):
        client = self.listener.accept()[0]
        try:
            server = socket.create_connection(self.to)
        except OSError:  # the gateway is not there
            client.close()
            return
        pair = client, server
        self.exits.callback(self.close, pair)
        with self.lock:
            self.pairs.append(pair)
            self.frames[server] = Frames()
            self.selector.register(client, selectors.EVENT_READ, lambda: self.carry(pair, client, server))
            self.selector.register(server, selectors.EVENT_READ, lambda: self.carry(pair, server, client))

    def carry(self, pair, one, other):
        with self.lock:
            if pair not in self.pairs:
                return
            try:
                data = one.recv(ONCE)
                if not data:
                    return self.drop(pair)
                if one in self.frames and self.frames[one].has_headers(data) and self.answers:
                    return self.lose_one(pair)
                other.sendall(data)
            except OSError:
                self.drop(pair)

    def lose_one(self, pair):
        self.answers, self.lost = self.answers - 1, self.lost + 1
        self.drop(pair, RESET) if self.how == "reset" else self.blacken(pair)

    def blacken(self, pair):
        self.forget(pair)
        self.black.append(pair)

    def drop(self, pair, linger=None):
        self.forget(pair)
        self.close(pair, linger)

    def forget(self, pair):
        self.pairs.remove(pair)
        del self.frames[pair[1]]
        for each in pair:
            self.selector.unregister(each)

    def close(self, pair, linger=None):
        for each in pair:
            if linger:
                with contextlib.suppress(OSError):  # its other side was faster
                    each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            each.close()
