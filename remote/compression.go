package remote

import (
	"bytes"
	"fmt"
	"io"
	"net"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
)

// Compression says how what is sent over a channel's connections is compressed:
// the stream as a whole, so that what small messages have in common counts.
type Compression uint8

// The compressions. The numbers are part of the protocol.
const (
	// Uncompressed is no compression.
	Uncompressed Compression = iota
	// S2 is fast: gigabytes a second, about half the size for text.
	S2
	// Zstd is smaller, at a fraction of S2's speed.
	Zstd
)

// String returns "none", "s2" or "zstd".
func (c Compression) String() string {
	switch c {
	case Uncompressed:
		return "none"
	case S2:
		return "s2"
	case Zstd:
		return "zstd"
	}
	return fmt.Sprintf("Compression(%d)", uint8(c))
}

// zstdWindow is how far back zstd looks, on both sides: enough for messages,
// small enough for every lane to have one.
const zstdWindow = 1 << 20

// flusher is a compressing writer, whose Flush lets the other side have
// everything.
type flusher interface {
	io.Writer
	Flush() error
}

// compressor returns a writer that compresses into w; nil for Uncompressed.
func (c Compression) compressor(w io.Writer) (flusher, error) {
	switch c {
	case S2:
		return s2.NewWriter(w, s2.WriterConcurrency(1), s2.WriterBlockSize(256<<10)), nil
	case Zstd:
		return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true),
			zstd.WithWindowSize(zstdWindow), zstd.WithEncoderLevel(zstd.SpeedFastest))
	}
	return nil, nil
}

// expander returns a reader of what the other side compresses. It takes no more
// memory than a window, whatever the stream says. close gives that back.
func (c Compression) expander(r io.Reader) (expanded io.Reader, close func(), err error) {
	switch c {
	case Uncompressed:
		return r, func() {}, nil
	case S2:
		return s2.NewReader(r, s2.ReaderMaxBlockSize(4<<20), s2.ReaderAllocBlock(64<<10)), func() {}, nil
	case Zstd:
		d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(zstdWindow), zstd.WithDecoderMaxMemory(2*zstdWindow))
		if err != nil {
			return nil, nil, err
		}
		return d, d.Close, nil
	}
	return nil, nil, fmt.Errorf("remote: there is no %v", c)
}

// pipe is what a lane writes to and reads from: the connection, or what
// compresses on it.
type pipe struct {
	conn  net.Conn
	in    io.Reader
	out   flusher // nil for the connection itself
	close func()  // gives the memory of in back; after the last read
	sent  *countingWriter
}

// countingWriter counts the bytes that were left of those compressed.
type countingWriter struct {
	w net.Conn
	n uint64
}

func (c *countingWriter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += uint64(n)
	return n, err
}

// newPipe returns the pipe over c, whose decoder may have read more than the
// handshake.
func newPipe(c *connection, out, in Compression) (*pipe, error) {
	p := &pipe{conn: c.Conn, sent: &countingWriter{w: c.Conn}}
	var err error
	if p.out, err = out.compressor(p.sent); err != nil {
		return nil, err
	}
	var r io.Reader = c.Conn
	if in != Uncompressed {
		r = io.MultiReader(bytes.NewReader(c.dec.Rest()), c.Conn)
	}
	p.in, p.close, err = in.expander(r)
	return p, err
}

// write writes bufs, of which nothing is left. It returns how many bytes were
// written to the connection.
func (p *pipe) write(bufs *net.Buffers) (uint64, error) {
	if p.out == nil {
		if len(*bufs) == 1 {
			n, err := p.conn.Write((*bufs)[0])
			return uint64(n), err
		}
		if w, ok := p.conn.(buffersWriter); ok {
			n, err := w.WriteBuffers(bufs)
			return uint64(n), err
		}
		n, err := bufs.WriteTo(p.conn)
		return uint64(n), err
	}
	before := p.sent.n
	for _, b := range *bufs {
		if _, err := p.out.Write(b); err != nil {
			return p.sent.n - before, err
		}
	}
	err := p.out.Flush()
	return p.sent.n - before, err
}
