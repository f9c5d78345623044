package pictoryjobs

import (
	"context"
	"io"
	"time"

	jobsv1 "example.com/pictoryjobs/pictory/jobs/v1"
)

// WatchJobs calls each with the events of all jobs that fit the request, without heartbeats: first a list, then each
// change. It goes on over broken connections and restarts of the gateway until ctx ends; lost hears of them. Jobs may
// come again then; their revision tells. ResumeToken of the request is that of the last event.
func WatchJobs(ctx context.Context, jobs jobsv1.PictoryJobsClient, request *jobsv1.WatchJobsRequest, each func(*jobsv1.WatchJobsResponse), lost func(error)) error {
	for failures := 0; ; failures++ {
		attempt, cancel := context.WithCancel(ctx)
		alarm := time.AfterFunc(Silence, cancel)
		stream, err := jobs.WatchJobs(attempt, request)
		for err == nil {
			var event *jobsv1.WatchJobsResponse
			if event, err = stream.Recv(); err == nil {
				request.ResumeToken, failures = event.GetResumeToken(), 0
				if event.GetHeartbeat() == nil {
					each(event)
				}
			}
			alarm.Reset(Silence)
		}
		cancel()
		if err == io.EOF { // the gateway ends no such stream well, but a proxy may
			continue
		}
		pause, again := RetryAfter(err, failures)
		if !again || ctx.Err() != nil {
			return err
		}
		lost(err)
		time.Sleep(pause)
	}
}
