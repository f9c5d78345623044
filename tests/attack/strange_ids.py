"""Job ids and metadata that were made up, of several callers: nobody reads another's job, and no request to Pictory
has a path that the gateway does not make, or a header of a caller's."""

import asyncio
import collections
import contextlib
import random
import re

import frames
import grpc
from half_open import METHODS
from live.process import MIB
from live.rig import UNLIMITED, Rig
from live.tenants import keygen
from upstream import RESULTS, Upstream

CALLS, QUICK_CALLS, AT_ONCE = 100_000, 6_000, 200
SEED = 20261129
KEY, MARK = "pictai_attack", "marked"
# All that the gateway asks of Pictory by an id, which is one segment of the path: bytes that mean nothing there, or
# percent-encoded, and never dots alone.
PATHS = re.compile(r"/v[12]/(?:jobs|video/render|transcription(?:/highlights)?)"
                   r"(?:/(?!\.+$)(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})+)?(?:/highlights)?")
ODD = ["../", "..%2f", "%2e%2e/", "?", "#", ";", "%00", "\x00", "\r\n", "\r\nAuthorization: x", "//", "\\", "%", "%25",
       "\u202e", "\ufeff", "'", "\"", "' OR 1=1 --", "{}", "$(id)", "*", "a" * 255, "ǆ", "İ", " ", "\t", "/v2/jobs"]
# Of a call; the answer must say what is wrong, or that there is no such job. Who shows a second `authorization` is
# nobody.
TOLD = {"NOT_FOUND", "INVALID_ARGUMENT", "UNAVAILABLE", "FAILED_PRECONDITION", "RESOURCE_EXHAUSTED", "UNAUTHENTICATED"}
TENANTS = ("acme", "beta")


class Pictory(Upstream):
    """Knows the jobs that it has made, and nothing of any other name."""

    def answer(self, method, path, headers, body):
        if method == "GET":
            job = path.removeprefix("/v1/jobs/").removeprefix("/v2/jobs/")
            known = self.results.get(job)
            return (200, {"success": True, "job_id": job, "data": known}) if known else (404, {"message": "NOT_FOUND"})
        if path not in RESULTS:
            return 404, {"message": "NOT_FOUND"}
        job = f"pictory-{len(self.results) + 1}"
        self.results[job] = RESULTS[path]
        return 200, {"success": True, "data": {"jobId": job, "job_id": job}}


@contextlib.contextmanager
def pictory():
    running = Pictory()
    running.client_secret = KEY
    type(running).token = KEY
    try:
        yield running
    finally:
        running.server.shutdown()
        running.server.server_close()


def operators(*tenants):
    """Lines of a tenants file. They share an account, so none decides over jobs, or adopts any, unless its roles say
    it."""
    return "".join(f"[tenants.{tenant}]\nroles = ['read', 'submit', 'operate']\n" for tenant in tenants)


def text_field(number, text):
    raw = text.encode("utf-8", "surrogatepass")
    return frames.varint(number << 3 | 2, 7)[:1] + length(len(raw)) + raw


def length(value):
    out = bytearray()
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


# method, number of the field with the id, and whether it is a stream
ASKED = [("GetJob", 1, False), ("GetJob", 1, False), ("GetJob", 1, False), ("WatchJob", 1, True),
         ("ReadJobResult", 1, True), ("ReadArchivedFile", 1, True), ("DeleteJob", 1, False), ("Render", 10, False), ("Summarize", 10, False),
         ("ListJobs", 7, False)]


def strange(chance, real):
    """Near a name that there is, or far from all."""
    name = chance.choice(real)
    at = chance.randrange(len(name))
    how = chance.randrange(7)
    if how == 0:
        return name[:at] + chance.choice(ODD) + name[at:]
    if how == 1:
        return chance.choice(ODD) + name
    if how == 2:
        return name + chance.choice(ODD)
    if how == 3:
        return name[:at] + chance.choice("abcdefghjkmnpqrstvwxyz0123456789_-") + name[at + 1:]
    if how == 4:
        return name.swapcase() + chance.choice(["", "-", "_", "."])
    if how == 5:
        return "".join(chr(chance.randrange(1, 0x2fff)) for _ in range(chance.randrange(1, 80)))
    return "".join(chance.choice("abcdefghjkmnpqrstvwxyz0123456789") for _ in range(len(name)))


def metadata(chance):
    names = ["x-tenant", "x-forwarded-client-cert", "x-request-id", "idempotency-key", "x-envoy-attempt-count",
             "authorization", "x-pictory-user-id", "x-api-key", "l5d-client-id", "x-odd-bin"]
    found = []
    for name in chance.sample(names, chance.randrange(4)):
        value = MARK + "".join(chr(chance.randrange(0x21, 0x7f)) for _ in range(chance.randrange(1, 60)))
        found.append((name, value.encode() if name.endswith("-bin") else value))
    return found


class Caller:
    """A tenant, with jobs of its own."""

    def __init__(self, name, target, key):
        self.name, self.codes, self.read = name, collections.Counter(), []
        self.credentials = [("authorization", f"Bearer {key}")]
        self.channel = grpc.aio.insecure_channel(target)

    async def ask(self, method, request, stream, more=()):
        path, options = METHODS + method, {"metadata": [*self.credentials, *more], "timeout": 20}
        try:
            if not stream:
                return "OK", await self.channel.unary_unary(path)(request, **options)
            async for message in self.channel.unary_stream(path)(request, **options):
                return "OK", message
            return "OK", b""
        except grpc.aio.AioRpcError as error:
            return error.code().name, (error.details() or "").encode()
        except (ValueError, TypeError):
            return "not sent", b""  # the library refuses it


async def attack(callers, real, calls):
    """`real`: the job ids by their caller's name."""
    chance = random.Random(SEED)
    everybody = [job for jobs in real.values() for job in jobs]
    places = asyncio.Semaphore(AT_ONCE)

    async def one():
        async with places:
            caller = chance.choice(callers)
            foreign = [job for job in everybody if job not in real[caller.name]]
            name = chance.choice(foreign) if foreign and chance.random() < 0.2 else strange(chance, everybody)
            if name in real[caller.name]:
                return
            method, field, stream = chance.choice(ASKED)
            code, answer = await caller.ask(method, text_field(field, name), stream, metadata(chance))
            caller.codes[code] += 1
            if code == "OK" and not (method == "ListJobs" and all(job.encode() not in answer for job in foreign)):
                caller.read.append(f"{method} {name!r}")

    await asyncio.gather(*(one() for _ in range(calls)))


async def whole(target, calls, keys):
    callers = [Caller(name, target, key) for name, key in keys.items()]
    real = {}
    for caller in callers:
        made = [await caller.ask("Transcribe", text_field(10, "https://media.example.com/a.mp4"), False)
                for _ in range(3)]
        real[caller.name] = [re.search(rb"[0-9a-z]{20,36}", answer)[0].decode() for _, answer in made]
    await attack(callers, real, calls)
    still = [await caller.ask("GetJob", text_field(1, real[caller.name][0]), False) for caller in callers]
    for caller in callers:
        await caller.channel.close()
    return callers, [code for code, _ in still]


def strange_ids(folder, quick):
    calls = QUICK_CALLS if quick else CALLS
    keys, lines = zip(*map(keygen, TENANTS))
    tenants = folder / "tenants.toml"
    tenants.write_text(operators(*TENANTS) + "".join(lines))
    # What callers say of themselves in headers would count, but not from here.
    trust = ("--tenants", tenants, "--trust-xfcc", "--tenant-header", "x-tenant", "--trusted-proxies", "192.0.2.1")
    with pictory() as made, Rig(folder) as rig:
        g = rig.gateway(made.url, *UNLIMITED, *trust, env={"PICTORY_API_KEY": KEY})
        before = g.memory()
        callers, still = asyncio.run(whole(g.grpc, calls, dict(zip(TENANTS, keys))))
        grew = g.memory() - before
        alive = g.process.poll() is None
    codes = sum((caller.codes for caller in callers), collections.Counter())
    read = [f"{caller.name}: {each}" for caller in callers for each in caller.read]
    odd = sorted({path for _, path, _, _ in made.calls if not PATHS.fullmatch(path)})
    smuggled = [value for _, _, headers, _ in made.calls for value in headers.values()
                if MARK in value or any(key in value for key in keys)]
    unexpected = set(codes) - TOLD - {"OK", "not sent"}
    met = (alive and len(made.calls) > 50 and not read and not odd and not smuggled and not unexpected
           and still == ["OK"] * len(callers) and grew < 64 * MIB)
    seen = (f"{sum(codes.values())} calls of {len(callers)} tenants, {len(made.calls)} requests to Pictory, "
            f"{len(read)} read what is not theirs, {len(odd)} odd paths, +{grew / MIB:.0f} MiB")
    return met, seen, [] if met else [str(codes), *read[:10], *odd[:10], *smuggled[:10]]
