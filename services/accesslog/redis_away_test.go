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
	records := s.indexed(2)
	if got := records["during"].HTTP; got == nil || got.Response.StatusCode != 200 {
		t.Errorf("the record is %+v, without its outcome", records["during"])
	}
}
