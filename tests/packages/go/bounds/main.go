// Prints what becomes of jobs that failed, and of servers that say nothing.
//
//	bounds GATEWAY HOLE URL STUCK FAILED     (tests/packages/run says what they are)
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"example.com/pictoryjobs"
	jobsv1 "example.com/pictoryjobs/pictory/jobs/v1"
)

var ctx = context.Background()

func dial(address string) jobsv1.PictoryJobsClient {
	jobs, _, err := pictoryjobs.Dial(address)
	if err != nil {
		panic(err)
	}
	return jobs
}

func file(url string) string {
	os.Remove("got")
	if pictoryjobs.Download(ctx, url, "got") != nil {
		if _, err := os.Stat("got"); err == nil {
			return "a piece"
		}
		return "ended"
	}
	got, _ := os.ReadFile("got")
	return string(got)
}

func main() {
	jobs, url, stuck := dial(os.Args[1]), os.Args[3], os.Args[4]
	pictoryjobs.Silence, pictoryjobs.Patience = 500*time.Millisecond, 1500*time.Millisecond
	answer, err := jobs.GetJob(ctx, &jobsv1.GetJobRequest{JobId: os.Args[5]})
	if err != nil {
		panic(err)
	}
	var failed *pictoryjobs.JobFailed
	if _, err := pictoryjobs.Succeeded(answer.GetJob()); errors.As(err, &failed) {
		fmt.Println(err)
	}
	each, lost := func(*jobsv1.Job) {}, 0
	request := &jobsv1.WatchJobRequest{JobId: "j"}
	if pictoryjobs.Watch(ctx, dial(os.Args[2]), request, each, func(error) {}) != nil {
		fmt.Println("hole ended")
	}
	pictoryjobs.Patience = time.Minute
	ending, cancel := context.WithCancel(ctx)
	count := func(error) {
		if lost++; lost == 2 {
			cancel() // in the pause that begins
		}
	}
	err = pictoryjobs.Watch(ending, jobs, &jobsv1.WatchJobRequest{JobId: stuck}, each, count)
	if errors.Is(err, context.Canceled) {
		fmt.Println("silent lost", lost)
	}
	fmt.Println("download", file(url+"/silent"))
	fmt.Println("halves", file(url+"/halves"), file(url+"/halves"))
}
