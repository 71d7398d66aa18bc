package wire_test

import (
	"fmt"

	"github.com/topos-go/topos/remote/wire"
)

// A stream is cut into frames wherever it happens to be divided.
func ExampleDecoder() {
	stream := append(wire.Append(nil, wire.KindControl, &wire.Control{Topic: "names"}, 5), "hello"...)
	stream = wire.Append(stream, wire.KindAck, &wire.Ack{Received: 12}, 0)

	d := wire.NewDecoder(wire.Session(1 << 20))
	for len(stream) > 0 {
		n := copy(d.Space(), stream[:min(4, len(stream))])
		d.Advance(n)
		stream = stream[n:]
		for {
			f, ok, err := d.Next()
			if err != nil || !ok {
				break
			}
			fmt.Printf("%v: %d bytes of message, payload %q\n", f.Kind, len(f.Head), f.Payload)
		}
	}
	// Output:
	// control: 7 bytes of message, payload "hello"
	// ack: 2 bytes of message, payload ""
}
