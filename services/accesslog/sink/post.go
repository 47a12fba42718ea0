package sink

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	collogspb "go.opentelemetry.io/proto/slim/otlp/collector/logs/v1"
	statuspb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"sallyport/services/accesslog/follow"
)

const (
	contentType = "application/x-protobuf"
	// maxAnswer is how many bytes of an answer are read, and maxReason how many of a refusal are shown.
	maxAnswer = 64 << 10
	maxReason = 300
)

// contentError is that the other side refuses a request for what is in it.
type contentError struct{ reason string }

func (e *contentError) Error() string { return e.reason }

// post sends one request (https://opentelemetry.io/docs/specs/otlp, OTLP/HTTP). An error is a *contentError, or
// passes: then the request is made again later.
func (s *Sink) post(ctx context.Context, message *collogspb.ExportLogsServiceRequest) (*collogspb.ExportLogsServiceResponse, error) {
	body, err := proto.Marshal(message)
	if err != nil {
		return nil, fmt.Errorf("writing an OTLP request: %w", err)
	}
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	_, err = zip.Write(body)
	err = errors.Join(err, zip.Close())
	if err != nil {
		return nil, fmt.Errorf("packing an OTLP request: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, &packed)
	if err != nil {
		return nil, fmt.Errorf("OTLP sink: %w", err)
	}
	request.Header = s.headers.Clone()
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("Content-Encoding", "gzip")
	request.Header.Set("User-Agent", "sallyport")
	response, err := s.client.Do(request)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err
		}
		return nil, &follow.WaitError{Err: fmt.Errorf("the OTLP sink at %s doesn't answer: %w", s.url, err)}
	}
	defer response.Body.Close()
	return s.answer(response)
}

// answer reads what came back.
func (s *Sink) answer(response *http.Response) (*collogspb.ExportLogsServiceResponse, error) {
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return nil, &follow.WaitError{Err: fmt.Errorf("the OTLP sink at %s broke off its answer: %w", s.url, err)}
	}
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if response.StatusCode >= 300 {
		return nil, s.refusal(response, kind, body)
	}
	var answer collogspb.ExportLogsServiceResponse
	switch {
	case len(body) == 0 || kind == contentType:
		err = proto.Unmarshal(body, &answer)
	case kind == "application/json":
		err = protojson.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(body, &answer)
	default:
		err = fmt.Errorf("its Content-Type is %q", kind)
	}
	if err != nil {
		// A page that something on the way made up mustn't be taken for a sink that has the records.
		return nil, &follow.WaitError{Err: fmt.Errorf("what answers at %s doesn't speak OTLP (%s): %w. Check --otlp-endpoint", s.url, response.Status, err)}
	}
	return &answer, nil
}

// refusal is the error of an answer that is one.
func (s *Sink) refusal(response *http.Response, kind string, body []byte) error {
	reason := fmt.Sprintf("the OTLP sink at %s answered %s", s.url, response.Status)
	switch said := strings.TrimSpace(string(body[:min(len(body), maxReason)])); {
	case kind == contentType:
		reason += statusMessage(body)
	case said != "" && (kind == "text/plain" || kind == "application/json"):
		reason += ": " + strings.ToValidUTF8(said, "")
	}
	switch response.StatusCode {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		return &contentError{reason}
	}
	return &follow.WaitError{Err: errors.New(reason), Wait: retryAfter(response.Header.Get("Retry-After"), time.Now())}
}

// statusMessage is the message of a google.rpc.Status, which OTLP answers errors with.
func statusMessage(body []byte) string {
	var status statuspb.Status
	if proto.Unmarshal(body, &status) != nil || status.GetMessage() == "" {
		return ""
	}
	message := status.GetMessage()
	return ": " + strings.ToValidUTF8(message[:min(len(message), maxReason)], "")
}

// retryAfter reads the header of that name, in seconds or as a date; 0 where it says nothing.
func retryAfter(text string, now time.Time) time.Duration {
	seconds, err := strconv.Atoi(strings.TrimSpace(text))
	if err == nil {
		return time.Duration(max(0, min(seconds, 86400))) * time.Second
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return max(0, at.Sub(now))
}
