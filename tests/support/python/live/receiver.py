"""A receiver of notifications: keeps what it is sent, and answers as a test says."""

import http.server
import json
import threading

from live.process import DEADLINE_SECONDS, wait_until


class Receiver:
    """Listens on this machine, without TLS. `answer` gives for each request its status, or status and headers; None:
    it says nothing until the end."""

    def __init__(self, answer=lambda request: 204):
        self.answer = answer
        self.requests = []
        self.ended = threading.Event()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                request = Request(self.path, dict(self.headers.items()),
                                  self.rfile.read(int(self.headers["Content-Length"])))
                receiver.requests.append(request)
                answer = receiver.answer(request)
                if answer is None:
                    receiver.ended.wait(DEADLINE_SECONDS)
                    self.close_connection = True
                    return
                status, headers = answer if isinstance(answer, tuple) else (answer, {})
                self.send_response(status)
                for name, value in {"Content-Length": "0", **headers}.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.host = f"127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, path="/hook"):
        return f"http://{self.host}{path}"

    def await_requests(self, count):
        wait_until(lambda: len(self.requests) >= count, f"{count} notifications, not {len(self.requests)}")
        return self.requests

    def end(self):
        self.ended.set()
        self.server.shutdown()
        self.server.server_close()


class Request:
    def __init__(self, path, headers, body):
        self.path, self.body = path, body
        self.headers = {name.lower(): value for name, value in headers.items()}
        self.id = self.headers.get("webhook-id")

    def event(self):
        return json.loads(self.body)
