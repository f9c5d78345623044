package pictoryjobs

import (
	"context"
	"time"
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

// pauseAfter waits until it is time to try again. It returns the error instead where that does not help, or not any more.
func (f *failing) pauseAfter(ctx context.Context, err error, tell func(error)) error {
	pause, again := RetryAfter(err, f.failures)
	if f.failures++; f.failures == 1 {
		f.broke = time.Now()
	}
	if ctx.Err() != nil || !again || time.Now().Add(pause).After(f.broke.Add(Patience)) {
		return err
	}
	tell(err)
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(pause):
		return nil
	}
}

// untilSilence gives a context that ends when heard was not called for so long. Its end frees it.
func untilSilence(ctx context.Context) (attempt context.Context, heard func(), end func()) {
	attempt, cancel := context.WithCancel(ctx)
	alarm := time.AfterFunc(Silence, cancel)
	heard = func() { alarm.Reset(Silence) }
	end = func() {
		alarm.Stop()
		cancel()
	}
	return attempt, heard, end
}
