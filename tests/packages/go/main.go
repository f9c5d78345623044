// Prints the version of the module, and why a call failed.
package main

import (
	"context"
	"fmt"
	"os"

	"example.com/pictoryjobs"
	jobsv1 "example.com/pictoryjobs/pictory/jobs/v1"
)

func main() {
	jobs, connection, err := pictoryjobs.Dial(os.Args[1])
	if err != nil {
		panic(err)
	}
	defer connection.Close()
	each := func(job *jobsv1.Job) { fmt.Println(job.GetState()) }
	err = pictoryjobs.Watch(context.Background(), jobs, &jobsv1.WatchJobRequest{JobId: "no-such-job"}, each, func(error) {})
	fmt.Println(pictoryjobs.Version, pictoryjobs.Reason(err))
}
