package pictoryjobs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// These bounds may be set before the first call.
var (
	// Silence is how long a stream or a download may bring nothing. The gateway sends a watch a heartbeat every 25 s.
	Silence = 75 * time.Second
	// Patience is how long a watch looks for a gateway that has gone.
	Patience = 10 * time.Minute
)

const (
	keepalivePause  = 30 * time.Second
	keepaliveAnswer = 10 * time.Second
	attempts        = 5 // of a read that gets no further
)

// failing counts the failures since the gateway was heard last.
type failing struct {
	failures int
	broke    time.Time
}

func (f *failing) heard() { f.failures = 0 }

// pauseAfter waits until it is time to try again. It returns the error instead where that does not help, or not any more:
// among others where the connection was closed by its owner.
func (f *failing) pauseAfter(ctx context.Context, err error, tell func(error)) error {
	pause, again := RetryAfter(err, f.failures)
	if f.failures++; f.failures == 1 {
		f.broke = time.Now()
	}
	closed := errors.Is(err, grpc.ErrClientConnClosing) // a proxy's CANCELLED has other words
	if ctx.Err() != nil || !again || closed || time.Now().Add(pause).After(f.broke.Add(Patience)) {
		return err
	}
	tell(err)
	select {
	case <-ctx.Done(): // whoever looks for the context's error or for its code finds it
		return fmt.Errorf("%w: %w", ctx.Err(), status.FromContextError(ctx.Err()).Err())
	case <-time.After(pause):
		return nil
	}
}

// silence ends an attempt when nothing was heard for Silence since it began, or since it was listened to.
type silence struct {
	cancel context.CancelFunc
	alarm  *time.Timer
	came   atomic.Bool
}

// untilSilence gives the context of an attempt, which is freed by end.
func untilSilence(ctx context.Context) (context.Context, *silence) {
	attempt, cancel := context.WithCancel(ctx)
	s := &silence{cancel: cancel}
	s.alarm = time.AfterFunc(Silence, func() {
		s.came.Store(true)
		cancel()
	})
	return attempt, s
}

func (s *silence) listen() { s.alarm.Reset(Silence) }
func (s *silence) heard()  { s.alarm.Stop() }

func (s *silence) end() {
	s.alarm.Stop()
	s.cancel()
}

// lost says why a stream ended before its time.
func (s *silence) lost(err error) error {
	switch {
	case s.came.Load():
		return status.Errorf(codes.Unavailable, "the stream said nothing for %s", Silence)
	case errors.Is(err, io.EOF):
		return status.Error(codes.Unavailable, "the stream ended before all was said")
	}
	return err
}
