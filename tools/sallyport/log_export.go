package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
)

const (
	// exportQuiet is how long an export may last without saying how far it is.
	exportQuiet = 2 * time.Second
	// exportAgain is how long to wait before an export that was cut goes on, and exportAttempts how often in
	// a row it is tried without anything new: about two minutes.
	exportAgain    = time.Second
	exportAttempts = 120
)

// exportFormats are how records are written into a file, by their names here.
var exportFormats = map[string]adminv1.ExportFormat{
	"jsonl":     adminv1.ExportFormat_EXPORT_FORMAT_JSON_LINES,
	"csv":       adminv1.ExportFormat_EXPORT_FORMAT_CSV,
	"atlassian": adminv1.ExportFormat_EXPORT_FORMAT_ATLASSIAN_EVENTS,
}

type logExport struct {
	logFilters
	Format string `help:"jsonl: one JSON object a line, as log --json has them. csv: a table with titles. atlassian: one event a line as in the organization's audit log." enum:"jsonl,csv,atlassian" default:"jsonl" placeholder:"jsonl|csv|atlassian"`
	Output string `help:"Write into this file, which is there only when the export is whole; without it, to standard output." short:"o" placeholder:"FILE" type:"path"`
}

// Help is the examples of --help.
func (logExport) Help() string {
	return `All records of a search, newest first, however many there are. What is recorded while it lasts isn't in it. Where Sallyport or the connection is away for a while, it goes on from where it was; where it can't, the exit code says so. How far it is stands on standard error when it takes longer than two seconds.

In a table, what a spreadsheet would take for a formula has an apostrophe before it. That you export, and what, is recorded. A viewer's has no arguments.

Examples:

  sallyport log export --since 1d > yesterday.jsonl
  sallyport log export --format csv --decision blocked --since 30d --output blocked.csv
  sallyport log export --format atlassian --since 1h | curl -T - https://siem.example/events
  sallyport log export --administrative --since 2026-01-01 --until 2026-04-01 --format csv -o acts.csv`
}

// Validate refuses filters that don't go together.
func (l *logExport) Validate() error { return l.check() }

// Run exports the records.
func (l *logExport) Run(ctx context.Context, c *connection, t *terminal) error {
	conn, err := c.open()
	if err != nil {
		return err
	}
	defer conn.Close()
	e := exporting{
		client: adminv1.NewActivityServiceClient(conn), out: t.out, progress: newProgress(), began: time.Now(),
		request: &adminv1.ExportActivityRequest{Search: l.request(time.Now()), Format: exportFormats[l.Format]},
	}
	if l.Output == "" {
		return e.run(ctx)
	}
	return writeWhole(l.Output, func(out io.Writer) error {
		e.out = out
		return e.run(ctx)
	})
}

// writeWhole writes a file, which has its name only when it is whole. Only its owner can read it.
func writeWhole(path string, write func(io.Writer) error) error {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.part")
	if err != nil {
		return advice("There can be no file in %s: %w. Name another by --output.", filepath.Dir(path), err)
	}
	buffered := bufio.NewWriter(file)
	err = write(buffered)
	if err == nil {
		err = buffered.Flush()
	}
	if err == nil {
		err = file.Sync()
	}
	err = errors.Join(err, file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}

// exporting is an export that goes on where it was cut.
type exporting struct {
	client   adminv1.ActivityServiceClient
	request  *adminv1.ExportActivityRequest
	out      io.Writer
	progress *progress
	began    time.Time
	last     *adminv1.ExportActivityResponse
}

// run receives the export, and goes on with it where it was cut.
func (e *exporting) run(ctx context.Context) error {
	defer e.progress.done()
	for attempt := 1; ; attempt++ {
		cursor := e.request.GetCursor()
		err := e.receive(ctx)
		switch {
		case err == nil:
			e.finish()
			return nil
		case e.last == nil:
			return err
		case ctx.Err() != nil, !wasCut(err), attempt >= exportAttempts:
			return advice("The export isn't whole, %s of %s were written. %w", groupDigits(e.last.GetRecords()), count64(e.last.GetTotal(), "record"), err)
		case e.request.GetCursor() != cursor:
			attempt = 0
		}
		e.progress.say("Interrupted, it goes on when Sallyport answers again")
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(exportAgain):
		}
	}
}

// wasCut says that an export ended on the way, and can go on.
func wasCut(err error) bool {
	var call *callError
	return broke(err) || errors.As(err, &call) && status.Code(call.err) == codes.OutOfRange || errors.Is(err, io.ErrUnexpectedEOF)
}

// receive writes what a stream sends, until its end.
func (e *exporting) receive(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	stream, err := e.client.ExportActivity(ctx, e.request)
	if err != nil {
		return err
	}
	for {
		message, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("the export ended before its end: %w", io.ErrUnexpectedEOF)
		}
		if err != nil {
			return err
		}
		_, err = e.out.Write(message.GetData())
		if err != nil {
			return advice("The export can't be written: %w.", err)
		}
		e.last, e.request.Cursor = message, message.GetCursor()
		if message.GetDone() {
			return nil
		}
		if time.Since(e.began) > exportQuiet {
			e.progress.say(fmt.Sprintf("%s of %s", groupDigits(message.GetRecords()), count64(message.GetTotal(), "record")))
		}
	}
}

// finish says what whoever exports has to know of the file.
func (e *exporting) finish() {
	e.progress.done()
	if time.Since(e.began) > exportQuiet {
		fmt.Fprintf(e.progress.out, "%s exported\n", count64(e.last.GetRecords(), "record"))
	}
	if e.last.GetWaiting() > 0 {
		fmt.Fprintf(e.progress.out, "%s waited for Elasticsearch when this began, and what is in them is missing: export again when `sallyport status` says that the log is up to date.\n", count64(e.last.GetWaiting(), "entry"))
	}
	if e.last.GetArgumentsWithheld() && !e.request.GetSearch().GetAdministrative() {
		fmt.Fprintln(e.progress.out, "Arguments are withheld, and weren't searched: you are a viewer, and an auditor may see them.")
	}
}
