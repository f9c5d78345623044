"""A film of pictures to a recording: what is said, in as many scenes as there are pictures; rendered by
the preview's id."""

import math
import os

from pictory import Account, download

PICTURES = [f"https://images.example.com/picture-{n}.jpg" for n in range(1, 4)]


def scenes(transcript):
    words = [word for turn in transcript for word in turn["words"]]
    size = math.ceil(len(words) / len(PICTURES))
    for picture, begin in zip(PICTURES, range(0, len(words), size)):
        part = words[begin:begin + size]
        yield {
            "text": " ".join(word["word"] for word in part).strip(),
            "splitTextOnNewLine": False,
            "splitTextOnPeriod": False,
            "subtitle": True,
            "backgroundUri": picture,
            "backgroundType": "image",
            "minimumDuration": part[-1]["end_time"] - part[0]["start_time"],
            "voiceOver": True,
        }


def main():
    recording = os.environ["FILE_URL"]
    account = Account()
    transcription = account.post("v2/transcription", {
        "fileUrl": recording,
        "mediaType": "video",
        "language": "en-US",
        "webhook": os.environ.get("WEBHOOK_URL"),
    })["data"]["jobId"]
    transcript = account.wait(transcription, 5)["data"]["transcript"]
    preview = account.post("v1/video/storyboard", {
        "videoName": os.environ.get("VIDEO_NAME", "audio_to_video"),
        "videoDescription": "pictures to a recording",
        "videoWidth": 1920,
        "videoHeight": 1080,
        "language": "en",
        "audio": {"voiceOverUri": recording},
        "scenes": list(scenes(transcript)),
    })["jobId"]
    print(account.wait(preview, 5)["data"]["preview"])
    render = account.put(f"v1/video/render/{preview}", {})["data"]["job_id"]
    video = account.wait(render, 5)["data"]
    print(video)
    download(video["shareVideoURL"], "audio_to_video.mp4")


if __name__ == "__main__":
    main()
