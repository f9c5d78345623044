#include "sandbox/results.h"

#include <algorithm>
#include <cmath>

#include "sandbox/render_params_v1.h"

namespace gateway::sandbox {
namespace {

std::string SceneId(std::size_t index) {
  char text[24];
  std::snprintf(text, sizeof text, "%04zu", index + 1);
  return text;
}

void WriteAudio(JsonOut* out, const char* id, const std::string& url, double seconds,
                double volume) {
  out->Object().Field("id", id).Field("elementType", "audioElement").Field("type", "audio");
  out->Field("url", url).Field("startTime", 0).Field("duration", seconds);
  out->Field("volume", volume).Field("fade", nullptr).EndObject();
}

// Writes a background. Ids of media are integers from one library and strings from the other, side
// by side in one document, which makes renderParams hard to carry through typed data.
void WriteBackground(JsonOut* out, const Scene& scene, std::size_t index,
                     const std::string& origin) {
  const std::string url = origin + "/media/stock/clip.mp4";
  out->Object().Field("id", "backgroundElement_" + SceneId(index));
  out->Field("elementType", "backgroundElement").Field("type", "video");
  out->Field("startTime", scene.start).Field("duration", scene.seconds);
  out->Field("url", url).Field("visualUrl", url).Field("visualType", "video");
  if (index % 2 == 0) {
    const std::int64_t id = 346'000'000 + static_cast<std::int64_t>(index) * 7919;
    out->Field("asset_id", id).Field("resource_id", id + 1).Field("library", "story_blocks");
  } else {
    const std::string id = std::to_string(1'200'000'000 + index * 104'729);
    out->Field("asset_id", id).Field("resource_id", id).Field("library", "getty");
  }
  out->Field("loop", true).Field("mute", true).Field("objectMode", "cover");
  out->Field("backgroundColor", "rgba(0,0,0,1)").Field("frame", nullptr).EndObject();
}

void WriteText(JsonOut* out, const Scene& scene, std::size_t index) {
  out->Object().Field("id", "SceneText_" + SceneId(index)).Field("elementType", "SceneText");
  out->Field("type", "text").Field("startTime", scene.start).Field("duration", scene.seconds);
  out->Field("text", scene.text).Field("keywordColor", "rgba(255,222,89,1)").EndObject();
}

std::string PlannedParams(const Job& preview, const std::string& origin) {
  if (preview.version == Version::kV1) {
    return RenderParamsV1Text(preview.film, *preview.storyboard, origin);
  }
  const Film& film = preview.film;
  JsonOut out;
  out.Object().Key("output").Object();
  out.Field("name", film.name + ".mp4").Field("title", film.name).Field("description", "");
  out.Field("format", "mp4").Field("width", film.width).Field("height", film.height);
  out.EndObject().Key("elements").Array();
  const std::string sound = origin + "/media/stock/sound.mp3";
  if (film.has_music) WriteAudio(&out, "bgMusic", sound, film.seconds, film.music_volume);
  if (film.has_voice) WriteAudio(&out, "voiceOver", sound, film.seconds, 1);
  for (std::size_t i = 0; i < film.scenes.size(); ++i) {
    WriteBackground(&out, film.scenes[i], i, origin);
    if (!film.scenes[i].text.empty()) WriteText(&out, film.scenes[i], i);
  }
  out.EndArray();
  if (film.ai_credits > 0) out.Field("aiCredits", film.ai_credits);
  return out.Field("next_generation_video", true)
      .Field("containsTextToImage", film.ai_credits > 0)
      .EndObject()
      .Take();
}

void ApplyEdit(const Value& change, Json* params) {
  auto& allocator = params->GetAllocator();
  for (Value& element : (*params)["elements"].GetArray()) {
    if (FindText(element, "id") != FindText(change, "id")) continue;
    for (const auto& field : change.GetObject()) {
      const auto old = element.FindMember(field.name);
      if (old != element.MemberEnd()) {
        old->value.CopyFrom(field.value, allocator);
      } else {
        element.AddMember(Value(field.name, allocator), Value(field.value, allocator), allocator);
      }
    }
  }
}

void WritePreview(JsonOut* out, const Job& job, const std::string& origin) {
  if (job.version == Version::kV1) {
    // The params go out as they were written; parsed and written again their digits would change.
    out->Key("renderParams").Raw(PlannedParams(job, origin));
    out->Field("preview", origin + "/preview/" + job.id + "?mode=player");
    return;
  }
  out->Field("previewUrl", origin + "/v2/preview/" + job.id);
  out->Field("renderParams", *RenderParams(job, origin));
  out->Field("storyboard", *job.storyboard);
  if (!job.project_id.empty()) {
    out->Field("projectId", job.project_id);
    out->Field("projectUrl", origin + "/v2/project/" + job.project_id);
  }
}

void WriteRender(JsonOut* out, const Job& job, const std::string& origin) {
  const std::string base = origin + "/media/" + job.id + "/video";
  out->Field("progress", 100);
  if (!job.magic.no_video) out->Field("videoURL", base + ".mp4");
  // v2 documents have the one name, programs that speak to v1 and v2 read the other.
  const std::string share = origin + "/v2/share/" + job.id;
  if (job.version == Version::kV2) out->Field("videoShareURL", share);
  out->Field("shareVideoURL", share);
  out->Field("thumbnail", base + ".jpg").Field("audioURL", base + ".mp3");
  out->Field("srtFile", base + ".srt").Field("vttFile", base + ".vtt");
  out->Field("txtFile", base + ".txt").Field("videoDuration", job.film.seconds);
  if (job.film.ai_credits > 0) out->Field("aiCreditsUsed", job.film.ai_credits);
}

// The reason as the newer programs have seen it: an object with a code of its own.
std::string ReasonObject(const Job& job) {
  return JsonOut()
      .Object()
      .Field("error_code", "SYSTEM_EXCEPTION")
      .Field("message", job.error_message)
      .Field("scene", 1)
      .Field("error_type", "MEDIA")
      .EndObject()
      .Take();
}

void WriteFailure(JsonOut* out, const Job& job) {
  out->Field("status", "failed");
  if (job.magic.fail_silent) return;
  out->Field("error_code", job.error_code).Key("error_message");
  if (job.magic.fail_object) {
    out->Raw(ReasonObject(job));
  } else if (job.magic.fail_list) {
    out->Array().Raw(ReasonObject(job)).EndArray();
  } else if (job.magic.fail_text) {
    out->Put(ReasonObject(job));
  } else {
    out->Put(job.error_message);
  }
}

// Whether the answer says that a job has ended. v1 says it of renders only; that its other jobs are
// done shows in their results.
bool TellsCompletion(const Job& job) {
  return job.version == Version::kV2 || job.kind == Kind::kRender;
}

// The fields of `data`, without its braces.
void WriteData(JsonOut* out, const Job& job, const JobState& state, const std::string& origin,
               bool in_list) {
  switch (state.phase) {
    case Phase::kWaiting:
    case Phase::kRunning:
      out->Field("status",
                 job.of_project && state.phase == Phase::kWaiting ? "pending" : "in-progress");
      if (job.kind == Kind::kRender && state.phase == Phase::kRunning) {
        out->Field("renderProgress", std::min(99, static_cast<int>(state.progress * 100)));
        out->Field("renderProgressMessage", "Generating video").Field("renderState", "RUNNING");
      }
      return;
    case Phase::kFailed:
      WriteFailure(out, job);
      return;
    case Phase::kCleaned:
      out->Field("status", "cleaned");
      return;
    case Phase::kCompleted:
      if (in_list || TellsCompletion(job)) out->Field("status", "completed");
      if (job.kind == Kind::kPreview) WritePreview(out, job, origin);
      if (job.kind == Kind::kRender) WriteRender(out, job, origin);
      if (job.kind == Kind::kImage || job.kind == Kind::kClip) {
        WriteVisual(out, job, origin);
        out->Field("aiCreditsUsed", job.visual.credits);
      }
      return;
  }
}

bool HasReadyData(const Job& job, const JobState& state) {
  return state.phase == Phase::kCompleted && !job.data.empty();
}

// Whether the id stands inside `data`: v1's transcriptions have it there, and nowhere else.
bool HasIdInside(const Job& job, const JobState& state) {
  return HasReadyData(job, state) && job.version == Version::kV1 &&
         job.kind == Kind::kTranscription;
}

// The finished data with what depends on who asks, spliced before the closing brace.
std::string ReadyData(const Job& job, const JobState& state, const std::string& origin,
                      bool in_list) {
  JsonOut out;
  out.Object();
  if (in_list || TellsCompletion(job)) out.Field("status", "completed");
  if (HasIdInside(job, state)) out.Field("job_id", job.id);
  if (in_list) out.Field("jobId", job.id);
  if (job.kind == Kind::kTranscription) out.Field("editVideoUrl", origin + "/v2/edit/" + job.id);
  const std::string more = out.EndObject().Take();
  if (more == "{}") return job.data;
  return job.data.substr(0, job.data.size() - 1) + "," + more.substr(1);
}

}  // namespace

void WriteVisual(JsonOut* out, const Job& job, const std::string& origin) {
  const std::string base = origin + "/media/" + job.id;
  const bool clip = job.kind == Kind::kClip;
  out->Field("url", base + (clip ? "/video.mp4" : "/image.jpg"));
  if (clip) out->Field("duration", std::to_string(job.visual.seconds) + "s");
  out->Field("width", job.visual.width).Field("height", job.visual.height);
  if (!clip) return;
  out->Field("thumbnailImageUrl", base + "/thumbnail.jpg");
  out->Field("lastFrameImageUrl", base + "/last-frame.jpg");  // Pictory's is a PNG
  out->Field("previewImageUrl", base + "/preview.jpg");
}

std::unique_ptr<Json> RenderParams(const Job& preview, const std::string& origin) {
  std::string error;
  std::unique_ptr<Json> params = ParseJson(PlannedParams(preview, origin), &error);
  for (const std::string& edit : preview.edits) {
    const std::unique_ptr<Json> changes = ParseJson(edit, &error);
    for (const Value& change : changes->GetArray()) ApplyEdit(change, params.get());
  }
  return params;
}

std::string JobReply(const Job& job, const JobState& state, const std::string& origin) {
  JsonOut out;
  out.Object();
  if (!HasIdInside(job, state)) out.Field("job_id", job.id);
  out.Field("success", state.phase != Phase::kFailed).Key("data");
  if (HasReadyData(job, state)) {
    return out.Raw(ReadyData(job, state, origin, false)).EndObject().Take();
  }
  out.Object();
  WriteData(&out, job, state, origin, false);
  return out.EndObject().EndObject().Take();
}

std::shared_ptr<http::BodySource> LongReply(const Job& job, const JobState& state) {
  if (job.long_transcript == nullptr || !HasReadyData(job, state)) return nullptr;
  const std::string before = "{\"job_id\":\"" + job.id + "\",\"success\":true,\"data\":";
  return LongBody(before, job.long_transcript, "}");
}

std::string JobListItem(const Job& job, const JobState& state, const std::string& origin) {
  JsonOut out;
  out.Object().Field("success", state.phase != Phase::kFailed).Key("data");
  if (HasReadyData(job, state)) {
    return out.Raw(ReadyData(job, state, origin, true)).EndObject().Take();
  }
  out.Object();
  WriteData(&out, job, state, origin, true);
  return out.Field("jobId", job.id).EndObject().EndObject().Take();
}

}  // namespace gateway::sandbox
