"""Many connections, and an end under many callers."""

import asyncio
import collections
import contextlib
import json
import resource
import time

import frames
import grpc
from flooded import Others
from half_open import METHODS
from live.process import wait_until
from live.rig import UNLIMITED, Rig
from strange_ids import text_field

CONNECTIONS, FILES = 2_000, 1_024
WATCHES, QUICK_WATCHES, SUBMITS = 5_000, 1_000, 50
END_SECONDS = 30
AFTER_SECONDS = 2.0


@contextlib.contextmanager
def files_here(count):
    """So many may be open in this program meanwhile."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(count, soft)), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def idle_connections(folder, quick):
    with Rig(folder) as rig, files_here(2 * CONNECTIONS), contextlib.ExitStack() as held:
        pictory = rig.sandbox("--speed", "20")
        g = rig.gateway(pictory.url, *UNLIMITED, wrapper=["prlimit", f"--nofile={FILES}:{FILES}"])
        job = g.json("preview", "--name", "n", "--text", "Hi.")["jobId"]
        others = Others(g.grpc, job)
        taken = 0
        for i in range(CONNECTIONS):
            with contextlib.suppress(OSError):  # the gateway may close it at once
                held.enter_context(contextlib.closing(frames.connect(g.grpc, f"127.0.0.{2 + i % 4}")))
                taken += 1
        wait_until(lambda: g.metric("connections_refused_total") > 0, "a refusal")
        with others:
            wait_until(lambda: others.calls >= 3, "three calls of another")
        still = g.is_ready()
        refused = int(g.metric("connections_refused_total"))
        held.close()
        began = time.monotonic()
        wait_until(others.once, "somebody to be served again", every=0.2)
        met = still and others.in_time and refused >= CONNECTIONS - FILES
        seen = (f"{taken} connections, {refused} refused; others waited {others.slowest:.1f} s at most, "
                f"{others.failed} of {others.calls} failed; serves after {time.monotonic() - began:.1f} s")
        return met, seen, []


def preview(request_id):
    story = json.dumps({"videoName": request_id, "scenes": [{"story": "Hi."}]})
    return text_field(1, request_id) + text_field(11, story)


async def ending(g, pictory, watches):
    """Watches and submits that are under way when the gateway is told to end; their codes, and how it ended."""
    codes = {"watch": collections.Counter(), "submit": collections.Counter()}
    channels = [grpc.aio.insecure_channel(g.grpc, options=[("grpc.use_local_subchannel_pool", 1)]) for _ in range(8)]
    try:
        job = g.json("preview", "--name", "watched", "--text", "Hi.")["jobId"]

        async def watch(at):
            try:
                async for _ in channels[at % len(channels)].unary_stream(METHODS + "WatchJob")(text_field(1, job)):
                    pass
                codes["watch"]["OK"] += 1
            except grpc.aio.AioRpcError as error:
                codes["watch"][error.code().name] += 1

        async def submit(at):
            try:
                await channels[at % len(channels)].unary_unary(METHODS + "CreatePreview")(preview(f"s{at}"), timeout=60)
                codes["submit"]["OK"] += 1
            except grpc.aio.AioRpcError as error:
                codes["submit"][error.code().name] += 1

        tasks = [asyncio.create_task(watch(at)) for at in range(watches)]
        await asyncio.to_thread(wait_until, lambda: g.metric("watches") == watches, "all watches")
        pictory.fault("delay", times=SUBMITS, ms=4000)
        tasks += [asyncio.create_task(submit(at)) for at in range(SUBMITS)]
        await asyncio.to_thread(wait_until, lambda: g.metric("submits_running") == SUBMITS, "all submits")
        code, took = await asyncio.to_thread(g.terminate)
        paid = len(pictory.accepted())
        await asyncio.gather(*tasks)
        return codes, code, took, paid
    finally:
        for channel in channels:
            await channel.close()


def drained_crowd(folder, quick):
    watches = QUICK_WATCHES if quick else WATCHES
    with Rig(folder) as rig:
        pictory = rig.sandbox("--speed", "0.01")
        g = rig.gateway(pictory.url, *UNLIMITED)
        codes, code, took, paid = asyncio.run(ending(g, pictory, watches))
        time.sleep(AFTER_SECONDS)  # in which nothing may be sent any more
        later = len(pictory.accepted())
        ids = [json.loads(entry["body"])["videoName"] for entry in pictory.accepted()]
        met = (code == 0 and took <= END_SECONDS and codes["watch"] == {"UNAVAILABLE": watches}
               and codes["submit"] == {"OK": SUBMITS} and paid == later and len(ids) == len(set(ids)))
        seen = (f"ended with {code} after {took:.1f} s; watches {dict(codes['watch'])}, submits "
                f"{dict(codes['submit'])}, {later} paid, {later - paid} of them afterwards")
        return met, seen, []
