"""The leader of a cluster of PostgreSQL servers is killed, and Patroni has another one lead."""

import random
import time

from insist import Callers, account
from live.process import wait_until
from live.rig import died, restart
from live.rows import Outcome
from patroni_cluster import PATIENCE, Patroni
from several import Several
from tap import Moment, Tap

BEGIN, UPDATE = b"INSERT INTO pictory.jobs", b"UPDATE pictory.jobs"
# When the leader is killed: at a call of the store by a gateway that lives on; or together with a gateway that is
# before or after such a call (base/fail_point.h); or "" at any moment.
TIMES = (Moment(BEGIN, "answer"), "sending-stored", Moment(UPDATE, "answer"), "answer-read", "",
         Moment(BEGIN, "commit"), "intent-uncommitted", Moment(UPDATE, "commit"), "accepted-stored",
         Moment(BEGIN, "statement"), "poll-entry", Moment(UPDATE, "statement"))
RENEWAL = b"UPDATE pictory.gateways SET lease_until"
LATER = (Moment(RENEWAL, "answer"), Moment(RENEWAL, "commit"))  # with --long
PASSED = 3  # times that a gateway passes its point first
ALREADY_SENT = 2  # seconds in which what was recorded before the kill may still be sent


class Led(Several):
    """The first gateway may reach a server by way of a tap."""

    def serve(self):
        started = Patroni()
        self.exits.callback(started.end)
        self.tap = self.exits.enter_context(Tap([f"{node.host}:{node.port}" for node in started.nodes]))
        return started

    def tapped(self, leader):
        """How a gateway names the servers, this one last: libpq tries no further host if one accepts and then closes,
        as a tap does whose server is dead."""
        relay = self.tap.relays[self.server.nodes.index(leader)]
        others = [(node.host, node.port) for node in self.server.nodes if node is not leader]
        return self.server.named("jobs", [*others, relay.target.split(":")])

    def sent_until_it_takes_writes(self):
        """How many submits were sent while no server took writes."""
        time.sleep(ALREADY_SENT)
        first = last = len(self.pictory.accepted())
        give_up = time.monotonic() + PATIENCE
        while True:
            now = len(self.pictory.accepted())
            if self.server.takes_writes():  # and perhaps did when that was counted
                return last - first
            if time.monotonic() > give_up:
                raise AssertionError(f"none of Patroni's servers takes writes: {self.server.members()}")
            last = now
            time.sleep(0.2)


def dies_at(victim, point):
    """A gateway under calls that is killed there."""
    victim.kill()
    try:
        restart(victim, program="gateway-with-fail-points", env={"GATEWAY_FAIL_POINT": f"{point}:{PASSED}"})
    except AssertionError:  # it died before it was ready
        pass
    if not died(victim):
        raise AssertionError(f"the gateway did not die at {point}: {victim.said()}")


def kill_leader(several, when, victim):
    """The node that led."""
    leader = several.server.leader()
    if isinstance(when, Moment):
        first = several.gateways[0]
        first.terminate()
        first.database = several.tapped(leader)
        first.start()
        several.tap.wait_for(when, leader.kill)
    else:
        if when:
            dies_at(victim, when)
        leader.kill()
    return leader


def patroni(folder, options):
    """Killed under submits, at a call of the store: nothing is lost or paid twice, and nothing is sent while nobody
    leads."""
    times = TIMES + LATER if options.long else TIMES
    kills = options.cycles or (50 if options.long else len(times))
    chance = random.Random(3)
    with Led(folder) as several:
        wait_until(lambda: max(several.shards()) < 400, "the shards to be shared", every=0.2)
        away, answered, sent_meanwhile = [], [], 0
        with Callers(several.gateways) as callers:
            for number in range(kills):
                callers.wait_for_answers(10)
                when, victim = times[number % len(times)], several.gateways[1 + number % 2]
                time.sleep(chance.random())
                killed, began = kill_leader(several, when, victim), time.monotonic()
                sent_meanwhile += several.sent_until_it_takes_writes()
                away.append(time.monotonic() - began)
                if victim.process.poll() is not None:
                    restart(victim)
                callers.wait_for_answers(3)
                answered.append(time.monotonic() - began)
                killed.start()
                several.server.wait_until_whole()
                with open(folder / "kills", "a") as log:
                    log.write(f"{number + 1}: {killed.name}, {when or 'any moment'}: writes {away[-1]:.1f} s, submits "
                              f"{answered[-1]:.1f} s, {len(callers.jobs)} answered\n")
        twice, lost, unconfirmed = account(callers.jobs, several.pictory, several.database, several.gateways)
    met = not (twice or lost or sent_meanwhile) and len(callers.jobs) > 10 * kills
    return Outcome(met, (
        f"{kills} leaders killed, {len(callers.jobs)} submits: {len(twice)} paid twice, {len(lost)} lost, "
        f"{sent_meanwhile} sent while none led, {len(unconfirmed)} UNCONFIRMED; writes were taken again after "
        f"{max(away):.0f} s, submits after {max(answered):.0f} s at most"),
        [f"{what}: {names[:5]}" for what, names in (("twice", twice), ("lost", lost)) if names])
