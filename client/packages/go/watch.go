package pictoryjobs

import (
	"context"
	"io"

	jobsv1 "example.com/pictoryjobs/pictory/jobs/v1"
)

// Watch calls each with the present state of a job and each newer one, the final one last. It goes on over broken
// connections and restarts of the gateway, for as long as Patience without a word, until ctx ends; lost hears of them.
// AfterRevision of the request is the revision seen last.
func Watch(ctx context.Context, jobs jobsv1.PictoryJobsClient, request *jobsv1.WatchJobRequest,
	each func(*jobsv1.Job), lost func(error)) error {
	for broken := (failing{}); ; {
		attempt, heard, cancel := untilSilence(ctx)
		stream, err := jobs.WatchJob(attempt, request)
		for err == nil {
			var event *jobsv1.WatchJobResponse
			if event, err = stream.Recv(); err == nil {
				broken.heard()
				heard()
			}
			if event.GetJob() != nil { // else a heartbeat: nothing new
				request.AfterRevision = event.GetJob().GetRevision()
				each(event.GetJob())
			}
		}
		cancel()
		if err == io.EOF { // the gateway ends a stream so only after the final state
			return nil
		}
		if err = broken.pauseAfter(ctx, err, lost); err != nil {
			return err
		}
	}
}
