package admin

import (
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"sallyport/services/internal/state"
)

// unsure is the answer to a change that binds, but that Redis could still lose (state.ErrNotOnDisk). It is an
// error, so that nobody counts on it without having looked. It is recorded with the outcome unknown.
type unsure struct {
	// made is what holds, without a full stop, and look how to see that it still does.
	made, look string
	cause      error
}

// Error is a sentence that says what holds, and what to do.
func (u unsure) Error() string {
	return fmt.Sprintf("%s, but it isn't certain to survive if Redis is killed now (%v). See why the disk of Redis is slow, or its replica away. %s", u.made, u.cause, u.look)
}

// GRPCStatus is the answer.
func (u unsure) GRPCStatus() *status.Status { return status.New(codes.Unavailable, u.Error()) }

// Unwrap tells it from other errors.
func (unsure) Unwrap() error { return state.ErrNotOnDisk }
