"""What the image says of itself, and that it serves with nothing but its volume to write to: main.py ARCHIVE."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time

DEADLINE_SECONDS = 120
# What an engine does with `--read-only --cap-drop ALL --user …`: $1 the root, $2 the user, then the command.
ENGINE = """
set -e
root=$1 user=$2; shift 2
mount --make-rprivate /
mount --bind "$root" "$root"
mount --bind "$root$STATE_DIRECTORY" "$root$STATE_DIRECTORY"
mount -o remount,bind,ro "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/tmp"
mount --bind /dev "$root/dev"
exec chroot "$root" setpriv --reuid "${user%%:*}" --regid "${user##*:}" --clear-groups --no-new-privs \
  --bounding-set -all --inh-caps -all env -i "STATE_DIRECTORY=$STATE_DIRECTORY" "$@"
"""


def check(words, holds):
    if not holds:
        raise SystemExit(f"image: FAILED: {words}")
    print(f"   {words}")


def unpack(archive, root):
    """The image's config; its layers, one over the other, in `root`."""
    with tempfile.TemporaryDirectory(dir=root.parent) as folder:
        subprocess.run(["tar", "-C", folder, "-xf", archive], check=True)
        [manifest] = json.loads(pathlib.Path(folder, "manifest.json").read_text())
        for layer in manifest["Layers"]:
            with tarfile.open(pathlib.Path(folder, layer)) as names:
                for name in names.getnames():
                    path = pathlib.PurePath(name)
                    if path.name.startswith(".wh."):
                        gone = root / path.parent / path.name.removeprefix(".wh.")
                        shutil.rmtree(gone) if gone.is_dir() and not gone.is_symlink() else gone.unlink(missing_ok=True)
            subprocess.run(["tar", "-C", root, "--numeric-owner", "--exclude", ".wh.*", "-xf",
                            pathlib.Path(folder, layer)], check=True)
        return json.loads(pathlib.Path(folder, manifest["Config"]).read_text())["config"]


def start(root, config, *command):
    state = dict(each.split("=", 1) for each in config["Env"])["STATE_DIRECTORY"]
    return subprocess.Popen(["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "sh", "-c",
                             "ip link set lo up; " + ENGINE, "engine", root, config["User"], *command],
                            env={**os.environ, "STATE_DIRECTORY": state}, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True)


def main():
    with tempfile.TemporaryDirectory(dir="build/image") as folder:
        root = pathlib.Path(folder, "root").resolve()
        root.mkdir()
        config = unpack(sys.argv[1], root)
        check("its user is a number, and not root", config["User"].split(":")[0].isdigit() and config["User"] != "0:0")
        check("its program is the gateway", config["Entrypoint"] == ["/usr/bin/pictory-gateway"])
        check("its own program is its probe", config["Healthcheck"]["Test"] == ["CMD", "/usr/bin/pictory-gateway", "probe"])
        check("its volume is the state", list(config["Volumes"]) == ["/var/lib/pictory-gateway"])
        found = subprocess.run(["find", root, "-perm", "/6000", "-type", "f"], capture_output=True, text=True).stdout
        check("no program of it makes anybody root", not found)
        check("all of systemd is not in it", not (root / "lib/systemd/systemd").exists())

        gateway = start(root, config, *config["Entrypoint"], "--sandbox", "--ready-file", "/tmp/ready")
        try:
            deadline = time.monotonic() + DEADLINE_SECONDS
            probe = None
            while probe is None or probe.returncode:
                check_alive = gateway.poll() is None and time.monotonic() < deadline
                if not check_alive:
                    gateway.kill()
                    raise SystemExit(f"image: FAILED: it does not serve\n{gateway.communicate()[0]}")
                inner = subprocess.run(["pgrep", "--parent", str(gateway.pid)], capture_output=True, text=True).stdout.split()
                probe = inner and subprocess.run(["nsenter", "--target", inner[0], "--mount", "--net", "--root",
                                                  *config["Healthcheck"]["Test"][1:]], capture_output=True) or None
                time.sleep(0.2)
            check("it serves on a root that nobody can write, and its probe says so", True)
            pid = int(inner[0])
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
            check("it runs as that user, without capabilities",
                  f"Uid:\t{config['User'].split(':')[0]}\t" in status and "CapPrm:\t0000000000000000" in status)
            done = subprocess.run(["nsenter", "--target", inner[0], "--mount", "--root", "sh", "-c", "touch /etc/x"],
                                  capture_output=True, text=True)
            check("its root is read-only", "Read-only file system" in done.stderr)
            os.kill(pid, signal.SIGTERM)
            said = gateway.communicate(timeout=DEADLINE_SECONDS)[0]
            check("SIGTERM ends it in order", gateway.returncode == 0 and "stopped" in said)
        finally:
            gateway.kill()
    print("The image holds.")


main()
