package wire_test

import (
	"bytes"
	"errors"
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

// A header says how long the rest is, and is checked before memory is taken.
func ExampleParseHeader() {
	hostile := wire.Header{Kind: wire.KindSignal, Payload: 1 << 31}.Append(nil)
	_, err := wire.ParseHeader(hostile, wire.Session(64<<20))
	fmt.Println(errors.Is(err, wire.ErrTooLarge))

	// Any generated type is a Message.
	var m wire.Message = &wire.Ack{Received: 3}
	h, err := wire.ParseHeader(wire.Append(nil, wire.KindAck, m, 0), wire.Session(64<<20))
	fmt.Println(h.Kind, h.Size(), err)
	// Output:
	// true
	// ack 10 <nil>
}

// A large payload comes in parts, between which other frames find their place.
func ExampleAssembler() {
	first := wire.Part{Parcel: 1, Total: 11, Kind: uint32(wire.KindControl)}
	stream := append(wire.Append(nil, wire.KindPart, &first, 6), "hello "...)
	stream = wire.Append(stream, wire.KindAck, &wire.Ack{Received: 12}, 0)
	stream = append(wire.Append(stream, wire.KindPart, &wire.Part{Parcel: 1}, 5), "world"...)

	var parts wire.Assembler
	d := wire.NewDecoder(wire.Limits{})
	d.Relax(wire.Session(1<<20), &parts, nil)
	d.Advance(copy(d.Space(), stream))
	for {
		f, ok, err := d.Next()
		if err != nil || !ok {
			break
		}
		fmt.Println(f.Kind)
		if f.Whole != nil {
			fmt.Printf("%v %q\n", f.Whole.Kind, f.Whole.Payload)
		}
	}
	// Output:
	// part
	// ack
	// part
	// control "hello world"
}

// page lends the same memory again and again.
type page struct{ memory []byte }

func (p *page) Take(n int) ([]byte, wire.Loan) { return p.memory[:n:n], p }

func (p *page) Return() { clear(p.memory) }

// A large payload is read into memory that its user gives back.
func ExampleMemory() {
	var from wire.Memory = &page{make([]byte, 1<<20)}
	d := wire.NewDecoder(wire.Limits{})
	d.Relax(wire.Session(1<<20), nil, from)

	stream := append(wire.Append(nil, wire.KindControl, &wire.Control{Topic: "names"}, 9000), bytes.Repeat([]byte("x"), 9000)...)
	for len(stream) > 0 {
		n := copy(d.Space(), stream)
		d.Advance(n)
		stream = stream[n:]
		f, ok, _ := d.Next()
		if !ok {
			continue
		}
		var lent wire.Loan = f.Loan
		fmt.Println(len(f.Payload), string(f.Payload[:3]))
		lent.Return()
	}
	// Output: 9000 xxx
}

// A signal is said once, and then only its payloads.
func ExampleAgain() {
	const number = 2
	signal := wire.Signal{Kind: 1, To: 7, Shard: 1, Encoding: 1, Remember: number + 1}
	stream := append(wire.Append(nil, wire.KindSignal, &signal, 3), "one"...)
	stream = append(wire.AppendAgain(stream, number, 3), "two"...)
	stream = append(wire.AppendAgain(stream, number, 5), "three"...)
	stream = append(wire.AppendAgain(stream, number, 4), "four"...)

	d := wire.NewDecoder(wire.Session(1 << 20))
	d.Advance(copy(d.Space(), stream))
	for {
		f, ok, err := d.Next()
		if err != nil || !ok {
			break
		}
		fmt.Printf("%v: %d bytes of message, payload %q\n", f.Kind, len(f.Head), f.Payload)
		// A lane that is busy has more of the kind, which can be had at once.
		if f.Kind == wire.KindAgain {
			for _, r := range d.Repeats(make([]wire.Repeat, 32)) {
				fmt.Printf("number %d again, payload %q\n", r.Number, r.Payload)
			}
		}
	}
	var a wire.Again
	fmt.Println(a.Unmarshal([]byte{number}), a, a.Unmarshal([]byte{wire.MaxRemembered}))
	// Output:
	// signal: 11 bytes of message, payload "one"
	// again: 1 bytes of message, payload "two"
	// number 2 again, payload "three"
	// number 2 again, payload "four"
	// <nil> 2 wire: unexpected kind of frame: again with head 40
}
