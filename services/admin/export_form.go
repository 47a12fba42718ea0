package admin

import (
	"bytes"
	"encoding/json"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/internal/activity"
	"sallyport/services/internal/audit"
)

// exportForm is how an export writes records: a title before all of them, and each as a line.
type exportForm struct {
	title string
	write func(into *bytes.Buffer, r activity.Record, withheld bool) error
}

var exportForms = map[adminv1.ExportFormat]exportForm{
	adminv1.ExportFormat_EXPORT_FORMAT_JSON_LINES:       {"", writeJSONLine},
	adminv1.ExportFormat_EXPORT_FORMAT_CSV:              {csvTitle(), writeCSVLine},
	adminv1.ExportFormat_EXPORT_FORMAT_ATLASSIAN_EVENTS: {"", writeEventLine},
}

// lineForm is the JSON of `sallyport log --json`.
var lineForm = protojson.MarshalOptions{UseProtoNames: true, EmitDefaultValues: true}

func writeJSONLine(into *bytes.Buffer, r activity.Record, withheld bool) error {
	m := recordMessage(r, time.Now())
	m.ArgumentsWithheld = withheld
	text, err := lineForm.Marshal(m)
	if err == nil {
		// protojson varies its blanks on purpose; files get one form.
		err = json.Compact(into, text)
	}
	return endLine(into, r, err)
}

func writeEventLine(into *bytes.Buffer, r activity.Record, _ bool) error {
	text, err := audit.JSON(r, audit.Organization)
	into.Write(text)
	return endLine(into, r, err)
}

func endLine(into *bytes.Buffer, r activity.Record, err error) error {
	if err != nil {
		return status.Errorf(codes.Internal, "The record %s can't be written: %v.", r.Event.ID, err)
	}
	into.WriteByte('\n')
	return nil
}
