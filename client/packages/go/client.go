// Package pictoryjobs is what a client of the Pictory jobs gateway needs beyond the generated code: a connection with
// the service config, a watch that outlives broken connections, downloads, and what an error says.
package pictoryjobs

import (
	_ "embed"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/health" // the client's health checking
	"google.golang.org/grpc/keepalive"

	jobsv1 "example.com/pictoryjobs/pictory/jobs/v1"
)

// Version is that of this module.
const Version = "0.0.0"

//go:embed service_config.json
var serviceConfig string

// Dial gives a client of the gateway at host:port, without TLS unless an option brings credentials. Close the
// connection in the end.
func Dial(target string, options ...grpc.DialOption) (jobsv1.PictoryJobsClient, *grpc.ClientConn, error) {
	pace := backoff.Config{BaseDelay: firstDelay, Multiplier: 2, Jitter: 0.2, MaxDelay: maxDelay}
	connection, err := grpc.NewClient(target, append([]grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultServiceConfig(serviceConfig),
		// gRPC itself waits up to two minutes before it connects again.
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: pace, MinConnectTimeout: 20 * time.Second}),
		// Pings show whether a connection is still there.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: keepalivePause, Timeout: keepaliveAnswer}),
	}, options...)...)
	if err != nil {
		return nil, nil, err
	}
	return jobsv1.NewPictoryJobsClient(connection), connection, nil
}
