package secure_test

import (
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/topos-go/topos/remote/secure"
)

// BenchmarkBuffers writes what a lane has gathered: 64 messages at a time.
func BenchmarkBuffers(b *testing.B) {
	for _, size := range []int{200, 4 << 10} {
		for name, write := range map[string]func(*secure.Conn, *net.Buffers) (int64, error){
			"WriteBuffers": (*secure.Conn).WriteBuffers,
			"WriteTo":      func(c *secure.Conn, bufs *net.Buffers) (int64, error) { return bufs.WriteTo(c) },
		} {
			b.Run(fmt.Sprintf("%s/%d", name, size), func(b *testing.B) {
				tr := loopback(b)
				s := serve(b, tr, func(c *secure.Conn) { _, _ = io.Copy(io.Discard, c) })
				c := mustDial(b, tr, s.addr)
				message := make([]byte, size)
				b.SetBytes(int64(64 * size))
				for b.Loop() {
					var bufs net.Buffers
					for range 64 {
						bufs = append(bufs, message)
					}
					if _, err := write(c, &bufs); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkHandshake is both sides of it, with TCP's.
func BenchmarkHandshake(b *testing.B) {
	tr := loopback(b)
	s := serve(b, tr, echo)
	for b.Loop() {
		c, err := tr.Dial(b.Context(), s.addr)
		if err != nil {
			b.Fatal(err)
		}
		if err := exchange(c); err != nil {
			b.Fatal(err)
		}
		c.Close()
	}
}
