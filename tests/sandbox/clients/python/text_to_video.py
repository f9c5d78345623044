"""From text to an mp4, by the calls of the first generation, without a pause between polls."""

import os

from pictory import Account, download

TEXTS = [
    "Tea was a medicine before it was a drink. People took it against sleep.",
    "Then somebody found that it tastes best in company.",
]


def scene(text):
    return {
        "text": text,
        "fontFamily": "Roboto",
        "textColor": "#FFFFFF",
        "fontSize": 32,
        "textBackgroundColor": "#000000",
        "voiceOver": True,
        "splitTextOnNewLine": False,
        "splitTextOnPeriod": True,
    }


def main():
    name = os.environ.get("VIDEO_NAME", "Tea")
    account = Account()
    preview = account.post("v1/video/storyboard", {
        "videoName": name,
        "videoDescription": name,
        "language": "en",
        "audio": {
            "autoBackgroundMusic": "true",
            "backGroundMusicVolume": 0.5,
            "aiVoiceOver": {"speaker": "Jackson", "speed": 100, "amplifyLevel": 0},
        },
        "scenes": [scene(text) for text in TEXTS],
    })["jobId"]
    params = account.wait(preview)["data"]["renderParams"]
    render = account.post("v1/video/render", {
        "audio": params["audio"],
        "output": params["output"],
        "scenes": params["scenes"],
        "next_generation_video": True,
        "containsTextToImage": True,
    })["data"]["job_id"]
    download(account.wait(render)["data"]["shareVideoURL"], "text_to_video.mp4")


if __name__ == "__main__":
    main()
