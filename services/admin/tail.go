package admin

import (
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
)

// TailActivity sends records as they are indexed.
func (s *ActivityServer) TailActivity(*adminv1.TailActivityRequest, grpc.ServerStreamingServer[adminv1.TailActivityResponse]) error {
	return status.Error(codes.Unimplemented, "")
}
