// From text to a video, from speech to its summary, and what goes wrong on the way.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"example.com/pictoryjobs"
	jobsv1 "example.com/pictoryjobs/pictory/jobs/v1"
)

var ctx = context.Background()

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%v: %s: %s\n", status.Code(err), pictoryjobs.Reason(err), status.Convert(err).Message())
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

func preview(order, name string) *jobsv1.CreatePreviewRequest {
	scene := &jobsv1.Scene{Story: proto.String("A gateway takes a story. It hands it to Pictory once."), CreateSceneOnEndOfSentence: proto.Bool(true)}
	board := &jobsv1.Storyboard{VideoName: proto.String(name), Scenes: []*jobsv1.Scene{scene}}
	return &jobsv1.CreatePreviewRequest{RequestId: order, Source: &jobsv1.CreatePreviewRequest_Storyboard{Storyboard: board}}
}

func main() {
	jobs, connection, err := pictoryjobs.Dial(os.Getenv("PICTORY_GATEWAY"))
	defer must(connection, err).Close()
	if os.Args[1] == "--watch" { // go on where another run stopped
		follow(jobs, os.Args[2])
		return
	}
	order, out, media := os.Args[1], os.Args[2], os.Args[3]
	made := follow(jobs, must(jobs.CreatePreview(ctx, preview(order+"-preview", "demo"))).GetJob().GetJobId())
	render := &jobsv1.RenderRequest{RequestId: order + "-render", Source: &jobsv1.RenderRequest_PreviewJobId{PreviewJobId: made.GetJobId()}}
	video := follow(jobs, must(jobs.Render(ctx, render)).GetJob().GetJobId())
	must(0, pictoryjobs.Download(ctx, video.GetRender().GetVideoUrl(), out+"/video.mp4"))

	speech := follow(jobs, must(jobs.Transcribe(ctx, &jobsv1.TranscribeRequest{RequestId: order + "-transcribe", FileUrl: media})).GetJob().GetJobId())
	must(0, pictoryjobs.ReadPart(ctx, jobs, speech.GetJobId(), jobsv1.ResultPart_RESULT_PART_TRANSCRIPT_JSON, out+"/talk.json"))
	summarize := &jobsv1.SummarizeRequest{RequestId: order + "-summarize", HighlightDurationSeconds: 20, Source: &jobsv1.SummarizeRequest_TranscriptionJobId{TranscriptionJobId: speech.GetJobId()}}
	fmt.Println("summary:", follow(jobs, must(jobs.Summarize(ctx, summarize)).GetJob().GetJobId()).GetSummary().GetSummaryText())

	// The same request_id: the same job, paid once.
	fmt.Println("the same render:", must(jobs.Render(ctx, render)).GetJob().GetJobId() == video.GetJobId())
	why := follow(jobs, must(jobs.CreatePreview(ctx, preview(order+"-fail", "sandbox-fail"))).GetJob().GetJobId()).GetError()
	fmt.Println("failed:", why.GetCode(), why.GetMessage())
	for _, request := range []*jobsv1.CreatePreviewRequest{preview(order+"-render", "other"), preview(order+"-wrong", "a/b")} {
		_, err := jobs.CreatePreview(ctx, request)
		fmt.Println("refused:", pictoryjobs.Reason(err))
		for _, wrong := range pictoryjobs.FieldViolations(err) {
			fmt.Println("wrong:", wrong.GetField(), wrong.GetDescription())
		}
	}
}
