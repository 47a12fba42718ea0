package admin

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
)

// maxSettings is how many bytes a service's settings may have.
const maxSettings = 64 << 10

// settingsSource is a service that tells the settings that hold at its ops address.
type settingsSource struct {
	client     *http.Client
	part, base string
}

// ask returns the service's settings by flag, and none where it doesn't answer: that it doesn't is said of the part.
func (s settingsSource) ask(ctx context.Context) []*adminv1.Setting {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(s.base, "/")+"/settings", nil)
	if err != nil {
		return nil
	}
	response, err := s.client.Do(request)
	if err != nil {
		return nil
	}
	defer response.Body.Close()
	var values map[string]string
	err = json.NewDecoder(io.LimitReader(response.Body, maxSettings)).Decode(&values)
	if err != nil || response.StatusCode != http.StatusOK {
		return nil
	}
	var settings []*adminv1.Setting
	for flag, value := range values {
		environment := "SALLYPORT_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
		settings = append(settings, &adminv1.Setting{Part: s.part, Flag: flag, Value: value, Environment: environment})
	}
	slices.SortFunc(settings, func(a, b *adminv1.Setting) int { return cmp.Compare(a.GetFlag(), b.GetFlag()) })
	return settings
}
