package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	pb "peer/pb"
)

const maxReply = 16 << 20

// pictory is the REST side.
type pictory struct {
	base, key string
	client    *http.Client
}

func newPictory(base, key string) *pictory {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = 256, 256
	return &pictory{base, key, &http.Client{Timeout: 30 * time.Second, Transport: transport}}
}

func (p *pictory) call(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, p.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	request.Header.Set("Authorization", p.key)
	request.Header.Set("Content-Type", "application/json")
	response, err := p.client.Do(request)
	if err != nil {
		return nil, status.Error(codes.Unavailable, err.Error())
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxReply))
	if err != nil {
		return nil, status.Error(codes.Unavailable, err.Error())
	}
	if response.StatusCode/100 != 2 {
		return nil, status.Errorf(codeOf(response.StatusCode), "Pictory says %s: %.200s", response.Status, answer)
	}
	return answer, nil
}

func codeOf(httpStatus int) codes.Code {
	switch httpStatus {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return codes.InvalidArgument
	case http.StatusUnauthorized, http.StatusForbidden:
		return codes.FailedPrecondition
	case http.StatusPaymentRequired, http.StatusTooManyRequests:
		return codes.ResourceExhausted
	case http.StatusNotFound:
		return codes.NotFound
	}
	return codes.Unavailable
}

// transcribe submits and returns Pictory's id of the job.
func (p *pictory) transcribe(ctx context.Context, req *pb.TranscribeRequest) (string, error) {
	body, err := json.Marshal(struct {
		FileURL   string `json:"fileUrl"`
		MediaType string `json:"mediaType,omitempty"`
		Language  string `json:"language,omitempty"`
	}{req.GetFileUrl(), req.GetMediaType(), req.GetLanguage()})
	if err != nil {
		return "", status.Error(codes.Internal, err.Error())
	}
	answer, err := p.call(ctx, http.MethodPost, "/v2/transcription", body)
	if err != nil {
		return "", err
	}
	var taken struct {
		Data struct{ JobID string }
	}
	if err := json.Unmarshal(answer, &taken); err != nil || taken.Data.JobID == "" {
		return "", status.Errorf(codes.Unavailable, "Pictory gave no job id: %.200s", answer)
	}
	return taken.Data.JobID, nil
}

// job asks how a job is doing.
func (p *pictory) job(ctx context.Context, id string) ([]byte, error) {
	return p.call(ctx, http.MethodGet, "/v1/jobs/"+url.PathEscape(id), nil)
}

// apply puts what Pictory says of a job into it.
func apply(body []byte, job *pb.Job) error {
	var reply struct {
		Data struct {
			Status        string
			Message       string `json:"renderProgressMessage"`
			Progress      any    `json:"renderProgress"` // a number, null or ""
			Code          any    `json:"error_code"`     // a string or a number
			Error         string `json:"error_message"`
			Transcript    json.RawMessage
			Txt, Srt, Vtt string
		}
	}
	if err := json.Unmarshal(body, &reply); err != nil {
		return err
	}
	data := &reply.Data
	transcript := cmp.Or(string(data.Transcript), "null")
	if data.Message != "" {
		job.Message = data.Message
	}
	if percent, ok := data.Progress.(float64); ok && percent > job.GetProgressPercent() {
		job.ProgressPercent = proto.Float64(percent)
	}
	switch {
	case data.Status == "failed":
		job.State = pb.JobState_JOB_STATE_FAILED
		job.Error = &pb.JobError{Code: fmt.Sprint(data.Code), Message: data.Error}
	case data.Status == "cleaned":
		job.State = pb.JobState_JOB_STATE_CLEANED
	case data.Status == "completed" || transcript != "null":
		result := &pb.TranscriptionResult{}
		words := fmt.Appendf(nil, `{"transcript":%s}`, transcript)
		if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(words, result); err != nil {
			return err
		}
		result.Txt, result.Srt, result.Vtt = data.Txt, data.Srt, data.Vtt
		job.State = pb.JobState_JOB_STATE_SUCCEEDED
		job.Result = &pb.Job_Transcription{Transcription: result}
	default:
		job.State = pb.JobState_JOB_STATE_RUNNING
	}
	return nil
}
