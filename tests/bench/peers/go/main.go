// A gateway to Pictory's transcriptions as a team at home in Go would write it in a few days: one
// goroutine polls each job, however many watch it, and everything is in memory.
//
//	peer --upstream http://…/pictoryapis --interval 1s [--listen 127.0.0.1:0]
//
// Prints `port N` once it serves; SIGTERM ends it in order. PICTORY_API_KEY is the account.
package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	pb "peer/pb"
)

const (
	heartbeatAfter = 25 * time.Second
	maxStreams     = 1000 // a connection
)

type gateway struct {
	pb.UnimplementedPictoryJobsServer
	pictory  *pictory
	interval time.Duration
	running  context.Context

	mu   sync.RWMutex
	jobs map[string]*job
}

// job is one job and all who watch it.
type job struct {
	mu      sync.Mutex
	newest  *pb.Job       // replaced, never written to: all watches send the same one
	changed chan struct{} // closed when newest is replaced
}

// latest returns the newest state, and what is closed when there is a newer one.
func (j *job) latest() (*pb.Job, <-chan struct{}) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.newest, j.changed
}

func (j *job) replace(next *pb.Job) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.newest = next
	close(j.changed)
	j.changed = make(chan struct{})
}

func ended(job *pb.Job) bool { return job.GetState() >= pb.JobState_JOB_STATE_SUCCEEDED }

func (g *gateway) Transcribe(ctx context.Context, req *pb.TranscribeRequest) (*pb.TranscribeResponse, error) {
	if req.GetFileUrl() == "" {
		return nil, status.Error(codes.InvalidArgument, "file_url is required")
	}
	pictoryID, err := g.pictory.transcribe(ctx, req)
	if err != nil {
		return nil, err
	}
	now := timestamppb.Now()
	first := &pb.Job{
		JobId: rand.Text(), PictoryJobId: pictoryID, RequestId: cmp.Or(req.GetRequestId(), rand.Text()),
		Kind: pb.JobKind_JOB_KIND_TRANSCRIPTION, State: pb.JobState_JOB_STATE_QUEUED, Revision: 1,
		Labels: req.GetLabels(), CreateTime: now, UpdateTime: now,
	}
	job := &job{newest: first, changed: make(chan struct{})}
	g.mu.Lock()
	g.jobs[first.GetJobId()] = job
	g.mu.Unlock()
	go g.poll(job, first)
	return &pb.TranscribeResponse{Job: first}, nil
}

// poll follows one job to its end.
func (g *gateway) poll(job *job, newest *pb.Job) {
	ticker := time.NewTicker(g.interval)
	defer ticker.Stop()
	var last []byte
	for !ended(newest) {
		select {
		case <-ticker.C:
		case <-g.running.Done():
			return
		}
		body, err := g.pictory.job(g.running, newest.GetPictoryJobId())
		if err != nil {
			slog.Warn("poll failed", "job", newest.GetJobId(), "error", err)
			continue
		}
		if bytes.Equal(body, last) {
			continue
		}
		next := proto.CloneOf(newest)
		if err := apply(body, next); err != nil {
			slog.Warn("poll not understood", "job", newest.GetJobId(), "error", err)
			continue
		}
		last = body
		if proto.Equal(next, newest) {
			continue
		}
		next.Revision++
		next.UpdateTime = timestamppb.Now()
		if ended(next) {
			next.FinishTime = next.UpdateTime
		}
		job.replace(next)
		newest = next
	}
}

func (g *gateway) find(id string) (*job, error) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	if job, ok := g.jobs[id]; ok {
		return job, nil
	}
	return nil, status.Errorf(codes.NotFound, "no job %q", id)
}

func (g *gateway) GetJob(_ context.Context, req *pb.GetJobRequest) (*pb.GetJobResponse, error) {
	job, err := g.find(req.GetJobId())
	if err != nil {
		return nil, err
	}
	newest, _ := job.latest()
	return &pb.GetJobResponse{Job: newest}, nil
}

func (g *gateway) WatchJob(req *pb.WatchJobRequest, stream grpc.ServerStreamingServer[pb.WatchJobResponse]) error {
	job, err := g.find(req.GetJobId())
	if err != nil {
		return err
	}
	quiet := time.NewTicker(heartbeatAfter)
	defer quiet.Stop()
	newest, changed := job.latest()
	news := newest.GetRevision() != req.GetAfterRevision()
	for {
		message := &pb.WatchJobResponse{Event: &pb.WatchJobResponse_Job{Job: newest}}
		if !news {
			message.Event = &pb.WatchJobResponse_Heartbeat{Heartbeat: &pb.Heartbeat{Revision: newest.GetRevision()}}
		}
		if err := stream.Send(message); err != nil || ended(newest) {
			return err
		}
		quiet.Reset(heartbeatAfter)
		select {
		case <-changed:
			newest, changed = job.latest()
			news = true
		case <-quiet.C:
			news = false
		case <-stream.Context().Done():
			return status.FromContextError(stream.Context().Err()).Err()
		case <-g.running.Done():
			return status.Error(codes.Unavailable, "shutting down")
		}
	}
}

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address to serve gRPC on")
	upstream := flag.String("upstream", "https://api.pictory.ai/pictoryapis", "Pictory's base URL")
	interval := flag.Duration("interval", 10*time.Second, "between two polls of a job")
	flag.Parse()

	running, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		slog.Error("cannot listen", "error", err)
		os.Exit(1)
	}
	server := grpc.NewServer(grpc.MaxConcurrentStreams(maxStreams))
	pb.RegisterPictoryJobsServer(server, &gateway{
		pictory:  newPictory(*upstream, os.Getenv("PICTORY_API_KEY")),
		interval: *interval,
		running:  running,
		jobs:     map[string]*job{},
	})
	context.AfterFunc(running, server.GracefulStop)
	fmt.Printf("port %d\n", listener.Addr().(*net.TCPAddr).Port)
	if err := server.Serve(listener); err != nil {
		slog.Error("cannot serve", "error", err)
		os.Exit(1)
	}
}
