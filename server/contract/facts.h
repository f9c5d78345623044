// The facts about Pictory that can be tried on the live service. server/pictory/API.md has the same
// table, row by row, and a test holds the two against each other.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace gateway::contract {

enum class Certainty {
  kDocumented,  // Pictory's pages say so
  kOpen,        // they do not say, or two of them say different things
};

// What a fact takes to be tried, beyond an account.
enum class Needs { kNothing, kKey, kTokens, kSpend };

struct Fact {
  std::string_view name;
  Certainty certainty;
  Needs needs;
  std::string_view says;
};

inline constexpr auto kFacts = std::to_array<Fact>({
    {"key", Certainty::kDocumented, Needs::kKey,
     "An API key stands in Authorization as it is, without a word before it"},
    {"bearer-key", Certainty::kOpen, Needs::kKey,
     "An API key with Bearer before it is refused with 401"},
    {"token", Certainty::kDocumented, Needs::kTokens,
     "POST /v1/oauth2/token answers with access_token, expires_in and token_type, without an "
     "envelope"},
    {"token-hour", Certainty::kDocumented, Needs::kTokens, "An access token is good for 3600 s"},
    {"bearer-token", Certainty::kOpen, Needs::kTokens, "Bearer may stand before an access token"},
    {"wrong-pair", Certainty::kOpen, Needs::kTokens,
     "Wrong client credentials are refused with 401, 400 or 403 and a JSON object"},
    {"wrong-key", Certainty::kDocumented, Needs::kNothing,
     "Wrong credentials are refused with 401 and the message Unauthorized"},
    {"filter", Certainty::kOpen, Needs::kNothing,
     "The user agent of Python's urllib is turned away with 403 and a page that is no JSON"},
    {"quota", Certainty::kDocumented, Needs::kNothing,
     "GET /v1/quota is a bare object of videoMinutes, transcriptionMinutes, "
     "elevenLabsVoiceOverMinutes and aiCredits, each with used and limit"},
    {"charges", Certainty::kDocumented, Needs::kNothing,
     "GET /v1/aicredits/usage is a bare list of objects with transactionId, type, amount and "
     "transactionDate"},
    {"charges-order", Certainty::kDocumented, Needs::kNothing,
     "It begins with the newest transactionDate"},
    {"charges-year-alone", Certainty::kDocumented, Needs::kNothing,
     "A year without a month is refused with 400 and INVALID_REQUEST"},
    {"jobs", Certainty::kDocumented, Needs::kNothing,
     "GET /v1/jobs has items, and each has data with the job's jobId in it"},
    {"jobs-next", Certainty::kDocumented, Needs::kNothing,
     "Its nextPageKey, percent-encoded, brings another page"},
    {"jobs-status", Certainty::kDocumented, Needs::kNothing,
     "The status of a listed job is in-progress, pending, completed, failed or cleaned, or absent"},
    {"job", Certainty::kDocumented, Needs::kNothing,
     "GET /v1/jobs/{job} of a listed job answers with success and data"},
    {"job-id", Certainty::kOpen, Needs::kNothing, "It has job_id beside them"},
    {"unknown-job", Certainty::kOpen, Needs::kNothing, "GET of an unknown job is 404"},
    {"unknown-job-code", Certainty::kDocumented, Needs::kNothing,
     "It tells JOB_NOT_FOUND, or the code 5000"},
    {"projects", Certainty::kDocumented, Needs::kNothing,
     "GET /v2/projects has items, each with an id and a name, and a pageKey"},
    {"project", Certainty::kDocumented, Needs::kNothing,
     "GET /v2/projects/{project} is a bare object with project_id and projectName"},
    {"unknown-project", Certainty::kOpen, Needs::kNothing,
     "GET of an unknown project is 404 or 403"},
    {"templates", Certainty::kDocumented, Needs::kNothing,
     "GET /v1/templates has items, each with templateId and name"},
    {"templates-all", Certainty::kOpen, Needs::kNothing,
     "It is all of them: there is no key for a next page"},
    {"template", Certainty::kDocumented, Needs::kNothing,
     "GET /v1/templates/{template} is a bare object with templateId"},
    {"unknown-template", Certainty::kOpen, Needs::kNothing,
     "GET of an unknown template is 404 or 403"},
    {"upload", Certainty::kDocumented, Needs::kNothing,
     "POST /v1/media/generateurl gives signedUrl, url and key in data"},
    {"upload-spelling", Certainty::kOpen, Needs::kNothing,
     "POST /v1/media/generateUrl gives them too"},
    {"upload-day", Certainty::kDocumented, Needs::kNothing, "The signed URL is good for 86400 s"},
    {"refusal", Certainty::kOpen, Needs::kNothing,
     "A body that misses members, of this call too, is refused with 400, code, message and fields "
     "with name and errors"},
    {"voices", Certainty::kDocumented, Needs::kNothing,
     "GET /v1/voiceovers/tracks is a bare list of objects with id and name"},
    {"media-search", Certainty::kDocumented, Needs::kNothing,
     "GET /v1/media/search has searchResults in data"},
    {"music-words", Certainty::kDocumented, Needs::kNothing,
     "GET /v1/music/moods is a bare list of texts"},
    {"avatars", Certainty::kDocumented, Needs::kNothing,
     "GET /v1/avatars has items with id, name and looks"},
    {"brands", Certainty::kDocumented, Needs::kNothing,
     "GET /v1/brands/video is a bare list of objects with id and name"},
    {"styles", Certainty::kDocumented, Needs::kNothing,
     "GET /v1/styles is a bare list of objects with id and name"},
    {"smart-layouts", Certainty::kDocumented, Needs::kNothing,
     "GET /v1/smartlayouts has items, each with templateId and templateName"},
    {"studio-images", Certainty::kDocumented, Needs::kNothing,
     "GET /v1/aistudio/images has items, each with id, url, prompt and model"},
    {"studio-videos", Certainty::kDocumented, Needs::kNothing,
     "GET /v1/aistudio/videos has items, each with id, url, prompt and duration"},
    {"preview-accepted", Certainty::kDocumented, Needs::kSpend,
     "POST /v2/video/storyboard is accepted with 200 and data.jobId"},
    {"running", Certainty::kDocumented, Needs::kSpend,
     "A job that has not ended is in-progress or pending"},
    {"preview", Certainty::kDocumented, Needs::kSpend,
     "A finished preview has the status completed, and renderParams"},
    {"preview-url", Certainty::kOpen, Needs::kSpend, "Its page is previewUrl, and not preview"},
    {"elements", Certainty::kDocumented, Needs::kSpend,
     "PUT /v2/video/storyboard/{job}/elements brings no content back"},
    {"elements-204", Certainty::kOpen, Needs::kSpend, "Its status is 204"},
    {"render-accepted", Certainty::kDocumented, Needs::kSpend,
     "PUT /v2/video/render/{job} is accepted with 200 and data.jobId, which is not the preview's"},
    {"render", Certainty::kDocumented, Needs::kSpend,
     "A finished render has the status completed, and videoURL"},
    {"render-share", Certainty::kOpen, Needs::kSpend, "Its page to share is videoShareURL"},
    {"render-duration", Certainty::kOpen, Needs::kSpend, "Its videoDuration is a number"},
    {"transcription-accepted", Certainty::kDocumented, Needs::kSpend,
     "POST /v2/transcription is accepted with 200 and data.jobId"},
    {"transcription", Certainty::kDocumented, Needs::kSpend,
     "A finished transcription has transcript, a list of sentences with words, and the texts txt, "
     "srt and vtt"},
    {"transcription-status", Certainty::kOpen, Needs::kSpend, "Its status is completed"},
    {"transcription-summaries", Certainty::kOpen, Needs::kSpend,
     "Its summaries are summaries, summary, highlights or highlight"},
    {"summary-accepted", Certainty::kDocumented, Needs::kSpend,
     "POST /v2/transcription/{job}/highlights is accepted with 200 and data.jobId"},
    {"summary", Certainty::kOpen, Needs::kSpend,
     "A finished summary is a transcript that has highlight: true on the words chosen"},
    {"image-accepted", Certainty::kDocumented, Needs::kSpend,
     "POST /v1/aistudio/images is accepted with 200 and data.jobId"},
    {"image", Certainty::kDocumented, Needs::kSpend,
     "A finished picture has the status completed, url, width and height"},
    {"image-price", Certainty::kDocumented, Needs::kSpend,
     "One by flux-schnell takes 0.6 AI credits (aiCreditsUsed)"},
    {"video-accepted", Certainty::kDocumented, Needs::kSpend,
     "POST /v1/aistudio/videos is accepted with 200 and data.jobId"},
    {"video", Certainty::kDocumented, Needs::kSpend,
     "A finished clip has the status completed, url, width, height and a text as its duration"},
    {"video-price", Certainty::kDocumented, Needs::kSpend,
     "5 s by pixverse5.5 take 8 AI credits (aiCreditsUsed)"},
});

// One of these facts by its name. The compiler looks it up, and takes no name that is not there.
struct FactName {
  consteval FactName(const char* name) {
    while (kFacts.at(index).name != name) ++index;
  }
  std::size_t index = 0;
};

std::string_view Word(Certainty certainty);  // `documented`, `open`
std::string_view Word(Needs needs);          // `nothing`, `a key`, `tokens`, `--spend`

}  // namespace gateway::contract
