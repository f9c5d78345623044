#!/usr/bin/env python3
"""The life of the packages on one booted Debian: main.py PID SUITE, where PID is the machine's process 1."""

import json
import pathlib
import re
import subprocess
import sys
import time

MACHINE, SUITE = sys.argv[1:]
UNIT = "pictory-gateway.service"
STATE = "/var/lib/pictory-gateway"
CONF = "/etc/pictory-gateway/gateway.conf"
KEY = "/etc/pictory-gateway/secrets/api-key"
DEADLINE_SECONDS = 120
EXPOSURE_MAX = 2.0
WATCHDOG_SECONDS = 2


def run(*command, ok=(0,), text=None, errors=False):
    """What a command prints in the machine, on stderr too if `errors`."""
    done = subprocess.run(["nsenter", "--target", MACHINE, "--mount", "--pid", "--uts", "--ipc", "--net", "--root", "--wd",
                           "env", "DEBIAN_FRONTEND=noninteractive", *map(str, command)],
                          capture_output=True, text=True, input=text, timeout=10 * DEADLINE_SECONDS)
    if done.returncode not in ok:
        raise SystemExit(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout + (done.stderr if errors else "")


def await_(words, holds):
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise SystemExit(f"not within {DEADLINE_SECONDS} s: {words}\n{log()}")
        time.sleep(0.2)
    print(f"   {words}")


def check(words, holds):
    if not holds:
        raise SystemExit(f"FAILED on {SUITE}: {words}\n{log()}")
    print(f"   {words}")


def log():
    return run("journalctl", "--no-pager", "--lines=40", f"--unit={UNIT}", ok=(0, 1))


def property_(name):
    return run("systemctl", "show", "--value", f"--property={name}", UNIT).strip()


def serves():
    return property_("StatusText") == "Serves at 127.0.0.1:50051" and property_("ActiveState") == "active"


def there(path):
    return run("sh", "-c", f"test -e {path} && echo yes", ok=(0, 1)) == "yes\n"


def install(revision):
    run("sh", "-c", f"apt-get install -y -qq --no-install-recommends /packages/pictory*-{revision}~*.deb")


def state_of(job):
    return pictory("get", job)["state"]


def pictory(*arguments):
    return json.loads(run("pictory", *arguments, "--json").splitlines()[-1])


def write(path, text, mode="600"):
    run("sh", "-c", f"cat > {path} && chmod {mode} {path}", text=text)


def setting(name, value):
    run("sed", "-i", f"s|^#*{name} =.*|{name} = {value}|", CONF)


def installed():
    print("-- Installed")
    install(1)
    await_("the service is started, and says where it serves", serves)
    check("it starts at every boot", run("systemctl", "is-enabled", UNIT).strip() == "enabled")
    pid = property_("MainPID")
    check("it runs as its own user", run("stat", "-c", "%U", f"/proc/{pid}").strip() == "pictory-gateway")
    check("nobody else reads its jobs", run("stat", "-L", "-c", "%a %U", STATE).strip() == "700 pictory-gateway")
    check("nobody but root reads its secrets", run("stat", "-c", "%a %U", pathlib.Path(KEY).parent).strip() == "700 root")
    version = re.match(r"pictory-gateway (\S+)", run("pictory-gateway", "--version"))[1]
    for package in ("pictory-gateway", "pictory"):
        found = run("dpkg-query", "-W", "-f", "${Version}", package)
        check(f"{package} is {found}", re.fullmatch(re.escape(version) + r"-1~deb1[23]", found))
    check("the probe finds it", "serves" in run("pictory-gateway", "probe"))
    job = pictory("preview", "--text", "Hello there.", "--wait")
    check("it makes a preview in its sandbox", job["state"] == "JOB_STATE_SUCCEEDED")
    return job["jobId"]


def hardened():
    print("-- Hardened")
    told = run("systemd-analyze", "verify", f"/lib/systemd/system/{UNIT}", ok=(0, 1), errors=True)
    check("systemd-analyze verify has nothing to say", UNIT not in told)
    told = run("systemd-analyze", "security", "--offline=true", "--no-pager", f"/lib/systemd/system/{UNIT}", ok=(0, 1))
    exposure = float(re.search(r"Overall exposure level for \S+: ([\d.]+)", told)[1])
    check(f"its exposure is {exposure}, at most {EXPOSURE_MAX}", exposure <= EXPOSURE_MAX)


def watched():
    print("-- Watched")
    pid = property_("MainPID")
    run("systemctl", "reload", UNIT)
    await_("a reload is over when its files are read",
           lambda: property_("ActiveState") == "active" and '"event":"reloaded"' in log())
    run("mkdir", "-p", f"/run/systemd/system/{UNIT}.d")
    write(f"/run/systemd/system/{UNIT}.d/short.conf",
          f"[Service]\nWatchdogSec={WATCHDOG_SECONDS}\nTimeoutStopSec={WATCHDOG_SECONDS}\n", "644")
    run("systemctl", "daemon-reload")
    run("systemctl", "restart", UNIT)
    await_("it serves with a watchdog of two seconds", serves)
    pid = property_("MainPID")
    began = time.monotonic()
    await_("the watchdog lets it live for five times as long",
           lambda: time.monotonic() - began > 5 * WATCHDOG_SECONDS and property_("MainPID") == pid)
    run("sh", "-c", f"kill -STOP {pid}")
    await_("one that stands still is replaced", lambda: property_("MainPID") not in (pid, "0") and serves())
    check("systemd says that the watchdog did it", "watchdog" in log().lower())

    setting("drain-delay", 4 * WATCHDOG_SECONDS)
    run("systemctl", "restart", UNIT)
    await_("it serves, and is to end slowly", serves)
    began = time.monotonic()
    run("systemctl", "stop", UNIT)
    check("an end that takes longer than systemd's own two seconds is neither killed nor taken for a fault",
          time.monotonic() - began > 4 * WATCHDOG_SECONDS and property_("Result") == "success")
    run("sed", "-i", "s|^drain-delay|#drain-delay|", CONF)
    run("rm", f"/run/systemd/system/{UNIT}.d/short.conf")
    run("systemctl", "daemon-reload")


def upgraded(job):
    print("-- Upgraded")
    setting("drain-timeout", 7)
    run("systemctl", "restart", UNIT)
    await_("it serves with a setting of the operator's", serves)
    pid = property_("MainPID")
    install(2)
    await_("the new program serves", lambda: property_("MainPID") not in (pid, "0") and serves())
    check("the job is there", state_of(job) == "JOB_STATE_SUCCEEDED")
    check("the setting is kept", "\ndrain-timeout = 7\n" in run("cat", CONF))
    check("the end of the old one was in order", '"event":"stopped"' in log() and property_("NRestarts") == "0")


def keyed():
    print("-- With a key")
    write(KEY, "pictai_not_a_real_one\n")
    setting("api-key-file", f"/run/credentials/{UNIT}/secrets_api-key")
    run("systemctl", "restart", UNIT)
    await_("it takes the key that systemd shows to it alone", serves)
    check("the sandbox is not used", there(f"{STATE}/pictory/jobs.db"))
    check("others cannot see it", run("sh", "-c", f"runuser -u nobody cat {KEY} /run/credentials/{UNIT}/secrets_api-key "
                                      ">/dev/null 2>&1 || echo refused") == "refused\n")
    run("install", "-m", "640", "-g", "pictory-gateway", KEY, "/srv/api-key")
    setting("api-key-file", "/srv/api-key")
    run("systemctl", "restart", UNIT)
    await_("it takes one of root's that its group may read", serves)
    run("sed", "-i", "s|^api-key-file|#api-key-file|", CONF)
    run("systemctl", "restart", UNIT)


def refused():
    print("-- With wrong settings")
    kept = run("cat", CONF)
    write(CONF, kept + "max-submits-per-dya = 1\n", "644")
    run("systemctl", "restart", UNIT, ok=(1,))
    await_("it ends, and is not started again", lambda: property_("ActiveState") == "failed")
    check("the log names the setting", "max-submits-per-day" in log())
    write(CONF, kept, "644")
    run("systemctl", "reset-failed", UNIT)
    run("systemctl", "start", UNIT)
    await_("once it is mended it starts", serves)


def removed(job):
    print("-- Removed, installed again, purged")
    run("apt-get", "remove", "-y", "-qq", "pictory-gateway")
    check("nothing runs", "pictory-gateway" not in run("sh", "-c", "readlink /proc/[0-9]*/exe", ok=(0, 1)))
    check("the jobs are kept", there(f"{STATE}/sandbox/jobs.db"))
    check("settings and secrets are kept", there(CONF) and there(KEY))
    install(2)
    await_("installed again, it serves", serves)
    check("the job is back", state_of(job) == "JOB_STATE_SUCCEEDED")
    run("apt-get", "purge", "-y", "-qq", "pictory-gateway", "pictory")
    check("nothing is left of it", not any(there(path) for path in (STATE, KEY, CONF, f"/lib/systemd/system/{UNIT}",
                                                                     "/usr/bin/pictory", f"/etc/systemd/system/{UNIT}")))
    check("but its user, whose number nobody else is to get", "pictory-gateway" in run("cat", "/etc/passwd"))


def main():
    await_("the machine is up",
           lambda: run("systemctl", "is-system-running", ok=range(256)).strip() in ("running", "degraded"))
    job = installed()
    hardened()
    watched()
    upgraded(job)
    keyed()
    refused()
    removed(job)


main()
