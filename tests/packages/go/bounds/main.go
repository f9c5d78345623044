// Prints what becomes of jobs that failed, and of servers that say nothing.
//
//	bounds GATEWAY HOLE URL STUCK FAILED FAKE SECURE AUTHORITY     (tests/packages/run says what they are)
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	"example.com/pictoryjobs"
	jobsv1 "example.com/pictoryjobs/pictory/jobs/v1"
)

var ctx = context.Background()

func dial(address string, options ...grpc.DialOption) jobsv1.PictoryJobsClient {
	jobs, _, err := pictoryjobs.Dial(address, options...)
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
	told(os.Args[6])
	downloads(url)
	callAll(dial(os.Args[6]))
	authority, err := credentials.NewClientTLSFromFile(os.Args[8], "")
	if err != nil {
		panic(err)
	}
	fmt.Println("secure", get(dial(os.Args[7], grpc.WithTransportCredentials(authority)), "").GetJobId())
}

// callAll calls each method of the service.
func callAll(jobs jobsv1.PictoryJobsClient) {
	client := reflect.ValueOf(jobs)
	methods := reflect.TypeFor[jobsv1.PictoryJobsClient]()
	for i := range methods.NumMethod() {
		method := client.MethodByName(methods.Method(i).Name)
		request := reflect.New(method.Type().In(1).Elem())
		results := method.Call([]reflect.Value{reflect.ValueOf(ctx), request})
		err, _ := results[1].Interface().(error)
		if stream := results[0].MethodByName("Recv"); err == nil && stream.IsValid() {
			if err, _ = stream.Call(nil)[1].Interface().(error); errors.Is(err, io.EOF) {
				err = nil
			}
		}
		if err != nil {
			fmt.Println(methods.Method(i).Name, err)
		}
	}
}

func watched(id string) *jobsv1.WatchJobRequest { return &jobsv1.WatchJobRequest{JobId: id} }

func ignore(error) {}

func left() (count int) {
	files, _ := filepath.Glob("got*")
	return len(files)
}

func get(jobs jobsv1.PictoryJobsClient, id string) *jobsv1.Job {
	answer, err := jobs.GetJob(ctx, &jobsv1.GetJobRequest{JobId: id})
	if err != nil {
		panic(err)
	}
	return answer.GetJob()
}

var words = map[codes.Code]string{codes.DataLoss: "DATA_LOSS", codes.Unavailable: "UNAVAILABLE",
	codes.DeadlineExceeded: "DEADLINE_EXCEEDED"}

// told prints what becomes of the answers of tests/packages/fake.py.
func told(address string) {
	jobs, connection, err := pictoryjobs.Dial(address)
	if err != nil {
		panic(err)
	}
	os.Remove("got")
	pictoryjobs.Silence, pictoryjobs.Patience = 3*time.Second, 10*time.Minute
	seen, next := "", make(chan string, 1)
	see := func(job *jobsv1.Job) { seen += fmt.Sprint(" ", job.GetRevision()) }
	err = pictoryjobs.Watch(ctx, jobs, watched("kept"), func(job *jobsv1.Job) {
		if see(job); pictoryjobs.IsFinal(job.GetState()) {
			go func() {
				answer, _ := jobs.Render(ctx, &jobsv1.RenderRequest{RequestId: "next"})
				next <- answer.GetJob().GetJobId()
			}()
		}
	}, ignore)
	if err != nil {
		panic(err)
	}
	fmt.Println("kept" + seen)
	fmt.Println("next", <-next)
	seen = ""
	if err := pictoryjobs.Watch(ctx, jobs, watched("short"), see, ignore); err == nil {
		fmt.Println("short" + seen)
	}
	seen = ""
	last := watched("seen")
	last.AfterRevision = 7
	if err := pictoryjobs.Watch(ctx, jobs, last, see, ignore); err == nil {
		fmt.Println("seen" + seen)
	}
	ending, cancel := context.WithCancel(ctx)
	pictoryjobs.Watch(ending, jobs, watched("mute"), see, func(err error) {
		if strings.Contains(err.Error(), "said nothing for 3s") {
			fmt.Println("mute", words[status.Code(err)], "said")
		}
		cancel()
	})
	fmt.Println("mute ended")
	for _, part := range []string{"broken", "cut", "silent", "shifted", "changed", "dead"} {
		err := pictoryjobs.ReadPart(ctx, jobs, part, jobsv1.ResultPart_RESULT_PART_TXT, "got")
		got, _ := os.ReadFile("got")
		os.Remove("got")
		fmt.Println(part, string(got)+words[status.Code(err)])
	}
	fmt.Println("dead", get(jobs, "dead").GetRevision())
	for _, id := range []string{"UNCONFIRMED", "CANCELLED"} {
		_, err := pictoryjobs.Succeeded(get(jobs, id))
		fmt.Println(err)
	}
	pictoryjobs.Silence = time.Minute
	ending, cancel = context.WithCancel(ctx)
	read := make(chan error)
	go func() { read <- pictoryjobs.ReadPart(ending, jobs, "hang", jobsv1.ResultPart_RESULT_PART_TXT, "got") }()
	get(jobs, "hang")
	cancel()
	if status.Code(<-read) == codes.Canceled {
		fmt.Println("hang cancelled, left", left())
	}
	hasty, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	fmt.Println("deadline", words[status.Code(pictoryjobs.Watch(hasty, jobs, watched("mute"), see, ignore))])
	seen = ""
	ending, cancel = context.WithCancel(ctx)
	many := &jobsv1.WatchJobsRequest{Labels: map[string]string{"case": "many"}}
	err = pictoryjobs.WatchJobs(ending, jobs, many, func(event *jobsv1.WatchJobsResponse) {
		if event.GetGoneJobId() != "" {
			seen += " gone"
			cancel()
		} else if job := event.GetJob(); job != nil {
			see(job)
		} else {
			seen += " started"
		}
	}, ignore)
	if status.Code(err) == codes.Canceled {
		fmt.Println("many" + seen)
	}
	pictoryjobs.Watch(ctx, jobs, watched("mute"), func(*jobsv1.Job) { connection.Close() }, ignore)
	fmt.Println("closing ended")
	pictoryjobs.Watch(ctx, jobs, watched("mute"), see, ignore)
	fmt.Println("closed ended")
}

// downloads brings two into one file, and gives one up.
func downloads(url string) {
	first := make(chan error)
	go func() { first <- pictoryjobs.Download(ctx, url+"/first", "got") }()
	second, third := pictoryjobs.Download(ctx, url+"/second", "got"), pictoryjobs.Download(ctx, url+"/go", "went")
	if err := errors.Join(second, third, <-first); err != nil {
		panic(err)
	}
	got, _ := os.ReadFile("got")
	fmt.Println("two", string(got), "left", left())
	os.Remove("got")
	ending, cancel := context.WithCancel(ctx)
	go func() { first <- pictoryjobs.Download(ending, url+"/stuck", "got") }()
	file(url + "/begun")
	os.Remove("got")
	cancel()
	if errors.Is(<-first, context.Canceled) {
		fmt.Println("stuck cancelled, left", left())
	}
}
