"""What the programs here share: settings, one way to call, one way to wait."""

import http.client
import json
import os
import time
import urllib.parse

BASE_URL = os.environ.get("PICTORY_BASE_URL", "https://api.pictory.ai/pictoryapis").rstrip("/")
PAUSE_SCALE = float(os.environ.get("PAUSE_SCALE", "1"))
TIMEOUT_SECONDS = 120


class HttpError(Exception):
    def __init__(self, status, body):
        super().__init__(f"HTTP {status}: {body[:500].decode(errors='replace')}")
        self.status = status


def pause(seconds):
    time.sleep(seconds * PAUSE_SCALE)


def fetch(method, url, headers=None, body=None):
    """The bytes of the answer; HttpError for any status but 2xx."""
    parts = urllib.parse.urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=TIMEOUT_SECONDS)
    try:
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        # Something that is no bare script's: those are turned away.
        default = {"User-Agent": "sample-client/1", "Accept": "*/*"}
        connection.request(method, path, body=body, headers={**default, **(headers or {})})
        reply = connection.getresponse()
        data = reply.read()
    finally:
        connection.close()
    if not 200 <= reply.status < 300:
        raise HttpError(reply.status, data)
    return data


def call(method, path, headers, body=None):
    sent = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", **headers}
    return json.loads(fetch(method, f"{BASE_URL}/{path}", headers, sent))


def get_token():
    return call("POST", "v1/oauth2/token", {}, {
        "client_id": os.environ.get("CLIENT_ID"),
        "client_secret": os.environ.get("CLIENT_SECRET"),
    })["access_token"]


def put_file(url, file, content_type):
    """To a host that gets no credentials."""
    with open(file, "rb") as source:
        fetch("PUT", url, {"Content-Type": content_type}, source.read())


class Account:
    """Calls with a token and a user id."""

    def __init__(self):
        self.headers = {"Authorization": get_token()}
        if "USER_ID" in os.environ:
            self.headers["X-Pictory-User-Id"] = os.environ["USER_ID"]

    def post(self, path, body):
        return call("POST", path, self.headers, body)

    def put(self, path, body):
        return call("PUT", path, self.headers, body)

    def upload(self, file):
        """The address of the file afterwards."""
        place = self.post("v1/media/generateUrl",
                          {"contentType": "video/mp4", "fileName": "recording.mp4"})["data"]
        put_file(place["signedUrl"], file, "video/mp4")
        return place["url"]

    def wait(self, job, seconds=0):
        """Asks until the word is nowhere in what Python prints of the reply."""
        while True:
            pause(seconds)
            reply = call("GET", f"v1/jobs/{job}", self.headers)
            if "in-progress" not in str(reply):
                return reply


def download(url, fallback):
    file = os.environ.get("OUTPUT", fallback)
    with open(file, "wb") as out:
        out.write(fetch("GET", url))
    print(f"saved {file}")
