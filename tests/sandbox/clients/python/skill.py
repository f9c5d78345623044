"""Renders a v2 storyboard with an API key and waits for it, telling of every poll.

Exit codes: 0 done, 1 refused, 2 no key, 3 the job failed, 4 waited too long.
"""

import json
import os
import sys
import time

from pictory import PAUSE_SCALE, HttpError, call, pause

INTERVAL_SECONDS = 30
PATIENCE_SECONDS = 1800
# The filter in front of Pictory likes browsers.
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36"


def storyboard():
    return {
        "videoName": os.environ.get("VIDEO_NAME", "Clouds"),
        "aspectRatio": "16:9",
        "voiceOver": {"enabled": True, "aiVoices": [{"speaker": "Brian"}]},
        "backgroundMusic": {"enabled": True, "autoMusic": True, "volume": 0.2},
        "scenes": [{"story": "Clouds are water. They fly all the same.",
                    "createSceneOnEndOfSentence": True}],
    }


def poll(job, headers):
    began = time.monotonic()
    while time.monotonic() - began < PATIENCE_SECONDS * max(PAUSE_SCALE, 0.05):
        reply = call("GET", f"v1/jobs/{job}", headers)
        data = reply.get("data") or {}
        if data.get("status") == "completed":
            print(json.dumps(data))
            return 0
        if data.get("status") == "failed" or reply.get("success") is False:
            print(f"failed: {data.get('error_code')} {data.get('error_message')}", file=sys.stderr)
            return 3
        print(f"{data.get('status')} {data.get('renderProgress')}", file=sys.stderr)
        pause(INTERVAL_SECONDS)
    return 4


def main():
    key = os.environ.get("PICTORY_API_KEY")
    if not key:
        print("PICTORY_API_KEY is not set", file=sys.stderr)
        return 2
    headers = {"Authorization": key, "User-Agent": AGENT}
    try:
        reply = call("POST", "v2/video/storyboard/render", headers, storyboard())
        return poll(reply["data"]["jobId"], headers)
    except HttpError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
