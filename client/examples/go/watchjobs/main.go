// Prints each change of all jobs with a label, over breaks of the connection and restarts of the gateway.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"example.com/pictoryjobs"
	jobsv1 "example.com/pictoryjobs/pictory/jobs/v1"
)

func main() {
	jobs, connection, err := pictoryjobs.Dial(os.Getenv("PICTORY_GATEWAY"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(5)
	}
	defer connection.Close()
	key, value, _ := strings.Cut(os.Args[1], "=")
	revisions := map[string]int32{}
	each := func(event *jobsv1.WatchJobsResponse) {
		if job := event.GetJob(); job != nil && revisions[job.GetJobId()] < job.GetRevision() {
			revisions[job.GetJobId()] = job.GetRevision()
			fmt.Println(job.GetJobId(), job.GetRevision(), strings.TrimPrefix(job.GetState().String(), "JOB_STATE_"))
		}
		if gone := event.GetGoneJobId(); gone != "" {
			delete(revisions, gone)
		}
	}
	lost := func(err error) { fmt.Fprintf(os.Stderr, "connection lost (%v); trying again\n", err) }
	request := &jobsv1.WatchJobsRequest{Labels: map[string]string{key: value}}
	if err := pictoryjobs.WatchJobs(context.Background(), jobs, request, each, lost); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(5)
	}
}
