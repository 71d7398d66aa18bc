package codec

import (
	"testing"

	gogotypes "github.com/gogo/protobuf/types"
)

// Messages of 64 bytes, as 32 at a time come over a busy connection.
func BenchmarkRead(b *testing.B) {
	c := newCodec(b)
	var values []any
	for range 32 {
		values = append(values, &gogotypes.BytesValue{Value: make([]byte, 64)})
	}
	r, data := valuesOf(b, c, values...)
	b.Run("together", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var room [32]any
			if _, err := r.ReadAll(room[:0], data); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("alone", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for _, d := range data {
				if _, err := r.Read(d); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}
