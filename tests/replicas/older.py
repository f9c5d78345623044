"""Gateways of the last schema beside present ones, as while a cluster is brought to another version, and back.

Their program is made from the sources of a commit that knew the schema before, which takes some ten minutes, once. Only
what was once built from them says what older gateways do: the present sources with a step less would do the same as
with it."""

import os
import pathlib
import re
import subprocess
import time

from insist import Callers, account
from live.postgres import psql
from live.programs import ROOT
from live.rows import Outcome
from several import LEASE, Several, eventually

SCHEMA = pathlib.Path("server", "postgres", "schema.cc")
PLACE = ROOT / "build" / "replicas" / "older"


def run(*command, cwd=ROOT):
    done = subprocess.run(list(map(str, command)), cwd=cwd, capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: {(done.stdout + done.stderr)[-4000:]}")
    return done.stdout.strip()


def last_version(text):
    return max(int(version) for version, _ in re.findall(r"\{(\d+), (\d+), \w+(?:\.c_str\(\))?\}", text))


def commit():
    """The last one that changed the schema, and did not know its last step."""
    present = last_version((ROOT / SCHEMA).read_text())
    for each in run("git", "log", "--first-parent", "--format=%H", "--", SCHEMA).split():
        if last_version(run("git", "show", f"{each}:{SCHEMA}")) < present:
            return each
    raise AssertionError(f"no commit of {SCHEMA} has a schema before {present}; a shallow clone has not")


def program():
    """Its gateway; PICTORY_OLDER names one that is there already."""
    if "PICTORY_OLDER" in os.environ:
        return pathlib.Path(os.environ["PICTORY_OLDER"])
    wanted, done = commit(), PLACE / "built"
    built = PLACE / "tree" / "build" / "check" / "bin" / "pictory-gateway"
    if not (done.exists() and done.read_text() == wanted and built.exists()):
        (PLACE / "tree").mkdir(parents=True, exist_ok=True)
        sources = PLACE / "sources.tar"
        run("git", "archive", "-o", sources, wanted)
        run("tar", "-xf", sources, "-C", PLACE / "tree")
        for command in (("--preset", "check"), ("--build", "--preset", "check", "--target", "pictory-gateway")):
            run("cmake", *command, cwd=PLACE / "tree")
        done.write_text(wanted)
    return built


def older(folder, options):
    """Two older gateways make the store, two present ones join them, and all four are called for some minutes; then the
    present ones leave, and the older ones go on: nothing is lost or paid twice."""
    old = str(program())
    seconds = 600 if options.long else 60
    version = "SELECT version, oldest_program FROM pictory.store"
    with Several(folder, gateways=0) as several:
        before = [several.add(program=old) for _ in range(2)]
        [made] = psql(several.database, version)
        jobs, answered = {}, []

        def called(gateways, least):
            with Callers(gateways, prefix=f"{len(answered)}-") as callers:
                callers.wait_for_answers(20)
                time.sleep(max(0, least))
            answered.append(len(callers.jobs))
            jobs.update(callers.jobs)

        called(before, 0)
        present = [several.add() for _ in range(2)]
        [brought] = psql(several.database, version)
        everyone = [*before, *present]
        eventually("all four share", lambda: 0 < min(several.shards(everyone)) and max(several.shards(everyone)) < 310,
                   3 * LEASE)
        called(everyone, seconds)
        for each in present:
            each.terminate()
        eventually("the older ones have all shards", lambda: sum(several.shards(before)) == 1024, 2 * LEASE)
        called(before, 0)
        twice, lost, unconfirmed = account(jobs, several.pictory, several.database, before)
        alive = all(each.process.poll() is None for each in before)
        met = made != brought and alive and not (twice or lost or unconfirmed) and len(jobs) == sum(answered)
        return Outcome(met, (
            f"the store's version {made.replace(chr(9), ', oldest ')}, then {brought.replace(chr(9), ', oldest ')}; "
            f"{answered[0]} submits at the older ones, {answered[1]} at all four in {seconds} s, {answered[2]} at the older "
            f"ones again: {len(twice)} paid twice, {len(lost)} lost, {len(unconfirmed)} UNCONFIRMED"),
            [f"{what}: {names[:5]}" for what, names in (("twice", twice), ("lost", lost)) if names])
