"""Requests that are cheap to send and were made to be dear to serve: one row each.

A row sends its bytes and, for comparison, as many bytes of an ordinary request of the same method. Further
rows are added to ROWS, by whatever module; tests/hostile/run measures them all alike."""

import dataclasses
import json
import math

SERVICE = "/pictory.jobs.v1.PictoryJobs/"
KIB, MIB = 1024, 1024 * 1024
SMALL = 64 * KIB       # what all methods but the four submits take
LARGE = 16 * MIB - KIB  # what a submit takes

# Answers that say what is wrong, or that it was done.
TOLD = {"OK", "INVALID_ARGUMENT", "RESOURCE_EXHAUSTED", "NOT_FOUND", "FAILED_PRECONDITION"}


def path_of(method):
    return method if method.startswith("/") else SERVICE + method


@dataclasses.dataclass
class Row:
    name: str
    group: str      # rows that are about one kind of thing
    method: str     # of SERVICE, or a path that begins with /
    hostile: bytes
    plain: bytes    # an ordinary request; as many bytes
    calls: int = 2  # at the same time
    rounds: int = 1  # one after the other, of as many calls each
    bound: float = 3.0  # CPU time and memory, hostile to plain
    quick: bool = True
    keyed: bool = False  # each call gets a request_id of its own
    plain_method: str = ""  # of the ordinary request, if it is another one
    answers: set = dataclasses.field(default_factory=lambda: set(TOLD))

    @property
    def path(self):
        return path_of(self.method)

    @property
    def plain_path(self):
        return path_of(self.plain_method or self.method)


# The wire format.

def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def tag(number, wire_type):
    return varint(number << 3 | wire_type)


def field(number, content):
    """A text, bytes or message."""
    content = content.encode() if isinstance(content, str) else content
    return tag(number, 2) + varint(len(content)) + content


def number(field_number, value):
    return tag(field_number, 0) + varint(value)


def repeat(piece, size, around=8):
    """As many of the piece as fit into `size` bytes with a length or two around them."""
    return piece * max(1, (size - around) // len(piece))


# Field numbers.
STORYBOARD, STORYBOARD_JSON = 10, 11                 # of CreatePreviewRequest
RENDER_STORYBOARD, RENDER_STORYBOARD_JSON, EXTRA_JSON = 12, 13, 100
TRANSCRIPT, TRANSCRIPT_JSON, HIGHLIGHT_SECONDS = 11, 12, 13  # of SummarizeRequest
FREE_TRANSCRIPT = 16                                         # likewise, a ListValue
ALLOW_UNKNOWN, LABELS = 3, 2
SCENES, VARIABLES = 2, 11                            # of Storyboard
STORY, SCENE_EXTRA_JSON, ELEMENTS = 1, 100, 25       # of Scene
SENTENCES, WORDS = 1, 3
UNKNOWN = 900


# Ordinary requests of a size. Each lacks something that is required, so that it is looked at as a whole
# and then refused: what is compared is the reading, not Pictory.

def story_of(size):
    return ("Once upon a time there was a storyboard with an ordinary story in it. " * (size // 60 + 1))[:size]


def plain_preview(size, number_of_board=STORYBOARD):
    scenes = max(1, min(1000, size // (2 * KIB)))
    each = max(1, (size - 16) // scenes - 8)
    return field(number_of_board, field(SCENES, field(STORY, story_of(min(each, 60_000)))) * scenes)


def plain_board_json(size):
    scene = json.dumps({"story": story_of(120), "createSceneOnNewLine": False, "highlightKeywords": True,
                        "minimumDuration": 3.5, "sceneTransition": "fade",
                        "background": {"type": "image", "color": "rgb(0,0,0)", "settings": {"loop": True}}},
                       separators=(",", ":"))
    return '{"scenes":[' + ",".join([scene] * max(1, (size - 24) // (len(scene) + 1))) + "]}"


def plain_render_json(size):
    return field(RENDER_STORYBOARD_JSON, plain_board_json(size))


def plain_summary(size):
    """Words with their times, typed, as they are spoken; without the length wanted."""
    time = b"\0\0\0\0\0\0\xf0\x3f"
    word = field(WORDS, field(2, "spoken") + tag(3, 1) + time + tag(4, 1) + time)
    return field(TRANSCRIPT, repeat(field(SENTENCES, word * 10), size, 16))


def transcript_json(size):
    """The same as Pictory has it."""
    word = {"uid": "w1", "word": "spoken", "start_time": 1.25, "end_time": 1.5, "speakerId": 1,
            "sentence_index": 0}
    item = json.dumps({"uid": "s1", "speakerId": 1, "words": [word] * 10}, separators=(",", ":"))
    return "[" + ",".join([item] * max(1, (size - 16) // (len(item) + 1))) + "]"


def plain_summary_json(size):
    return field(TRANSCRIPT_JSON, transcript_json(size))


def plain_list(size):
    return field(7, "t" * (size - 8))


def plain_get(size):
    return field(1, "j" * (size - 8))


# Valid submits of a size, of each sort. Pictory takes 1,000 scenes and 15,000 characters in each.

def scenes_within(size):
    count = min(900, max(1, size // (2 * KIB)))
    return count, min(14_000, max(1, (size - 64) // count - 400))


def valid_preview(size, number_of_board=STORYBOARD):
    count, each = scenes_within(size)
    return field(number_of_board, field(1, "video") + field(SCENES, field(STORY, story_of(each))) * count)


def valid_board_json(size):
    count, each = scenes_within(size)
    scene = json.dumps({"story": story_of(each), "highlightKeywords": True, "minimumDuration": 3.5,
                        "background": {"type": "image", "color": "rgb(0,0,0)", "settings": {"loop": True}}},
                       separators=(",", ":"))
    return '{"videoName":"video","scenes":[' + ",".join([scene] * count) + "]}"


def valid_summary(size):
    """As many words as a request may have messages."""
    time = b"\0\0\0\0\0\0\xf0\x3f"
    count = min(9_000, size // 1000)
    word = field(2, "spoken" * max(1, (size // count // 10 - 30) // 6)) + tag(3, 1) + time + tag(4, 1) + time
    return (field(TRANSCRIPT, field(SENTENCES, field(WORDS, word) * 10) * count)
            + number(HIGHLIGHT_SECONDS, 30))


def valid_summary_json(size):
    return plain_summary_json(size) + number(HIGHLIGHT_SECONDS, 30)


def valid_transcription(size):
    return field(10, "https://media.example.com/talk.mp4") + field(13, transcript_json(size))


VALID = {
    "preview": ("CreatePreview", valid_preview),
    "preview-json": ("CreatePreview", lambda size: field(STORYBOARD_JSON, valid_board_json(size))),
    "render": ("Render", lambda size: valid_preview(size, RENDER_STORYBOARD)),
    "render-json": ("Render", lambda size: field(RENDER_STORYBOARD_JSON, valid_board_json(size))),
    "summary": ("Summarize", valid_summary),
    "summary-json": ("Summarize", valid_summary_json),
    "transcription-json": ("Transcribe", valid_transcription),
}


def rounds_for(size, mib):
    """So many that there is something to measure."""
    return max(1, math.ceil(mib * MIB / (2 * size)))


def fitted(make, size):
    """What make(…) makes, of about `size` bytes and not more."""
    asked = size
    while len(made := make(asked)) > size:
        asked -= len(made) - size
    return made


def row(name, group, method, hostile, plain, mib=16, **more):
    """`plain(size)` makes the ordinary request of about that size."""
    return Row(name, group, method, hostile, fitted(plain, len(hostile)),
               rounds=more.pop("rounds", rounds_for(len(hostile), mib)), **more)


# What compares or looks up what callers choose.

def keys(prefix, count):
    return "{" + ",".join(f'"{prefix}{i:06}":0' for i in range(count)) + "}"


def two_objects(count):
    body = '{"scenes":[],' + keys("a", count)[1:]
    return (field(RENDER_STORYBOARD_JSON, body) + field(EXTRA_JSON, keys("b", count))
            + number(ALLOW_UNKNOWN, 1))


def misspelt(count):
    """Each is nearly a word that Pictory knows."""
    return field(STORYBOARD_JSON,
                 "{" + ",".join(f'"subtitleStyleNam{i:x}":0' for i in range(count)) + "}")


def each_of_many_scenes(content, count=2000):
    return field(STORYBOARD, field(SCENES, content) * count)


def json_array(size, element="0"):
    return "[" + ",".join([element] * ((size - 2) // (len(element) + 1))) + "]"


def of_keys():
    plain_json = lambda size: field(STORYBOARD_JSON, plain_board_json(size))  # noqa: E731
    # Each text is read for itself and once more with the other: 5 ms, in which 20,000 keys are compared.
    yield row("two-objects-within", "keys", "Render", two_objects(9_900), plain_render_json, bound=4)
    yield row("two-objects-0.7-mib", "keys", "Render", two_objects(27_000), plain_render_json)
    yield row("two-objects-6.9-mib", "keys", "Render", two_objects(270_000), plain_render_json)
    yield row("misspelt-keys", "keys", "CreatePreview", misspelt(9_900), plain_json)
    yield row("unlike-objects", "keys", "Summarize",
              field(TRANSCRIPT_JSON, json_array(8 * MIB, '{"a":0},{"b":0}')), plain_summary_json)
    # One value in two bytes, as many as one document may have.
    yield row("values-of-two-bytes", "keys", "Summarize",
              field(TRANSCRIPT_JSON, json_array(7 * MIB)), plain_summary_json)
    yield row("too-many-values", "keys", "Summarize",
              field(TRANSCRIPT_JSON, json_array(LARGE)), plain_summary_json)
    yield row("nested-arrays", "keys", "Summarize",
              field(TRANSCRIPT_JSON, json_array(4 * MIB, "[" * 30 + "]" * 30)), plain_summary_json)
    yield row("empty-objects", "keys", "Summarize",
              field(TRANSCRIPT_JSON, json_array(8 * MIB, "{}")), plain_summary_json, quick=False)
    yield row("escapes", "keys", "Summarize",
              field(TRANSCRIPT_JSON, json_array(LARGE, '"' + "\\u0041" * 1000 + '"')),
              plain_summary_json, quick=False)
    yield row("broken-at-the-end", "keys", "CreatePreview",
              field(STORYBOARD_JSON, '{"scenes":[' + "\n" * (8 * MIB) + "}"), plain_json)
    yield row("broken-in-each-scene", "keys", "CreatePreview",
              each_of_many_scenes(field(SCENE_EXTRA_JSON, "[" + "\n" * 4000 + "}")), plain_preview)
    yield row("extra-in-each-element", "keys", "CreatePreview",
              each_of_many_scenes(field(ELEMENTS, field(100, '{"a":0}')) * 20), plain_preview)
    yield row("clash-in-each-scene", "keys", "CreatePreview",
              each_of_many_scenes(field(SCENE_EXTRA_JSON, '{"story":0,"caption":0,"elements":0}')),
              plain_preview)


# What is a few bits on the wire and a value, or a sentence about it, in memory.

def of_lists():
    yield row("packed-states", "lists", "ListJobs", field(1, b"\x63" * (SMALL - 8)), plain_list)
    yield row("single-states", "lists", "ListJobs", repeat(number(1, 99), SMALL), plain_list)
    yield row("packed-kinds-of-10-bytes", "lists", "ListJobs",
              field(2, repeat(b"\xff" * 9 + b"\x01", SMALL)), plain_list, quick=False)
    yield row("filter-labels", "lists", "ListJobs",
              b"".join(field(3, field(1, f"{i:x}")) for i in range(SMALL // 9)), plain_list)
    yield row("empty-filter-labels", "lists", "ListJobs", repeat(field(3, b""), SMALL), plain_list)
    yield row("unknown-numbers", "lists", "GetJob", repeat(number(UNKNOWN, 1), SMALL), plain_get)
    yield row("unknown-groups", "lists", "GetJob",
              tag(UNKNOWN, 3) * (SMALL // 4 - 1) + tag(UNKNOWN, 4) * (SMALL // 4 - 1), plain_get)
    yield row("name-a-thousand-times", "lists", "DeleteJob", repeat(field(1, b""), SMALL), plain_get)
    yield row("submit-labels", "lists", "Transcribe",
              b"".join(field(LABELS, field(1, f"{i:x}")) for i in range(2 * MIB // 9)),
              lambda size: field(13, plain_board_json(size)))


# What is small on the wire and large once it is parsed.

def of_messages():
    yield row("empty-scenes", "messages", "CreatePreview",
              field(STORYBOARD, repeat(field(SCENES, b""), LARGE)), plain_preview)
    yield row("as-many-scenes-as-taken", "messages", "CreatePreview",
              each_of_many_scenes(field(ELEMENTS, b""), 1500), plain_preview, mib=2,
              bound=4)  # a millisecond, of which most is making 3,000 messages of 7 KiB
    yield row("empty-words", "messages", "Summarize",
              field(TRANSCRIPT, field(SENTENCES, repeat(field(WORDS, b""), LARGE))), plain_summary)
    yield row("empty-words-64-kib", "messages", "Summarize",
              field(TRANSCRIPT, field(SENTENCES, repeat(field(WORDS, b""), SMALL))), plain_summary)
    # As dense as is taken, so that it is all parsed.
    yield row("words-as-dense-as-taken", "messages", "Summarize",
              field(TRANSCRIPT, field(SENTENCES, field(WORDS, field(2, "ordinary words")) * 90_000)),
              plain_summary)
    yield row("empty-sentences", "messages", "Summarize",
              field(TRANSCRIPT, repeat(field(SENTENCES, b""), LARGE)), plain_summary, quick=False)
    yield row("empty-variables", "messages", "CreatePreview",
              field(STORYBOARD, repeat(field(VARIABLES, b""), LARGE)), plain_preview)
    yield row("one-byte-keywords", "messages", "CreatePreview",
              field(STORYBOARD, field(SCENES, field(24, field(4, repeat(field(2, "k"), LARGE))))),
              plain_preview)
    yield row("storyboard-merged", "messages", "CreatePreview", repeat(field(STORYBOARD, b""), LARGE), plain_preview)
    yield row("source-overwritten", "messages", "Render",
              repeat(field(10, b"") + field(RENDER_STORYBOARD, b""), LARGE),
              lambda size: plain_preview(size, RENDER_STORYBOARD))
    yield row("unknown-numbers-16-mib", "messages", "CreatePreview", repeat(number(UNKNOWN, 1), LARGE), plain_preview)
    yield row("unknown-groups-16-mib", "messages", "CreatePreview",
              repeat(tag(UNKNOWN, 3), LARGE // 2) + repeat(tag(UNKNOWN, 4), LARGE // 2), plain_preview)
    yield row("unknown-deep-inside", "messages", "CreatePreview",
              field(STORYBOARD, field(SCENES, repeat(number(UNKNOWN, 1), LARGE))), plain_preview,
              quick=False)
    yield row("not-a-message", "messages", "CreatePreview", b"\xff" * LARGE, plain_preview, quick=False)


# Free values: google.protobuf.Value and what it holds, as few bytes as they can be.

NULL = tag(1, 0) + b"\0"


def member(key, value):
    return field(1, field(1, key) + field(2, value))


def free_object(members):
    return field(5, members)


def free_list(elements):
    return field(6, elements)


def elements(value, count):
    return field(1, value) * count


def nested(levels):
    value = NULL
    for _ in range(levels):
        value = free_list(field(1, value))
    return value


def of_free_values():
    def free(name, content, **more):
        return row(name, "free", "Summarize", field(FREE_TRANSCRIPT, content), plain_summary, **more)

    # Without the length wanted, so that all of it is parsed and checked, and then refused.
    yield free("nulls-as-many-as-taken", elements(NULL, 9_900))
    yield free("objects-as-many-as-taken", elements(free_object(b""), 9_900))
    yield free("short-texts-as-many-as-taken", elements(field(3, "text"), 199_999))
    yield free("members-as-many-as-taken", elements(
        free_object(b"".join(member(f"{i:04x}", NULL) for i in range(9_990))), 20))
    yield free("objects-of-one-member", elements(free_object(member("some key", NULL)), 99_999))
    yield free("numbers-beyond-a-double", elements(tag(2, 1) + b"\xff\xff\xff\xff\xff\xff\xef\x7f", 199_999))
    # Three milliseconds for 10,000 lists in 38 KiB, of which most is making them.
    yield free("twenty-deep", elements(nested(19), 490), bound=6)
    yield free("nulls-by-the-million", elements(NULL, LARGE // 4))
    yield free("empty-values", repeat(field(1, b""), LARGE))
    yield free("three-thousand-deep", field(1, nested(3_000)))
    yield free("key-twice-at-the-end",
               elements(free_object(b"".join(member(f"{i:04x}", NULL) for i in range(9_900))), 20)
               + field(1, free_object(member("k", NULL) * 2)))
    yield free("long-keys", elements(
        free_object(b"".join(member(f"{i:0256x}", NULL) for i in range(9_990))), 6))
    yield free("keys-too-long", field(1, free_object(member("k" * (LARGE - 64), NULL))))
    yield free("one-text", field(1, field(3, "t" * (LARGE - 32))))


# Valid submits, compared with one another: each with another sort of as many bytes, as ordinary requests
# that are refused are only read, and neither kept nor sent on.
COMPARED = {"preview": "preview-json", "render": "preview", "render-json": "preview-json",
            "summary": "summary-json", "transcription-json": "summary-json", "preview-json": "summary-json",
            "summary-json": "preview-json"}


def of_submits():
    for sort, (method, valid) in VALID.items():
        for mib in (1, 8):
            request = valid(mib * MIB)
            plain_method, plain = VALID[COMPARED[sort]]
            yield row(f"valid-{sort}-{mib}-mib", "submits", method, request, plain, mib=2 * mib, keyed=True,
                      plain_method=plain_method, quick=mib == 1 and sort in ("preview", "summary"))


ROWS = [*of_keys(), *of_lists(), *of_messages(), *of_free_values(), *of_submits()]
