"""A client that begins requests and does not finish them, in bare HTTP/2 frames."""

import selectors
import socket
import struct
import threading
import time

METHODS = "/pictory.jobs.v1.PictoryJobs/"
MIB = 1024 * 1024
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
END_STREAM, ACK, END_HEADERS = 1, 1, 4
WINDOW = 65535
FRAME = 16384


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def literal(name, value):
    """A header that goes into no table; names and values below 127 bytes."""
    return b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


def headers(path, kind="application/grpc", with_te=True, **more):
    return (b"\x83\x86" + literal(":path", path) + literal(":authority", "test")
            + literal("content-type", kind) + (literal("te", "trailers") if with_te else b"")
            + b"".join(literal(name.replace("_", "-"), value) for name, value in more.items()))


class Body:
    """A request with a length prefix that says `announced`, of which `sent` bytes will come. With a
    `message` it is whole, and what comes is more than a request. With `whole` it is an ordinary request,
    and ends as one."""

    def __init__(self, method="CreatePreview", announced=16 * MIB, sent=None, piece=FRAME, message=b"",
                 whole=None, **metadata):
        self.path = method if method.startswith("/") else METHODS + method
        self.metadata = metadata
        self.whole = whole
        if whole is not None:
            announced = sent = len(whole)
        self.prefix = struct.pack(">BI", 0, len(message) if message else announced) + message
        self.left = announced - 1 if sent is None else sent
        self.piece = piece
        self.window = WINDOW
        self.answered = False

    def take(self, size):
        """The next bytes, and the flags of their frame."""
        self.left -= size
        if self.whole is None:
            return bytes(size), 0
        end = len(self.whole) - self.left
        return self.whole[end - size:end], 0 if self.left else END_STREAM


class Connection:
    """Sends its bodies in turns as fast as the windows allow, until told to stop or closed by the other side."""

    def __init__(self, target, bodies, every=0.0):
        host, port = target.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)))
        self.bodies = {2 * i + 1: body for i, body in enumerate(bodies)}
        self.every = every  # seconds between two pieces
        self.window = WINDOW
        self.initial = WINDOW
        self.unread = b""
        self.sent = 0
        self.closed = False
        self.resets = 0
        self.details = 0  # answers with the gateway's ErrorInfo in them
        self.stop = False
        start = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0)
        for stream, body in self.bodies.items():
            start += frame(HEADERS, END_HEADERS, stream, headers(body.path, **body.metadata))
            start += frame(DATA, 0, stream, body.prefix)
            body.window -= len(body.prefix)
            self.window -= len(body.prefix)
        self.socket.sendall(start)
        self.out = b""
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        self.socket.setblocking(False)
        selector = selectors.DefaultSelector()
        selector.register(self.socket, selectors.EVENT_READ)
        due = 0.0
        try:
            while not self.stop:
                if not self.out and time.monotonic() >= due:
                    self.fill()
                    due = time.monotonic() + self.every
                selector.modify(self.socket, selectors.EVENT_READ | (selectors.EVENT_WRITE if self.out else 0))
                for _, events in selector.select(0.01 if self.every else 0.05):
                    if events & selectors.EVENT_READ:
                        self.receive()
                    if events & selectors.EVENT_WRITE and self.out:
                        n = self.socket.send(self.out)
                        self.sent += n
                        self.out = self.out[n:]
        except OSError:
            self.closed = True
        selector.close()
        self.socket.close()

    def fill(self):
        pieces = []
        for stream, body in self.bodies.items():
            for _ in range(1 if self.every else 16):
                n = min(body.piece, body.left, body.window, self.window)
                if n <= 0 or body.answered:
                    break
                content, flags = body.take(n)
                pieces.append(frame(DATA, flags, stream, content))
                body.window -= n
                self.window -= n
        self.out = b"".join(pieces)

    def receive(self):
        more = self.socket.recv(1 << 18)
        if not more:
            raise ConnectionError
        self.unread += more
        while len(self.unread) >= 9:
            length = int.from_bytes(self.unread[:3], "big")
            if len(self.unread) < 9 + length:
                return
            kind, flags = self.unread[3:5]
            stream = int.from_bytes(self.unread[5:9], "big")
            self.take(kind, flags, stream, self.unread[9:9 + length])
            self.unread = self.unread[9 + length:]

    def take(self, kind, flags, stream, payload):
        body = self.bodies.get(stream)
        if kind == SETTINGS and not flags & ACK:
            for i in range(0, len(payload), 6):
                name, value = struct.unpack_from(">HI", payload, i)
                if name == 4:
                    for other in self.bodies.values():
                        other.window += value - self.initial
                    self.initial = value
            self.out += frame(SETTINGS, ACK, 0)
        elif kind == PING and not flags & ACK:
            self.out += frame(PING, ACK, 0, payload)
        elif kind == WINDOW_UPDATE and stream == 0:
            self.window += int.from_bytes(payload, "big")
        elif kind == WINDOW_UPDATE and body:
            body.window += int.from_bytes(payload, "big")
        elif kind == HEADERS and body and flags & END_STREAM:
            body.answered = True
            # grpc-status-details-bin is longer than any header an error of the library has.
            self.details += len(payload) > 120
        elif kind == RST_STREAM and body:
            self.resets += not body.answered
            body.answered = True

    @property
    def answered(self):
        return sum(body.answered for body in self.bodies.values())

    def close(self):
        self.stop = True
        self.thread.join()
