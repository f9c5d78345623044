"""See run, beside this."""

import argparse
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.dont_write_bytecode = True
sys.path[:0] = [str(ROOT / "tests" / "support" / "python"), str(ROOT / "tests" / "mesh")]
import tools  # noqa: E402

STORY = ("A gateway takes a story. It hands the story to Pictory once, and only once. "
         "Another gateway goes on when it ends. Then they tell everybody who waits.")
RESTART_SECONDS = 3  # as a service manager would


def step(words):
    print(f"\n\033[1m== {words}\033[0m", flush=True)


class Told:
    """A caller that watches a job through Envoy."""

    def __init__(self, cluster, job):
        from live.programs import BIN

        self.process = subprocess.Popen([BIN / "pictory", "watch", job, "--json"], text=True, stdout=subprocess.PIPE,
                                        env={**cluster.env, "PICTORY_GATEWAY": cluster.target})
        self.lines = []
        self.thread = threading.Thread(target=lambda: self.lines.extend(self.process.stdout))
        self.thread.start()

    def wait(self):
        code = self.process.wait()
        self.thread.join()
        self.process.stdout.close()
        if code != 0 or "SUCCEEDED" not in self.lines[-1]:
            raise AssertionError(f"the watch ended with {code}: {self.lines}")


def pictory(cluster, *arguments):
    """What the command line prints, through Envoy."""
    from live.process import DEADLINE_SECONDS
    from live.programs import BIN

    done = subprocess.run([BIN / "pictory", *map(str, arguments)], text=True, stdout=subprocess.PIPE,
                          env={**cluster.env, "PICTORY_GATEWAY": cluster.target}, timeout=2 * DEADLINE_SECONDS)
    if done.returncode != 0:
        raise AssertionError(f"pictory {' '.join(map(str, arguments))} ended with {done.returncode}")
    return done.stdout


def job_in(text):
    return next(line.split()[1] for line in text.splitlines() if line.startswith("job "))


def tell_story(cluster, out):
    from live.process import wait_until

    step("1. Text to preview, through Envoy")
    text = pictory(cluster, "preview", "--name", "cluster", "--text", STORY, "--request-id", "preview", "--watch")
    print(text, end="")
    preview = job_in(text)
    for number, gateway in enumerate(cluster.gateways, 1):
        print(f"gateway {number} at {gateway.grpc} says {gateway.json('get', preview)['state']}")

    step("2. Preview to video; a gateway is killed meanwhile")
    render = job_in(pictory(cluster, "render", preview, "--request-id", "render"))
    watch = Told(cluster, render)
    wait_until(lambda: watch.lines, "the watch to begin")
    victim = cluster.gateways[0]
    victim.kill()
    print(f"killed gateway 1 (pid {victim.pid}); the watch goes on")
    victim.start()
    watch.wait()
    again = job_in(pictory(cluster, "render", preview, "--request-id", "render"))
    print(f"the same request_id again: {'the same job' if again == render else 'ANOTHER JOB'}")

    step("3. The file")
    video = out / "video.mp4"
    pictory(cluster, "result", render, "--download", "-o", video)
    print(f"{video.stat().st_size} bytes of {video.name}: {'an mp4' if video.read_bytes()[4:8] == b'ftyp' else 'NO MP4'}")

    step("4. The primary is killed, and the standby takes over")
    slow = job_in(pictory(cluster, "preview", "--name", "sandbox-slow", "--text", STORY, "--request-id", "slow"))
    watch = Told(cluster, slow)
    wait_until(lambda: watch.lines, "the watch to begin")
    print(f"the gateways have their store again after {cluster.fail_over():.1f} s")
    watch.wait()
    print("the watch went on, and saw the end")

    step("5. What was paid for")
    paid = len(cluster.pictory.accepted())
    print(f"{paid} requests were sent to Pictory for 3 jobs")
    if again != render or paid != 3:
        raise AssertionError("something was paid for twice")


def what_to_try(cluster):
    print(f"\nAll of it runs until Ctrl-C. From another shell:\n\n  export PICTORY_GATEWAY={cluster.target}   # Envoy")
    print(f"  export PATH={ROOT}/build/release/bin:$PATH")
    print("  pictory preview --name mine --text 'Hello there.' --watch\n  pictory list")
    for number, gateway in enumerate(cluster.gateways, 1):
        print(f"  kill -9 {gateway.pid}   # gateway {number}, {gateway.grpc}, http://{gateway.admin}/metrics; is started again")
    print(f"  kill -9 {cluster.primary.process.pid}   # the primary; the standby takes over, once")
    print(f"  psql 'host={cluster.primary.folder} user=gateway dbname=jobs' -c 'SELECT * FROM pictory.jobs_in_words'")
    print(f"  curl http://{cluster.envoy.admin}/clusters   # Envoy's", flush=True)


def serve(cluster):
    """Stands for a service manager and a manager of the database."""
    what_to_try(cluster)
    failed_over = False
    while True:
        time.sleep(0.5)
        for number, gateway in enumerate(cluster.gateways, 1):
            if gateway.process.poll() is not None:
                print(f"gateway {number} has ended ({gateway.process.returncode}); it is started again in {RESTART_SECONDS} s",
                      flush=True)
                time.sleep(RESTART_SECONDS)
                gateway.start()
                print(f"  kill -9 {gateway.pid}   # gateway {number}, again", flush=True)
        if not failed_over and cluster.primary.process.poll() is not None:
            failed_over = True
            print("the primary has ended; the standby takes over", flush=True)
            print(f"  the gateways have their store again after {cluster.fail_over(killed=True):.1f} s", flush=True)


def main():
    parser = argparse.ArgumentParser(prog="server/deploy/cluster/run")
    parser.add_argument("--serve", action="store_true")
    parser.add_argument("--gateways", type=int, default=3)
    options = parser.parse_args()
    tools.set_up(clients=False)
    tools.go_there(__file__)
    from live.cluster import Cluster
    from live.process import environment

    began = time.monotonic()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # all of it goes, too
    with tempfile.TemporaryDirectory(prefix="cluster-") as folder:
        step(f"Starting PostgreSQL, its standby, {options.gateways} gateways and Envoy")
        with Cluster(folder, options.gateways, sandbox=("--speed", "3")) as cluster:
            cluster.env = environment({"XDG_STATE_HOME": folder})
            cluster.wait_until_healthy()
            print(f"Envoy on {cluster.target}, gateways on {', '.join(each.grpc for each in cluster.gateways)}", flush=True)
            try:
                if options.serve:
                    serve(cluster)
                tell_story(cluster, pathlib.Path(folder))
            except KeyboardInterrupt:
                pass
    step(f"Done, after {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
