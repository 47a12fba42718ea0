package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
)

// cutting is an admin API whose exports of 9 lines end after every 4 with an error.
type cutting struct {
	adminv1.UnimplementedActivityServiceServer
	err error
	// told are the cursors that were sent.
	told []string
}

// ExportActivity sends lines from the cursor on.
func (c *cutting) ExportActivity(request *adminv1.ExportActivityRequest, stream grpc.ServerStreamingServer[adminv1.ExportActivityResponse]) error {
	c.told = append(c.told, request.GetCursor())
	from, _ := strconv.Atoi(request.GetCursor())
	for i := from + 1; i <= 9; i++ {
		if i == from+5 {
			return c.err
		}
		err := stream.Send(&adminv1.ExportActivityResponse{Data: fmt.Appendf(nil, "%d\n", i), Records: int64(i), Total: 9, Cursor: strconv.Itoa(i), Done: i == 9})
		if err != nil {
			return err
		}
	}
	return nil
}

// serve is a connection to it.
func (c *cutting) serve(t *testing.T) *connection {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	adminv1.RegisterActivityServiceServer(server, c)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	token := filepath.Join(t.TempDir(), "token")
	err = os.WriteFile(token, []byte("token"), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	return &connection{Server: listener.Addr().String(), TokenFile: token}
}

// TestExportGoesOnWhereItWasCut has an export cut twice: the file has each line once, and only its owner reads it.
func TestExportGoesOnWhereItWasCut(t *testing.T) {
	for _, code := range []codes.Code{codes.Unavailable, codes.OutOfRange} {
		c := &cutting{err: status.Error(code, "cut")}
		path := filepath.Join(t.TempDir(), "log.jsonl")
		export := logExport{Format: "jsonl", Output: path}
		err := export.Run(t.Context(), c.serve(t), &terminal{out: &bytes.Buffer{}})
		text, readErr := os.ReadFile(path)
		if err != nil || readErr != nil || string(text) != "1\n2\n3\n4\n5\n6\n7\n8\n9\n" || strings.Join(c.told, " ") != " 4 8" {
			t.Errorf("after %v: %q, %v, %v, by cursors %q", code, text, err, readErr, c.told)
		}
		about, err := os.Stat(path)
		if err != nil || about.Mode().Perm() != 0o600 {
			t.Errorf("the file is %v, %v", about.Mode(), err)
		}
	}
}

// TestABrokenExportIsNoFile has an export refused in the middle: what was there before stays, and nothing is
// left beside it.
func TestABrokenExportIsNoFile(t *testing.T) {
	c := &cutting{err: status.Error(codes.PermissionDenied, "Your role has changed.")}
	dir := t.TempDir()
	path := filepath.Join(dir, "log.jsonl")
	err := os.WriteFile(path, []byte("before"), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	export := logExport{Format: "jsonl", Output: path}
	err = export.Run(t.Context(), c.serve(t), &terminal{out: &bytes.Buffer{}})
	text, _ := os.ReadFile(path)
	files, _ := os.ReadDir(dir)
	if exitCode(err) != exitNo || sentence(err) != "The export isn't whole, 4 of 9 records were written. Your role has changed." || string(text) != "before" || len(files) != 1 {
		t.Errorf("%v leaves %q and %v", err, text, files)
	}
}
