"""A shell that remembers: each command is a bash of its own, and what one exports or assigns the next one has."""

import os
import signal
import subprocess
import sys
import tempfile

PATIENCE_SECONDS = 1800  # the longest command builds everything


class Shell:
    def __init__(self, folder):
        self.folder = folder
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("PICTORY_")}
        self.servers = []

    def run(self, command):
        """Its standard output."""
        print(f"$ {command}", flush=True)
        with tempfile.NamedTemporaryFile() as after:
            script = f"set -a\n{command}\ncode=$?\nset +a\nenv -0 >{after.name}\nexit $code\n"
            done = subprocess.run(["bash", "-c", script], cwd=self.folder, env=self.env, text=True,
                                  capture_output=True, timeout=PATIENCE_SECONDS)
            if done.returncode != 0:
                sys.exit(f"readme: exit code {done.returncode}\n{done.stdout}{done.stderr}")
            self.env = dict(entry.split("=", 1) for entry in after.read().decode().split("\0") if entry)
        return done.stdout

    def background(self, command, until):
        """What it prints up to the line with `until`; it goes on."""
        print(f"$ {command} &", flush=True)
        server = subprocess.Popen(["bash", "-c", command], cwd=self.folder, env=self.env, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        self.servers.append(server)
        said = ""
        for line in server.stdout:
            said += line
            if until in line:
                return said
        sys.exit(f"readme: it ended with {server.wait()}\n{said}")

    def end(self):
        """All that was started has ended, too: the pipe is at its end when the last one lets go of it."""
        for server in self.servers:
            os.killpg(server.pid, signal.SIGTERM)
            server.stdout.read()
            server.wait()
