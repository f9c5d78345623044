package pictoryjobs

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	jobsv1 "example.com/pictoryjobs/pictory/jobs/v1"
)

const attempts = 5

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

// Download brings a video, which is plain HTTP, into a file.
func Download(ctx context.Context, url, path string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: HTTP %s", url, answer.Status)
	}
	return into(path, func(file *os.File) error {
		_, err := io.Copy(file, answer.Body)
		return err
	})
}

// ReadPart streams one part of a finished job's result into a file, and goes on where a connection broke.
func ReadPart(ctx context.Context, jobs jobsv1.PictoryJobsClient, jobID string, part jobsv1.ResultPart, path string) error {
	return into(path, func(file *os.File) error {
		request := &jobsv1.ReadJobResultRequest{JobId: jobID, Part: part}
		for failures := 0; ; failures++ {
			stream, err := jobs.ReadJobResult(ctx, request)
			for err == nil {
				var chunk *jobsv1.ReadJobResultResponse
				if chunk, err = stream.Recv(); err == nil {
					failures = 0
					if _, err := file.Write(chunk.GetData()); err != nil {
						return err
					}
					request.Offset += int32(len(chunk.GetData()))
				}
			}
			if err == io.EOF {
				return nil
			}
			pause, again := RetryAfter(err, failures)
			if !again || ctx.Err() != nil || failures+1 == attempts {
				return err
			}
			time.Sleep(pause)
		}
	})
}
