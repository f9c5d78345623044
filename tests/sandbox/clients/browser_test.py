"""A page of browser/, in headless Chromium, against `pictory-gateway sandbox`: its calls come from another origin, and
it embeds the sandbox's pages. Exit 77: no Chromium here."""

import http.server
import json
import os
import pathlib
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import unittest

from clients_test import DEADLINE_SECONDS, HERE, sandbox

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
TYPES = {".html": "text/html; charset=utf-8", ".mjs": "text/javascript"}


class Site(http.server.ThreadingHTTPServer):
    """The server of the page, which is told by it how its story went."""

    def __init__(self, settings):
        self.settings, self.told = settings, queue.Queue()
        super().__init__(("127.0.0.1", 0), Page)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/page.html"


class Page(http.server.BaseHTTPRequestHandler):
    def answer(self, kind, body, status=200):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        file = HERE / "browser" / pathlib.PurePosixPath(self.path).name
        if self.path == "/settings":
            self.answer("application/json", json.dumps(self.server.settings).encode())
        elif file.suffix in TYPES and file.is_file():
            self.answer(TYPES[file.suffix], file.read_bytes())
        else:
            self.answer("text/plain", b"", 404)

    def do_POST(self):
        self.server.told.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.answer("text/plain", b"")

    def log_message(self, *_):
        pass


class Browser(unittest.TestCase):
    def test_a_page_calls_and_embeds(self):
        with sandbox(speed=50) as s, tempfile.TemporaryDirectory() as profile:
            site = Site({"base": s.url, "fileUrl": s.env["FILE_URL"], "pause": 50})
            browser = subprocess.Popen(
                [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                 "--no-first-run", f"--user-data-dir={profile}", site.url],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
            try:
                told = site.told.get(timeout=DEADLINE_SECONDS)
            finally:
                os.killpg(browser.pid, signal.SIGKILL)
                browser.wait()
                site.shutdown()
                site.server_close()
            self.assertEqual(told, {
                "shown": ["The first scene.", "The other scene."],
                "refused": "renderParams has neither scenes nor elements",
                "unknown": "There is no message MAKE_TEA",
                "missing": "There is nothing here.",
            })
            self.assertEqual(s.calls(), ["POST /v2/transcription", "POST /v1/video/storyboard"])
            self.assertEqual(set(s.stats()["callers"]), {"token and user id"})


if __name__ == "__main__":
    if CHROMIUM is None:
        sys.exit(77)
    unittest.main()
