"""Ids of another tenant's, in every method: answered as ids that nobody has, in code, message, details and time."""

import asyncio
import itertools
import math
import re
import statistics
import time

import frames
import grpc
from half_open import METHODS
from live.rig import UNLIMITED, Rig
from live.tenants import keygen
from strange_ids import length, operators, pictory, text_field

BLOCKS, QUICK_BLOCKS, ASKS = 21, 9, 15
SAME = 1.1  # what nearly always lies within the noise of a network
DETAILS = "grpc-status-details-bin"
FULL, JSON_PART = b"\x10\x02", b"\x10\x01"


def number_field(number, value):
    return frames.varint(number << 3, 7)[:1] + length(value)


SUMMARY = number_field(13, 30)
# name -> method, the bytes that ask about a job, and whether it is a stream
ASKED = {
    "GetJob": ("GetJob", lambda job: text_field(1, job), False),
    "GetJob, all of it": ("GetJob", lambda job: text_field(1, job) + FULL, False),
    "BatchGetJobs": ("BatchGetJobs", lambda job: text_field(1, job), False),
    "WatchJob": ("WatchJob", lambda job: text_field(1, job), True),
    "ReadJobResult": ("ReadJobResult", lambda job: text_field(1, job) + JSON_PART, True),
    "ReadArchivedFile": ("ReadArchivedFile", lambda job: text_field(1, job), True),
    "ResolveJob": ("ResolveJob", lambda job: text_field(1, job), False),
    "ResolveJob, abandoned": ("ResolveJob", lambda job: text_field(1, job) + number_field(3, 1), False),
    "ResolveJob, adopted": ("ResolveJob", lambda job: text_field(1, job) + text_field(2, "pictory-1"), False),
    "DeleteJob": ("DeleteJob", lambda job: text_field(1, job), False),
    "DeleteJob, cancelled": ("DeleteJob", lambda job: text_field(1, job) + number_field(2, 1), False),
    "ReplayNotification": ("ReplayNotification", lambda job: text_field(1, job), False),
    "WatchJobs by job_ids": ("WatchJobs", lambda job: text_field(4, job), True),
    "UpdatePreview": ("UpdatePreview", lambda job: text_field(1, job) + text_field(11, '[{"id":"a"}]'), False),
    "Render": ("Render", lambda job: text_field(10, job), False),
    "Summarize": ("Summarize", lambda job: text_field(10, job) + SUMMARY, False),
}


# Answered with OK, and the name as one that there is not.
NAMES_WHAT_IS_MISSING = {"BatchGetJobs", "WatchJobs by job_ids"}
LIST_COMPLETED, RESUME_TOKEN = 5, 15  # fields of WatchJobsResponse


def fields(message):
    """Number and bytes of each, of a message all of whose fields have a length."""
    at = 0
    while at < len(message):
        number, size, shift, at = message[at] >> 3, 0, 0, at + 1
        while True:
            size, shift, at = size | (message[at] & 127) << shift, shift + 7, at + 1
            if message[at - 1] < 128:
                break
        yield number, message[at:at + size]
        at += size


class Caller:
    def __init__(self, target, key):
        self.metadata = [("authorization", f"Bearer {key}")]
        self.channel = grpc.aio.insecure_channel(target)

    async def ask(self, method, request, stream=False):
        """Code, message, details, and what was answered."""
        try:
            if not stream:
                made = self.channel.unary_unary(METHODS + method)
                return "OK", "", b"", await made(request, metadata=self.metadata, timeout=30)
            return "OK", "", b"", await self.first_of(method, request)
        except grpc.aio.AioRpcError as error:
            details = {name: value for name, value in error.trailing_metadata()}.get(DETAILS, b"")
            return error.code().name, error.details() or "", details, b""

    async def first_of(self, method, request):
        """What a stream says first: one message, or of WatchJobs the whole list without its tokens, which are those of
        a filter and so of the ids in it."""
        call = self.channel.unary_stream(METHODS + method)(request, metadata=self.metadata, timeout=30)
        said = []
        try:
            async for message in call:
                if method != "WatchJobs":
                    return message
                said += [each for each in fields(message) if each[0] != RESUME_TOKEN]
                if said[-1][0] == LIST_COMPLETED:
                    break
            return b"".join(bytes([number]) + value for number, value in said)
        finally:
            call.cancel()

    async def token(self):
        """A resume token of a watch without a filter."""
        call = self.channel.unary_stream(METHODS + "WatchJobs")(b"", metadata=self.metadata, timeout=30)
        try:
            return dict(fields(await call.read()))[RESUME_TOKEN].decode()
        finally:
            call.cancel()

    async def about(self, what, job):
        method, make, stream = ASKED[what]
        return await self.ask(method, make(job), stream)


def job_id(answer):
    return re.search(rb"[0-9a-z]{26}", answer[3])[0].decode()


def others_like(job):
    """Names of the same length and form that nobody has."""
    digits = "0123456789abcdefghjkmnpqrstvwxyz"
    for a, b in itertools.product(digits, digits):
        if job[-2:] != a + b:
            yield job[:-2] + a + b


def without(job, answer):
    """The answer with the name that was asked about taken out; all of them have the same length."""
    code, message, details, said = answer
    return code, message.replace(job, "ID"), details.replace(job.encode(), b"ID"), said.replace(job.encode(), b"ID")


async def answers_alike(beta, names, wrong):
    """Of each method, what a foreign name is answered beside a name of nobody."""
    for name, what in itertools.product(names, ASKED):
        foreign = without(name, await beta.about(what, name))
        unknown_name = next(others_like(name))
        unknown = without(unknown_name, await beta.about(what, unknown_name))
        told = foreign[0] == "OK" and what not in NAMES_WHAT_IS_MISSING
        if foreign != unknown or told:
            wrong.append(f"{what} of {name}: {foreign}, and of nobody's: {unknown}")


async def others_alike(acme, beta, request, wrong):
    """What names no job, or names one in another way."""
    def note(what, foreign, unknown):
        if foreign != unknown:
            wrong.append(f"{what}: {foreign}, and of nobody's: {unknown}")

    page = await acme.ask("ListJobs", number_field(6, 1))
    token = re.search(rb"[A-Za-z0-9_-]{40,}=*$", page[3])[0].decode()
    own = ("B" if token[0] == "A" else "A") + token[1:]
    note("ListJobs by a foreign page token", without(token, await beta.ask("ListJobs", text_field(7, token))),
         without(own, await beta.ask("ListJobs", text_field(7, own))))
    token = await acme.token()
    own = token[:6] + ("B" if token[6] == "A" else "A") + token[7:]  # in the hash of tenant and filter
    note("WatchJobs by a foreign resume token", await beta.ask("WatchJobs", text_field(6, token), True),
         await beta.ask("WatchJobs", text_field(6, own), True))
    if (await acme.ask("WatchJobs", text_field(6, token), True))[0] != "OK":
        wrong.append("WatchJobs by its own resume token is refused: nothing is shown")
    listed = await beta.ask("ListJobs", b"")
    if listed != ("OK", "", b"", b""):
        wrong.append(f"ListJobs: {listed}")
    usages = {"GetUsage": b"", "GetUsage by a label": text_field(1, "team")}
    before = {what: await beta.ask("GetUsage", asked) for what, asked in usages.items()}
    await acme.ask("Transcribe", request("more"))
    for what, asked in usages.items():
        note(what, await beta.ask("GetUsage", asked), before[what])
    # A request_id that the other tenant has used is free here.
    first, again = await beta.ask("Transcribe", request("shared")), await beta.ask("Transcribe", request("shared"))
    theirs = await acme.ask("Transcribe", request("shared"))
    if first[0] != "OK" or job_id(first) != job_id(again) or job_id(theirs) == job_id(first):
        wrong.append(f"Transcribe by a request_id of another tenant: {first[:2]}, {theirs[:2]}")


async def seconds(beta, what, job):
    began = time.perf_counter()
    await beta.about(what, job)
    return time.perf_counter() - began


async def times_alike(caller, name, blocks, methods=ASKED):
    """Of each method the median of (foreign : nobody's), between which bounds (nobody's : nobody's) moves, and whether
    the one lies within the other. All three are asked in turns, so that what else the machine does is the same for
    them."""
    for what in methods:
        ratios = {"foreign": [], "unknown": []}
        for _ in range(blocks):
            taken = {"foreign": [], "unknown": [], "beside": []}
            fresh = others_like(name)
            for at in range(ASKS):
                jobs = {"foreign": name, "unknown": next(fresh), "beside": next(fresh)}
                order = list(jobs)
                for who in order[at % 3:] + order[:at % 3]:
                    taken[who].append(await seconds(caller, what, jobs[who]))
            median = {who: statistics.median(each) for who, each in taken.items()}
            for who, each in ratios.items():
                each.append(math.log(median[who] / median["beside"]))
        foreign, least, most = statistics.median(ratios["foreign"]), min(ratios["unknown"]), max(ratios["unknown"])
        yield what, foreign, least, most, least <= foreign <= most or abs(foreign) < math.log(SAME)


async def whole(target, keys, blocks):
    acme, beta, reader = (Caller(target, key) for key in keys)
    wrong, times = [], []

    def request(request_id):
        return text_field(1, request_id) + text_field(10, "https://media.example.com/a.mp4")

    try:
        made = [await acme.ask("Transcribe", request(f"r{at}")) for at in range(3)]
        job = job_id(made[0])
        theirs = re.search(rb"pictory-\d+", made[0][3])[0].decode()
        await answers_alike(beta, [job, theirs], wrong)
        await answers_alike(reader, [job, theirs], wrong)
        await others_alike(acme, beta, request, wrong)
        for name, caller in ((job, beta), (theirs, reader)):
            async for what, foreign, least, most, inside in times_alike(caller, name, blocks):
                times.append((abs(foreign), inside))
                if not inside:
                    wrong.append(f"{what} of {name}: takes {math.exp(foreign):.2f} times what nobody's takes, which is "
                                 f"{math.exp(least):.2f} to {math.exp(most):.2f} times itself")
        async for _, own, _, _, inside in times_alike(acme, job, blocks, ["GetJob"]):  # from memory
            if inside:
                wrong.append(f"its own job takes {math.exp(own):.2f} times what nobody's takes: nothing is shown")
        still = [await acme.about("GetJob", name) for name in (job, theirs)]
        if [code for code, *_ in still] != ["OK", "OK"]:
            wrong.append(f"the tenant's own: {still}")
    finally:
        for caller in (acme, beta, reader):
            await caller.channel.close()
    return wrong, times


def foreign_ids(folder, quick):
    acme, acme_lines = keygen("acme")
    beta, beta_lines = keygen("beta")
    reader, reader_lines = keygen("beta", "reader")
    tenants = folder / "tenants.toml"
    tenants.write_text(operators("acme", "beta") + acme_lines + beta_lines + reader_lines + 'roles = ["read", "submit"]\n')
    with pictory() as made, Rig(folder) as rig:
        g = rig.gateway(made.url, *UNLIMITED, "--tenants", tenants, env={"PICTORY_API_KEY": made.token})
        wrong, times = asyncio.run(whole(g.grpc, (acme, beta, reader), QUICK_BLOCKS if quick else BLOCKS))
    farthest = max(apart for apart, _ in times)
    seen = (f"{4 * len(ASKED)} answers as of nobody's; {sum(good for _, good in times)} of {len(times)} times within "
            f"the noise, the farthest {math.exp(farthest):.2f} times")
    return not wrong, seen, wrong[:20]
