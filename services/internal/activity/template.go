package activity

import (
	_ "embed"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Template is the Elasticsearch index template of all indices of this package. Its mapping is
// strict: a field that isn't in it is refused rather than guessed.
//
//go:embed template.json
var Template []byte

// TemplateName names the template in Elasticsearch.
const TemplateName = "sallyport"

// Fields returns the template's mappings alone, and its version: indices that were made by an older template
// are given the fields that are new in this one. docs/record.md says how one is added.
func Fields() (mappings []byte, version int, err error) {
	var t struct {
		Version  int `json:"version"`
		Template struct {
			Mappings jsontext.Value `json:"mappings"`
		} `json:"template"`
	}
	err = json.Unmarshal(Template, &t)
	if err != nil {
		return nil, 0, fmt.Errorf("reading the index template: %w", err)
	}
	return t.Template.Mappings, t.Version, nil
}
