"""How often a submit was paid for."""

import concurrent.futures
import re

from check import Check, true

WORKERS = 4
KEYS = ("", "with request_id")


def slug(text):
    """A video's name, or a request_id."""
    return re.sub("[^a-z0-9]+", "-", text.lower()).strip("-")


def judged(case, sandbox, name, told, wanted=1):
    """`wanted`: POSTs, one number, or several that are right. And in the end the caller hears of a job that
    was made, unless nobody knows whether it was."""
    made = [entry["job_id"] for entry in sandbox.journal()[name]]
    posts, last = len(made), told[-1]
    allowed = {wanted} if isinstance(wanted, int) else wanted
    heard = last.pictory in made or last.state == "UNCONFIRMED"
    return true(case, posts in allowed and last.ok and heard,
                f"{posts} POST{'s' * (posts != 1)}, {', then '.join(each.text for each in told)}",
                f"{' or '.join(map(str, sorted(allowed)))} wanted, and an answer in the end")


def with_and_without(case, function):
    """One check of a case without request_id and with it. `function`: (name, request_id) -> Check."""
    checks = []
    for key in KEYS:
        name = slug(f"{case} {key}")[-64:]
        checks.append(function(name, name if key else ""))
    missed = {each.wanted for each in checks if not each.met}
    return Check(case, " | ".join(f"{each.seen:44}" for each in checks), "; ".join(missed), not missed)


def at_once(bench, function, cases):
    """The checks of all cases, in order. They wait most of the time, so several are tried at once."""
    pool = concurrent.futures.ThreadPoolExecutor(WORKERS)
    try:
        for checks in pool.map(lambda case: function(bench, case), cases):
            yield from checks
    finally:
        pool.shutdown(cancel_futures=True)
