package pictoryjobs

import (
	"context"
	"io"
	"time"

	jobsv1 "example.com/pictoryjobs/pictory/jobs/v1"
)

// Silence is how long a stream may say nothing. The gateway sends a heartbeat every 25 s.
const Silence = 75 * time.Second

// Watch calls each with the present state of a job and each newer one, the final one last. It goes on over broken
// connections and restarts of the gateway until ctx ends; lost hears of them. AfterRevision of the request is the
// revision seen last.
func Watch(ctx context.Context, jobs jobsv1.PictoryJobsClient, request *jobsv1.WatchJobRequest, each func(*jobsv1.Job), lost func(error)) error {
	for failures := 0; ; failures++ {
		attempt, cancel := context.WithCancel(ctx)
		alarm := time.AfterFunc(Silence, cancel)
		stream, err := jobs.WatchJob(attempt, request)
		for err == nil {
			var event *jobsv1.WatchJobResponse
			if event, err = stream.Recv(); event.GetJob() != nil { // else a heartbeat: nothing new
				request.AfterRevision, failures = event.GetJob().GetRevision(), 0
				each(event.GetJob())
			}
			alarm.Reset(Silence)
		}
		cancel()
		if err == io.EOF { // the gateway ends a stream so only after the final state
			return nil
		}
		pause, again := RetryAfter(err, failures)
		if !again || ctx.Err() != nil {
			return err
		}
		lost(err)
		time.Sleep(pause)
	}
}
