package pictoryjobs

import (
	"context"

	jobsv1 "example.com/pictoryjobs/pictory/jobs/v1"
)

// WatchJobs calls each with the events of all jobs that fit the request, without heartbeats: first a list, then each
// change. It goes on over broken connections and restarts of the gateway, for as long as Patience without a word, until
// ctx ends or the connection is closed; lost hears of them. Jobs may come again then; their revision tells. ResumeToken
// of the request is that of the last event.
func WatchJobs(ctx context.Context, jobs jobsv1.PictoryJobsClient, request *jobsv1.WatchJobsRequest,
	each func(*jobsv1.WatchJobsResponse), lost func(error)) error {
	for broken := (failing{}); ; {
		attempt, silence := untilSilence(ctx)
		stream, err := jobs.WatchJobs(attempt, request)
		for err == nil {
			var event *jobsv1.WatchJobsResponse
			silence.listen()
			if event, err = stream.Recv(); err != nil {
				break
			}
			broken.heard()
			silence.heard()
			request.ResumeToken = event.GetResumeToken()
			if event.GetHeartbeat() == nil {
				each(event)
			}
		}
		silence.end()
		if err = broken.pauseAfter(ctx, silence.lost(err), lost); err != nil {
			return err
		}
	}
}
