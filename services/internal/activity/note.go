package activity

import "google.golang.org/protobuf/types/known/structpb"

// Note is what authz leaves with a request in Envoy, as dynamic metadata, so that its outcome
// finds its records: Envoy hands it on in the access log.
type Note struct {
	// IDs are the records' ids, one for each message of the body.
	IDs []string
	// Index is the index they are in.
	Index string
	// Blocked says that the request didn't go on.
	Blocked bool
	// Requests is how many of the body's messages an answer is expected to. Whether it is an error can
	// be told for one.
	Requests int
	// Holder is whose the MCP session is that the answer may begin (state.Grant.Holder); empty where the
	// request isn't one that begins one.
	Holder string
}

// Struct is the note as Envoy carries it.
func (n Note) Struct() *structpb.Struct {
	ids := &structpb.ListValue{}
	for _, id := range n.IDs {
		ids.Values = append(ids.Values, structpb.NewStringValue(id))
	}
	fields := map[string]*structpb.Value{
		"ids":     structpb.NewListValue(ids),
		"index":   structpb.NewStringValue(n.Index),
		"blocked": structpb.NewBoolValue(n.Blocked),
	}
	if n.Requests > 0 {
		fields["requests"] = structpb.NewNumberValue(float64(n.Requests))
	}
	if n.Holder != "" {
		fields["holder"] = structpb.NewStringValue(n.Holder)
	}
	return &structpb.Struct{Fields: fields}
}

// NoteFrom reads a note; it is empty where authz left none.
func NoteFrom(s *structpb.Struct) Note {
	n := Note{
		Index: s.GetFields()["index"].GetStringValue(), Blocked: s.GetFields()["blocked"].GetBoolValue(),
		Requests: int(s.GetFields()["requests"].GetNumberValue()), Holder: s.GetFields()["holder"].GetStringValue(),
	}
	for _, id := range s.GetFields()["ids"].GetListValue().GetValues() {
		n.IDs = append(n.IDs, id.GetStringValue())
	}
	return n
}
