// From text to a video, from speech to its summary, and what goes wrong on the way.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"google.golang.org/protobuf/proto"

	"example.com/pictoryjobs"
	jobsv1 "example.com/pictoryjobs/pictory/jobs/v1"
)

var ctx = context.Background()

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%v: %s\n", err, pictoryjobs.Reason(err))
		os.Exit(5)
	}
	return value
}

// follow returns the job in its final state. A failed job is data: it says why.
func follow(jobs jobsv1.PictoryJobsClient, id string) (last *jobsv1.Job) {
	each := func(job *jobsv1.Job) {
		last = job
		fmt.Println(id, job.GetRevision(), strings.TrimPrefix(job.GetState().String(), "JOB_STATE_"))
	}
	lost := func(err error) { fmt.Printf("%s connection lost (%v); trying again\n", id, err) }
	must(0, pictoryjobs.Watch(ctx, jobs, &jobsv1.WatchJobRequest{JobId: id}, each, lost))
	return last
}

// finish is the same for a job that must have its result.
func finish(jobs jobsv1.PictoryJobsClient, submitted *jobsv1.Job) *jobsv1.Job {
	return must(pictoryjobs.Succeeded(follow(jobs, submitted.GetJobId())))
}

func preview(order, name string) *jobsv1.CreatePreviewRequest {
	text := "A gateway takes a story. It hands it to Pictory once."
	scene := &jobsv1.Scene{Story: &text, CreateSceneOnEndOfSentence: proto.Bool(true)}
	board := &jobsv1.Storyboard{VideoName: proto.String(name), Scenes: []*jobsv1.Scene{scene}}
	source := &jobsv1.CreatePreviewRequest_Storyboard{Storyboard: board}
	return &jobsv1.CreatePreviewRequest{RequestId: order, Source: source}
}

func main() {
	jobs, connection, err := pictoryjobs.Dial(os.Getenv("PICTORY_GATEWAY"))
	defer must(connection, err).Close()
	if os.Args[1] == "--watch" { // go on where another run stopped
		follow(jobs, os.Args[2])
		return
	}
	order, out, media := os.Args[1], os.Args[2], os.Args[3]
	made := finish(jobs, must(jobs.CreatePreview(ctx, preview(order+"-preview", order))).GetJob())
	source := &jobsv1.RenderRequest_PreviewJobId{PreviewJobId: made.GetJobId()}
	render := &jobsv1.RenderRequest{RequestId: order + "-render", Source: source}
	video := finish(jobs, must(jobs.Render(ctx, render)).GetJob())
	must(0, pictoryjobs.Download(ctx, video.GetRender().GetVideoUrl(), out+"/video.mp4"))

	transcribe := &jobsv1.TranscribeRequest{RequestId: order + "-transcribe", FileUrl: media}
	speech := finish(jobs, must(jobs.Transcribe(ctx, transcribe)).GetJob()).GetJobId()
	part := jobsv1.ResultPart_RESULT_PART_TRANSCRIPT_JSON
	must(0, pictoryjobs.ReadPart(ctx, jobs, speech, part, out+"/talk.json"))
	summarize := &jobsv1.SummarizeRequest{RequestId: order + "-summarize", HighlightDurationSeconds: 20}
	summarize.Source = &jobsv1.SummarizeRequest_TranscriptionJobId{TranscriptionJobId: speech}
	summary := finish(jobs, must(jobs.Summarize(ctx, summarize)).GetJob())
	fmt.Println("summary:", summary.GetSummary().GetSummaryText())

	// The same request_id: the same job, paid once.
	fmt.Println("the same render:", must(jobs.Render(ctx, render)).GetJob().GetJobId() == video.GetJobId())
	failing := must(jobs.CreatePreview(ctx, preview(order+"-fail", "sandbox-fail")))
	why := follow(jobs, failing.GetJob().GetJobId()).GetError()
	fmt.Println("failed:", why.GetCode(), why.GetMessage())
	refused := []*jobsv1.CreatePreviewRequest{preview(order+"-render", "other"), preview(order+"-wrong", "a/b")}
	for _, request := range refused {
		_, err := jobs.CreatePreview(ctx, request)
		fmt.Println("refused:", pictoryjobs.Reason(err))
		for _, wrong := range pictoryjobs.FieldViolations(err) {
			fmt.Println("wrong:", wrong.GetField(), wrong.GetDescription())
		}
	}
}
