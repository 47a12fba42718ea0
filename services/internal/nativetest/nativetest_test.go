package nativetest_test

import (
	"testing"

	"sallyport/services/internal/nativetest"
)

// With 2,000 addresses at random of 12,000, two would be the same almost surely.
func TestAddressIsGivenOnce(t *testing.T) {
	given := map[string]bool{}
	for range 2000 {
		address := nativetest.FreeAddress(t)
		if given[address] {
			t.Fatalf("%s was given twice", address)
		}
		given[address] = true
	}
}
