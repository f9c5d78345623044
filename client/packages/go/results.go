package pictoryjobs

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	jobsv1 "example.com/pictoryjobs/pictory/jobs/v1"
)

// JobFailed is the error of a job that has ended, and not with SUCCEEDED.
type JobFailed struct{ Job *jobsv1.Job }

func (f *JobFailed) Error() string {
	state := strings.TrimPrefix(f.Job.GetState().String(), "JOB_STATE_")
	why := f.Job.GetError()
	return strings.TrimSpace(strings.Join([]string{f.Job.GetJobId(), state, why.GetCode(), why.GetMessage()}, " "))
}

// Succeeded gives the job, which has its result; a *JobFailed if it has none.
func Succeeded(job *jobsv1.Job) (*jobsv1.Job, error) {
	if job.GetState() != jobsv1.JobState_JOB_STATE_SUCCEEDED {
		return nil, &JobFailed{job}
	}
	return job, nil
}

// IsFinal tells whether a job stays in this state. One that a newer gateway has, and this module does not know, is not
// final.
func IsFinal(state jobsv1.JobState) bool {
	switch state {
	case jobsv1.JobState_JOB_STATE_SUCCEEDED, jobsv1.JobState_JOB_STATE_FAILED, jobsv1.JobState_JOB_STATE_EXPIRED,
		jobsv1.JobState_JOB_STATE_CLEANED, jobsv1.JobState_JOB_STATE_OUTCOME_UNKNOWN,
		jobsv1.JobState_JOB_STATE_CANCELLED:
		return true
	}
	return false
}

// into writes a file that is there once it is complete. Until then it has a name that nobody else writes to.
func into(path string, write func(*os.File) error) error {
	partial := path + "." + rand.Text() + ".part"
	file, err := os.OpenFile(partial, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	err = write(file)
	if closing := file.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Rename(partial, path)
	}
	if err != nil {
		os.Remove(partial)
	}
	return err
}

// reader waits for each piece no longer than silence allows.
type reader struct {
	io.Reader
	silence *silence
}

func (r reader) Read(bytes []byte) (int, error) {
	r.silence.listen()
	defer r.silence.heard()
	return r.Reader.Read(bytes)
}

// Download brings a video, which is plain HTTP, into a file. It comes in one answer or not at all: the rest of a second
// one could be another video's.
func Download(ctx context.Context, url, path string) error {
	attempt, silence := untilSilence(ctx)
	defer silence.end()
	request, err := http.NewRequestWithContext(attempt, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return silence.broke(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: HTTP %s", url, answer.Status)
	}
	return into(path, func(file *os.File) error {
		_, err := io.Copy(file, reader{answer.Body, silence})
		return silence.broke(err)
	})
}

// broke says why a download ended that nobody cancelled.
func (s *silence) broke(err error) error {
	if err != nil && s.came.Load() {
		return fmt.Errorf("nothing came for %s: %w", Silence, err)
	}
	return err
}

// ReadPart streams one part of a finished job's result into a file, and goes on where a connection broke.
func ReadPart(ctx context.Context, jobs jobsv1.PictoryJobsClient, jobID string, part jobsv1.ResultPart,
	path string) error {
	return into(path, func(file *os.File) error {
		request := &jobsv1.ReadJobResultRequest{JobId: jobID, Part: part}
		total := int32(-1) // not known yet
		for broken := (failing{}); ; {
			attempt, silence := untilSilence(ctx)
			stream, err := jobs.ReadJobResult(attempt, request)
			for err == nil && request.Offset != total {
				var chunk *jobsv1.ReadJobResultResponse
				silence.listen()
				if chunk, err = stream.Recv(); err != nil {
					break
				}
				silence.heard()
				size := int32(len(chunk.GetData()))
				if chunk.GetOffset() != request.Offset || size > chunk.GetTotalBytes()-request.Offset ||
					total >= 0 && chunk.GetTotalBytes() != total {
					silence.end()
					return status.Error(codes.DataLoss, "the pieces of the result do not fit together")
				}
				total = chunk.GetTotalBytes()
				if _, err := file.Write(chunk.GetData()); err != nil {
					silence.end()
					return err
				}
				if request.Offset += size; size > 0 {
					broken.heard()
				}
			}
			silence.end()
			if request.Offset == total || total < 0 && errors.Is(err, io.EOF) { // or the part is empty
				return nil
			}
			err = silence.lost(err)
			if broken.failures+1 == attempts {
				return err
			}
			if err = broken.pauseAfter(ctx, err, func(error) {}); err != nil {
				return err
			}
		}
	})
}
