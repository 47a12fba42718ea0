package admin

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthgrpc "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"sallyport/services/internal/act"
	"sallyport/services/internal/state"
)

// guard stands before every call: it finds out who calls, lets them do what their role may, and has what
// they do written down before it is done.
type guard struct {
	callers callers
	acts    *act.Recorder
}

// open are the services that need no token: they tell what the service is, and whether it is up. It
// names what is open, so that a service that is added is closed.
var open = []string{healthgrpc.Health_ServiceDesc.ServiceName, "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"}

func isOpen(method string) bool {
	for _, service := range open {
		if strings.HasPrefix(method, "/"+service+"/") {
			return true
		}
	}
	return false
}

// unary guards a call of one message.
func (g guard) unary(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	if isOpen(info.FullMethod) {
		return handler(ctx, request)
	}
	message, _ := request.(proto.Message)
	m := methodOf(info.FullMethod)
	if message != nil {
		m = m.of(message)
	}
	var answer any
	err := g.call(ctx, m, message, func(ctx context.Context) (proto.Message, error) {
		var err error
		answer, err = handler(ctx, request)
		answered, _ := answer.(proto.Message)
		return answered, err
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// stream guards a call that is answered by a stream. Its one request is read first, so that what it asks for
// is known before it is done. Its last answer is recorded too.
func (g guard) stream(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	if isOpen(info.FullMethod) {
		return handler(server, stream)
	}
	m := methodOf(info.FullMethod)
	request, err := m.receive(stream)
	if err != nil {
		return err
	}
	return g.call(stream.Context(), m.of(request), request, func(ctx context.Context) (proto.Message, error) {
		calling := &admitted{ServerStream: stream, ctx: ctx, request: request}
		err := handler(server, calling)
		return calling.answered(), err
	})
}

// admitted is a stream whose context knows the caller, and whose request was read already.
type admitted struct {
	grpc.ServerStream
	ctx     context.Context
	request proto.Message
	// last is what was answered last, which the record of an act tells of. A handler may have given up on
	// sending it.
	mu   sync.Mutex
	last proto.Message
}

// Context is the context that knows the caller.
func (a *admitted) Context() context.Context { return a.ctx }

// RecvMsg hands the request over, once.
func (a *admitted) RecvMsg(message any) error {
	into, ok := message.(proto.Message)
	if !ok || a.request == nil {
		return a.ServerStream.RecvMsg(message)
	}
	proto.Merge(into, a.request)
	a.request = nil
	return nil
}

// SendMsg sends an answer.
func (a *admitted) SendMsg(message any) error {
	err := a.ServerStream.SendMsg(message)
	if answer, ok := message.(proto.Message); ok && err == nil {
		a.mu.Lock()
		a.last = answer
		a.mu.Unlock()
	}
	return err
}

func (a *admitted) answered() proto.Message {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.last
}

// call does something for whoever calls, if their role may. An act is written down first, also one that
// is refused; request is nil where it isn't known.
func (g guard) call(ctx context.Context, m method, request proto.Message, do func(context.Context) (proto.Message, error)) error {
	who, err := g.callers.identify(ctx)
	if err != nil {
		return err
	}
	ctx = context.WithValue(ctx, callerKey{}, who)
	if m.act == nil {
		if who.role < m.role {
			return g.callers.mayNot(ctx, who, m)
		}
		_, err = do(ctx)
		return err
	}
	begun, err := g.acts.Begin(ctx, actOf(ctx, who, m, request))
	if err != nil {
		return notWritten(err)
	}
	var answer proto.Message
	if who.role < m.role {
		err = g.callers.mayNot(ctx, who, m)
	} else {
		answer, err = do(ctx)
	}
	begun.End(ctx, outcomeOf(m, answer, err))
	return err
}

// notWritten is the refusal of an act that couldn't be written down.
func notWritten(err error) error {
	if errors.Is(err, state.ErrStreamFull) {
		return status.Error(codes.Unavailable, "This was not done, since it can't be written down: too many records wait for Elasticsearch, which has been away for long. Start it again, and try once more when the records are indexed.")
	}
	return status.Errorf(codes.Unavailable, "This was not done, since it can't be written down: Redis doesn't answer. Start it again, and try once more. (%v)", err)
}

// actOf is a call as an act.
func actOf(ctx context.Context, who caller, m method, request proto.Message) act.Act {
	a := act.Act{
		Action: m.act.GetAction(), Category: m.act.GetCategory(), Type: m.act.GetType(),
		By: who.user(), Caller: who.kind, SourceIP: sourceIP(ctx), UserAgent: lastOf(ctx, "user-agent"),
		Targets: texts(request, m.act.GetTarget()), Details: detailsOf(request, m.act.GetDetails()),
	}
	a.Reason = strings.Join(texts(request, m.act.GetReason()), " ")
	return a
}

func outcomeOf(m method, answer proto.Message, err error) act.Outcome {
	o := act.Outcome{Details: detailsOf(answer, m.act.GetDetails())}
	if err != nil {
		o.Code, o.Message, o.Unsure = status.Code(err).String(), status.Convert(err).Message(), errors.Is(err, state.ErrNotOnDisk)
	}
	return o
}

// sourceIP is the address that a call comes from: the last that Envoy, which is the only way in, saw; or
// the connection's.
func sourceIP(ctx context.Context) string {
	forwarded := lastOf(ctx, "x-forwarded-for")
	ip := net.ParseIP(strings.TrimSpace(forwarded[strings.LastIndexByte(forwarded, ',')+1:]))
	if ip != nil {
		return ip.String()
	}
	from, ok := peer.FromContext(ctx)
	if !ok {
		return ""
	}
	host, _, err := net.SplitHostPort(from.Addr.String())
	if err != nil || net.ParseIP(host) == nil {
		return ""
	}
	return host
}

// lastOf is the last value of a call's metadata.
func lastOf(ctx context.Context, key string) string {
	values := metadata.ValueFromIncomingContext(ctx, key)
	if len(values) == 0 {
		return ""
	}
	return values[len(values)-1]
}
