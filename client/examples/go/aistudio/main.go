// A picture of a prompt, and a clip that begins with it, by Pictory's AI studio.
package main

import (
	"context"
	"fmt"
	"os"

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

// finish returns the job, once it has its result.
func finish(jobs jobsv1.PictoryJobsClient, id string) (last *jobsv1.Job) {
	each := func(job *jobsv1.Job) { last = job }
	must(0, pictoryjobs.Watch(ctx, jobs, &jobsv1.WatchJobRequest{JobId: id}, each, func(error) {}))
	return must(pictoryjobs.Succeeded(last))
}

func main() {
	jobs, connection, err := pictoryjobs.Dial(os.Getenv("PICTORY_GATEWAY"))
	defer must(connection, err).Close()
	order, out, prompt := os.Args[1], os.Args[2], os.Args[3]
	wide := proto.String("16:9")

	image := &jobsv1.GenerateImageRequest{RequestId: order + "-image", Prompt: prompt, AspectRatio: wide}
	picture := finish(jobs, must(jobs.GenerateImage(ctx, image)).GetJob().GetJobId())
	fmt.Println("picture:", picture.GetJobId())
	url := picture.GetImage().GetUrl()
	must(0, pictoryjobs.Download(ctx, url, out+"/picture.jpg"))

	video := &jobsv1.GenerateVideoRequest{RequestId: order + "-video", Prompt: prompt, AspectRatio: wide}
	video.Duration, video.FirstFrameImageUrl = proto.String("8s"), &url
	clip := finish(jobs, must(jobs.GenerateVideo(ctx, video)).GetJob().GetJobId())
	fmt.Println("clip:", clip.GetJobId())
	must(0, pictoryjobs.Download(ctx, clip.GetVideo().GetUrl(), out+"/clip.mp4"))
	fmt.Println("AI credits:", picture.GetCreditsUsed()+clip.GetCreditsUsed())
}
