package process_test

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"google.golang.org/grpc"

	"sallyport/services/internal/nativetest"
	"sallyport/services/internal/process"
)

// TestPings shows that a connection isn't ended because the client often asks whether it is alive, also while it has no
// calls (RFC 9113, section 6.7).
func TestPings(t *testing.T) {
	address := nativetest.FreeAddress(t)
	r := start(t, func(_ context.Context, p *process.Process) error {
		return p.ServeGRPC(process.GRPC{Address: address, Register: func(*grpc.Server) {}})
	})
	defer r.stop()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, err = io.WriteString(conn, http2.ClientPreface)
	if err != nil {
		t.Fatal(err)
	}
	framer := http2.NewFramer(conn, conn)
	err = framer.WriteSettings()
	for n := byte(1); n <= 5 && err == nil; n++ {
		time.Sleep(1100 * time.Millisecond)
		err = framer.WritePing(false, [8]byte{n})
		for acknowledged := false; err == nil && !acknowledged; {
			var frame http2.Frame
			frame, err = framer.ReadFrame()
			if away, ok := frame.(*http2.GoAwayFrame); ok {
				t.Fatalf("ping %d was answered with %s: %s", n, away.ErrCode, away.DebugData())
			}
			ping, ok := frame.(*http2.PingFrame)
			acknowledged = ok && ping.IsAck() && ping.Data[0] == n
		}
	}
	if err != nil {
		t.Error(err)
	}
}
