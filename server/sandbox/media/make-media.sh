#!/bin/sh
# Makes the clip, the sound and the picture that the sandbox serves when ffmpeg is not at hand.
# Needs ffmpeg with libx264, libmp3lame, libass and the DejaVu fonts. Its outputs are committed; run
# it again only to change them.
set -eu
cd "$(dirname "$0")"

ass=$(mktemp --suffix=.ass)
trap 'rm -f "$ass"' EXIT
cat >"$ass" <<'ASS'
[Script Info]
ScriptType: v4.00+
PlayResX: 640
PlayResY: 360

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Title,DejaVu Sans,34,&H00FFFFFF,&H00FFFFFF,&H00402010,&H00000000,1,0,0,0,100,100,0,0,1,1,0,5,30,30,20,1
Style: Note,DejaVu Sans,18,&H00E8D8C8,&H00FFFFFF,&H00402010,&H00000000,0,0,0,0,100,100,0,0,1,1,0,2,30,30,60,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Dialogue: 0,0:00:00.30,0:00:06.00,Title,,0,0,0,,{\fad(600,600)}Your video would be here
Dialogue: 0,0:00:01.20,0:00:06.00,Note,,0,0,0,,{\fad(600,600)}made by the sandbox, not by Pictory
ASS

background="gradients=s=640x360:r=24:d=6:c0=0x10243f:c1=0x2f6f8f:x0=0:y0=0:x1=640:y1=360:speed=0.004"
sound="aevalsrc='0.10*sin(2*PI*(220+55*floor(mod(t\,3)))*t)*exp(-2*mod(t\,1))':s=44100:d=6"

ffmpeg -nostdin -hide_banner -loglevel error -y -f lavfi -i "$background" -f lavfi -i "$sound" \
  -vf "ass=$ass,format=yuv420p" -c:v libx264 -profile:v main -preset veryslow -crf 30 \
  -c:a aac -b:a 48k -ac 1 -shortest -map_metadata -1 -fflags +bitexact -movflags +faststart clip.mp4
ffmpeg -nostdin -hide_banner -loglevel error -y -f lavfi -i "$sound" \
  -c:a libmp3lame -b:a 32k -ac 1 -ar 22050 -map_metadata -1 -fflags +bitexact sound.mp3
ffmpeg -nostdin -hide_banner -loglevel error -y -ss 3 -i clip.mp4 -frames:v 1 -q:v 6 \
  -map_metadata -1 -fflags +bitexact thumbnail.jpg
ls -l clip.mp4 sound.mp3 thumbnail.jpg
