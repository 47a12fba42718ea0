package alert

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"sallyport/services/accesslog/follow"
	"sallyport/services/internal/activity"
)

const (
	webhookTimeout = 10 * time.Second
	// maxReason is how many bytes of a refusal are shown.
	maxReason = 200
)

// Webhook posts alerts to a URL.
type Webhook struct {
	// Host is where, as people may see it: the rest is a secret.
	Host   string
	url    string
	client *http.Client
}

// OpenWebhook returns the webhook of a configuration. It doesn't connect.
func OpenWebhook(c Config) (*Webhook, error) {
	u, err := c.webhook()
	if err != nil {
		return nil, err
	}
	return &Webhook{Host: u.Host, url: u.String(), client: &http.Client{
		Timeout:       webhookTimeout,
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// WebhookOrder is the order in which alerts are posted: as they were raised.
func WebhookOrder() follow.Order {
	return follow.Order{
		Name: "raised", Field: "sallyport.sequence", Source: true,
		Filters: func(string) []follow.Object { return []follow.Object{follow.Exists("sallyport.alert.record")} },
	}
}

// posted is an alert as it is posted.
type posted struct {
	// Text is what Slack, Teams and others show.
	Text      string           `json:"text"`
	Alert     string           `json:"alert"`
	ID        string           `json:"id"`
	Time      time.Time        `json:"time"`
	Record    string           `json:"record"`
	User      *activity.User   `json:"user,omitzero"`
	Client    *activity.Client `json:"client,omitzero"`
	Operation string           `json:"operation,omitzero"`
	Rule      *activity.Rule   `json:"rule,omitzero"`
	Refusal   string           `json:"refusal,omitzero"`
	Blocked   int              `json:"blocked,omitzero"`
	Calls     int              `json:"calls,omitzero"`
}

// Deliver posts alerts, one a request.
func (w *Webhook) Deliver(ctx context.Context, found []follow.Found) ([]follow.Refused, error) {
	var refused []follow.Refused
	for _, f := range found {
		body, err := message(f)
		if err != nil {
			refused = append(refused, follow.Refused{ID: f.ID, Reason: err.Error(), Count: 1})
			continue
		}
		reason, err := w.post(ctx, body)
		if err != nil {
			return nil, err
		}
		if reason != "" {
			refused = append(refused, follow.Refused{ID: f.ID, Reason: reason, Count: 1})
		}
	}
	return refused, nil
}

func message(f follow.Found) ([]byte, error) {
	r, err := activity.Parse(f.Source)
	if err != nil {
		return nil, err
	}
	p := posted{
		Text: plain(r.Message()), Alert: strings.TrimPrefix(r.Event.Action, "alert."), ID: r.Event.ID, Time: r.Timestamp,
		User: r.User, Client: r.Sallyport.Client, Rule: r.Sallyport.Rule,
	}
	if a := r.Sallyport.Alert; a != nil {
		p.Record, p.Refusal, p.Blocked, p.Calls = a.Record, a.Refusal, a.Blocked, a.Calls
	}
	if o := r.Sallyport.Operation; o != nil {
		p.Operation = o.Name
	}
	return json.Marshal(p)
}

// plain keeps names that assistants give from being markup, such as Slack's <!channel>.
func plain(text string) string {
	return strings.NewReplacer("<", "‹", ">", "›", "&", "+").Replace(text)
}

// post posts a body. It returns why it is refused for what it is, or an error after which it is posted again.
func (w *Webhook) post(ctx context.Context, body []byte) (refused string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(body))
	if err != nil {
		return "", errors.New("the URL of the alerts' webhook can't be used")
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "sallyport")
	response, err := w.client.Do(request)
	if err != nil {
		// The error of the client has the URL in it.
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err
		}
		return "", &follow.WaitError{Err: fmt.Errorf("the alerts' webhook at %s doesn't answer: %w", w.Host, err)}
	}
	defer response.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(response.Body, maxReason))
	if response.StatusCode < 300 {
		return "", nil
	}
	reason := strings.TrimSpace(fmt.Sprintf("the alerts' webhook at %s answered %s %s", w.Host, response.Status, strings.ToValidUTF8(string(said), "")))
	switch response.StatusCode {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		return reason, nil
	}
	seconds, _ := strconv.Atoi(response.Header.Get("Retry-After"))
	return "", &follow.WaitError{Err: errors.New(reason), Wait: time.Duration(max(0, min(seconds, 86400))) * time.Second}
}
