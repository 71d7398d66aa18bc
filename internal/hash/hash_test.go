package hash_test

import (
	"fmt"
	"math/bits"
	"testing"

	"github.com/topos-go/topos/internal/hash"
)

func ExampleOf() {
	// Nodes of other versions must agree: the value does not change.
	fmt.Printf("%#x\n", hash.Of("alice"))
	// Output: 0xc5d1556d66774a5c
}

func ExampleMix() {
	fmt.Printf("%#x\n", hash.Mix(1))
	// Output: 0x5692161d100b05e5
}

func TestEveryBitOfTheKeyMovesHalfOfTheHash(t *testing.T) {
	const keys = 1000
	for bit := range 64 {
		moved := 0
		for key := range uint64(keys) {
			moved += bits.OnesCount64(hash.Mix(key) ^ hash.Mix(key^1<<bit))
		}
		if mean := float64(moved) / keys; mean < 30 || mean > 34 {
			t.Errorf("bit %d moves %.1f bits of 64", bit, mean)
		}
	}
}
