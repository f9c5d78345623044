"""Many watches of the Python example at once, in its own environment, with what it offers to copy.

    watchers.py TARGET WATCHES JOB...

Prints `open` when each has seen its job for the first time, and at the end one object: how many ended with a
final state, at how many a revision went back, how many reconnections there were, which errors ended a watch.
"""

import collections
import json
import os
import sys
import threading

import pictory_jobs
from pictory.jobs.v1 import job_pb2

OPEN_SECONDS = 60
FINAL = {job_pb2.JOB_STATE_SUCCEEDED, job_pb2.JOB_STATE_FAILED}


class Crowd:
    def __init__(self, target, watches, jobs):
        self.channel, self.stub = pictory_jobs.connect(target)
        self.lock, self.seen = threading.Lock(), collections.Counter()
        self.errors, self.opened, self.watches = collections.Counter(), threading.Event(), watches
        threading.stack_size(256 * 1024)
        self.threads = [threading.Thread(target=self.watch, args=(jobs[number % len(jobs)],))
                        for number in range(watches)]

    def count(self, what):
        with self.lock:
            self.seen[what] += 1
            if self.seen["opened"] == self.watches:
                self.opened.set()

    def watch(self, job_id):
        revisions, last = [], None
        try:
            for last in pictory_jobs.watch(self.stub, job_id, on_reconnect=lambda error: self.count("reconnects")):
                revisions.append(last.revision)
                if len(revisions) == 1:
                    self.count("opened")
        except Exception as error:  # what a program that copied it would see
            text = error.code().name if hasattr(error, "code") else type(error).__name__
            with self.lock:
                self.errors[text] += 1
        if last is not None and last.state in FINAL:
            self.count("final")
        if any(after <= before for before, after in zip(revisions, revisions[1:])):
            self.count("back")

    def run(self):
        for thread in self.threads:
            thread.start()
        if not self.opened.wait(OPEN_SECONDS):
            print(f"only {self.seen['opened']} of {self.watches} open", flush=True)
            os._exit(1)
        print("open", flush=True)
        for thread in self.threads:
            thread.join()
        print(json.dumps({"final": self.seen["final"], "back": self.seen["back"],
                          "reconnects": self.seen["reconnects"], "errors": self.errors}), flush=True)


if __name__ == "__main__":
    Crowd(sys.argv[1], int(sys.argv[2]), sys.argv[3:]).run()
