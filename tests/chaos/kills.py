"""Killed at each step of a submit, started again, asked again: paid for once, and nothing lost."""

import concurrent.futures
import contextlib
import dataclasses
import json
import socket
import threading
import time

from live.process import wait_until
from live.rig import UNLIMITED, died, restart
from tally import (ACCEPTED, NOT_SENT, SENDING, UNCONFIRMED, UNKNOWN, Tally, count_duplicates, count_losses,
                   post, store_rows, submit)

WORKERS = 3  # kill and start in turn, each on a state directory of its own
HEALED_SECONDS = 10
# Nobody is there: the rows make the webhook calls themselves, when they want to.
HOOK = ("--webhook-listen", "127.0.0.1:0", "--webhook-url", "http://127.0.0.1:9/hooks")
# Both sides of the gateway's socket buffers hold less.
LARGE = "pad=8000000"
# One at once, and the next so much later that a second submit is recorded and has to wait, however
# slow the machine is.
SCARCE = ("--requests-per-second", "0.2", "--burst", "1")


@dataclasses.dataclass
class Point:
    """Where the gateway is killed, and what must hold after its restart."""

    fail_point: str = ""      # base/fail_point.h; empty: killed from outside
    row: int | None = None    # the submission in the store; None: there is none
    posts: int = 0            # that the sandbox has accepted
    flags: tuple = UNLIMITED
    opener: bool = False      # another submit comes first and takes the budget

    @property
    def unconfirmed(self):
        return self.row == UNKNOWN


POINTS = {
    "before-intent": Point("intent-uncommitted"),
    "after-intent": Point("intent-stored", NOT_SENT, flags=SCARCE, opener=True),
    "before-first-byte": Point("sending-stored", UNKNOWN),
    "part-sent": Point("", UNKNOWN),
    "no-answer": Point("", UNKNOWN, posts=1),
    "answer-read": Point("answer-read", UNKNOWN, posts=1),
    "accepted": Point("accepted-stored", ACCEPTED, posts=1),
    "poll-entry": Point("poll-entry", ACCEPTED, posts=1),
}


class Relay:
    """Between gateway and sandbox: of a POST it hands on so many bytes and then no more, while the
    gateway goes on writing into a window that stays shut."""

    def __init__(self, url, pass_bytes):
        self.upstream = url.split("/")[2].split(":")
        self.pass_bytes = pass_bytes
        self.cut = threading.Event()
        self.open = []
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen()
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/pictoryapis"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):  # closed
            while True:
                near, _ = self.listener.accept()
                far = socket.create_connection((self.upstream[0], int(self.upstream[1])))
                self.open += [near, far]
                self.hand_on(near, far)

    def hand_on(self, near, far):
        left = self.pass_bytes
        with contextlib.suppress(OSError):
            while left > 0:
                piece = near.recv(min(left, 2048))
                if not piece:
                    return
                far.sendall(piece)
                left -= len(piece)
            self.cut.set()

    def close(self):
        for each in [self.listener, *self.open]:
            each.close()


def kill_at(point, rig, sandbox, g, request_id, tally, number):
    """Brings the gateway to the point and sees it die. Returns what callers were told."""
    told = []
    if point.fail_point:
        restart(g, *point_flags(point, sandbox.url), program="gateway-with-fail-points",
                env={"GATEWAY_FAIL_POINT": point.fail_point})
        if point.opener:
            told.append(submit(g, request_id + "-first"))
        told.append(submit(g, request_id))
        tally.expect(died(g), f"{request_id}: the gateway did not die at {point.fail_point}")
        return told
    relay = None
    if point.posts == 0:
        relay = Relay(sandbox.url, 1 + number * number * 400)  # from the first byte on to 200 kB
        rig.exits.callback(relay.close)
    else:
        sandbox.fault("never_answer", times=1)
    restart(g, *point_flags(point, relay.url if relay else sandbox.url))
    caller = threading.Thread(target=lambda: told.append(
        submit(g, request_id, *([LARGE] if relay else []))))
    caller.start()
    if relay:
        tally.expect(relay.cut.wait(60), f"{request_id}: nothing was sent")
    else:
        wait_until(lambda: request_id in sandbox.journal(), f"the POST of {request_id}")
    g.kill()
    caller.join()
    if relay:
        relay.close()
    return told


def point_flags(point, url):
    return ("--base-url", url, *HOOK, *point.flags)


def call_back(tally, sandbox, g, request_id, job_id):
    """A webhook call comes, and the job is unconfirmed no longer."""
    [entry] = sandbox.journal()[request_id]
    began = time.monotonic()
    body = json.dumps({"job_id": entry["job_id"], "success": True, "data": {"status": "completed"}})
    status = post(g.webhook, "/" + entry["webhook"].split("/", 3)[3], body.encode())
    tally.expect(status == 204, f"{request_id}: the callback was answered {status}")
    state = wait_until(lambda: (s := g.json("get", job_id)["state"]) != UNCONFIRMED and s,
                       f"{request_id} to be resolved")
    took = time.monotonic() - began
    tally.expect(took <= HEALED_SECONDS, f"{request_id}: {state} only {took:.1f} s after the callback")
    tally.expect(g.json("get", job_id)["pictoryJobId"] == entry["job_id"], f"{request_id}: another job")
    return took


def cycle(name, rig, sandbox, g, number):
    point, tally = POINTS[name], Tally(cycles=1)
    request_id = f"{name}-{number}"
    words = [LARGE] if name == "part-sent" else []
    told = kill_at(point, rig, sandbox, g, request_id, tally, number)
    tally.expect(told[-1]["code"] == "UNAVAILABLE", f"{request_id}: its caller was told {told[-1]}")

    restart(g, "--base-url", sandbox.url, *HOOK, *UNLIMITED)
    rows = store_rows(g)
    row = rows.get(request_id)
    tally.expect(SENDING not in {each.submission for each in rows.values()}, f"{request_id}: SENDING is left")
    tally.expect((row and row.submission) == point.row, f"{request_id}: recovered as {row}")
    posts = len(sandbox.journal()[request_id])
    tally.expect(posts == point.posts, f"{request_id}: {posts} POSTs before the retry")

    again = submit(g, request_id, *words, "retry")
    told.append(again)
    tally.expect(again["code"] == "OK", f"{request_id}: the retry was told {again}")
    tally.expect((again.get("state") == UNCONFIRMED) == point.unconfirmed, f"{request_id}: the retry is {again}")
    tally.expect(row is None or row.job_id == again.get("job"), f"{request_id}: the retry is another job")
    posts = len(sandbox.journal()[request_id])
    expected = point.posts if point.unconfirmed else 1
    tally.expect(posts == expected, f"{request_id}: {posts} POSTs after the retry")
    if point.unconfirmed and posts:
        call_back(tally, sandbox, g, request_id, again["job"])
        told.append(submit(g, request_id, *words))
        tally.expect(told[-1].get("state") != UNCONFIRMED, f"{request_id}: still told {told[-1]}")
    g.kill()
    return tally, told


def killed(name, server=None):
    """The row of one point; with jobs in PostgreSQL if there is a `server`."""
    def run(rig, cycles):
        workers = min(WORKERS, cycles)

        def work(first):
            total, told = Tally(), []
            sandbox = rig.sandbox("--speed", "0.01")
            g = rig.gateway(sandbox.url, start=False)
            if server:
                g.database = server.database(f"{name}_{first}".replace("-", "_"))
            for number in range(first, cycles, workers):
                tally, said = cycle(name, rig, sandbox, g, number)
                total.add(tally)
                told += said
            restart(g)
            count_losses(total, g, sandbox, told)
            count_duplicates(total, sandbox)
            return total

        total = Tally()
        with concurrent.futures.ThreadPoolExecutor(workers) as pool:
            for each in pool.map(work, range(workers)):
                total.add(each)
        return total
    return run


def killed_on_postgres(rig, cycles):
    """Every point, with jobs in PostgreSQL."""
    total, server = Tally(), rig.postgres()
    for name in POINTS:
        total.add(killed(name, server)(rig, cycles))
    return total
