"""Callers who repeat each submit until it is answered, and what came of all of them: in the journal of the sandbox,
which is what was paid, and in the store."""

import itertools
import json
import random
import threading
import time

from live.postgres import psql
from live.process import wait_until
from several import state

PAUSE = 0.2  # of a caller after an answer
SENDING = (1, 2)  # server/jobs/job.h: recorded, and not known to be sent
UNCONFIRMED = 1   # of the API's JobState
SAMPLE = 40


class Callers:
    """So many at once, each at whichever gateway, while the `with` lasts."""

    def __init__(self, gateways, places=4, words=(), prefix="r"):
        self.gateways, self.words, self.prefix = gateways, words, prefix
        self.jobs = {}  # request -> job
        self.refused = 0
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self.submit_all, args=(place,)) for place in range(places)]

    def submit_all(self, place):
        chance = random.Random(place)
        for number in itertools.count():
            name = f"{self.prefix}{place}-{number}"
            while name not in self.jobs:
                if self.stop.is_set():
                    return
                self.ask(chance.choice(self.gateways), name)
            self.stop.wait(PAUSE)

    def ask(self, gateway, name):
        done = gateway.run("preview", "--name", name, "--text", "One line.", "--request-id", name, "--json",
                           "--timeout", "5", *self.words)
        told = done.stdout.strip().splitlines()
        if told:  # a job, which may be UNCONFIRMED
            self.jobs[name] = json.loads(told[-1])["jobId"]
        else:
            self.refused += 1
            time.sleep(PAUSE)

    def __enter__(self):
        for each in self.threads:
            each.start()
        return self

    def __exit__(self, *exc):
        self.stop.set()
        for each in self.threads:
            each.join()

    def wait_for_answers(self, more, patience=120):
        """Seconds until so many more requests were answered."""
        began, before = time.monotonic(), len(self.jobs)
        wait_until(lambda: len(self.jobs) >= before + more, f"{more} answers", patience=patience)
        return time.monotonic() - began


class Kept:
    """What the store has of all requests, once nothing is under way any more."""

    def __init__(self, database, patience=180):
        def ended():
            self.rows = {}
            for line in psql(database, "SELECT request_id, submission, state, job_id, pictory_job_id "
                                       "FROM pictory.jobs_in_words"):
                request, submission, now, job, pictory = line.split("\t")
                self.rows[request] = (int(submission), int(now), job, pictory)
            left = psql(database, f"SELECT count(*) FROM pictory.jobs WHERE unended AND state <> {UNCONFIRMED}")
            return left == ["0"] and not any(row[0] in SENDING for row in self.rows.values())
        wait_until(ended, "every job to end, or be UNCONFIRMED", every=1, patience=patience)

    def unconfirmed(self):
        return [request for request, row in self.rows.items() if row[1] == UNCONFIRMED]


def account(jobs, sandbox, database, gateways):
    """(paid twice, lost, UNCONFIRMED, jobs) of the requests that were answered and those that were sent: names."""
    kept, sent = Kept(database), sandbox.journal()
    twice = [name for name, entries in sent.items() if len(entries) > 1]
    lost = [name for name in sent if name not in kept.rows]
    made = {entry["job_id"] for entries in sent.values() for entry in entries}
    for name, job in jobs.items():
        row = kept.rows.get(name)
        if row is None or row[2] != job or row[3] and row[3] not in made:
            lost.append(name)
    for number, name in enumerate(random.Random(1).sample(sorted(jobs), min(SAMPLE, len(jobs)))):
        if not state(gateways[number % len(gateways)], jobs[name]).startswith("JOB_STATE_"):
            lost.append(name)
    return twice, sorted(set(lost)), kept.unconfirmed()
