"""The rows, in the order they run."""

from callers_pay import killed_under_callers_keys
from crowds import duplicate_storm, faulty_upstream
from disks import failing_disk, killed_on_slow_disk, sync_before_send
from files import killed_at_each_write, second_gateway, store_files_vanish
from keyless import keyless_killed, told_at_the_end
from kills import killed, killed_on_postgres
from live.rig import Rig
from live.rows import Outcome, Row
from restarts import restart_with_many
from states import states_never_go_back
from waiting import killed_while_waiting


SHOWN = 10  # problems


def row(name, what, function, unit, cycles, quick, long=None):
    """`function`: (Rig, cycles) -> Tally. `long`: the cycles of a --long run, if they are others."""

    def measure(folder, options):
        with Rig(folder) as rig:
            usual = quick if options.quick else long if options.long and long else cycles
            tally = function(rig, options.cycles or usual)
        below = tally.problems[:SHOWN]
        if len(tally.problems) > SHOWN:
            below.append(f"and {len(tally.problems) - SHOWN} more")
        seen = f"{tally.cycles:6} {unit:8} {tally.duplicates} twice {tally.losses} lost  {tally.measured}".rstrip()
        return Outcome(tally.met(), seen, below)

    return Row(name, what, measure)


ROWS = [
    row("killed-before-intent", "Killed before the intent is durable", killed("before-intent"), "kills", 25, 3),
    row("killed-after-intent", "Killed while the recorded intent waits for budget", killed("after-intent"), "kills", 25, 2),
    row("killed-before-first-byte", "Killed between SENDING and the first byte", killed("before-first-byte"), "kills", 25, 3),
    row("killed-part-sent", "Killed with part of the request sent", killed("part-sent"), "kills", 25, 2),
    row("killed-no-answer", "Killed with all sent and no answer", killed("no-answer"), "kills", 25, 3),
    row("killed-answer-read", "Killed with the answer read and not stored", killed("answer-read"), "kills", 25, 3),
    row("killed-accepted", "Killed with the answer stored and the caller not told", killed("accepted"), "kills", 25, 3),
    row("killed-poll-entry", "Killed while the job is taken up for polling", killed("poll-entry"), "kills", 25, 3),
    row("postgres-killed", "Killed at each of these, with jobs in PostgreSQL", killed_on_postgres, "kills", 4, 1, long=25),
    row("killed-waiting", "Killed while renders wait for their previews, and while they are sent", killed_while_waiting, "kills", 3, 1),
    row("keyless-killed", "Killed at each step of a call without request_id, then repeated", keyless_killed, "kills", 10, 1),
    row("callers-keys-killed", "Killed, and all keys of callers who pay forgotten", killed_under_callers_keys, "kills", 24, 4),
    row("told-at-the-end", "SIGTERM while Pictory does not answer: told, and followed", told_at_the_end, "ends", 3, 1),
    row("sync-before-send", "SENDING flushed before the first byte of the POST", sync_before_send, "submits", 100, 25),
    row("failing-disk", "Disk full, or failing, at each call of the store", failing_disk, "failures", 100, 3),
    row("slow-disk-killed", "Killed where each write of the store takes 100 ms", killed_on_slow_disk, "kills", 24, 3),
    row("store-files-vanish", "The store's files removed, replaced, overwritten", store_files_vanish, "faults", 16, 4),
    row("second-gateway", "State directory or lock gone, a second gateway starts", second_gateway, "starts", 10, 2),
    row("killed-at-each-write", "Killed between any two writes of a start and an end", killed_at_each_write, "kills", 1_000, 4),
    row("duplicate-storm", "1,000 calls at once with one request_id", duplicate_storm, "calls", 3, 1),
    row("faulty-upstream", "Submits through 10 % resets, 10 % 503, 5 % slow answers", faulty_upstream, "submits", 10_000, 1_000),
    row("restart-with-many", "Restart with unfinished jobs: 5 s, 1 KiB a job, budget", restart_with_many, "jobs", 100_000, 20_000),
    row("states-never-go-back", "404 after create, flapping, failed and then completed", states_never_go_back, "scripts", 10, 1),
]
