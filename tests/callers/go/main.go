// A caller with code generated from protos/, who serves gRPC's health and reflection too: their files must
// not be registered twice. Prints the last states of a preview, of a picture and of a clip that begins with it,
// and why a call failed.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	jobsv1 "example.com/videos/gen/pictory/jobs/v1"
)

func preview(jobs jobsv1.PictoryJobsClient) (*jobsv1.Job, error) {
	ctx := context.Background()
	input, err := structpb.NewStruct(map[string]any{"order": 7, "tags": []any{"new"}})
	if err != nil {
		return nil, err
	}
	made, err := jobs.CreatePreview(ctx, &jobsv1.CreatePreviewRequest{
		RequestId: "go-" + os.Args[2],
		Source: &jobsv1.CreatePreviewRequest_Storyboard{Storyboard: &jobsv1.Storyboard{
			VideoName: proto.String("demo"),
			Scenes:    []*jobsv1.Scene{{Story: proto.String("Hello there.")}},
			VoiceOver: &jobsv1.VoiceOver{
				Enabled:  proto.Bool(true),
				AiVoices: []*jobsv1.AiVoice{{Speaker: structpb.NewStringValue("Brian")}},
			},
			WebhookInput: input,
		}},
	})
	if err != nil {
		return nil, err
	}
	return follow(jobs, made.GetJob())
}

func visuals(jobs jobsv1.PictoryJobsClient) error {
	ctx := context.Background()
	picture, err := jobs.GenerateImage(ctx, &jobsv1.GenerateImageRequest{
		RequestId:   "go-" + os.Args[2] + "-image",
		Prompt:      "A calm sea",
		Model:       proto.String("flux-schnell"),
		AspectRatio: proto.String("1:1"),
	})
	if err != nil {
		return err
	}
	made, err := follow(jobs, picture.GetJob())
	if err != nil {
		return err
	}
	clip, err := jobs.GenerateVideo(ctx, &jobsv1.GenerateVideoRequest{
		RequestId:          "go-" + os.Args[2] + "-video",
		Prompt:             "Its waves roll in",
		Duration:           proto.String("5s"),
		FirstFrameImageUrl: proto.String(made.GetImage().GetUrl()),
	})
	if err != nil {
		return err
	}
	_, err = follow(jobs, clip.GetJob())
	return err
}

func follow(jobs jobsv1.PictoryJobsClient, job *jobsv1.Job) (*jobsv1.Job, error) {
	ctx := context.Background()
	watch, err := jobs.WatchJob(ctx, &jobsv1.WatchJobRequest{JobId: job.GetJobId()})
	if err != nil {
		return nil, err
	}
	for {
		event, err := watch.Recv()
		if errors.Is(err, io.EOF) {
			fmt.Println(job.GetState())
			return job, nil
		}
		if err != nil {
			return nil, err
		}
		if event.GetJob() != nil {
			job = event.GetJob()
		}
	}
}

func main() {
	server := grpc.NewServer()
	grpc_health_v1.RegisterHealthServer(server, health.NewServer())
	reflection.Register(server)

	connection, err := grpc.NewClient(os.Args[1], grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	jobs := jobsv1.NewPictoryJobsClient(connection)
	if _, err = preview(jobs); err != nil {
		log.Fatal(err)
	}
	if err = visuals(jobs); err != nil {
		log.Fatal(err)
	}
	_, err = jobs.GetJob(context.Background(), &jobsv1.GetJobRequest{JobId: "nobody"})
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			fmt.Println(info.GetReason())
		}
	}
}
