package pictoryjobs

import (
	"context"
	"errors"
	"io"

	jobsv1 "example.com/pictoryjobs/pictory/jobs/v1"
)

// Watch calls each with the present state of a job and each newer one, the final one last. It goes on over broken
// connections and restarts of the gateway, for as long as Patience without a word, until ctx ends or the connection is
// closed; lost hears of them. AfterRevision of the request is the revision seen last; nothing comes if that is the final
// one.
func Watch(ctx context.Context, jobs jobsv1.PictoryJobsClient, request *jobsv1.WatchJobRequest,
	each func(*jobsv1.Job), lost func(error)) error {
	known := request.GetAfterRevision() > 0 // and nothing came yet
	for broken := (failing{}); ; {
		attempt, silence := untilSilence(ctx)
		stream, err := jobs.WatchJob(attempt, request)
		for err == nil {
			var event *jobsv1.WatchJobResponse
			silence.listen()
			if event, err = stream.Recv(); err != nil {
				break
			}
			broken.heard()
			silence.heard()
			known = false
			if job := event.GetJob(); job != nil { // else a heartbeat: nothing new
				request.AfterRevision = job.GetRevision()
				each(job)
				if IsFinal(job.GetState()) {
					silence.end()
					return nil
				}
			}
		}
		silence.end()
		if errors.Is(err, io.EOF) && known { // that one was final
			return nil
		}
		if err = broken.pauseAfter(ctx, silence.lost(err), lost); err != nil {
			return err
		}
	}
}
