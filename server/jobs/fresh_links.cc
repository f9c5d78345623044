#include "jobs/fresh_links.h"

#include <utility>

namespace gateway::jobs {

void AskForLinks(Upstreams& upstreams, const Job& job, std::function<void(FreshLinks)> done) {
  const UpstreamPtr upstream = upstreams.Of(job.account);
  absl::StatusOr<Upstream::Turn> turn = upstream->TakeLook(/*tenant=*/"");  // no caller asks
  if (!turn.ok()) return done({});
  upstream->GetJob(
      *std::move(turn),
      {.pictory_job_id = job.pictory_job_id, .kind = job.kind, .size = pictory::ReplySize::kAny},
      [done = std::move(done)](const pictory::JobReply& reply) {
        FreshLinks links;
        // What is not about the job, such as a 503, says nothing of its links.
        links.asked = reply.kind == pictory::JobReply::Kind::kSucceeded ||
                      reply.kind == pictory::JobReply::Kind::kCleaned ||
                      reply.kind == pictory::JobReply::Kind::kNotFound ||
                      reply.kind == pictory::JobReply::Kind::kFailed;
        if (reply.kind == pictory::JobReply::Kind::kSucceeded)
          links.result_wire = reply.result->basic_wire;
        done(std::move(links));
      });
}

}  // namespace gateway::jobs
