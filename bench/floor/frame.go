package floor

import (
	"encoding/binary"
	"io"
)

// mode is the first byte of a connection: what kind of frames go over it.
type mode byte

const (
	modeSmall mode = 's' // small ones, read through a buffer
	modeBulk  mode = 'b' // large ones, each read into a slice of its own
	modeLent  mode = 'l' // large ones, all read into one slice
)

// frame is a message to a sink.
type frame struct {
	sink    int
	request bool // to be answered with the same, or the answer
	payload []byte
}

// headerSize is the length, the sink and the kind.
const headerSize = 8

func (f frame) putHeader(b []byte) {
	binary.LittleEndian.PutUint32(b, uint32(len(f.payload)))
	binary.LittleEndian.PutUint16(b[4:], uint16(f.sink))
	b[6], b[7] = 0, 0
	if f.request {
		b[6] = 1
	}
}

// appendTo appends the frame as it goes over the wire.
func (f frame) appendTo(b []byte) []byte {
	var header [headerSize]byte
	f.putHeader(header[:])
	return append(append(b, header[:]...), f.payload...)
}

// readFrame reads a frame with the slice that room gives for its payload.
func readFrame(r io.Reader, header []byte, room func(n int) []byte) (frame, error) {
	if _, err := io.ReadFull(r, header[:headerSize]); err != nil {
		return frame{}, err
	}
	f := frame{
		sink:    int(binary.LittleEndian.Uint16(header[4:])),
		request: header[6] == 1,
		payload: room(int(binary.LittleEndian.Uint32(header))),
	}
	_, err := io.ReadFull(r, f.payload)
	return f, err
}

// fresh is the room of a receiver that keeps what it gets.
func fresh(n int) []byte { return make([]byte, n) }

// reused is the room of one that does not.
func reused() func(n int) []byte {
	var b []byte
	return func(n int) []byte {
		if cap(b) < n {
			b = make([]byte, n)
		}
		return b[:n]
	}
}
