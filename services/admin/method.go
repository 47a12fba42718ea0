package admin

import (
	"bytes"
	"encoding/json"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
)

// method is who may call a method of the API, and how a call is recorded, as the proto says it
// (sallyport/admin/v1/access.proto).
type method struct {
	// name is the method's own, for sentences.
	name string
	role adminv1.Role
	// act is nil where a call only reads.
	act    *adminv1.Act
	dryRun protoreflect.Name
	// input is what its request is; empty where the method isn't known.
	input protoreflect.FullName
}

// methodOf reads what the proto says of a method, "/package.Service/Method". What says nothing, or isn't
// known, needs admin and is recorded.
func methodOf(full string) method {
	service, name, _ := strings.Cut(strings.TrimPrefix(full, "/"), "/")
	access := &adminv1.Access{}
	found, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(service + "." + name))
	if err == nil && proto.HasExtension(found.Options(), adminv1.E_Access) {
		access, _ = proto.GetExtension(found.Options(), adminv1.E_Access).(*adminv1.Access)
	}
	m := method{name: name, role: access.GetRole(), act: access.GetAct(), dryRun: protoreflect.Name(access.GetDryRun())}
	if described, ok := found.(protoreflect.MethodDescriptor); ok {
		m.input = described.Input().FullName()
	}
	switch {
	case access.GetAnybody():
		m.role = noRole
	case roleNames[m.role] == "":
		m.role = admin
	}
	if m.role == admin && m.act == nil {
		m.act = &adminv1.Act{Action: service[strings.LastIndexByte(service, '.')+1:] + "." + name, Category: "configuration", Type: "change"}
	}
	return m
}

// receive reads the request of a method that is answered by a stream.
func (m method) receive(stream grpc.ServerStream) (proto.Message, error) {
	kind, err := protoregistry.GlobalTypes.FindMessageByName(m.input)
	if err != nil {
		return nil, status.Errorf(codes.Unimplemented, "There is no method %s.", m.name)
	}
	request := kind.New().Interface()
	return request, stream.RecvMsg(request)
}

// of is the method as a request calls it: one that says that nothing is to be done only reads.
func (m method) of(request proto.Message) method {
	if m.dryRun == "" {
		return m
	}
	message := request.ProtoReflect()
	field := message.Descriptor().Fields().ByName(m.dryRun)
	if field != nil && field.Kind() == protoreflect.BoolKind && message.Get(field).Bool() {
		m.role, m.act = viewer, nil
	}
	return m
}

// texts are the values of a field, as they are recorded; none where it is empty or there is none.
func texts(message proto.Message, name string) []string {
	if message == nil || name == "" {
		return nil
	}
	m := message.ProtoReflect()
	field := m.Descriptor().Fields().ByName(protoreflect.Name(name))
	if field == nil || !m.Has(field) || field.IsMap() {
		return nil
	}
	if !field.IsList() {
		return []string{valueText(field, m.Get(field))}
	}
	var list []string
	for i := range m.Get(field).List().Len() {
		list = append(list, valueText(field, m.Get(field).List().Get(i)))
	}
	return list
}

func valueText(field protoreflect.FieldDescriptor, value protoreflect.Value) string {
	switch field.Kind() { //nolint:exhaustive // the others are as they print
	case protoreflect.EnumKind:
		named := field.Enum().Values().ByNumber(value.Enum())
		if named == nil {
			return value.String()
		}
		// All of an enum's names begin like that of its zero, EXPORT_FORMAT_UNSPECIFIED.
		prefix := strings.TrimSuffix(string(field.Enum().Values().Get(0).Name()), "UNSPECIFIED")
		return strings.ToLower(strings.TrimPrefix(string(named.Name()), prefix))
	case protoreflect.MessageKind, protoreflect.GroupKind:
		text, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(value.Message().Interface())
		var compact bytes.Buffer
		if err != nil || json.Compact(&compact, text) != nil {
			return ""
		}
		return strings.Trim(compact.String(), `"`)
	}
	return value.String()
}

// detailsOf are the named fields of a message that it has.
func detailsOf(message proto.Message, names []string) map[string]string {
	details := map[string]string{}
	for _, name := range names {
		list := texts(message, name)
		if len(list) > 0 {
			details[name] = strings.Join(list, ", ")
		}
	}
	return details
}
