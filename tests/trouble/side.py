"""A gateway with jobs and their watches, as several cases need it."""

import collections
import json
import re

from house import PATIENCE, SERVICE, field
from watches import Watches

PAGE = 1000
TRANSCRIPTION = 3  # JobKind: the kind that the bench's upstream can finish

Counts = collections.namedtuple("Counts", "open finished broken least")


def job_ids(bench, gateway):
    """Of all its jobs."""
    found, token = [], ""
    while True:
        page = bench.call(gateway, "ListJobs",
                          bench.request(f'page_size: {PAGE} page_token: "{token}"', "ListJobsRequest"),
                          "ListJobsResponse")
        found += re.findall(r'^  job_id: "([^"]+)"', page, re.MULTILINE)
        more = re.search(r'^next_page_token: "([^"]+)"', page, re.MULTILINE)
        if more is None:
            return found
        token = more.group(1)


def requests(bench, jobs):
    """Arguments for a request about each of the jobs: of GetJob and of WatchJob alike."""
    each = [field(1, job.encode()) for job in jobs]
    return ["--request", bench.saved(b"".join(each)), "--request-bytes", len(each[0])]


def watch(bench, gateway, jobs, watches, *more, **where):
    """Open, and shared evenly between the jobs."""
    _, request, *share = requests(bench, jobs)
    return Watches(bench, gateway, SERVICE + "WatchJob", request, watches, *share, *more, **where)


def counts(opened):
    opened.client.say("counts")
    return Counts(*opened.client.values("counts"))


def pace(bench, gateway, method, rate, seconds, *request):
    """Starts an open loop of calls; paced() says what came of it."""
    loader = bench.start("paced_load", "--target", gateway.target, "--method", method, "--rate", rate,
                         "--seconds", seconds, *request)
    loader.patience = seconds + PATIENCE
    return loader


def paced(bench, loader):
    seen = json.loads(loader.line(loader.patience))
    bench.end(loader)
    return seen
