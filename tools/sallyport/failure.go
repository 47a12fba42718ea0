package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"sallyport/services/policyfile"
)

// Exit codes, so that scripts can tell an answer from an outage.
const (
	// exitNo says that the answer is no: a policy is refused, cases fail, policies differ, a part is down.
	exitNo = 1
	// exitUsage says that the command line was not understood.
	exitUsage = 2
	// exitUnable says that it couldn't be found out: Sallyport, or a part that it needs, doesn't answer.
	exitUnable = 3
)

// errShown says that the command has already shown what is wrong; only the exit code is left.
var errShown = errors.New("shown")

// advice is an error that is a whole sentence and says what to do.
func advice(format string, args ...any) error { return fmt.Errorf(format, args...) }

// noError is an answer of no, as a sentence.
type noError string

// Error is the sentence.
func (e noError) Error() string { return string(e) }

func answeredNo(format string, args ...any) error { return noError(fmt.Sprintf(format, args...)) }

// callError is a call to the admin API that came to nothing.
type callError struct {
	server string
	err    error
}

func (e *callError) Unwrap() error { return e.err }

// Error is a sentence that says what to do.
func (e *callError) Error() string {
	fault, remedy := e.divided()
	if remedy == "" {
		return fault
	}
	return fault + ": " + remedy
}

// divided is what is wrong, and what to do where that isn't said by the service. What the service says is a
// sentence already; what the connection says isn't.
func (e *callError) divided() (fault, remedy string) {
	message := status.Convert(e.err).Message()
	switch code := status.Code(e.err); {
	case code == codes.Canceled:
		return "Stopped.", ""
	case code == codes.DeadlineExceeded:
		return fmt.Sprintf("Sallyport didn't answer at %s within %v", e.server, callTimeout), "`sallyport status` tells what holds it up."
	case code == codes.Unavailable && strings.Contains(message, "tls: "), code == codes.Unavailable && strings.Contains(message, "x509: "):
		return fmt.Sprintf("%s can't be trusted or doesn't speak TLS: %s", e.server, message), ""
	case code == codes.Unavailable && (strings.HasPrefix(message, "connection error") || strings.HasPrefix(message, "error reading server preface") || strings.HasPrefix(message, "name resolver error")):
		return "No Sallyport answers at " + e.server, "start it by `make up`, or name another by --server."
	case code == codes.Unavailable && (strings.HasPrefix(message, "upstream connect error") || strings.HasPrefix(message, "no healthy upstream")):
		return fmt.Sprintf("Envoy answers at %s, but Sallyport's admin service behind it doesn't", e.server), "look into its log, and start it again."
	case code == codes.Unimplemented, code == codes.Unknown && strings.Contains(message, "unexpected HTTP status code"):
		return fmt.Sprintf("What answers at %s is not this version of Sallyport's admin API", e.server), fmt.Sprintf("check --server. (%s)", message)
	}
	return message, ""
}

// sentence is what is said of an error.
func sentence(err error) string {
	if errors.Is(err, context.Canceled) {
		return "Stopped."
	}
	return err.Error()
}

// capital begins a sentence.
func capital(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

func fail(err error) int {
	if !errors.Is(err, errShown) {
		fmt.Fprintln(os.Stderr, printableLines(sentence(err)))
	}
	return exitCode(err)
}

// exitCode tells a no from an answer that can't be had.
func exitCode(err error) int {
	var call *callError
	var file *policyfile.Error
	var no noError
	switch {
	case errors.Is(err, errShown), errors.As(err, &file), errors.As(err, &no):
		return exitNo
	case !errors.As(err, &call):
		return exitUnable
	}
	switch status.Code(call.err) {
	case codes.InvalidArgument, codes.NotFound, codes.AlreadyExists, codes.Aborted, codes.PermissionDenied:
		return exitNo
	default:
		return exitUnable
	}
}
