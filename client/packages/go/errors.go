package pictoryjobs

import (
	"math/rand/v2"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

const (
	domain     = "pictory-gateway" // of the ErrorInfo of all that the gateway itself says
	firstDelay = 200 * time.Millisecond
	maxDelay   = 5 * time.Second
)

func detail[T proto.Message](err error) (none T) {
	for _, each := range status.Convert(err).Details() {
		if found, ok := each.(T); ok {
			return found
		}
	}
	return none
}

// Reason is the gateway's word for what went wrong, such as JOB_NOT_FOUND; empty if the gateway did not say it.
func Reason(err error) string {
	if info := detail[*errdetails.ErrorInfo](err); info.GetDomain() == domain {
		return info.GetReason()
	}
	return ""
}

// FieldViolations are the fields of the request that are wrong, by their paths, and what to do.
func FieldViolations(err error) []*errdetails.BadRequest_FieldViolation {
	return detail[*errdetails.BadRequest](err).GetFieldViolations()
}

// RetryAfter tells whether an equal call may succeed, after so many failures in a row, and when. A submit that is
// repeated must have a request_id. Where the way to the gateway broke, gRPC's library or a proxy says so, by any of
// five codes.
func RetryAfter(err error, failures int) (time.Duration, bool) {
	if retry := detail[*errdetails.RetryInfo](err); retry != nil {
		told := retry.GetRetryDelay().AsDuration()
		return told + rand.N(min(time.Second, told/5)+1), true
	}
	switch status.Code(err) {
	case codes.Unavailable:
	case codes.Internal, codes.Unknown, codes.Canceled, codes.DeadlineExceeded:
		if Reason(err) != "" {
			return 0, false
		}
	default:
		return 0, false
	}
	ceiling := min(maxDelay, firstDelay<<min(failures+1, 10))
	return firstDelay + rand.N(ceiling-firstDelay), true
}
