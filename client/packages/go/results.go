package pictoryjobs

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

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

// into writes a file that is there once it is complete.
func into(path string, write func(*os.File) error) error {
	file, err := os.Create(path + ".part")
	if err != nil {
		return err
	}
	err = write(file)
	if closing := file.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return err
	}
	return os.Rename(path+".part", path)
}

// reader tells of each piece that comes.
type reader struct {
	io.Reader
	heard func()
}

func (r reader) Read(bytes []byte) (int, error) {
	n, err := r.Reader.Read(bytes)
	r.heard()
	return n, err
}

// Download brings a video, which is plain HTTP, into a file. It comes in one answer or not at all: the rest of a second
// one could be another video's.
func Download(ctx context.Context, url, path string) error {
	attempt, heard, cancel := untilSilence(ctx)
	defer cancel()
	request, err := http.NewRequestWithContext(attempt, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return silent(ctx, attempt, err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: HTTP %s", url, answer.Status)
	}
	return into(path, func(file *os.File) error {
		_, err := io.Copy(file, reader{answer.Body, heard})
		return silent(ctx, attempt, err)
	})
}

// silent says what ended an attempt that nobody cancelled.
func silent(ctx, attempt context.Context, err error) error {
	if err != nil && attempt.Err() != nil && ctx.Err() == nil {
		return fmt.Errorf("nothing came for %s: %w", Silence, err)
	}
	return err
}

// ReadPart streams one part of a finished job's result into a file, and goes on where a connection broke.
func ReadPart(ctx context.Context, jobs jobsv1.PictoryJobsClient, jobID string, part jobsv1.ResultPart,
	path string) error {
	return into(path, func(file *os.File) error {
		request := &jobsv1.ReadJobResultRequest{JobId: jobID, Part: part}
		for broken := (failing{}); ; {
			attempt, heard, cancel := untilSilence(ctx)
			stream, err := jobs.ReadJobResult(attempt, request)
			for err == nil {
				var chunk *jobsv1.ReadJobResultResponse
				if chunk, err = stream.Recv(); err != nil {
					break
				}
				broken.heard()
				heard()
				if _, err := file.Write(chunk.GetData()); err != nil {
					cancel()
					return err
				}
				request.Offset += int32(len(chunk.GetData()))
			}
			cancel()
			if err == io.EOF {
				return nil
			}
			if broken.failures+1 == attempts {
				return err
			}
			if err = broken.pauseAfter(ctx, err, func(error) {}); err != nil {
				return err
			}
		}
	})
}
