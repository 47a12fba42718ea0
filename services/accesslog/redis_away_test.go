package accesslog_test

import (
	"testing"
	"time"

	"sallyport/services/internal/elastictest"
	"sallyport/services/internal/redistest"
)

// Envoy tells an outcome once. It waits for a Redis that is killed and comes back.
func TestOutcomesWaitForRedis(t *testing.T) {
	redis := redistest.StartDurable(t)
	s := openAt(t, redis.Address, elastictest.Empty(t))
	s.decided("before", decision("before"))
	s.ended("before", 200)
	s.indexed(1)
	s.decided("during", decision("during"))
	redis.Kill()
	s.ended("during", 200)
	time.Sleep(2 * time.Second) // longer than the client of Redis tries by itself
	redis.Start()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		// The decision may be indexed before the outcome is there to be.
		got := s.indexed(2)["during"]
		if got.HTTP != nil && got.HTTP.Response != nil && got.HTTP.Response.StatusCode == 200 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the record is %+v, without its outcome", got)
		}
	}
}
