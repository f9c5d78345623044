"""A collector of spans (OTLP/HTTP, in JSON) that keeps what it gets."""

import http.server
import json
import threading


class Collector:
    """Serves on a free port. `bodies` are what was posted, in order; `others` are paths and bodies of other forms."""

    def __init__(self, status=200):
        self.bodies = []
        self.others = []
        self.status = status
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def read_body(self):
                if self.headers.get("Transfer-Encoding") != "chunked":
                    return self.rfile.read(int(self.headers.get("Content-Length") or 0))
                body = b""
                while size := int(self.rfile.readline(), 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return body

            def do_POST(self):
                body = self.read_body()
                if self.path == "/v1/traces" and self.headers.get("Content-Type") == "application/json":
                    collector.bodies.append(body.decode())
                else:
                    collector.others.append((self.path, body))
                self.send_response(collector.status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # a gateway that is killed resets its connection
        self.address = f"127.0.0.1:{self.server.server_address[1]}"
        self.url = f"http://{self.address}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def spans(self, **wanted):
        """Those whose members are so, such as name="…"; each with its attributes as a plain object, and its service."""
        found = []
        for body in list(self.bodies):
            for resource in json.loads(body)["resourceSpans"]:
                service = plain(resource["resource"]["attributes"])["service.name"]
                for scope in resource["scopeSpans"]:
                    found += [span | {"attributes": plain(span["attributes"]), "service": service}
                              for span in scope["spans"]]
        return [span for span in found if wanted.items() <= span.items()]


def plain(attributes):
    return {each["key"]: next(iter(each["value"].values())) for each in attributes}
