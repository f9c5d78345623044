"""A small Pictory of the older generation, scripted by the test: client credentials, v2 and v1 paths."""

import contextlib
import http.server
import json
import threading

PREFIX = "/pictoryapis"


class Upstream:
    """Serves on a free port. Everything received is in `calls`, in order."""

    def __init__(self):
        self.calls = []  # (method, path, headers, body)
        self.tokens = 0
        self.client_secret = "s3cret"
        self.token_gate = threading.Event()  # while it is not set, nobody gets a token
        self.token_gate.set()
        self.token_asked = threading.Event()
        self.results = {}  # job id -> data
        upstream = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def serve(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                path = self.path.removeprefix(PREFIX)
                upstream.calls.append((self.command, path, dict(self.headers), body))
                status, answer = upstream.answer(self.command, path, self.headers, body)
                data = json.dumps(answer).encode()
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(data)))
                    self.end_headers()
                    self.wfile.write(data)

            do_GET = do_POST = do_PUT = serve

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}{PREFIX}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def token(self):
        return f"token-{self.tokens}"

    def answer(self, method, path, headers, body):
        if path == "/v1/oauth2/token":
            self.token_asked.set()
            self.token_gate.wait(60)
            if json.loads(body) != {"client_id": "the-id", "client_secret": self.client_secret}:
                return 401, {"message": "Unauthorized"}
            self.tokens += 1
            return 200, {"access_token": self.token, "expires_in": 3600, "token_type": "Bearer"}
        if headers.get("Authorization") != self.token:
            return 401, {"message": "Unauthorized"}
        if headers.get("X-Pictory-User-Id") != "the-user":
            return 401, {"message": "Unauthorized"}
        if method == "GET":
            job = path.removeprefix("/v1/jobs/")
            if job not in self.results:
                return 404, {"message": "JOB_NOT_FOUND"}
            return 200, {"success": True, "job_id": job, "data": self.results[job]}
        job = f"pictory-{len(self.results) + 1}"
        self.results[job] = RESULTS[path]
        key = "jobId" if path.startswith("/v2/") else "job_id"
        return 200, {"success": True, "data": {key: job}}

    def expire_token(self):
        """As after an hour: what the gateway holds is refused from now on."""
        self.tokens += 1

    def bodies(self, path):
        return [body for _, called, _, body in self.calls if called == path]


def _words(text, **extra):
    return [{"word": w, "start_time": i * 0.5, "end_time": i * 0.5 + 0.48, "speakerId": 1, **extra}
            for i, w in enumerate(text.split())]


TRANSCRIPT = [{"uid": "s1", "speakerId": 1, "words": _words("Once upon a time")},
              {"uid": "s2", "speakerId": 1, "words": _words("there was a gateway")}]
RESULTS = {
    "/v2/transcription": {"transcript": TRANSCRIPT, "txt": "Once upon a time there was a gateway",
                          "srt": "1", "vtt": "WEBVTT", "mediaInfo": {"duration": 4}},
    "/v1/transcription/highlights": {
        "status": "completed",
        "transcript": [TRANSCRIPT[0],
                       {"uid": "s2", "speakerId": 1,
                        "words": _words("there was a gateway", highlight=True)}]},
    "/v1/video/storyboard": {"renderParams": {"audio": {}, "output": {}, "scenes": []},
                             "preview": "https://video.example.com/p"},
    "/v2/video/storyboard": {"status": "completed", "renderParams": {"elements": []},
                             "previewUrl": "https://video.example.com/p"},
}


@contextlib.contextmanager
def upstream():
    running = Upstream()
    try:
        yield running
    finally:
        running.token_gate.set()
        running.server.shutdown()
        running.server.server_close()
