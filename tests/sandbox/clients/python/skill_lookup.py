"""What an assistant looks up before it writes a storyboard: stock media, voices, music and its words.

skill_lookup.py search KEYWORD | voices [LANGUAGE] | music [QUERY] | music-options
"""

import json
import os
import sys
import urllib.parse

from pictory import HttpError, call
from skill import AGENT


def ask(method, path, body=None):
    headers = {"Authorization": os.environ["PICTORY_API_KEY"], "User-Agent": AGENT}
    return call(method, path, headers, body)


def search(keyword="bread"):
    query = urllib.parse.urlencode({"keyword": keyword, "language": "en"})
    found = (ask("GET", f"v1/media/search?{query}").get("data") or {}).get("searchResults") or []
    return [{"id": one.get("assetId"), "type": one.get("mediaType"), "seconds": one.get("duration"),
             "words": one.get("mediaDescription"), "picture": (one.get("preview") or {}).get("jpg"),
             "library": one.get("searchLibrary")} for one in found[:10]]


def voices(language=""):
    reply = ask("GET", "v1/voiceovers/tracks")
    tracks = reply if isinstance(reply, list) else reply.get("data") or reply.get("tracks") or []
    return [{key: one.get(key) for key in ("id", "name", "gender", "language", "accent", "engine", "service")}
            for one in tracks if (one.get("language") or "").lower().startswith(language.lower())]


def music(query=""):
    body = {"page": 1, "pageSize": 20, "sort": "featured", **({"query": query} if query else {})}
    reply = ask("POST", "v1/music/search", body)
    data = reply.get("data") or reply
    tracks = data.get("items") or data.get("searchResults") or data.get("tracks") or []
    return [{key: one.get(key) for key in ("id", "title", "audioUrl", "duration", "moods", "purposes")}
            for one in tracks[:10]]


def music_options():
    return {words: ask("GET", f"v1/music/{words}") for words in ("moods", "genres", "purposes")}


COMMANDS = {"search": search, "voices": voices, "music": music, "music-options": music_options}


def main():
    try:
        print(json.dumps(COMMANDS[sys.argv[1]](*sys.argv[2:])))
        return 0
    except HttpError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
