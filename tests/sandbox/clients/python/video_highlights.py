"""The words of an uploaded recording that fill a minute best, without a pause between polls."""

import os

from pictory import Account


def main():
    webhook = os.environ.get("WEBHOOK_URL")  # None is sent, too
    account = Account()
    transcription = account.post("v2/transcription", {
        "fileUrl": account.upload(os.environ["MEDIA_PATH"]),
        "mediaType": "video",
        "language": "en-US",
        "webhook": webhook,
    })["data"]["jobId"]
    transcript = account.wait(transcription)["data"]["transcript"]
    highlights = account.post("v2/transcription/highlights", {
        "transcript": transcript,
        "highlight_duration": 60,
        "webhook": webhook,
    })["data"]["jobId"]
    for turn in account.wait(highlights)["data"]["transcript"]:
        chosen = [word["word"] for word in turn["words"] if word.get("highlight")]
        if chosen:
            print(" ".join(chosen))


if __name__ == "__main__":
    main()
