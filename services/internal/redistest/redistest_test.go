package redistest

import (
	"testing"

	"github.com/redis/go-redis/v9"
)

func TestStart(t *testing.T) {
	client := redis.NewClient(&redis.Options{Addr: Start(t)})
	defer client.Close()
	size, err := client.DBSize(t.Context()).Result()
	if err != nil || size != 0 {
		t.Errorf("got %d keys and error %v; want an empty server", size, err)
	}
}
