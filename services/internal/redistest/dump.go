package redistest

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Dump returns all keys of the Redis at an address with what they hold, and how many there are.
func Dump(ctx context.Context, address string) (_ []byte, keys int, _ error) {
	client := redis.NewClient(&redis.Options{Addr: address})
	defer client.Close()
	var text strings.Builder
	for all := client.Scan(ctx, 0, "*", 1000).Iterator(); all.Next(ctx); keys++ {
		key := all.Val()
		kind, err := client.Type(ctx, key).Result()
		if err != nil {
			return nil, 0, err
		}
		var value any
		switch kind {
		case "string":
			value, err = client.Get(ctx, key).Result()
		case "hash":
			value, err = client.HGetAll(ctx, key).Result()
		case "set":
			value, err = client.SMembers(ctx, key).Result()
		case "zset":
			value, err = client.ZRange(ctx, key, 0, -1).Result()
		case "stream":
			value, err = client.XRange(ctx, key, "-", "+").Result()
		case "none": // It ended meanwhile.
		default:
			err = fmt.Errorf("%s is a %s, which isn't searched", key, kind)
		}
		if err != nil && !errors.Is(err, redis.Nil) {
			return nil, 0, err
		}
		fmt.Fprintf(&text, "%s %v\n", key, value)
	}
	return []byte(text.String()), keys, nil
}
