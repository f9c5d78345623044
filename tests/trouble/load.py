"""Too much at once: calls in plenty, and a disk that takes its time."""

import time

from house import BIN, SERVICE, STORYBOARD, polls_of
from number import at_least, at_most, seconds_until
from side import TRANSCRIPTION, job_ids, pace, paced, requests, watch

HEALTH = "/grpc.health.v1.Health/Check"
STALL_SECONDS = 3
# Calls a second.
SUBMITS = 500
READS = 2000


def stalled_store(bench):
    """Flushes, writes and reads of the store's files take 3 s until a submit keeps the thread that
    writes, and a list the one that reads."""
    armed, hit = bench.path("armed"), bench.path("hit")
    gateway = bench.gateway_to(
        bench.server("upstream"), jobs=20_000,
        env={"LD_PRELOAD": BIN / "libbad_disk.so", "BAD_DISK": "all:5:1:1000000",
             "BAD_DISK_STALL_MS": str(STALL_SECONDS * 1000), "BAD_DISK_DIR": bench.folder,
             "BAD_DISK_ARMED": armed, "BAD_DISK_HIT": hit})
    job = bench.transcribe(gateway)
    armed.touch()
    slow = [pace(bench, gateway, SERVICE + "CreatePreview", 1, 1, "--request",
                 bench.request(STORYBOARD, "CreatePreviewRequest")),
            pace(bench, gateway, SERVICE + "ListJobs", 1, 1, "--request",
                 bench.request("page_size: 1000 kinds: JOB_KIND_SUMMARY", "ListJobsRequest"))]

    def both_stand():
        calls = hit.read_text() if hit.exists() else ""
        return "pread" in calls and ("pwrite" in calls or "fdatasync" in calls)

    seconds_until(both_stand, STALL_SECONDS, every=0.005)
    armed.unlink()  # what has begun takes its time; nothing more does
    health = pace(bench, gateway, HEALTH, 200, STALL_SECONDS - 1, "--request", bench.saved(b""))
    reads = pace(bench, gateway, SERVICE + "GetJob", 200, STALL_SECONDS - 1, *requests(bench, [job]))
    health, reads = paced(bench, health), paced(bench, reads)
    submit, listing = (paced(bench, one)["max_us"] / 1e6 for one in slow)
    bench.note([f"GetJob meanwhile: p99 {reads['p99_us'] / 1e3:.1f} ms; health, worst "
                f"{health['max_us'] / 1e3:.1f} ms"])
    yield at_least("submit kept for", submit, STALL_SECONDS - 1, "s")
    yield at_least("list kept for", listing, STALL_SECONDS - 1, "s")
    yield at_most("health checks failed", health["calls"] - health["codes"].get("0", 0), 0)
    yield at_most("health, p99", health["p99_us"] / 1e3, 50, "ms")


def full_load(bench):
    """The upstream answers at once, so what a submit takes is what the gateway adds. Its jobs are polled
    meanwhile, and so are those that are watched. Not for less time: one slow flush of the disk is one in
    a hundred of a short run."""
    seconds = 30
    upstream = bench.server("upstream")
    gateway = bench.gateway_to(upstream, budget=2000, burst=2000, jobs=1000, kind=TRANSCRIPTION)
    jobs = job_ids(bench, gateway)
    watch(bench, gateway, jobs, 10_000)
    # The first poll of each brings news, which 10,000 watches are told.
    seconds_until(lambda: polls_of(upstream) >= len(jobs), 40, every=0.1)
    time.sleep(1)
    loads = [pace(bench, gateway, SERVICE + "GetJob", READS, seconds, *requests(bench, jobs)),
             pace(bench, gateway, SERVICE + "CreatePreview", SUBMITS, seconds, "--request",
                  bench.request(STORYBOARD, "CreatePreviewRequest"))]
    cpu, began = gateway.cpu(), time.monotonic()
    reads, submits = (paced(bench, load) for load in loads)
    cpu = (gateway.cpu() - cpu) / (time.monotonic() - began)
    bench.note([f"a flush of the disk takes {bench.flush_seconds() * 1e3:.1f} ms; the gateway used "
                f"{cpu * 100:.0f} % of a core; of GetJob and submits, ms: median "
                + " and ".join(f"{seen['p50_us'] / 1e3:.2f}" for seen in (reads, submits)) + ", worst "
                + " and ".join(f"{seen['max_us'] / 1e3:.1f}" for seen in (reads, submits))
                + ", load programs late at the 99th "
                + " and ".join(f"{seen['late_p99_us'] / 1e3:.2f}" for seen in (reads, submits))])
    for name, seen in (("GetJob", reads), ("submits", submits)):
        yield at_most(f"{name} failed", seen["calls"] - seen["codes"].get("0", 0), 0)
    yield at_most("GetJob, p99", reads["p99_us"] / 1e3, 20, "ms")
    yield at_most("submits, p99", submits["p99_us"] / 1e3, 15, "ms")
