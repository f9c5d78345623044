"""From text to an mp4, by the calls of the first generation, without a pause between polls. STORY says what sort of
storyboard it is."""

import os

from pictory import Account, download

TEXTS = [
    "Tea was a medicine before it was a drink. People took it against sleep.",
    "Then somebody found that it tastes best in company.",
]


RECORDING = "https://media.example.com/tea.mp4"
# What else a storyboard of each sort has, and its scenes.
STYLES = {"textColor": "#FFFF00", "textBackgroundColor": "#222222", "fontFamily": "Roboto", "fontName": "Serif",
          "fontSize": 20, "verticalAlignment": "top", "horizontalAlignment": "center"}
LOGO = {"url": "https://images.example.com/logo.png", "verticalAlignment": "top", "horizontalAlignment": "left"}
SORTS = {
    "plain": ({}, [{"text": text} for text in TEXTS]),
    "logo": ({"brandLogo": LOGO}, [{"text": text} for text in TEXTS]),
    "styles": ({"textStyles": STYLES}, [{"text": text} for text in TEXTS]),
    "intro": ({}, [{"text": text} for text in ("A cup of tea", *TEXTS, "Thank you")]),
    "visuals": ({}, [{"text": text, "backgroundUri": RECORDING, "backgroundType": "video",
                      "backgroundVideoSegments": [{"start": 5 * i, "end": 5 * i + 5}]}
                     for i, text in enumerate(TEXTS)]),
    "blog": ({}, [{"article_url": "https://blog.example.com/tea"}, {"article_url": "https://blog.example.com/cups"}]),
}


def scene(content):
    return {
        **content,
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
    more, scenes = SORTS[os.environ.get("STORY", "plain")]
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
        **more,
        "scenes": [scene(content) for content in scenes],
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
