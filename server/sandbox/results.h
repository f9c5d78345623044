// These functions make what Get Job answers. Pure.
//
//   kind           made by v1                                by v2
//   preview        renderParams (render_params_v1.h) and     status, previewUrl, renderParams with
//                  preview; no status                        elements, storyboard, projectId
//   render         shareVideoURL                             shareVideoURL and videoShareURL
//   transcription  no status, the job's id inside `data`     status, job_id at the top
//   highlights     no status                                 status
//   image, clip    –                                         status, url, size, credits; of a clip
//                                                            also its duration and three pictures
// List Jobs names every job's status. A render of a project is `pending` until it starts; all else
// is `in-progress`. Both spellings occur in the wild, so both occur here.
#pragma once

#include <memory>
#include <string>

#include "http/server_message.h"
#include "sandbox/job.h"

namespace gateway::sandbox {

// `origin`: where this sandbox is reached, such as "http://127.0.0.1:8090"; every URL in a result
// begins with it.
std::string JobReply(const Job& job, const JobState& state, const std::string& origin);
// The reply of a job whose reply is too long to be made at once; nullptr for other jobs, which
// JobReply answers.
std::shared_ptr<http::BodySource> LongReply(const Job& job, const JobState& state);
// The same as one item of List Jobs, which carries the id inside `data`. Of a long transcript only
// the beginning.
std::string JobListItem(const Job& job, const JobState& state, const std::string& origin);

// Writes the files of a picture or a clip that is finished, and its size.
void WriteVisual(JsonOut* out, const Job& job, const std::string& origin);

// The renderParams of a preview, with its edits.
std::unique_ptr<Json> RenderParams(const Job& preview, const std::string& origin);

}  // namespace gateway::sandbox
