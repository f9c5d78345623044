"""The life of a job, and where the gateway stands. Each state of the API has its box, or this fails."""

import re
import sys

from svg import Drawing, ROOT


def states():
    proto = (ROOT / "protos" / "pictory" / "jobs" / "v1" / "job.proto").read_text()
    return set(re.findall(r"JOB_STATE_(\w+) =", proto)) - {"UNSPECIFIED"}


def life():
    d = Drawing(960, 400, "The life of a job: from its submit to one of its ends")
    d.box("submit", 40, 30, "ours", width=110)
    d.box("WAITING", 20, 150, "held", "nothing is sent or billed")
    d.box("CANCELLED", 20, 300, "", "DeleteJob, never sent")
    d.box("QUEUED", 300, 30, "busy", "Pictory has accepted it")
    d.box("RUNNING", 530, 30, "busy", "Pictory works on it")
    d.box("UNCONFIRMED", 300, 150, "doubt", "no complete answer;\nnever sent again", width=170, height=60)
    d.box("OUTCOME_UNKNOWN", 300, 300, "bad", "a person gave it up", width=170)
    d.box("SUCCEEDED", 770, 30, "good", "the result is here", width=170)
    d.box("FAILED", 770, 120, "bad", "Pictory says so", width=170)
    d.box("EXPIRED", 770, 210, "bad", "no end for 7 days", width=170)
    d.box("CLEANED", 770, 300, "", "outputs were removed", width=170)
    if set(d.boxes) - {"submit"} != states():
        sys.exit(f"pictures: {(set(d.boxes) - {'submit'}) ^ states()} is not both drawn and declared")
    d.line(d.side("submit", "right"), d.side("QUEUED", "left"))
    d.line(d.side("submit", "bottom"), d.side("WAITING", "top"))
    d.text(104, 118, "may wait", small=True, anchor="start")
    d.line(d.side("WAITING", "bottom"), d.side("CANCELLED", "top"))
    d.line(d.side("WAITING", "right"), (210, 172), (210, 53))
    d.text(203, 118, "sent", small=True, anchor="end")
    d.line((260, 52), (260, 180), d.side("UNCONFIRMED", "left"))
    d.line(d.side("UNCONFIRMED", "top", -10), d.side("QUEUED", "bottom"))
    d.text(384, 118, "resolved", small=True, anchor="start")
    d.line(d.side("UNCONFIRMED", "bottom"), d.side("OUTCOME_UNKNOWN", "top"))
    d.line(d.side("QUEUED", "right"), d.side("RUNNING", "left"))
    d.line(d.side("RUNNING", "right"), d.side("SUCCEEDED", "left"))
    for end in ("FAILED", "EXPIRED", "CLEANED"):
        x, y = d.side(end, "left")
        d.line((725, 52), (725, y), (x, y))
    d.text(480, 385, "A job that was or may have been submitted is never forgotten, and never paid for twice.", small=True)
    d.write("life.svg")


def mesh():
    d = Drawing(960, 330, "Where the gateway stands: between callers and Pictory")
    d.box("Services", 20, 30, "", "gRPC, seven languages", width=180, height=56)
    d.box("Shells and browsers", 20, 130, "", "HTTP/JSON, pictory", width=180, height=56)
    d.box("People", 20, 230, "", "the board", width=180, height=56)
    d.box("Envoy or a sidecar", 280, 110, "held", "TLS, retries, balancing\nmay be left out", width=190, height=96)
    d.box("pictory-gateway", 550, 90, "ours", "who calls, what it may cost,\nsent once, polled once,\nwatched by many", width=190, height=136)
    d.box("store", 550, 265, "good", "", width=90, height=40)
    d.box("archive", 650, 265, "good", "", width=90, height=40)
    d.box("Pictory", 810, 90, "doubt", "or the sandbox", width=130, height=136)
    for caller, shift in (("Services", -20), ("Shells and browsers", 0), ("People", 20)):
        x, y = d.side("Envoy or a sidecar", "left", shift)
        left = d.side(caller, "right")
        d.line(left, (240, left[1]), (240, y), (x, y)) if shift else d.line(left, (x, y))
    d.line(d.side("Envoy or a sidecar", "right"), d.side("pictory-gateway", "left"))
    d.line(d.side("pictory-gateway", "right", -30), d.side("Pictory", "left", -30))
    d.text(775, 118, "submits", small=True)
    d.line(d.side("pictory-gateway", "right"), d.side("Pictory", "left"))
    d.text(775, 148, "polls", small=True)
    d.line(d.side("Pictory", "left", 30), d.side("pictory-gateway", "right", 30))
    d.text(775, 206, "webhooks", small=True)
    d.line((595, 226), (595, 265))
    d.line((695, 226), (695, 265))
    d.text(375, 232, "a retried submit is the same job", small=True)
    d.write("mesh.svg")


if __name__ == "__main__":
    life()
    mesh()
