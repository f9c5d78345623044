// A JobMaker makes a job of an accepted request, with one function for each way of making one.
//
// Each either makes a job (without its id and time) or refuses as Pictory would. A request that was
// accepted once and is replayed from the journal is accepted again: whatever depends on the time is
// not checked then. A JobMaker is single-threaded.
#pragma once

#include <memory>
#include <string>
#include <variant>

#include "sandbox/api_reply.h"
#include "sandbox/job.h"
#include "sandbox/job_book.h"
#include "sandbox/templates.h"

namespace gateway::sandbox {

struct MakeRequest {
  std::string id;               // from the path; "" if it has none
  const Value* body = nullptr;  // nullptr: no body
  std::string origin;
  bool replayed = false;
  std::string account{};  // who asks; jobs of others cannot be used
};

using Made = std::variant<std::unique_ptr<Job>, ApiReply>;

class JobMaker {
 public:
  JobMaker(JobBook& book, TemplateBook& templates) : book_(book), templates_(templates) {}

  Made Preview(const MakeRequest& request);
  Made StraightRender(const MakeRequest& request);
  Made RenderOfParams(const MakeRequest& request);
  Made RenderOfPreview(const MakeRequest& request);
  Made RenderOfProject(const MakeRequest& request);
  Made Transcription(const MakeRequest& request);
  Made Highlights(const MakeRequest& request);
  Made HighlightsOfJob(const MakeRequest& request);
  // What AI studio makes. Its calls are v1, and answer as v2's do.
  Made Image(const MakeRequest& request);
  Made Clip(const MakeRequest& request);

  // Makes a preview from a template. Its result is like v1's. Which call renders it is not
  // published: here both do.
  Made FromTemplate(const MakeRequest& request);

  // Makes a v1 preview. v1's previews are rendered by v1's calls, and v2's by v2's: their
  // renderParams have nothing in common.
  Made PreviewV1(const MakeRequest& request);
  // Any body is accepted here; one that cannot be read becomes a job that fails.
  Made RenderOfParamsV1(const MakeRequest& request);
  Made RenderOfPreviewV1(const MakeRequest& request);
  Made TranscriptionV1(const MakeRequest& request);
  Made HighlightsV1(const MakeRequest& request);

 private:
  Made Render(const MakeRequest& request, const Job& preview, Version version);

  JobBook& book_;
  TemplateBook& templates_;
};

// Why a job cannot be used now as one of this kind; nullopt if it can.
std::optional<ApiReply> WhyNotUsable(const JobBook& book, const Job& job, Kind kind);
// The same for changing the elements of a preview, which only v2's have.
std::optional<ApiReply> WhyNotEditable(const JobBook& book, const Job& job);

}  // namespace gateway::sandbox
